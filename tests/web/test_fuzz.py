"""Thousands of requests that are wrong in some place: an answer to each, none of them better for a loss.

`python3 run.py test --deep` tries five times as many. How many were tried is printed at the end of a run.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import settings as drawing

from app import assembled, wire
from cds_service.settings import Settings
from fhir_fixtures.story import load_stories
from tests.synthetic import ROOT
from tests.trials.losses import entries_lost, queries_lost
from tests.web.calls import SERVICE, TODAY
from tests.web.mutated import CANARY, mutated

PUBLIC = ROOT.parent / "shared" / "data" / "public"
BATCHES = 20
_OF_STORIES, _OF_PUBLIC, _LOSSES = 60, 25, 15  # requests of a batch
_FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
TRIED: Counter[str] = Counter()


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    """The service as it is put together, with a card for those who are not ruled out. Says at last what was tried."""
    yield assembled(replace(wire(Settings(show_not_yet=True, open_access=True)), today=lambda: TODAY)).test_client()
    capturing = request.config.pluginmanager.get_plugin("capturemanager")
    answers = ", ".join(f"{count} {what}" for what, count in sorted(TRIED.items()))
    with capturing.global_and_fixture_disabled() if capturing else nullcontext():
        print(f"\nfuzz: {TRIED.total()} requests tried: {answers}")


def deeper() -> int:
    return 5 if drawing.default and drawing.default.max_examples > 100 else 1


@cache
def stories() -> tuple[Mapping[str, Any], ...]:
    return tuple(story.hook_request(TODAY) for story in load_stories())


@cache
def public() -> tuple[Any, ...]:
    """The public files; a few of them are no JSON, as they are meant to be."""
    found = []
    for path in sorted(PUBLIC.rglob("*.json")):
        with suppress(ValueError):
            found.append(json.loads(path.read_bytes()))
    return tuple(found)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_whatever_is_sent_is_answered_and_nothing_of_it_is_repeated(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, batch: int
) -> None:
    caplog.set_level(logging.DEBUG)
    for number in range(_OF_STORIES * deeper()):
        random = Random(f"stories {batch} {number}")
        body = mutated(random.choice(stories()), random, changes=random.randrange(1, 6))
        assert_answered(client, body, f"Random('stories {batch} {number}')")
    assert CANARY not in caplog.text


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public test data are not beside the project")
@pytest.mark.parametrize("batch", range(BATCHES))
def test_public_records_changed_at_random_are_answered(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, batch: int
) -> None:
    caplog.set_level(logging.DEBUG)
    for number in range(_OF_PUBLIC * deeper()):
        random = Random(f"public {batch} {number}")
        body = mutated(_call_about(random.choice(public())), random, changes=random.randrange(0, 4))
        assert_answered(client, body, f"Random('public {batch} {number}')")
    assert CANARY not in caplog.text


def _call_about(record: Any) -> dict[str, Any]:
    """A call that carries a record as the answer to every query."""
    whole = dict(stories()[0])
    resources = [one.get("resource", {}) for one in record.get("entry", [])] if isinstance(record, dict) else []
    patient = next((one for one in resources if one.get("resourceType") == "Patient"), whole["prefetch"]["patient"])
    prefetch = dict.fromkeys(whole["prefetch"], record) | {"patient": patient}
    return whole | {"prefetch": prefetch, "context": {"patientId": patient.get("id", "p1")}}


def assert_answered(client: FlaskClient, body: bytes, seed: str) -> None:
    """An answer that is none of a defect; an error names nothing that came in."""
    response = client.post(SERVICE, data=body, content_type="application/json")
    TRIED[f"{response.status_code}"] += 1
    assert response.status_code < 500, seed
    answer = response.get_json()
    if response.status_code == 200:
        assert isinstance(answer["cards"], list), seed
    else:
        assert answer["resourceType"] == "OperationOutcome", seed
        assert CANARY not in response.get_data(as_text=True), seed


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_loss_makes_an_answer_more_favourable_or_silent(client: FlaskClient, batch: int) -> None:
    for number in range(_LOSSES * deeper()):
        random = Random(f"losses {batch} {number}")
        whole = random.choice(stories())
        what, lost = random.choice(list(_losses(whole)))
        before, after = verdict_of(client, whole), verdict_of(client, lost)
        TRIED["losses"] += 1
        assert after != "candidate" or before == "candidate", f"{whole['context']} {what}"
        assert after != "silent" or before == "silent", f"{whole['context']} {what}"


def _losses(whole: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The request with one resource made unreadable, or one query failed or left out."""
    prefetch = whole["prefetch"]
    answers = {key: _resources(answer) for key, answer in prefetch.items()}
    for loss in (*entries_lost(answers), *queries_lost(answers)):
        changed = {
            key: prefetch[key] if answers[key] is kept else _answer(key, kept) for key, kept in loss.answers.items()
        }
        for key, state in loss.states.items():
            if state == "failed":
                changed[key] = _FAILED
            elif state == "absent":
                del changed[key]
            else:
                changed[key] = {
                    **_answer(key, loss.answers[key]),
                    "link": [{"relation": "next", "url": "http://e.org"}],
                }
        yield loss.what, {**whole, "prefetch": changed}


def _resources(answer: Mapping[str, Any]) -> list[Any]:
    return [one["resource"] for one in answer.get("entry", [])] if answer["resourceType"] == "Bundle" else [answer]


def _answer(key: str, resources: list[Any]) -> Any:
    if key == "patient":
        return resources[0]
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


def verdict_of(client: FlaskClient, call: Mapping[str, Any]) -> str:
    """The verdict on the card; "silent" without one, "refused" where a person is told that it cannot be given."""
    response = client.post(SERVICE, json=call)
    if response.status_code != 200:
        assert response.status_code == 412
        return "refused"
    cards = (response.get_json() or {})["cards"]
    return str(cards[0]["extension"]["org.trialhook.screening"]["verdict"]) if cards else "silent"
