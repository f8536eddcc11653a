"""The order guard and what people answered: it says nothing of a patient of whom a person ruled the disease out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import pytest

from cards.compose import Site
from cards.guard import order_composer
from cds_service import pipeline
from cds_service.fhir.fetched import Fetched
from cds_service.hooks.request import HookRequest
from cds_service.trials.finding import Answer
from fhir_fixtures.drafts import draft_orders
from tests.guard.guarded import drafted, request_of
from tests.trials.record_of import PROTOCOL, SCREENED_ON, screened

# Chronic GVHD in words alone, which a person is to confirm.
FACTS = {"conditions": {"text": "Chronic GVHD, severe", "recorded": "2026-02-01"}}
DRAFT = draft_orders([drafted("ruxolitinib", mg=10, every="bid")])


class Desk:
    """Holds one answer for one patient."""

    def __init__(self, met: bool | None, patient: str = "p1") -> None:
        self.patient = patient
        footing = screened(FACTS).finding("I02.dx").footing
        self.said = Answer("I02.dx", met, "AB", datetime(2026, 3, 16, 12, tzinfo=UTC), footing)

    def answers(self, patient: str) -> Sequence[Answer]:
        return [self.said] if patient == self.patient else []

    def linked(
        self, cards: Sequence[Mapping[str, object]], request: HookRequest, fetched: Fetched, day: date
    ) -> list[Mapping[str, object]]:
        raise AssertionError("an order's card leads to no review")


def cards_with(desk: Desk | None) -> object:
    compose = order_composer(Site())
    request = request_of(FACTS, DRAFT)
    return pipeline.order_guard(request, PROTOCOL, compose, SCREENED_ON, pipeline.Means(desk=desk))["cards"]


def test_without_an_answer_the_diagnosis_is_open_and_the_draft_gets_its_card() -> None:
    assert screened(FACTS).finding("I02.dx").status == "review"
    assert cards_with(None)


def test_a_no_to_the_diagnosis_silences_it() -> None:
    assert cards_with(Desk(met=False)) == []


@pytest.mark.parametrize("desk", [Desk(met=True), Desk(met=None), Desk(met=False, patient="p2")])
def test_no_other_answer_changes_the_card(desk: Desk) -> None:
    assert cards_with(desk) == cards_with(None)
