"""Conditions: what is known, what was ruled out, and what could not be read."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from tests.fhir.made import (
    CGVHD,
    Json,
    bundle,
    coded,
    condition,
    doubts,
    facts_of,
    prefetched_facts,
    references,
    resource,
    skipped,
    the_problem,
)  # fmt: skip

GM = "icd-10-gm"
SEVERE = coded(GM, "T86.07")
OSTEOPOROSIS = coded("snomed", "64859006", "Osteoporosis")
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"


def status(code: str) -> Json:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": code}]}


def test_a_code_of_interest_is_a_problem_and_any_other_is_none() -> None:
    assert the_problem(condition(CGVHD), condition(OSTEOPOROSIS, name="c2")).reference == "Condition/c1"


def test_a_code_counts_only_in_its_own_system() -> None:
    american, german = (the_problem(condition(coded(system, "T86.02"))).concepts for system in ("icd-10-cm", GM))
    assert "acute-gvhd" in german
    assert "acute-gvhd" not in american
    assert not facts_of(condition({"code": "402356004"})).problems


def test_words_alone_are_recognised_as_words() -> None:
    found = the_problem(condition(code={"text": "Chronic graft‑versus‑host disease"}))
    assert found.concepts["chronic-gvhd"] is Certainty.TEXT


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"verificationStatus": status("refuted")}, "refuted"),
        ({"verificationStatus": status("entered-in-error")}, "entered-in-error"),
        ({"verificationStatus": "refuted"}, "refuted"),
        ({"verificationStatus": {"text": "Refuted "}}, "refuted"),
        ({"onsetDateTime": "2026-03-17"}, "future"),
        ({"recordedDate": "2027"}, "future"),
    ],
)
def test_what_was_ruled_out_mistaken_or_lies_ahead_is_only_listed(elements: Json, reason: str) -> None:
    facts = facts_of(condition(**elements))
    assert (facts.problems, skipped(facts), facts.unread) == ((), [("Condition/c1", reason)], ())


def test_a_condition_of_the_day_itself_is_known() -> None:
    assert the_problem(condition(onsetDateTime="2026-03-16T23:59:00-11:00")).onset == DayRange.of(date(2026, 3, 16))


def test_a_partial_date_does_not_reach_beyond_the_day_of_screening() -> None:
    assert the_problem(condition(onsetDateTime="2026")).onset == DayRange(date(2026, 1, 1), date(2026, 3, 16))


@pytest.mark.parametrize(
    ("clinical", "activity"),
    [
        (status("active"), "active"), (status("recurrence"), "active"), (status("relapse"), "active"),
        (status("inactive"), "resolved"), (status("remission"), "resolved"), (status("resolved"), "resolved"),
        ("active", "active"), ("resolved", "resolved"), (None, "not-stated"), (status("odd"), "not-stated"),
    ],
)  # fmt: skip
def test_the_clinical_status_is_read_as_a_concept_and_as_a_string(clinical: object, activity: str) -> None:
    assert the_problem(condition(clinicalStatus=clinical)).activity == activity


@pytest.mark.parametrize(
    ("elements", "activity"),
    [
        ({"abatementDateTime": "2026-03-16"}, "resolved"),
        ({"abatementDateTime": "2026-03-17"}, "not-stated"),
        ({"abatementPeriod": {"end": "2025"}}, "resolved"),
        ({"abatementDateTime": "in the spring"}, "not-stated"),
        ({"abatementString": "last year"}, "resolved"),
        ({"abatementAge": {"value": 30, "unit": "a"}}, "resolved"),
        ({"abatementBoolean": True}, "resolved"),
        ({"abatementBoolean": False}, "not-stated"),
        ({"abatementDateTime": "2025", "clinicalStatus": "active"}, "not-stated"),
        ({"abatementDateTime": "2027", "clinicalStatus": "active"}, "active"),
    ],
)
def test_an_end_that_has_come_resolves_and_contradicts_an_active_status(elements: Json, activity: str) -> None:
    assert the_problem(condition(**elements)).activity == activity


@pytest.mark.parametrize(
    ("stated", "verification"),
    [(None, "confirmed"), (status("confirmed"), "confirmed"), (status("provisional"), "suspected"),
     (status("differential"), "suspected"), (status("unconfirmed"), "suspected"), ("unknown", "suspected")],
)  # fmt: skip
def test_what_is_not_confirmed_is_suspected(stated: object, verification: str) -> None:
    assert the_problem(condition(verificationStatus=stated)).verification == verification


@pytest.mark.parametrize("code", ["T86.07 V", "T86.07V", "T86.07+V", "T86.07! V", "t86.07v", "T8607V"])
def test_the_german_mark_v_makes_a_suspicion(code: str) -> None:
    found = the_problem(condition(coded(GM, code)))
    assert (found.verification, "chronic-gvhd-severe" in found.concepts) == ("suspected", True)


@pytest.mark.parametrize("code", ["T86.07 A", "T86.07A", "T86.07*A"])
def test_the_german_mark_a_rules_out(code: str) -> None:
    facts = facts_of(condition(coded(GM, code)))
    assert (facts.problems, skipped(facts)) == ((), [("Condition/c1", "refuted")])


@pytest.mark.parametrize(
    ("code", "activity", "verification"),
    [
        ("T86.07 Z", "resolved", "confirmed"),
        ("T86.07G", "active", "confirmed"),
        ("T86.07", "active", "confirmed"),
    ],
)
def test_the_german_marks_z_and_g_are_a_state_after_and_a_sure_diagnosis(
    code: str, activity: str, verification: str
) -> None:
    found = the_problem(condition(coded(GM, code), clinicalStatus=status("active")))
    assert (found.activity, found.verification) == (activity, verification)


@pytest.mark.parametrize(("mark", "kept"), [("A", False), ("V", True)])
def test_the_german_mark_is_read_from_its_extension(mark: str, kept: bool) -> None:
    marked = {**SEVERE, "extension": [{"url": "u"}, {"url": CERTAINTY, "valueCoding": {"code": mark}}]}
    facts = facts_of(condition(marked))
    assert bool(facts.problems) is kept
    assert [one.verification for one in facts.problems] == ["suspected"] * kept


def test_of_two_german_marks_the_one_counts_that_takes_most() -> None:
    assert not facts_of(condition(coded(GM, "T86.07G"), coded(GM, "T86.05A"))).problems


def test_the_letter_after_a_code_of_another_system_is_no_mark() -> None:
    assert not facts_of(condition(coded("icd-10-cm", "D89.811A"))).problems


@pytest.mark.parametrize("extension", ["junk", [], [1], [{"url": 5}], [{"url": CERTAINTY, "valueCoding": "A"}]])
def test_a_broken_extension_costs_nothing(extension: Any) -> None:
    assert the_problem(condition({**SEVERE, "extension": extension})).verification == "confirmed"


@pytest.mark.parametrize(
    ("stated", "grades"),
    [
        ({"severity": {"text": "NIH global severity: moderate"}}, {"moderate": Certainty.CODED}),
        ({"severity": {"coding": [coded("snomed", "24484000")]}}, {"severe": Certainty.TEXT}),
        ({"stage": [{"summary": {"text": "NIH severe"}}]}, {"severe": Certainty.CODED}),
        ({"stage": {"summary": {"text": "mild"}}}, {"mild": Certainty.TEXT}),
        ({"severity": {"text": "extensive"}}, {"seattle": Certainty.TEXT}),
        (
            {"severity": {"text": "mild"}, "stage": [{"summary": {"text": "NIH mild"}}]},
            {"mild": Certainty.CODED},
        ),
        ({"severity": {"text": "soso"}}, {}),
        ({}, {}),
    ],
)
def test_a_grade_is_sure_only_where_it_is_said_to_be_of_the_nih(stated: Json, grades: dict[str, Certainty]) -> None:
    assert the_problem(condition(**stated)).severity == grades


def test_a_grade_in_the_name_of_the_diagnosis_is_never_sure() -> None:
    found = the_problem(condition({**CGVHD, "display": "Severe chronic GVHD (NIH)"}))
    assert found.severity == {"severe": Certainty.TEXT}


@pytest.mark.parametrize("older", ["assertedDate", "dateRecorded"])
def test_older_versions_name_for_the_recorded_date_is_read(older: str) -> None:
    assert the_problem(condition(**{older: "2025-02-03"})).recorded == DayRange.of(date(2025, 2, 3))


def test_an_unreadable_condition_of_no_interest_leaves_no_doubt() -> None:
    facts = facts_of(condition(OSTEOPOROSIS, onsetDateTime=7))
    assert (skipped(facts), facts.unread) == ([("Condition/c1", "unreadable")], ())


@pytest.mark.parametrize("broken", [{"onsetDateTime": 7}, {"modifierExtension": [{"url": "u"}]}, {"stage": "x"}])
def test_an_unreadable_condition_of_interest_leaves_a_doubt_about_it(broken: Json) -> None:
    facts = facts_of(condition(**broken))
    assert (facts.problems, doubts(facts)) == ((), {("conditions", frozenset({"chronic-gvhd"}))})


@pytest.mark.parametrize(
    "code", [7, "x", [], {"coding": "x"}, {"coding": [{"code": 5}]}, {"coding": [None]}, None, {}, {"coding": []},
             {"coding": [{"system": "urn:local", "code": "4711"}]}],
)  # fmt: skip
def test_a_code_that_nobody_can_read_doubts_every_diagnosis(code: Any) -> None:
    facts = facts_of({**condition(), "code": code})
    assert doubts(facts) == {("conditions", None)}
    assert skipped(facts) == [("Condition/c1", "unreadable")]


def test_the_answer_of_one_query_is_read_like_a_file() -> None:
    assert references(prefetched_facts({"conditions": bundle(condition())}).problems) == ["Condition/c1"]


def test_a_beginning_that_nobody_can_read_is_not_the_day_of_the_record() -> None:
    stated = {"code": {"coding": [coded("icd-10-cm", "M31.11")]}, "recordedDate": "2026-04-01"}
    assert facts_of(resource("Condition", "c1", onsetDateTime="in the spring", **stated)).problems
    assert not facts_of(resource("Condition", "c1", **stated)).problems


@pytest.mark.parametrize(
    "onset",
    [{"onsetAge": {"value": 45, "unit": "a"}}, {"onsetString": "in childhood"}, {"onsetRange": {"low": {"value": 40}}}],
)
def test_an_onset_that_is_no_day_leaves_it_undated_and_not_future(onset: Json) -> None:
    problem = the_problem(condition(**onset))
    assert (problem.onset, problem.recorded) == (None, None)
    assert the_problem(condition(**onset, recordedDate="2027")).when
    assert not facts_of(condition(recordedDate="2027")).problems


@pytest.mark.parametrize("note", [7, "x", [7], {"text": "x"}, [{"text": 7}], [{"text": "flare", "time": 7}]])
def test_an_odd_note_costs_no_diagnosis(note: Any) -> None:
    assert the_problem(condition(note=note)).concepts
    assert the_problem(condition(notes=note)).concepts
