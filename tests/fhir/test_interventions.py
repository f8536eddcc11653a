"""Procedures: done, possibly done, and not done."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Intervention
from tests.fhir.made import AS_OF, Json, coded, doubts, facts_of, resource, skipped

ALLOGENEIC = coded("cpt", "38240")


def procedure(**elements: Any) -> Json:
    return resource("Procedure", **{"status": "completed", "code": {"coding": [ALLOGENEIC]}, **elements})


def the_intervention(**elements: Any) -> Intervention:
    (found,) = facts_of(procedure(**elements)).interventions
    return found


def days(first: str, last: str | None = None) -> DayRange:
    return DayRange(date.fromisoformat(first), date.fromisoformat(last or first))


@pytest.mark.parametrize(
    ("status", "sure"),
    [("completed", True), ("in-progress", True), ("stopped", False), ("on-hold", False), ("aborted", False),
     ("unknown", False), (None, False), ("odd", False)],
)  # fmt: skip
def test_only_a_completed_procedure_or_one_under_way_was_surely_done(status: str | None, sure: bool) -> None:
    assert the_intervention(status=status).surely_done is sure


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"status": "preparation"}, "status"),
        ({"status": "not-done"}, "status"),
        ({"notDone": True}, "status"),
        ({"notPerformed": True}, "status"),
        ({"status": "entered-in-error "}, "entered-in-error"),
        ({"performedDateTime": "2026-03-17"}, "future"),
    ],
)
def test_what_was_not_done_is_only_listed(elements: Json, reason: str) -> None:
    facts = facts_of(procedure(**elements))
    assert (facts.interventions, skipped(facts)) == ((), [("Procedure/x1", reason)])


@pytest.mark.parametrize(
    ("elements", "ended", "last"),
    [
        ({"performedPeriod": {"start": "2024-05-10", "end": "2024-05-12"}}, days("2024-05-12"), days("2024-05-12")),
        ({"performedPeriod": {"start": "2024-05-10", "end": "2024-05-09"}}, None, days("2024-05-10")),
        ({"performedPeriod": {"start": "2024-05-10"}}, None, days("2024-05-10")),
        ({"performedPeriod": {"end": "2024-05-12"}}, days("2024-05-12"), days("2024-05-12")),
        ({"performedDateTime": "2024-05-10"}, None, days("2024-05-10")),
        ({}, None, None),
    ],
)
def test_a_period_tells_the_last_day(elements: Json, ended: DayRange | None, last: DayRange | None) -> None:
    found = the_intervention(**elements)
    assert (found.ended, found.last_done) == (ended, last)


@pytest.mark.parametrize(
    ("elements", "when"),
    [
        ({"performedDateTime": "2024-05-10T12:00:00+08:00"}, days("2024-05-10")),
        ({"occurrenceDateTime": "2024-05-10"}, days("2024-05-10")),
        ({"performedDateTime": "2024-05"}, days("2024-05-01", "2024-05-31")),
        ({"performedPeriod": {"start": "2024-05-10", "end": "2024-05-12"}}, days("2024-05-10", "2024-05-12")),
        ({"occurrencePeriod": {"end": "2024-05-12"}}, days("2024-05-12")),
        ({"performedPeriod": {"start": "2024-05-12", "end": "2024-05-10"}}, days("2024-05-12")),
        ({"performedPeriod": {"start": "2026-03-01", "end": "2026-06-01"}}, days("2026-03-01", str(AS_OF))),
        ({"performedString": "in spring"}, None),
        ({"performedDateTime": "yesterday"}, None),
        ({}, None),
    ],
)
def test_the_days_on_which_it_may_have_been_done(elements: Json, when: DayRange | None) -> None:
    assert the_intervention(**elements).when == when


@pytest.mark.parametrize(
    ("elements", "goes_on"),
    [
        ({"status": "in-progress"}, True),
        ({"status": "unknown", "performedPeriod": {"start": "2026-01-01"}}, True),
        ({"status": "unknown", "performedPeriod": {"start": "2026-01-01", "end": "2026-03-16"}}, False),
        ({"status": "completed", "performedPeriod": {"start": "2026-01-01"}}, False),
    ],
)
def test_a_procedure_goes_on_until_it_is_said_to_have_ended(elements: Json, goes_on: bool) -> None:
    assert the_intervention(**elements).goes_on is goes_on


def test_a_procedure_of_no_interest_is_left_out_without_a_word() -> None:
    facts = facts_of(procedure(code={"coding": [coded("snomed", "80146002", "Appendectomy")]}))
    assert (facts.interventions, facts.skipped, facts.unread) == ((), (), ())


def test_an_unreadable_procedure_leaves_a_doubt_about_what_it_is() -> None:
    assert doubts(facts_of(procedure(status=5))) == {("procedures", frozenset({"allogeneic-hsct"}))}
    assert doubts(facts_of(procedure(code=5))) == {("procedures", None)}
    assert not facts_of(procedure(status=5, code={"text": "Appendectomy"})).unread
