"""Our own service on a real socket, with everything that the checker can try on one machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import make_server

from app import assembled, wire
from cds_service.checker.result import Result
from cds_service.hooks.signing import new_key, public_half
from cds_service.settings import Settings
from cds_service.store.database import Database
from fhir_fixtures.drafts import DRAFTS, order_request_of
from fhir_fixtures.story import story
from tests.checker.checking import results_of
from tests.checker.test_access import free_address
from tests.synthetic import INDEX_DAY

ORIGIN = "https://ehr.example.org"
ISSUER = "https://ehr.example.org"
# Of the service with a FHIR server on a busy machine; less than the checker's server hangs, and than it waits at most.
PATIENT = {"fetch_seconds": 4}


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


def own_requests(folder: Path) -> list[Path]:
    """A request that gets a card, for each hook."""
    told = story("supported-count")
    opened = told.hook_request(INDEX_DAY)
    drafts = [DRAFTS["ruxolitinib"](told.patient_id)]
    orders = [order_request_of(hook, opened, drafts) for hook in ("order-select", "order-sign")]
    paths = []
    for request in (opened, *orders):
        paths.append(folder / f"{request['hook']}.json")
        paths[-1].write_text(json.dumps(request), encoding="utf-8")
    return paths


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
        everything = {"requests": own_requests(folder), "fhir": fhir, "feedback": True, "origin": ORIGIN}
        return results_of(site, **{**everything, **signing, **options})
