"""Whole records fetched over HTTP from a FHIR server come to what the same records come to as files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from app import wire
from cds_service.fhir.records import from_files, from_prefetch
from cds_service.hooks.request import HookRequest
from cds_service.net.servers import Server
from cds_service.pipeline import fetch, screen_records
from cds_service.settings import Settings
from cds_service.trials.screening import Screening
from cds_service.web.cds_hooks import Wiring
from cds_service.web.fhir_server.door import fhir_server
from fhir_fixtures.story import load_stories
from tests.synthetic import ROOT
from tests.web.calls import TODAY

SYNTHEA = ROOT.parent / "shared" / "data" / "public" / "synthea-2019-r4"
STORIES = {story.patient_id: story for story in load_stories()}
# No query asks for blood pressures; a file may hold them.
_READ_FROM_FILES_ONLY = {"E05c"}


class SyntheaChart:
    """A patient of a Synthea file, as a server holds it: entries refer to each other by type and id."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def entries(self) -> list[Any]:
        bundle = json.loads(self.path.read_bytes())["entry"]
        names = {one["fullUrl"]: f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle}
        resources = json.dumps([one["resource"] for one in bundle])
        found: list[Any] = json.loads(
            re.sub(r"urn:uuid:[0-9a-f-]{36}", lambda urn: names.get(urn[0], urn[0]), resources)
        )
        return found

    @cached_property
    def patient_id(self) -> str:
        return str(next(one["id"] for one in self.entries if one["resourceType"] == "Patient"))

    def resources(self, today: date) -> Sequence[Any]:
        return self.entries


CHARTS = [SyntheaChart(path) for path in sorted(SYNTHEA.glob("*.json"), key=lambda path: path.stat().st_size)[:2]]


@pytest.fixture(scope="module")
def wiring() -> Iterator[Wiring]:
    """A service that may fetch from a running server with all stories and some Synthea patients."""
    app = Flask("records")
    app.register_blueprint(fhir_server(lambda: TODAY, [*STORIES.values(), *CHARTS]))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    base = Server(f"http://127.0.0.1:{server.server_port}/fhir", private=True)
    try:
        yield wire(Settings(fhir_servers=(base,), fetch_seconds=20, open_access=True))
    finally:
        server.shutdown()


def fetched(wiring: Wiring, patient_id: str) -> Screening:
    (base,) = wiring.settings.fhir_servers
    request = HookRequest("patient-view", "x", patient_id, {}, base.base, "token")
    record = from_prefetch({}, patient_id, fetch(request, wiring.fetcher))
    return screen_records(record, wiring.protocol, TODAY)


def from_file(wiring: Wiring, patient_id: str, content: bytes) -> Screening:
    return screen_records(from_files({"f": [content]}, wiring.protocol.index, patient_id), wiring.protocol, TODAY)


def statuses(screening: Screening) -> dict[str, tuple[str, frozenset[str]]]:
    return {
        one.id: (str(one.status), frozenset(map(str, one.flags)))
        for one in screening.findings
        if one.id not in _READ_FROM_FILES_ONLY
    }


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_the_same_fetched_and_from_a_file(wiring: Wiring, name: str) -> None:
    entries = [{"resource": dict(one)} for one in STORIES[name].resources(TODAY)]
    content = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    one, other = fetched(wiring, name), from_file(wiring, name, content)
    assert (one.verdict, statuses(one)) == (other.verdict, statuses(other))


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the public test data are not beside the project")
@pytest.mark.parametrize("number", range(2))
def test_a_synthea_patient_is_the_same_fetched_and_from_the_file(wiring: Wiring, number: int) -> None:
    chart = CHARTS[number]
    one, other = fetched(wiring, chart.patient_id), from_file(wiring, chart.patient_id, chart.path.read_bytes())
    assert (one.verdict, statuses(one)) == (other.verdict, statuses(other))
