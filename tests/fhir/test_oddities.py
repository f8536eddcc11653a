"""What is legal and odd costs no resource; what may turn its meaning round does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.fhir.validation import is_valid
from cds_service.fhir.wire import read_answer
from tests.fhir.made import (
    PATIENT,
    PREDNISONE,
    Json,
    bundle,
    condition,
    dose,
    doubts,
    exactly,
    facts_of,
    file_records,
    observation,
    repeat,
    resource,
    skipped,
    statement,
    the_problem,
    the_result,
    the_use,
)  # fmt: skip

UNKNOWN = [{"url": "http://example.org/unknown", "valueCode": "x"}]
CODED = [{"url": "http://example.org/unknown", "_valueCode": {"extension": [{"url": "u", "valueString": "x"}]}}]
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
DAILY_20 = {**dose(20), **repeat(1, 1)}
MG_DL = {"value": 1, "unit": "mg/dL"}


def creatinine(**elements: Any) -> Json:
    return observation(**{"valueQuantity": MG_DL, **elements})


LEGAL = [
    creatinine(extension=UNKNOWN),
    creatinine(extension=CODED),
    creatinine(meta={"lastUpdated": "yesterday", "profile": 5}),
    creatinine(meta="none"),
    creatinine(modifierExtension=[]),
    creatinine(modifierExtension=None),
    creatinine(implicitRules=""),
    creatinine(_status={"id": "s"}, _effectiveDateTime={"extension": UNKNOWN}),
    creatinine(valueQuantity={**MG_DL, "_value": {"extension": UNKNOWN}, "extension": CODED}),
    creatinine(valueQuantity={**MG_DL, "system": "", "code": ""}),
    creatinine(effectiveDateTime=None, effectiveInstant="2026-03-10T08:00:00.123+01:00"),
    creatinine(effectiveDateTime="2026-03-10T08:00"),
    creatinine(effectiveDateTime="2026-03-10T08:00:60Z"),
    creatinine(issued="", performer=[None], note="free", category={"text": "laboratory"}),
    creatinine(id="lab_1.1.2026_with_underscores"),
    creatinine(id="x" * 80),
    creatinine(status="final "),
    creatinine(subject={"reference": "Patient/p1", "display": ""}),
    creatinine(triggeredBy=[{"type": "reflex", "observation": {"reference": "Observation/o2"}}]),
    creatinine(text={"status": "generated", "div": "<div>"}, bodyStructure={"reference": "BodyStructure/1"}),
    creatinine(component=[]),
    creatinine(referenceRange=[{"text": " 0.5-1.2 ", "extension": UNKNOWN}]),
]


@pytest.mark.parametrize("record", LEGAL)
def test_an_oddity_costs_no_result(record: Json) -> None:
    result = the_result(record)
    assert result.quantity == the_result(creatinine()).quantity
    (entry,) = [one for one in file_records(PATIENT, record).entries if one.type == "Observation"]
    assert is_valid(entry)


@pytest.mark.parametrize(
    "elements",
    [
        {"onsetDateTime": ""},
        {"recordedDate": "", "_recordedDate": ABSENT},
        {"clinicalStatus": ""},
        {"clinicalStatus": {"coding": [{"_code": ABSENT}]}},
        {
            "code": {
                "coding": [{"system": "http://snomed.info/sct", "code": "402356004", "_display": ABSENT}],
                "text": "",
            }
        },
        {"stage": [{}], "severity": {}, "onsetPeriod": {}},
        {"onsetAge": {"value": 40}, "bodySite": [None], "evidence": "x"},
    ],
)
def test_an_oddity_costs_no_diagnosis(elements: Json) -> None:
    problem = the_problem(condition(**elements))
    assert (problem.activity, problem.verification) == ("not-stated", "confirmed")


def test_the_patients_oddities_cost_nobody() -> None:
    odd = {**PATIENT, "_birthDate": {"extension": UNKNOWN}, "extension": CODED, "meta": {"lastUpdated": "x"},
           "name": [{"given": [None, "B"], "_given": [{"extension": UNKNOWN}, None]}], "contact": "x"}  # fmt: skip
    assert file_records(odd).patient is not None


@pytest.mark.parametrize(
    "timing",
    [
        {"event": [None, "2026-01-05"], "_event": [ABSENT, None]},
        {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": [None], "_when": [ABSENT]}},
        {"repeat": {"dayOfWeek": ["mon", None]}},
        {"repeat": {"timeOfDay": ["08:00:00", None]}},
    ],
)
def test_a_moment_that_only_an_extension_tells_leaves_the_dose_open(timing: Json) -> None:
    (step,) = the_use(statement({**dose(20), "timing": timing})).steps
    assert (step.fault, step.daily.high) == ("timing-not-understood", None)


def test_a_time_without_seconds_takes_nothing_from_a_dose() -> None:
    record = statement({**dose(20), "timing": {"repeat": {"timeOfDay": ["08:00"]}}})
    (entry,) = [one for one in file_records(PATIENT, record).entries if one.type == "MedicationStatement"]
    assert is_valid(entry)
    assert the_use(record).steps[0].daily == exactly(20)


# ---- what turns a meaning round


def product(**elements: Any) -> Json:
    return {"resourceType": "Medication", "id": "p", "code": {"coding": [PREDNISONE]}, **elements}


def by_reference(*contained: Json, to: str = "#p") -> Json:
    return statement(DAILY_20, contained=list(contained), medicationCodeableConcept=None,
                     medicationReference={"reference": to})  # fmt: skip


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (creatinine(modifierExtension=UNKNOWN), "modifier-extension"),
        (creatinine(implicitRules="http://example.org/rules"), "implicit-rules"),
        (creatinine(referenceRange=[{"high": MG_DL, "modifierExtension": UNKNOWN}]), "modifier-extension"),
        (creatinine(component=[{"code": {"text": "x"}, "modifierExtension": UNKNOWN}]), "modifier-extension"),
        (condition(stage=[{"summary": {"text": "x"}, "modifierExtension": UNKNOWN}]), "modifier-extension"),
        (statement({**dose(20), "timing": {"modifierExtension": UNKNOWN}}), "modifier-extension"),
        (statement(DAILY_20, adherence={"modifierExtension": UNKNOWN}), "modifier-extension"),
        (by_reference(product(modifierExtension=UNKNOWN)), "unreadable"),
        (by_reference(product(implicitRules="http://example.org/rules")), "unreadable"),
        (by_reference(product(ingredient=[{"modifierExtension": UNKNOWN}])), "unreadable"),
    ],
)
def test_a_modification_that_nobody_knows_costs_the_resource(record: Json, reason: str) -> None:
    facts = facts_of(record)
    assert (facts.problems, facts.results, facts.medications) == ((), (), ())
    assert skipped(facts) == [(f"{record['resourceType']}/{record['id']}", reason)]
    assert doubts(facts)


def test_a_modification_is_found_however_it_is_spelled() -> None:
    body = json.dumps(bundle(PATIENT, creatinine(component=[{"modifierExtension": UNKNOWN}])))
    spelled = body.replace("modifierExtension", "modifier\\u0045xtension").encode()
    (entry,) = [one for one in read_answer(spelled, "x").entries if one.type == "Observation"]
    assert entry.problem == "modifier-extension"


def test_a_modified_dosage_costs_its_dose_only() -> None:
    (modified, plain) = the_use(statement({**DAILY_20, "modifierExtension": UNKNOWN}, DAILY_20)).steps
    assert (modified.fault, plain.daily) == ("modifier-extension", exactly(20))


def test_a_modification_of_what_is_not_read_is_none() -> None:
    performed = [{"actor": {"display": "x"}, "modifierExtension": UNKNOWN}]
    facts = facts_of(resource("Procedure", status="completed", code={"text": "Bone marrow transplantation"},
                              performer=performed))  # fmt: skip
    assert facts.skipped == ()


def test_a_modified_study_names_nothing() -> None:
    study = {"resourceType": "ResearchStudy", "id": "s", "title": "NCT06920199", "modifierExtension": UNKNOWN}
    part = resource("ResearchSubject", status="on-study", period={"start": "2026-01-01"}, contained=[study],
                    individual={"reference": "Patient/p1"}, study={"reference": "#s"})  # fmt: skip
    (found,) = facts_of(part).studies
    assert (found.sure, found.names) == (False, ())
