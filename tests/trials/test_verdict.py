"""The verdict table of the contract: the first row that holds decides, and who is shown a card.

Criteria that a later version reads stand in for themselves here: each test judges a list of findings of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.clinical.evidence import Reason
from cds_service.fhir.reading import read_facts
from cds_service.trials.case import Case
from cds_service.trials.finding import Cure, Finding, Flag, Judgement, Status
from cds_service.trials.screening import Screening, Verdict, case_of, verdict_of
from tests.trials.record_of import PROTOCOL, SCREENED_ON, answers_of, records_of, screened

MARCH, APRIL = date(2026, 3, 18), date(2026, 4, 2)


def case(**facts: Any) -> Case:
    records = records_of(answers_of(facts), facts.get("sources"))
    return case_of(read_facts(records, PROTOCOL.index, SCREENED_ON), PROTOCOL, SCREENED_ON)


def finding(
    criterion_id: str, status: Status, *flags: Flag, curable: Cure | None = None, recheck: date | None = None
) -> Finding:
    one = next(c for c in PROTOCOL.criteria if c.id == criterion_id)
    judged = Judgement(status, Reason("ask-a-person"), (), frozenset(flags), curable, recheck)
    return Finding(one.id, one.name, one.kind, one.subject, one.text, judged)


def passing() -> dict[str, Finding]:
    return {c.id: finding(c.id, Status.PASS) for c in PROTOCOL.criteria}


def verdict(*findings: Finding, **facts: Any) -> tuple[Verdict, date | None]:
    every = passing() | {one.id: one for one in findings}
    return verdict_of(case(**facts), PROTOCOL, list(every.values()))


def fail(criterion_id: str, *flags: Flag, curable: Cure | None = None, recheck: date | None = None) -> Finding:
    return finding(criterion_id, Status.FAIL, *flags, curable=curable, recheck=recheck)


def test_a_patient_who_passes_everything_is_a_candidate() -> None:
    assert verdict() == (Verdict.CANDIDATE, None)


@pytest.mark.parametrize("flag", list(Flag))
def test_a_pass_with_any_flag_does_not_block_a_candidate(flag: Flag) -> None:
    assert verdict(finding("I03a", Status.PASS, flag)) == (Verdict.CANDIDATE, None)


@pytest.mark.parametrize("criterion_id", ["I05", "I08", "E03", "E17", "D01", "D06"])
def test_what_only_people_can_answer_never_blocks(criterion_id: str) -> None:
    assert verdict(finding(criterion_id, Status.HUMAN)) == (Verdict.CANDIDATE, None)


@pytest.mark.parametrize("status", list(Status))
def test_donor_criteria_never_change_the_verdict(status: Status) -> None:
    assert verdict(finding("D03", status)) == (Verdict.CANDIDATE, None)


@pytest.mark.parametrize("status", [Status.REVIEW, Status.UNKNOWN])
def test_anything_for_a_person_or_unknown_needs_review(status: Status) -> None:
    assert verdict(finding("E10", status)) == (Verdict.NEEDS_REVIEW, None)


@pytest.mark.parametrize("flag", [Flag.BOUNDARY, Flag.STALE])
def test_a_failure_at_a_limit_or_on_old_results_is_not_hard(flag: Flag) -> None:
    assert verdict(fail("I03a", flag)) == (Verdict.NEEDS_REVIEW, None)
    assert verdict(fail("E10", flag, curable="date", recheck=MARCH)) == (Verdict.NEEDS_REVIEW, None)


@pytest.mark.parametrize("flag", [f for f in Flag if f not in (Flag.BOUNDARY, Flag.STALE)])
def test_other_flags_leave_a_failure_hard(flag: Flag) -> None:
    assert verdict(fail("I03a", flag)) == (Verdict.RULED_OUT, None)


def test_a_hard_failure_that_nothing_cures_rules_out() -> None:
    assert verdict(fail("E13")) == (Verdict.RULED_OUT, None)


def test_ruled_out_goes_before_not_yet_and_before_open_questions() -> None:
    cured = fail("E10", curable="date", recheck=MARCH)
    assert verdict(fail("E13"), cured, finding("I07a", Status.UNKNOWN)) == (Verdict.RULED_OUT, None)


def test_hard_failures_that_time_cures_are_not_yet_until_the_last_of_their_dates() -> None:
    one, other = fail("E10", curable="date", recheck=MARCH), fail("E09", curable="date", recheck=APRIL)
    assert verdict(one) == (Verdict.NOT_YET, MARCH)
    assert verdict(one, other) == (Verdict.NOT_YET, APRIL)
    assert verdict(one, finding("I07a", Status.REVIEW)) == (Verdict.NOT_YET, MARCH)


def test_a_soft_failure_does_not_delay_the_date() -> None:
    soft = fail("E09", Flag.BOUNDARY, curable="date", recheck=APRIL)
    assert verdict(fail("E10", curable="date", recheck=MARCH), soft) == (Verdict.NOT_YET, MARCH)


def test_not_yet_has_no_date_when_an_event_is_needed() -> None:
    event = fail("I07a", curable="event")
    assert verdict(event) == (Verdict.NOT_YET, None)
    assert verdict(event, fail("E10", curable="date", recheck=MARCH)) == (Verdict.NOT_YET, None)


@pytest.mark.parametrize("settled", ["I02a", "I02b"])
@pytest.mark.parametrize("status", [Status.REVIEW, Status.UNKNOWN])
def test_one_arm_of_the_steroid_pair_settles_both(settled: str, status: Status) -> None:
    other = {"I02a": "I02b", "I02b": "I02a"}[settled]
    assert verdict(finding(other, status)) == (Verdict.CANDIDATE, None)
    assert verdict(finding(other, status), finding(settled, Status.REVIEW)) == (Verdict.NEEDS_REVIEW, None)


def test_a_dead_patient_is_not_one_for_the_trial_whatever_else_holds() -> None:
    assert verdict(patient={"died": True}) == (Verdict.NOT_APPLICABLE, None)
    assert verdict(fail("E13"), patient={"died": True}) == (Verdict.NOT_APPLICABLE, None)


NOTHING = {"conditions": "none", "procedures": "none"}


def test_no_evidence_of_transplantation_or_gvhd_is_not_applicable_before_all_else() -> None:
    assert verdict(**NOTHING) == (Verdict.NOT_APPLICABLE, None)
    assert verdict(fail("E13"), **NOTHING) == (Verdict.NOT_APPLICABLE, None)


@pytest.mark.parametrize("source", ["conditions", "procedures"])
@pytest.mark.parametrize("state", ["absent", "failed", "truncated"])
def test_nothing_found_means_nothing_unless_conditions_and_procedures_were_searched_whole(
    source: str, state: str
) -> None:
    assert verdict(**NOTHING, sources={source: state})[0] is not Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("broken", [
    {"condition": {"icd-10-cm": "D89.811", "broken": True}}, {"procedure": {"cpt": 38240, "broken": True}},
    {"condition": {"broken": True}},
])  # fmt: skip
def test_an_entry_that_cannot_be_read_may_be_the_evidence(broken: dict[str, Any]) -> None:
    assert verdict(**NOTHING, **broken)[0] is not Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("facts", [
    {"condition": {"icd-10-cm": "D89.811", "verification": "provisional"}}, {"condition": {"text": "cGVHD"}},
    {"condition": {"icd-10-cm": "D89.811", "status": "resolved"}}, {"procedure": {"snomed": 234336002}},
    {"condition": {"icd-10-cm": "Z94.84"}},
])  # fmt: skip
def test_any_evidence_makes_the_trial_applicable(facts: dict[str, Any]) -> None:
    assert verdict(**NOTHING, **facts)[0] is not Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("facts", [
    {"condition": {"icd-10-cm": "D89.811", "verification": "refuted"}}, {"procedure": {"cpt": 38241}},
    {"procedure": {"cpt": 38205}}, {"condition": {"text": "GVHD prophylaxis"}},
])  # fmt: skip
def test_refuted_gvhd_autologous_and_donor_codes_are_no_evidence(facts: dict[str, Any]) -> None:
    assert verdict(**NOTHING, **facts) == (Verdict.NOT_APPLICABLE, None)


def shown(verdict_: Verdict, **statuses: Status) -> bool:
    """Whether a screening with this verdict is shown; statuses by criterion, I02.dx written I02_dx."""
    stated = {name.replace("_", "."): status for name, status in statuses.items()}
    findings = tuple(finding(c.id, stated.get(c.id, Status.UNKNOWN)) for c in PROTOCOL.criteria)
    screening: Screening = replace(screened({}), verdict=verdict_, findings=findings)
    return screening.is_shown


def test_a_candidate_is_shown() -> None:
    assert shown(Verdict.CANDIDATE)


@pytest.mark.parametrize("quiet", [Verdict.NOT_APPLICABLE, Verdict.RULED_OUT, Verdict.NOT_YET])
def test_other_verdicts_are_quiet(quiet: Verdict) -> None:
    assert not shown(quiet, I02_dx=Status.PASS, I01=Status.PASS, I03a=Status.PASS)


@pytest.mark.parametrize(("status", "is_shown"), [
    (Status.PASS, True), (Status.REVIEW, True), (Status.UNKNOWN, False), (Status.FAIL, False),
])  # fmt: skip
def test_needs_review_is_shown_when_chronic_gvhd_is_possible(status: Status, is_shown: bool) -> None:
    assert shown(Verdict.NEEDS_REVIEW, I02_dx=status) is is_shown


def test_needs_review_is_shown_after_a_transplantation_on_enough_prednisone() -> None:
    assert shown(Verdict.NEEDS_REVIEW, I01=Status.PASS, I03a=Status.PASS)
    assert not shown(Verdict.NEEDS_REVIEW, I01=Status.PASS, I03a=Status.REVIEW)
    assert not shown(Verdict.NEEDS_REVIEW, I01=Status.REVIEW, I03a=Status.PASS)


def test_a_verdict_that_needs_more_names_the_sources_without_which_nothing_may_be_said() -> None:
    medications = {"medicationStatements": "absent", "medicationRequests": "absent"}
    screening = screened({"sources": medications})
    assert replace(screening, verdict=Verdict.NEEDS_REVIEW).unsearched == tuple(medications)
    assert replace(screening, verdict=Verdict.CANDIDATE).unsearched == tuple(medications)
    assert replace(screening, verdict=Verdict.RULED_OUT).unsearched == ()
    assert screened({"sources": {"medicationRequests": "absent"}}).unsearched == ()


def test_a_diagnosis_is_unseen_only_where_it_may_stand_in_what_was_not_read() -> None:
    assert screened({"sources": {"conditions": "failed"}}).diagnosis_is_unseen
    assert not screened({"conditions": "none"}).diagnosis_is_unseen
    assert not screened({"procedures": "none", "sources": {"conditions": "failed"}}).diagnosis_is_unseen
    assert not screened({}).diagnosis_is_unseen
