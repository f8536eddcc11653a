"""What a record costs grows with its length, and no faster; what it holds of memory is given back.

Counted are the steps of the interpreter, calls and lines: they are the same on every machine.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from types import FrameType
from typing import Any

import pytest

from benchmarks.bodies import CANDIDATE, body_of, medications, observations
from cards.compose import Site, composer
from cds_service import pipeline
from cds_service.hooks.request import read_request
from cds_service.trials.protocol import load_protocol
from fhir_fixtures.story import story

TODAY = date(2026, 3, 16)
COMPOSE = composer(Site())
FEW = 60


def orders(how_many: int, patient_id: str, today: date) -> list[dict[str, Any]]:
    """Orders of prednisone without an end, one a week, so that many overlap on every day."""
    return [
        {
            "resourceType": "MedicationRequest",
            "id": f"order-{number}",
            "status": "active",
            "intent": "order",
            "subject": {"reference": f"Patient/{patient_id}"},
            "medicationCodeableConcept": {"text": "prednisone"},
            "authoredOn": (today - timedelta(days=7 * number)).isoformat(),
            "dosageInstruction": [{"text": f"{5 + number % 7} mg once daily"}],
        }
        for number in range(how_many)
    ]


IN_FULL = pipeline.Means(in_full=True)
Made = Callable[[int, str, date], Sequence[dict[str, Any]]]
KINDS: dict[str, Made] = {"observations": observations, "medications": medications, "prednisone": orders}


@cache
def answer(body: bytes) -> Callable[[], object]:
    protocol = load_protocol("nct06920199")

    def screened() -> object:
        return pipeline.patient_view(read_request(body, "patient-view"), protocol, COMPOSE, TODAY, IN_FULL)

    screened()  # whatever is loaded on first use
    return screened


def candidate_with(made: Sequence[dict[str, Any]]) -> bytes:
    return body_of("x", "", CANDIDATE, [*story(CANDIDATE).resources(TODAY), *made]).json


def steps(act: Callable[[], object]) -> int:
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal counted
        counted += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        act()
    finally:
        sys.settrace(before)
    return counted


@pytest.mark.parametrize("kind", KINDS)
def test_twice_as_many_records_take_twice_as_many_steps(kind: str) -> None:
    """With n, 2n and 4n records the second increase is twice the first where cost is linear, four times where it is
    quadratic."""
    few, some, many = (steps(answer(candidate_with(KINDS[kind](FEW * times, CANDIDATE, TODAY)))) for times in (1, 2, 4))
    assert many - some < 2.5 * (some - few)


def test_a_long_record_holds_little_memory_and_gives_it_back() -> None:
    """At most five times the size of the body, on top of it."""
    made = [*observations(20_000, CANDIDATE, TODAY), *medications(5_000, CANDIDATE, TODAY)]
    body = candidate_with(made)
    act = answer(body)
    gc.collect()
    tracemalloc.start()
    try:
        act()
        _, most = tracemalloc.get_traced_memory()
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 5 * len(body)
    assert held < len(body) / 20
