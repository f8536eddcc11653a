"""What a patient's facts answer: which sources were searched, and what is surest among the problems."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.clinical.coded import Certainty
from cds_service.clinical.facts import PatientFacts, Problem, Source, State
from tests.clinical.builders import statement

DAY = date(2026, 2, 16)


def problem(reference: str, **concepts: Certainty) -> Problem:
    return Problem(reference, "a label", concepts, "active", "confirmed", None, None)


def facts(*problems: Problem) -> PatientFacts:
    return PatientFacts("Patient/p1", None, "unknown", False, problems, (), (), (), {}, allergies=problems)


@pytest.mark.parametrize(
    ("state", "searched"),
    [(State.FOUND, True), (State.NONE, True), (State.TRUNCATED, True), (State.FAILED, False), (State.ABSENT, False)],
)
def test_a_source_was_searched_where_an_answer_came(state: State, searched: bool) -> None:
    assert Source(state).was_searched is searched


@pytest.mark.parametrize(("oldest", "complete"), [(15, True), (16, False), (17, False), (None, False)])
def test_an_answer_cut_short_on_a_day_may_lack_more_of_that_day(oldest: int | None, complete: bool) -> None:
    back_to = date(2026, 2, oldest) if oldest else None
    assert Source(State.TRUNCATED, back_to).is_complete_since(DAY) is complete
    assert not Source(State.TRUNCATED, back_to).is_complete_since(None)


def test_a_problem_ranks_by_what_is_surest_of_the_concepts_asked_for() -> None:
    both = problem("Condition/2", one=Certainty.CODED, other=Certainty.TEXT)
    unchecked = problem("Condition/1", one=Certainty.UNVERIFIED)
    assert facts(unchecked, both).problems_of(("one", "other")) == [both, unchecked]
    assert facts(unchecked, both).problems_of(("other",)) == [both]


def test_an_allergy_to_one_of_several_substances_is_found() -> None:
    one = problem("AllergyIntolerance/1", albumin=Certainty.TEXT)
    assert facts(one).allergies_to(("dextran", "albumin")) == [one]
    assert facts(one).allergies_to(("dextran",)) == []


def test_a_source_that_nobody_names_is_absent() -> None:
    assert facts().source("labs") == Source(State.ABSENT)


def test_medication_records_come_oldest_first_and_undated_ones_before_them() -> None:
    uses = (statement("a", 20, "02-01"), statement("b", 20, "01-05"), statement("c", 20))
    found = replace(facts(), medications=uses).uses_of(("prednisone",))
    assert [use.reference for use in found] == ["c", "b", "a"]
