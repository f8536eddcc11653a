"""Our own service, over a real socket, held against the specification: open, and behind its gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import make_server

from app import assembled, wire
from cds_service.checker.requirement import requirements
from cds_service.checker.result import Result
from cds_service.hooks.signing import new_key, public_half
from cds_service.settings import Settings
from cds_service.store.database import Database
from fhir_fixtures.story import story
from tests.checker.checking import failed, results_of, skipped
from tests.checker.test_access import free_address
from tests.synthetic import INDEX_DAY

ORIGIN = "https://ehr.example.org"
ISSUER = "https://ehr.example.org"
# Of the service with a FHIR server on a busy machine; less than the checker's server hangs, and than it waits at most.
PATIENT = {"fetch_seconds": 4}
# What no service on this machine can show, what our cards never hold, and what only a person or a contract knows.
NEVER_SEEN = {
    "J2", "D3", "D8", "D9", "D10", "D12", "D15", "P4", "P6", "R7", "A3", "A6", "E2", "C4.injected", "R8", "S3",
    "T2.system", "T4", "T5", "T6", "L3", "X11", "X13", "O4", "cds-resp-1", "cds-resp-2",
}  # fmt: skip


@contextmanager
def serving(address: str, folder: Path, **settings: Any) -> Iterator[str]:
    """The service at an address of this machine, with a database in the folder."""
    database = Database(f"sqlite:///{folder / 'trialhook.sqlite'}")
    database.prepare()
    parts = replace(wire(Settings.model_validate(settings), database), today=lambda: INDEX_DAY)
    place = urlsplit(address)
    server = make_server("127.0.0.1", place.port or 0, assembled(parts), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{place.scheme}://{place.netloc}"
    finally:
        server.shutdown()
        thread.join()


def own_request(folder: Path) -> Path:
    """A request that gets a card."""
    path = folder / "request.json"
    path.write_text(json.dumps(story("supported-count").hook_request(INDEX_DAY)), encoding="utf-8")
    return path


def gated(folder: Path, algorithm: str = "ES384", **options: Any) -> dict[str, Result]:
    """The results of the service behind its gate, of everything that can be tried on this machine."""
    address, fhir, key = free_address().removesuffix("/fhir"), free_address(), new_key(algorithm, "k1")
    (folder / "key.json").write_text(json.dumps(key))
    entry = {
        "name": "Test",
        "issuer": ISSUER,
        "keys": {"jwks": {"keys": [public_half(key)]}},
        "fhir_servers": [f"{fhir} private insecure"],
    }
    clients = folder / "clients.yaml"
    clients.write_text(json.dumps({"clients": [entry]}))
    signing = {"token_key": folder / "key.json", "issuer": ISSUER}
    with serving(address, folder, clients_file=clients, public_url=address, cors_origins=ORIGIN, **PATIENT) as site:
        everything = {"requests": [own_request(folder)], "fhir": fhir, "feedback": True, "origin": ORIGIN}
        return results_of(site, **{**everything, **signing, **options})


@pytest.fixture(scope="module")
def behind_its_gate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return gated(tmp_path_factory.mktemp("gated"))


def test_behind_its_gate_it_breaks_no_requirement(behind_its_gate: dict[str, Result]) -> None:
    assert not failed(behind_its_gate)
    assert set(skipped(behind_its_gate)) == NEVER_SEEN


def test_tokens_of_the_other_algorithm_are_judged_the_same(tmp_path: Path) -> None:
    rows = [name for name, one in requirements().items() if name.startswith("X") and not one.skipped]
    results = gated(tmp_path, "RS384", only=rows)
    assert not failed(results)
    assert not skipped(results)


def test_open_it_breaks_none_but_that_it_is_open(tmp_path: Path) -> None:
    fhir = free_address()
    settings = {"open_access": True, "fhir_servers": f"{fhir} private insecure", "cors_origins": ORIGIN, **PATIENT}
    with serving(free_address(), tmp_path, **settings) as site:
        results = results_of(site, requests=[own_request(tmp_path)], fhir=fhir, feedback=True, origin=ORIGIN)
    assert set(failed(results)) == {"X1"}
    assert set(skipped(results)) == NEVER_SEEN | {"K6", *(f"X{number}" for number in range(2, 14))}


def test_made_up_requests_are_answered_as_well(tmp_path: Path) -> None:
    with serving(free_address(), tmp_path, open_access=True) as site:
        assert set(failed(results_of(site))) == {"X1"}
