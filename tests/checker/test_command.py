"""The command: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.checker.requirement import requirements
from cds_service.cli import main
from tests.checker.small_service import Small, running
from tests.checker.test_access import free_address
from tests.checker.test_faults import at

# The rows of the checklist, and two that were taken apart because their halves have different levels.
ROWS = (
    [f"J{n}" for n in range(1, 8)] + [f"D{n}" for n in range(1, 16)] + [f"P{n}" for n in range(1, 9)]
    + [f"R{n}" for n in range(1, 12)] + [f"F{n}" for n in range(1, 12)] + [f"A{n}" for n in range(1, 9)]
    + [f"E{n}" for n in range(1, 7)] + ["C1", "C2", "C3", "C4", "C4.html", "C4.injected"]
    + [f"C{n}" for n in range(5, 12)] + [f"S{n}" for n in range(1, 6)] + ["T1", "T2", "T2.system"]
    + [f"T{n}" for n in range(3, 7)] + ["L1", "L2", "L3", "Y1"] + [f"K{n}" for n in range(1, 9)]
    + [f"X{n}" for n in range(1, 14)] + [f"O{n}" for n in range(1, 5)]
    + ["cds-r-1", "cds-r-2", "cds-resp-1", "cds-resp-2"]
)  # fmt: skip


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_every_row_of_the_checklist_is_there() -> None:
    assert list(requirements()) == ROWS


def test_a_line_for_each_requirement_and_exit_code_0() -> None:
    with running(Small()) as server:
        answer = check(f"{server.origin}/")
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert [line.split()[0] for line in lines[2 : 2 + len(ROWS)]] == ROWS
    assert lines[-1].startswith("BP: ")


def test_a_broken_shall_is_exit_code_1() -> None:
    with running(Small(response=at("cards.0.summary", ...))) as server:
        assert check(server.origin).exit_code == 1


def test_a_broken_should_is_exit_code_0() -> None:
    with running(Small(frozenset({"plain-errors"}))) as server:
        answer = check(server.origin, "--only", "E5")
    assert " fail " in answer.output
    assert answer.exit_code == 0


@pytest.mark.parametrize("address", ["", "/", "/cds-services", "/cds-services/", "/base", "/base/cds-services//"])
def test_base_and_discovery_address_lead_to_the_same(address: str) -> None:
    with running(Small()) as server:
        answer = check(server.origin + address, "--only", "D1", "--only", "D11", "--format", "json")
    assert [row["outcome"] for row in json.loads(answer.output)["results"]] == ["pass", "pass"]


def test_without_discovery_one_requirement_is_broken_and_none_about_services_is_passed() -> None:
    """What passes is that the error itself is valid FHIR."""
    with running(Small()) as server:
        answer = json.loads(check(f"{server.origin}/elsewhere", "--format", "json").output)
    outcomes = {row["id"]: row["outcome"] for row in answer["results"] if row["level"] == "SHALL"}
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "skipped"} == {"D1": "fail", "J5": "pass"}


def test_services_that_are_published_elsewhere_are_found() -> None:
    """Then discovery is not where it belongs, and the services beside it are called all the same."""
    with running(Small(frozenset({"other-discovery"}))) as server:
        answer = check(f"{server.origin}/cds-discovery", "--only", "D1", "--only", "D11", "--format", "json")
    assert [row["outcome"] for row in json.loads(answer.output)["results"]] == ["fail", "pass"]


def test_json_says_whether_all_is_well() -> None:
    with running(Small(response=at("cards.0.indicator", "urgent"))) as server:
        answer = json.loads(check(server.origin, "--only", "C2", "--format", "json").output)
    assert answer["passed"] is False
    (row,) = answer["results"]
    assert (row["id"], row["level"], row["outcome"]) == ("C2", "SHALL", "fail")
    assert "'urgent'" in row["seen"]


def test_markdown_keeps_its_table_whatever_was_seen() -> None:
    with running(Small(response=at("cards.0.indicator", "<b>|`\n|"))) as server:
        answer = check(server.origin, "--only", "C2", "--format", "markdown").output
    (row,) = [line for line in answer.splitlines() if line.startswith("| C2 ")]
    assert row.replace("\\|", "").count("|") == 6
    assert "<b>" not in row


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://127.0.0.1:9"], "gave no answer"),
        (["ftp://example.org"], "is no address"),
        (["http://127.0.0.1:9", "--only", "Z1"], "no such requirement"),
        (["http://127.0.0.1:9", "--issuer", "x"], "--token-key"),
        (["http://127.0.0.1:9", "--fhir", "http://example.org/fhir"], "address of this machine"),
        (["http://127.0.0.1:9", "--request", __file__], "hook request"),
        (["http://127.0.0.1:9", "--token-key", __file__, "--issuer", "x"], "private key"),
    ],
)
def test_where_nothing_can_be_checked_the_exit_code_is_2(arguments: list[str], words: str) -> None:
    answer = check(*arguments)
    assert answer.exit_code == 2
    assert words in answer.output


def test_a_taken_port_for_the_fhir_server_is_said() -> None:
    address = free_address()
    with running(Small()) as server:
        answer = check(server.origin, "--fhir", server.base, "--only", "A1")
        assert check(server.origin, "--fhir", address, "--only", "A1").exit_code == 0
    assert answer.exit_code == 2
    assert "Address already in use" in answer.output


def test_a_request_of_ones_own_is_sent(tmp_path: Path) -> None:
    """Its patient is another than that of the made-up request."""
    prefetch = {"patient": {"resourceType": "Patient", "id": "p7"}, "conditions": None}
    own = {"hook": "patient-view", "hookInstance": "x", "context": {"userId": "Practitioner/1", "patientId": "p7"}}
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**own, "prefetch": prefetch}), encoding="utf-8")
    with running(Small()) as server:
        answer = check(server.origin, "--hook", "patient-view", "--request", str(path), "--only", "C1")
        sent = [json.loads(one.body) for one in server.asked if one.method == "POST"]
    assert answer.exit_code == 0
    assert sent
    assert {one["context"]["patientId"] for one in sent if "context" in one} == {"p7"}


def test_nothing_is_stored_at_the_other_side_unless_asked_for() -> None:
    with running(Small()) as server:
        check(server.origin)
        assert not [one for one in server.asked if one.path.endswith("/feedback") and one.method == "POST"]
        check(server.origin, "--feedback", "--only", "K1")
        assert [one for one in server.asked if one.path.endswith("/feedback")]
