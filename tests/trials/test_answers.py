"""What people answer: it counts beside what the record says, for as long as that is still the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cds_service.fhir.reading import read_facts
from cds_service.trials.finding import Answer, Status
from cds_service.trials.screening import Screening, Verdict, case_of, screen
from tests.trials.record_of import PROTOCOL, SCREENED_ON, answers_of, records_of

# Nothing but the steroid pair is open in this record, and the lymphocytes below make it "not yet".
SHORTHAND: Mapping[str, Any] = {}
LATER = SCREENED_ON + timedelta(days=3)


def screened(facts: Mapping[str, Any], answers: Iterable[Answer] = (), on: date = SCREENED_ON) -> Screening:
    records = records_of(answers_of(facts), facts.get("sources"))
    return screen(case_of(read_facts(records, PROTOCOL.index, on), PROTOCOL, on), PROTOCOL, answers)


def answer(screening: Screening, criterion: str, met: bool | None, minutes: int = 0) -> Answer:
    """An answer to what the screening says of a criterion."""
    at = datetime(2026, 3, 16, 12, minutes, tzinfo=UTC)
    return Answer(criterion, met, "AB", at, screening.finding(criterion).footing)


def all_open(screening: Screening) -> list[Answer]:
    return [answer(screening, f.id, True) for f in screening.findings if f.status in (Status.REVIEW, Status.UNKNOWN)]


def test_yes_to_everything_open_makes_a_candidate() -> None:
    before = screened(SHORTHAND)
    assert before.verdict is Verdict.NEEDS_REVIEW
    assert screened(SHORTHAND, all_open(before)).verdict is Verdict.CANDIDATE


def test_yes_to_one_arm_of_the_pair_settles_both() -> None:
    before = screened(SHORTHAND)
    others = [one for one in all_open(before) if one.criterion not in ("I02a", "I02b")]
    assert screened(SHORTHAND, others).verdict is Verdict.NEEDS_REVIEW
    assert screened(SHORTHAND, [*others, answer(before, "I02b", True)]).verdict is Verdict.CANDIDATE


def test_the_finding_of_the_record_stays_visible() -> None:
    before = screened(SHORTHAND)
    after = screened(SHORTHAND, [answer(before, "I02b", True)]).finding("I02b")
    assert after.judgement == before.finding("I02b").judgement
    assert after.status is before.finding("I02b").status
    assert after.standing is Status.PASS
    assert after.answer and after.answer.by == "AB"


def test_a_no_stands_against_until_somebody_answers_otherwise() -> None:
    """No date is promised: another answer could come at any time."""
    before = screened(SHORTHAND)
    after = screened(SHORTHAND, [answer(before, "I05", False)])
    assert (after.verdict, after.recheck_on) == (Verdict.NOT_YET, None)
    assert not after.is_shown
    again = screened(SHORTHAND, [answer(before, "I05", False), answer(before, "I05", True, minutes=1)])
    assert again.verdict is Verdict.NEEDS_REVIEW


def test_an_answer_that_is_taken_back_counts_no_more() -> None:
    before = screened(SHORTHAND)
    given = [answer(before, "I05", False), answer(before, "I05", None, minutes=1)]
    assert screened(SHORTHAND, given) == before


def test_an_answer_holds_while_days_pass_and_nothing_new_is_recorded() -> None:
    before = screened(SHORTHAND)
    given = all_open(before)
    assert {a.criterion for a in given} == {f.id for f in screened(SHORTHAND, given, LATER).findings if f.answer}


def test_an_answer_lapses_when_what_it_rests_on_changes() -> None:
    """A new prednisone record makes the question of dependence another one."""
    before = screened(SHORTHAND)
    given = [answer(before, "I02b", True)]
    changed = {"prednisone": [{"mg": 30, "from": "2026-01-05", "to": "2026-03-12"}, {"mg": 20, "from": "2026-03-13"}]}
    assert screened(SHORTHAND, given).finding("I02b").answer
    assert screened(changed, given).finding("I02b").answer is None


@pytest.mark.parametrize("met", [True, False])
def test_what_the_record_settles_no_answer_changes(met: bool) -> None:
    """Neither a criterion that is met nor one that is surely failed is open to an answer."""
    facts = {"patient": {"born": "1950-01-01"}}
    before = screened(facts)
    assert before.finding("AGE").is_hard_fail
    after = screened(facts, [answer(before, "AGE", met), answer(before, "I02.dx", met)])
    assert after == before


def test_a_failure_at_a_limit_is_open_to_an_answer() -> None:
    facts = {"labs": {"neutrophils": "1.0 10*9/L", "on": "2026-03-10"}}
    before = screened(facts)
    assert before.finding("I07a").status is Status.FAIL
    assert screened(facts, [answer(before, "I07a", True)]).finding("I07a").standing is Status.PASS


def test_an_answer_of_a_donor_question_never_changes_the_verdict() -> None:
    before = screened(SHORTHAND)
    assert screened(SHORTHAND, [answer(before, "D01", False)]).verdict is before.verdict


def test_an_answer_to_another_criterion_does_not_count() -> None:
    """The footing names its criterion, so that no answer can be moved to another."""
    before = screened(SHORTHAND)
    moved = replace(answer(before, "I05", False), criterion="I02b")
    assert screened(SHORTHAND, [moved]) == before
