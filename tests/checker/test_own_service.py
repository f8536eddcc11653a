"""Our own service, over a real socket, held against the specification."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from app import assembled, wire
from cds_service.checker.result import Outcome
from cds_service.settings import Settings
from fhir_fixtures.story import story
from tests.checker.checking import failed, results_of
from tests.checker.test_access import free_address
from tests.synthetic import INDEX_DAY


@pytest.fixture(scope="module")
def fhir_address() -> str:
    return free_address()


@pytest.fixture(scope="module")
def site(fhir_address: str) -> Iterator[str]:
    """The service, which may call the checker's FHIR server."""
    settings = Settings.model_validate({"fhir_servers": f"{fhir_address} private insecure", "open_access": True})
    server = make_server("127.0.0.1", 0, assembled(replace(wire(settings), today=lambda: INDEX_DAY)), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def own_request() -> dict[str, object]:
    """A request that gets a card."""
    return story("supported-count").hook_request(INDEX_DAY)


def test_it_breaks_no_requirement(site: str, fhir_address: str, tmp_path: Path) -> None:
    """It is open here, and without the settings for a browser."""
    path = tmp_path / "request.json"
    path.write_text(json.dumps(own_request()), encoding="utf-8")
    results = results_of(site, requests=[path], fhir=fhir_address)
    assert set(failed(results)) == {"X1"}
    assert results["C1"].outcome is Outcome.PASS
    assert results["A2"].outcome is Outcome.PASS
    assert results["F9"].outcome is Outcome.PASS


def test_made_up_requests_are_answered_as_well(site: str) -> None:
    assert set(failed(results_of(site))) == {"X1"}
