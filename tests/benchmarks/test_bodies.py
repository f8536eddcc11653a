"""The bodies that are measured are what the targets speak of."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app import wire
from benchmarks.bodies import bodies
from cds_service.settings import Settings
from fhir_fixtures.hook_request import KEYS

TODAY = date(2026, 3, 16)
BODIES = {body.name: body for body in bodies(TODAY)}


def types(name: str) -> Counter[str]:
    prefetch: dict[str, Any] = json.loads(BODIES[name].json)["prefetch"]
    entries = [entry["resource"] for bundle in prefetch.values() for entry in bundle.get("entry", ())]
    return Counter(one["resourceType"] for one in [prefetch["patient"], *entries])


@pytest.mark.parametrize("name", BODIES)
def test_every_query_has_its_answer(name: str) -> None:
    assert list(json.loads(BODIES[name].json)["prefetch"]) == list(KEYS)


@pytest.mark.parametrize(("name", "observations"), [("a", 0), ("b", 50), ("c", 1000)])
def test_the_bodies_of_nobody_special_hold_a_patient_and_observations(name: str, observations: int) -> None:
    assert types(name) == Counter({"Patient": 1} | ({"Observation": observations} if observations else {}))


def test_the_large_body_has_the_size_that_the_targets_name() -> None:
    assert 1_150_000 < len(BODIES["c"].json) < 1_250_000


def test_the_candidates_hold_as_many_resources_as_the_targets_name() -> None:
    large = types("e")
    assert types("d").total() == 40
    assert large["Observation"] == 1000
    assert large["MedicationStatement"] + large["MedicationRequest"] == 200


@pytest.mark.parametrize("name", BODIES)
def test_the_candidates_are_candidates_and_the_others_have_no_card(name: str) -> None:
    wiring = replace(wire(Settings(open_access=True)), today=lambda: TODAY)
    answer: Any = wiring.answer(wiring.services[0], BODIES[name].json)
    verdicts = [card["extension"]["org.trialhook.screening"]["verdict"] for card in answer["cards"]]
    assert verdicts == (["candidate"] if BODIES[name].shows_card else [])
