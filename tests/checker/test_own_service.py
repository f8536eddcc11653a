"""Our own service, over a real socket, held against the specification: open, and behind its gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.checker.requirement import requirements
from cds_service.checker.result import Result
from tests.checker import conformance
from tests.checker.checking import failed, results_of, skipped
from tests.checker.own_service import ORIGIN, PATIENT, gated, own_requests, serving
from tests.checker.test_access import free_address

# What no service on this machine can show, what our cards never hold, and what only a person or a contract knows.
NEVER_SEEN = {
    "J2", "D3", "D8", "D9", "D10", "D12", "D15", "P4", "P6", "R7", "A3", "A6", "E2", "C4.injected", "S3", "T2.system",
    "T4", "T5", "T6", "L3", "X11", "X13", "O4", "cds-resp-1", "cds-resp-2",
}  # fmt: skip


@pytest.fixture(scope="module")
def behind_its_gate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return gated(tmp_path_factory.mktemp("gated"))


def test_behind_its_gate_it_breaks_no_requirement(behind_its_gate: dict[str, Result]) -> None:
    assert not failed(behind_its_gate)
    assert set(skipped(behind_its_gate)) == NEVER_SEEN


def test_the_readme_says_what_the_checker_found(behind_its_gate: dict[str, Result]) -> None:
    """Written anew with `python -m tests.checker.conformance`."""
    assert conformance.written() == conformance.report(behind_its_gate)
    assert conformance.PAGE.read_text(encoding="utf-8") == conformance.written()


def test_tokens_of_the_other_algorithm_are_judged_the_same(tmp_path: Path) -> None:
    rows = [name for name, one in requirements().items() if name.startswith("X") and not one.skipped]
    results = gated(tmp_path, "RS384", only=rows)
    assert not failed(results)
    assert not skipped(results)


def test_open_it_breaks_none_but_that_it_is_open(tmp_path: Path) -> None:
    fhir = free_address()
    settings = {"open_access": True, "fhir_servers": f"{fhir} private insecure", "cors_origins": ORIGIN, **PATIENT}
    with serving(free_address(), tmp_path, **settings) as site:
        everything = {"requests": own_requests(tmp_path), "fhir": fhir, "feedback": True, "origin": ORIGIN}
        results = results_of(site, **everything)
    assert set(failed(results)) == {"X1"}
    assert set(skipped(results)) == NEVER_SEEN | {"K6", *(f"X{number}" for number in range(2, 14))}


def test_made_up_requests_are_answered_as_well(tmp_path: Path) -> None:
    with serving(free_address(), tmp_path, open_access=True) as site:
        assert set(failed(results_of(site))) == {"X1"}
