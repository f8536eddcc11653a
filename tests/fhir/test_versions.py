"""The shapes of other versions of FHIR: read, or listed with a doubt, and never misread."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import Standing
from cds_service.fhir.entries import Entry
from cds_service.fhir.validation import is_valid
from cds_service.fhir.versions import Version, version_of
from tests.fhir.made import (
    PATIENT,
    PREDNISONE,
    SUBJECT,
    Json,
    coded,
    condition,
    dose,
    doubts,
    exactly,
    facts_of,
    file_records,
    observation,
    repeat,
    request,
    resource,
    skipped,
    statement,
    the_problem,
    the_step,
    the_use,
)  # fmt: skip

DAILY_20 = {**dose(20), **repeat(1, 1)}
STU3_DOSE = {"doseQuantity": {"value": 20, "unit": "mg"}, **repeat(1, 1)}
DSTU2_DOSE = {"quantityQuantity": {"value": 20, "unit": "mg"}, **repeat(1, 1)}
ALLOGENEIC = {"coding": [coded("cpt", "38240")]}
DRUG = {"medicationCodeableConcept": {"coding": [PREDNISONE]}}


def r5(record: Json, **elements: Any) -> Json:
    """The record with its drug as R5 names it."""
    kept = {key: value for key, value in record.items() if key != "medicationCodeableConcept"}
    return {**kept, "medication": {"concept": {"coding": [PREDNISONE]}}, **elements}


def dstu2(record: Json, **elements: Any) -> Json:
    """The record of a `patient`, as there was no subject yet."""
    return {**{key: value for key, value in record.items() if key != "subject"}, "patient": SUBJECT, **elements}


def administration(**elements: Any) -> Json:
    return resource("MedicationAdministration", "a1", **{"status": "completed", **elements})


def procedure(**elements: Any) -> Json:
    return resource("Procedure", **{"status": "completed", "code": ALLOGENEIC, **elements})


def participation(**elements: Any) -> Json:
    return resource("ResearchSubject", "s1", **{"study": {"display": "another study"}, **elements})


def state(code: str, start: str | None = None, end: str | None = None) -> Json:
    days = {key: day for key, day in (("startDate", start), ("endDate", end)) if day}
    return {"subjectState": {"coding": [{"code": code}]}, **days}


def entry_of(record: Json) -> Entry:
    (found,) = [one for one in file_records(PATIENT, record).entries if one.type == record["resourceType"]]
    return found


def days(first: str, last: str | None = None) -> DayRange:
    return DayRange(date.fromisoformat(first), date.fromisoformat(last or first))


# ---- which version it is, and whether it is valid in it

SHAPES = [
    (Version.R4, statement(DAILY_20)),
    (Version.R4, request(DAILY_20, reportedBoolean=True)),
    (Version.R4, condition(clinicalStatus={"coding": [{"code": "active"}]}, stage=[{"summary": {"text": "x"}}])),
    (Version.R4, procedure(performedDateTime="2024-05-10")),
    (Version.R4, administration(**DRUG, effectiveDateTime="2026-03-10")),
    (Version.R5, r5(statement({**DAILY_20, "asNeeded": False}), status="recorded")),
    (Version.R5, r5(request(DAILY_20), reported=True, reason=[{"concept": {"text": "x"}}])),
    (Version.R5, r5(administration(), occurenceDateTime="2026-03-10")),
    (Version.R5, procedure(occurrenceDateTime="2024-05-10")),
    (Version.R5, participation(status="active", progress=[state("on-study", "2026-01-01")])),
    (Version.STU3, condition(clinicalStatus="active", verificationStatus="confirmed", assertedDate="2025-01-01")),
    (Version.STU3, condition(stage={"summary": {"text": "x"}})),
    (Version.STU3, statement(STU3_DOSE, taken="y")),
    (Version.STU3, procedure(notDone=False, performedDateTime="2024-05-10")),
    (Version.STU3, administration(**DRUG, notGiven=False, effectiveDateTime="2026-03-10")),
    (Version.STU3, observation(interpretation={"text": "H"}, valueQuantity={"value": 1, "unit": "mg/dL"})),
    (Version.DSTU2, dstu2(statement(DSTU2_DOSE), note="with food")),
    (Version.DSTU2, dstu2(condition(dateRecorded="2025-01-01", clinicalStatus="active"))),
    (Version.DSTU2, dstu2(administration(**DRUG), effectiveTimeDateTime="2026-03-10")),
    (Version.DSTU2, procedure(notPerformed=False, performedDateTime="2024-05-10")),
]


@pytest.mark.parametrize(("version", "record"), SHAPES)
def test_each_shape_is_known_and_valid_in_its_version(version: Version, record: Json) -> None:
    entry = entry_of(record)
    assert entry.resource is not None
    assert (version_of(entry.resource), entry.problem, is_valid(entry)) == (version, None, True)


@pytest.mark.parametrize(
    "record",
    [
        r5(statement(DAILY_20), status="recorded", effectivePeriod={"start": "2026-13"}),
        r5(request(DAILY_20), authoredOn="last spring"),
        procedure(occurrenceDateTime="May 2024"),
        participation(status="active", progress=[state("on-study", "2026-13-01")]),
        condition(clinicalStatus="active", onsetDateTime="spring"),
        statement(
            DAILY_20, medication={"concept": {"coding": [PREDNISONE]}}, medicationCodeableConcept=None, status=""
        ),
    ],
)
def test_what_is_not_valid_in_its_own_version_is_refused(record: Json) -> None:
    assert not is_valid(entry_of(record))


# ---- R5


@pytest.mark.parametrize(
    ("adherence", "standing"),
    [
        ({"coding": [{"code": "taking"}]}, Standing.TAKEN),
        ({"coding": [{"code": "taking-as-directed"}]}, Standing.TAKEN),
        ({"coding": [{"code": "taking-not-as-directed"}]}, Standing.POSSIBLE),
        ({"coding": [{"code": "not-taking"}]}, Standing.NOT_TAKEN),
        ({"text": "not taking"}, Standing.POSSIBLE),
        ({"coding": [{"code": "on-hold-as-directed"}]}, Standing.HELD),
        ({"coding": [{"code": "stopped-not-as-directed"}]}, Standing.ENDED),
        ({"coding": [{"code": "unknown"}]}, Standing.POSSIBLE),
        ({"coding": [{"system": "http://example.org", "code": "x"}]}, Standing.POSSIBLE),
        ({}, Standing.TAKEN),
        (None, Standing.TAKEN),
    ],
)
def test_r5_says_by_adherence_whether_a_drug_is_taken(adherence: Json | None, standing: Standing) -> None:
    stated = {"adherence": {"code": adherence}} if adherence is not None else {}
    assert the_use(r5(statement(DAILY_20), status="recorded", **stated)).standing is standing


@pytest.mark.parametrize(("status", "reason"), [("draft", "status"), ("entered-in-error", "entered-in-error")])
def test_a_draft_of_r5_is_only_listed(status: str, reason: str) -> None:
    facts = facts_of(r5(statement(DAILY_20), status=status))
    assert (facts.medications, skipped(facts)) == ((), [("MedicationStatement/m1", reason)])


@pytest.mark.parametrize(
    ("timing", "begins", "ends", "standing"),
    [
        ({"repeat": {"boundsPeriod": {"start": "2025-01-01", "end": "2025-02-01"}}}, "2025-01-01", "2025-02-01",
         Standing.TAKEN),
        ({"repeat": {"boundsPeriod": {"start": "2025-01-01"}}}, "2025-01-01", None, Standing.TAKEN),
        ({"event": ["2025-01-03", "2025-01-01"]}, "2025-01-01", "2025-01-03", Standing.TAKEN),
        ({"event": ["2025-01-03", None]}, None, None, Standing.POSSIBLE),
        ({"code": {"text": "daily"}}, None, None, Standing.POSSIBLE),
    ],
)  # fmt: skip
def test_r5_says_by_a_timing_when_a_drug_was_taken(
    timing: Json, begins: str | None, ends: str | None, standing: Standing
) -> None:
    use = the_use(r5(statement(DAILY_20), status="recorded", effectivePeriod=None, effectiveTiming=timing))
    assert (use.begins, use.ends) == (begins and days(begins), ends and days(ends))
    assert use.standing is standing


def test_an_administration_of_r5_has_its_days_by_a_timing_too() -> None:
    given = r5(
        administration(), occurenceTiming={"event": ["2026-03-10"]}, dosage={"dose": {"value": 40, "unit": "mg"}}
    )
    use = the_use(given)
    assert (use.begins, use.ends, use.steps[0].daily) == (days("2026-03-10"), days("2026-03-10"), exactly(40))


@pytest.mark.parametrize(
    ("as_needed", "pattern"),
    [({"asNeeded": False}, "daily"), ({"asNeeded": True}, "as-needed"),
     ({"asNeededFor": [{"text": "pain"}]}, "as-needed")],
)  # fmt: skip
def test_as_needed_in_r5(as_needed: Json, pattern: str) -> None:
    (step,) = the_use(r5(statement({**DAILY_20, **as_needed}), status="recorded")).steps
    assert step.pattern == pattern


def test_an_order_of_r5_is_read_whole() -> None:
    order = r5(
        request(), status="ended", reported=True, renderedDosageInstruction="20 mg daily",
        reason=[{"concept": {"text": "chronic GVHD"}}],
        effectiveDosePeriod={"start": "2026-01-07", "end": "2026-02-01"},
    )  # fmt: skip
    use = the_use(order)
    assert (use.kind, use.standing, use.begins, use.ends) == (
        "statement", Standing.ENDED, days("2026-01-07"), days("2026-02-01"),
    )  # fmt: skip
    assert use.steps[0].daily == exactly(20)
    assert any("chronic-gvhd" in reason.concepts for reason in use.reasons)


def test_a_medication_of_r5_tells_its_form_and_strength() -> None:
    product = {
        "resourceType": "Medication", "id": "p", "code": {"text": "prednisone"}, "doseForm": {"text": "tablet"},
        "ingredient": [{"item": {"concept": {"coding": [PREDNISONE]}}, "strengthQuantity": {"value": 5, "unit": "mg"}}],
    }  # fmt: skip
    tablets = statement({**dose(4, "TAB"), **repeat(1, 1)}, status="recorded", contained=[product])
    (step,) = the_use(r5(tablets, medication={"reference": {"reference": "#p"}})).steps
    assert step.daily == exactly(20)


def test_a_procedure_of_r5_on_somebody_else_is_not_the_patients() -> None:
    facts = facts_of(procedure(focus={"reference": "Patient/donor"}))
    assert (facts.interventions, skipped(facts)) == ((), [("Procedure/x1", "other-patient")])
    assert facts_of(procedure(focus=SUBJECT)).interventions


@pytest.mark.parametrize(
    ("elements", "begins", "until", "sure"),
    [
        ({"status": "active", "progress": [state("on-study", "2026-01-01")]}, "2026-01-01", None, True),
        ({"status": "retired", "progress": [state("on-study", "2025-01-01", "2025-06-01"),
                                            state("off-study", "2025-06-01")]}, "2025-01-01", "2025-06-01", True),
        ({"status": "active", "period": {"start": "2026-02-01"},
          "progress": [state("screening", "2026-01-01"), state("on-study-intervention", "2026-02-01")]},
         "2026-02-01", None, True),
        ({"status": "active", "progress": [state("withdrawn", "2026-02-01")]}, None, "2026-02-01", True),
        ({"status": "active", "progress": [state("on-study"), state("off-study")]}, None, None, False),
        ({"status": "active", "progress": [{"milestone": [{"text": "consented"}]}]}, None, None, False),
        ({"status": "active", "period": {"start": "2026-02-01"}}, "2026-02-01", None, False),
        ({"status": "draft"}, None, None, False),
        ({"status": "unknown"}, None, None, False),
    ],
)  # fmt: skip
def test_a_subject_of_r5_has_its_states_in_its_progress(
    elements: Json, begins: str | None, until: str | None, sure: bool
) -> None:
    (study,) = facts_of(participation(**elements)).studies
    assert (study.begins, study.until, study.sure) == (begins and days(begins), until and days(until), sure)


@pytest.mark.parametrize(
    "elements",
    [{"status": "active", "progress": [state("candidate", "2026-01-01")]},
     {"status": "active", "progress": [state("screening", "2026-01-01"), state("ineligible", "2026-02-01")]},
     {"status": "candidate"}],
)  # fmt: skip
def test_a_candidate_took_no_part_in_any_version(elements: Json) -> None:
    facts = facts_of(participation(**elements))
    assert (facts.studies, skipped(facts)) == ((), [("ResearchSubject/s1", "status")])


@pytest.mark.parametrize("name", ["occurenceDateTime", "occurrenceDateTime"])
def test_the_day_of_an_administration_in_r5_is_read_in_both_spellings(name: str) -> None:
    assert the_use(r5(administration(), **{name: "2026-03-10"})).begins == days("2026-03-10")


# ---- STU3


@pytest.mark.parametrize(
    ("elements", "standing"),
    [({"taken": "n", "reasonNotTaken": [{"text": "x"}]}, Standing.NOT_TAKEN),
     ({"taken": "y", "reasonNotTaken": [{"text": "x"}]}, Standing.POSSIBLE),
     ({"reasonNotTaken": [{"text": "x"}]}, Standing.POSSIBLE), ({"taken": "unk"}, Standing.POSSIBLE),
     ({"taken": "y", "reasonNotTaken": []}, Standing.TAKEN), ({"taken": "na"}, Standing.TAKEN)],
)  # fmt: skip
def test_stu3_says_whether_a_drug_was_taken(elements: Json, standing: Standing) -> None:
    assert the_use(statement(STU3_DOSE, **elements)).standing is standing


@pytest.mark.parametrize(
    ("status", "sure"), [("active", True), ("enrolled", False), ("suspended", False), ("completed", False)]
)
def test_a_subject_of_stu3_is_an_individual(status: str, sure: bool) -> None:
    record = {key: value for key, value in participation(status=status).items() if key != "subject"}
    (study,) = facts_of({**record, "individual": SUBJECT, "period": {"start": "2026-01-01"}}).studies
    assert study.sure is sure


@pytest.mark.parametrize("dosage", [STU3_DOSE, DSTU2_DOSE])
def test_a_dose_beside_the_rate_is_read(dosage: Json) -> None:
    assert the_step(dosage).daily == exactly(20)


def test_a_dose_range_beside_the_rate_is_read() -> None:
    span = {"low": {"value": 10, "unit": "mg"}, "high": {"value": 20, "unit": "mg"}}
    for name in ("doseRange", "quantityRange"):
        assert the_step({name: span, **repeat(1, 1)}).daily == Interval(Fraction(10), Fraction(20))


@pytest.mark.parametrize("element", ["notGiven", "wasNotGiven"])
def test_what_was_not_given_was_not_taken(element: str) -> None:
    given: Json = {**DRUG, "effectiveDateTime": "2026-03-10", "dosage": {"dose": {"value": 40, "unit": "mg"}}}
    assert the_use(administration(**given, **{element: True})).standing is Standing.NOT_TAKEN


def test_the_requester_of_stu3_is_no_hindrance() -> None:
    agent = {"agent": {"reference": "Practitioner/1"}, "onBehalfOf": {"reference": "Organization/1"}}
    assert the_use(request(STU3_DOSE, requester=agent)).steps[0].daily == exactly(20)


@pytest.mark.parametrize(
    ("elements", "activity", "verification"),
    [
        ({"clinicalStatus": "active", "verificationStatus": "confirmed"}, "active", "confirmed"),
        ({"clinicalStatus": "remission"}, "resolved", "confirmed"),
        ({"clinicalStatus": "relapse", "verificationStatus": "provisional"}, "active", "suspected"),
        ({"abatementBoolean": True}, "resolved", "confirmed"),
        ({"abatementBoolean": False}, "not-stated", "confirmed"),
        ({"abatementAge": None, "abatementRange": None}, "not-stated", "confirmed"),
        ({"abatementAge": {"value": 40, "unit": "a"}}, "resolved", "confirmed"),
    ],
)
def test_the_state_of_a_condition_in_codes(elements: Json, activity: str, verification: str) -> None:
    problem = the_problem(condition(**elements))
    assert (problem.activity, problem.verification) == (activity, verification)


@pytest.mark.parametrize("element", ["assertedDate", "dateRecorded", "recordedDate"])
def test_the_day_of_recording_has_had_three_names(element: str) -> None:
    assert the_problem(condition(**{element: "2025-03-01"})).recorded == days("2025-03-01")


# ---- DSTU2


def test_a_statement_of_dstu2_is_read() -> None:
    told = dstu2(
        statement({**DSTU2_DOSE, "asNeededBoolean": False}), dateAsserted="2026-03-10", wasNotTaken=False,
        reasonForUseCodeableConcept={"text": "chronic GVHD"}, note="with food",
    )  # fmt: skip
    use = the_use(told)
    assert (use.standing, use.steps[0].daily) == (Standing.TAKEN, exactly(20))
    assert any("chronic-gvhd" in reason.concepts for reason in use.reasons)
    assert the_use(dstu2(told, wasNotTaken=True)).standing is Standing.NOT_TAKEN


@pytest.mark.parametrize(
    ("status", "reason"),
    [("active", None), ("confirmed", None), ("resolved", None), ("refuted", "refuted"),
     ("entered-in-error", "entered-in-error")],
)  # fmt: skip
def test_an_allergy_of_dstu2_has_a_substance_and_one_status(status: str, reason: str | None) -> None:
    allergy = dstu2(resource("AllergyIntolerance", "a1", substance={"text": "albumin"}, status=status))
    facts = facts_of(allergy)
    assert skipped(facts) == ([("AllergyIntolerance/a1", reason)] if reason else [])
    assert [one.activity for one in facts.allergies] == (
        [] if reason else ["resolved" if status == "resolved" else "active"]
    )


@pytest.mark.parametrize(
    ("record", "source"),
    [
        ({"resourceType": "MedicationOrder", "id": "o1", "patient": SUBJECT, **DRUG}, "medicationRequests"),
        (observation(code={"coding": [{"code": "2160-0"}]}), "labs"),
    ],
)
def test_what_cannot_be_told_of_dstu2_leaves_a_doubt(record: Json, source: str) -> None:
    facts = facts_of(record)
    assert not facts.medications
    assert not facts.results
    assert source in {name for name, _ in doubts(facts)}
    assert len(skipped(facts)) == 1


def test_an_ingredient_names_a_product_that_nobody_knows() -> None:
    product = {
        "resourceType": "Medication", "id": "p", "code": {"text": "Zauberpillen"},
        "ingredient": [{"itemCodeableConcept": {"coding": [PREDNISONE]},
                        "strength": {"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1}}}],
    }  # fmt: skip
    by_reference: Json = {"medicationCodeableConcept": None, "medicationReference": {"reference": "#p"}}
    use = the_use(statement(DAILY_20, contained=[product], **by_reference))
    assert (use.drug, use.steps[0].daily) == ("prednisone", exactly(20))
    substance = {"resourceType": "Medication", "id": "p", "code": {"coding": [PREDNISONE]},
                 "ingredient": [{"item": {"reference": "Substance/1"}}]}  # fmt: skip
    assert the_use(statement(DAILY_20, contained=[substance], **by_reference)).drug == "prednisone"
