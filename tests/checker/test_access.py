"""What only a FHIR server of the checker's own can see, and that each of these checks can fail."""

from __future__ import annotations

import socket

import pytest

from cds_service.checker import check_access, visits
from tests.checker.checking import failed, results_of
from tests.checker.small_service import Small, running

ROWS = ["F1", "F7", "F9", "A1", "A2", "A4", "A5", "A7", "A8"]


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/fhir"


def test_a_service_that_fetches_well_fails_nothing() -> None:
    address = free_address()
    with running(Small(fhir=address)) as server:
        results = results_of(server.origin, fhir=address, only=ROWS)
    assert not failed(results)
    assert {one.outcome for one in results.values()} == {"pass"}


def test_a_service_that_does_not_know_the_server_is_not_called_right() -> None:
    """Where nothing was fetched nothing is passed."""
    with running(Small()) as server:
        results = results_of(server.origin, fhir=free_address(), only=["F1", "F9", "A1", "A2", "A8"])
    assert {one.outcome for one in results.values()} == {"skipped"}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("A2", "other-scheme"),
        ("A4", "any-access"),
        ("A5", "strict-scope"),
        ("A7", "follows-redirects"),
        ("A8", "asks-html"),
    ],
)
def test_one_fault_is_seen(row: str, fault: str) -> None:
    address = free_address()
    with running(Small(frozenset({fault}), fhir=address)) as server:
        results = results_of(server.origin, fhir=address, only=[row])
    assert row in failed(results), results[row]


def test_a_service_that_waits_for_a_server_that_hangs_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "HANGS", 1.5)
    monkeypatch.setattr(check_access, "_LONGEST", 1.0)
    address = free_address()
    with running(Small(frozenset({"waits"}), fhir=address)) as server:
        assert "a server that hangs" in failed(results_of(server.origin, fhir=address, only=["A8"]))["A8"]


def test_a_repeated_token_is_seen() -> None:
    """A service that shows the client's access token has kept it at least for its answer."""
    with running(Small(frozenset({"chatty"}))) as server:
        assert "A3" in failed(results_of(server.origin, only=["A3"]))
