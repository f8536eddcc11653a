"""The command line, by its own function and through a real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from tests.synthetic import ROOT, bundle, but, condition, patient, resources


def run(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["screen", *arguments, "--as-of", "2026-03-16"], input=given)


def written(folder: Path, content: bytes, name: str = "record.json") -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def test_json_is_the_screening_of_the_contract(tmp_path: Path) -> None:
    result = run(written(tmp_path, bundle(resources())), "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["verdict"] == "needs-review"


def test_text_says_the_verdict_and_why_there_would_be_a_card(tmp_path: Path) -> None:
    text = run(written(tmp_path, bundle(resources()))).stdout
    assert "Verdict: needs review by a person" in text
    assert "A card would be shown: chronic GVHD is possible" in text
    assert max(map(len, text.splitlines())) <= 110


def test_html_is_one_page(tmp_path: Path) -> None:
    page = run(written(tmp_path, bundle(resources())), "--format", "html").stdout
    assert page.startswith("<!doctype html>\n")
    assert page.endswith("</html>\n")
    assert "needs review by a person" in page


def test_text_says_why_there_would_be_none(tmp_path: Path) -> None:
    tma = condition("tma", "http://hl7.org/fhir/sid/icd-10-cm", "M31.11")
    text = run(written(tmp_path, bundle(but({"tma": tma})))).stdout
    assert "No card would be shown: ruled out by E13" in text


def test_several_files_are_one_record(tmp_path: Path) -> None:
    names = [written(tmp_path, json.dumps(one).encode(), f"{number}.json") for number, one in enumerate(resources())]
    together = json.loads(run(*names, "--format", "json").stdout)
    whole = json.loads(run(written(tmp_path, bundle(resources())), "--format", "json").stdout)
    assert together == whole


@pytest.mark.parametrize("kind", ["collection", "searchset", "transaction", "batch", "document", "history"])
def test_a_bundle_of_any_type_is_read(tmp_path: Path, kind: str) -> None:
    assert run(written(tmp_path, bundle(resources(), kind))).exit_code == 0


def test_ndjson_is_read_line_by_line(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(one) for one in resources()).encode()
    assert json.loads(run(written(tmp_path, lines), "--format", "json").stdout)["verdict"] == "needs-review"


def test_a_dash_is_standard_input() -> None:
    assert run("-", given=bundle(resources())).exit_code == 0


def test_what_is_not_in_the_files_was_searched_and_none_was_recorded(tmp_path: Path) -> None:
    searched = json.loads(run(written(tmp_path, bundle([patient()])), "--format", "json").stdout)["searched"]
    assert searched["patient"] == {"state": "found"}
    assert searched["conditions"] == {"state": "none"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "not JSON"),
        (b"", "not JSON"),
        (b'{"resourceType": "Patient", "id": NaN}', "not JSON"),
        (b"[1, 2]", "not a FHIR resource"),
        (b'{"a": 1}', "not a FHIR resource"),
        (b'{"resourceType": "Observation", "id": "o"}', "No Patient"),
        (b'{"resourceType": "Patient"}\n{"resourceType": ', "line 2"),
        (b"[" * 200_000, "not JSON"),
        (b'{"resourceType": "Patient", "gender": 7}', "cannot be read"),
        ("\ufeff".encode() + b"nonsense", "not JSON"),
        (b'{"resourceType": "Patient", "id": "\xff"}', "not UTF-8"),
    ],
)
def test_what_cannot_be_screened_exits_with_2_and_a_message_and_prints_nothing(
    tmp_path: Path, content: bytes, said: str
) -> None:
    result = run(written(tmp_path, content))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


_ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


@pytest.mark.parametrize(
    "answer", [_ERROR, {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": _ERROR}]}]
)
def test_an_answer_that_failed_leaves_what_it_would_have_brought_unsearched(
    tmp_path: Path, answer: dict[str, object]
) -> None:
    failed = written(tmp_path, json.dumps(answer).encode(), "failed.json")
    result = run(written(tmp_path, bundle([patient()])), failed, "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["searched"]["conditions"] == {"state": "failed"}
    alone = run(failed)
    assert (alone.exit_code, alone.stdout) == (2, "")
    assert "No Patient" in alone.stderr
    assert "the server answered with an error" in alone.stderr
    assert "not a FHIR resource" not in alone.stderr


def test_two_patients_need_a_choice(tmp_path: Path) -> None:
    name = written(tmp_path, bundle([*resources(), patient(id="p2")]))
    refused = run(name)
    assert refused.exit_code == 2
    assert "p1, p2" in refused.stderr
    chosen = run(name, "--patient", "p1", "--format", "json")
    assert {"reference": "Patient/p2", "reason": "other-patient"} in json.loads(chosen.stdout)["skipped"]
    assert run(name, "--patient", "p3").exit_code == 2


def test_a_missing_file_is_named() -> None:
    result = run("no-such-file.json")
    assert result.exit_code == 2
    assert "no-such-file.json" in result.stderr


def test_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["screen", written(tmp_path, bundle(resources())), "--as-of", "yesterday"])
    assert result.exit_code == 2
    assert "2026-03-16" in result.stderr


def test_the_module_runs_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cds_service", "screen", written(tmp_path, bundle(resources())),
               "--as-of", "2026-03-16", "--format", "json"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["patient"] == "Patient/p1"


def test_a_wrong_setting_is_a_message_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIALHOOK_SITE_TIMEZON", "Asia/Shanghai")
    result = CliRunner().invoke(main, ["screen", written(tmp_path, bundle(resources()))])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "TRIALHOOK_SITE_TIMEZONE" in result.stderr
