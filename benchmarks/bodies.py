"""The five requests that are measured, all of invented patients; each brings the answer to every query."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fhir_fixtures.hook_request import ANALYTES, KEYS, USER, bundle_of, codes_of
from fhir_fixtures.story import story

Resource = dict[str, Any]

CANDIDATE = "dependence-to-be-confirmed"  # the story whose verdict is candidate
NOBODY = "not-a-transplant-patient"
_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"
# LOINC code, its name, unit, a normal value and the laboratory's range: all but the last are asked for by the query.
_TESTS = (
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.9, 0.7, 1.2),
    ("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "mg/dL", 0.7, 0.2, 1.2),
    ("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L", 41.0, 7.0, 50.0),
    ("1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L", 33.0, 8.0, 40.0),
    ("751-8", "Neutrophils [#/volume] in Blood by Automated count", "10*9/L", 3.1, 1.8, 7.5),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*9/L", 212.0, 150.0, 400.0),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*9/L", 6.2, 4.0, 11.0),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 13.4, 12.0, 17.5),
)
# RxNorm code, name, dose in mg and times a day, of drugs that say nothing about the trial.
_DRUGS = (
    ("314076", "lisinopril 10 MG Oral Tablet", 10, 1),
    ("861007", "metformin hydrochloride 500 MG Oral Tablet", 500, 2),
    ("197361", "amlodipine 5 MG Oral Tablet", 5, 1),
    ("617311", "atorvastatin 40 MG Oral Tablet", 40, 1),
    ("198051", "omeprazole 20 MG Delayed Release Oral Capsule", 20, 1),
    ("197310", "acyclovir 400 MG Oral Tablet", 400, 2),
    ("313782", "acetaminophen 325 MG Oral Tablet", 325, 3),
    ("966571", "levothyroxine sodium 0.05 MG Oral Tablet", 0.05, 1),
)


@dataclass(frozen=True, slots=True)
class Body:
    """One request, as it is sent. `shows_card` is what the answer must do with it."""

    name: str
    title: str
    json: bytes
    shows_card: bool


def bodies(today: date) -> tuple[Body, ...]:
    """The five bodies, dated for a day."""
    patient = [one for one in story(NOBODY).resources(today) if one["resourceType"] == "Patient"]
    candidate = story(CANDIDATE).resources(today)
    observed = sum(one["resourceType"] == "Observation" for one in candidate)
    treated = sum(one["resourceType"].startswith("Medication") for one in candidate)
    few = observations(40 - len(candidate), CANDIDATE, today)
    labs = observations(1000 - observed, CANDIDATE, today)
    drugs = medications(200 - treated, CANDIDATE, today)
    return (
        body_of("a", "a Patient", NOBODY, patient),
        body_of("b", "a Patient, 50 Observations", NOBODY, [*patient, *observations(50, NOBODY, today)]),
        body_of("c", "a Patient, 1,000 Observations", NOBODY, [*patient, *observations(1000, NOBODY, today)]),
        body_of("d", "a candidate, 40 resources", CANDIDATE, [*candidate, *few], shows_card=True),
        body_of(
            "e", "a candidate among 1,000 Observations and 200 medication resources", CANDIDATE,
            [*candidate, *labs, *drugs], shows_card=True,
        ),
    )  # fmt: skip


def body_of(name: str, title: str, patient_id: str, resources: Sequence[Resource], shows_card: bool = False) -> Body:
    request = {
        "hook": "patient-view",
        "hookInstance": "6bb1f1a0-0000-4000-8000-00000000000" + name,
        "context": {"userId": f"Practitioner/{USER['id']}", "patientId": patient_id},
        "prefetch": {key: _answer(key, resources) for key in KEYS},
    }
    return Body(name, title, json.dumps(request, separators=(",", ":")).encode(), shows_card)


def _answer(key: str, resources: Sequence[Resource]) -> Any:
    """What the query of that key brings; laboratory results also where their code was not asked for."""
    found = [one for one in resources if one["resourceType"] == KEYS[key]]
    if key == "patient":
        return found[0]
    if KEYS[key] == "Observation":
        found = sorted((one for one in found if _query_of(one) == key), key=_day, reverse=True)
    return bundle_of("searchset", found)


def _query_of(observation: Resource) -> str:
    codes = {one["code"] for one in observation["code"]["coding"]}
    asked = (key for key in ("body", "function") if codes & {code for _, code in codes_of(ANALYTES[key])})
    return next(asked, "labs")


def _day(observation: Resource) -> str:
    return str(observation["effectiveDateTime"])


def observations(how_many: int, patient_id: str, today: date) -> list[Resource]:
    return [_observation(number, patient_id, today) for number in range(how_many)]


def _observation(number: int, patient_id: str, today: date) -> Resource:
    """A laboratory result as EHRs send it, of some day in the two years before the last fortnight."""
    code, display, unit, value, low, high = _TESTS[number % len(_TESTS)]
    day = today - timedelta(days=15 + number // len(_TESTS) * 5 % 700)
    stamp = f"{day.isoformat()}T08:10:00+00:00"
    return {
        "resourceType": "Observation",
        "id": f"{patient_id}-made-{number}",
        "meta": {"versionId": "1", "lastUpdated": stamp, "profile": [_PROFILE]},
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "laboratory", "display": "Laboratory"}]}],
        "code": {"coding": [{"system": _LOINC, "code": code, "display": display}], "text": display.split(" [")[0]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "encounter": {"reference": f"Encounter/visit-{number // len(_TESTS)}"},
        "effectiveDateTime": stamp,
        "issued": stamp,
        "performer": [{"reference": "Organization/laboratory"}],
        "specimen": {"reference": f"Specimen/sample-{number // len(_TESTS)}"},
        "valueQuantity": _quantity(round(value + number % 7 * value / 100, 2), unit),
        "referenceRange": [{"low": _quantity(low, unit), "high": _quantity(high, unit)}],
    }


def _quantity(value: float, unit: str) -> Mapping[str, object]:
    return {"value": value, "unit": unit, "system": _UCUM, "code": unit}


def medications(how_many: int, patient_id: str, today: date) -> list[Resource]:
    return [one for number in range(how_many) for one in _medication(number, patient_id, today)]


def _medication(number: int, patient_id: str, today: date) -> Iterator[Resource]:
    """A statement or an order of a drug that is no concern of the trial, most of them of long ago."""
    code, display, milligrams, times = _DRUGS[number % len(_DRUGS)]
    begun = today - timedelta(days=30 + number * 7 % 900)
    dosage = {
        "text": f"{milligrams} mg {'once' if times == 1 else f'{times} times'} daily",
        "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}]},
        "doseAndRate": [{"doseQuantity": _quantity(milligrams, "mg")}],
    }
    shared: Resource = {
        "id": f"{patient_id}-made-{number}",
        "meta": {"versionId": "1", "lastUpdated": f"{begun.isoformat()}T09:00:00+00:00"},
        "status": "active" if number % 10 == 0 else "completed",
        "medicationCodeableConcept": {
            "coding": [{"system": _RXNORM, "code": code, "display": display}], "text": display,
        },
        "subject": {"reference": f"Patient/{patient_id}", "display": "Testpatient, Synthetic"},
    }  # fmt: skip
    if number % 2:
        yield {
            "resourceType": "MedicationRequest", **shared, "intent": "order",
            "authoredOn": begun.isoformat(), "dosageInstruction": [dosage],
            "dispenseRequest": {"numberOfRepeatsAllowed": 3, "expectedSupplyDuration": _quantity(30, "d")},
        }  # fmt: skip
    else:
        ended = begun + timedelta(days=28)
        period = {"start": begun.isoformat(), **({} if number % 10 == 0 else {"end": ended.isoformat()})}
        yield {"resourceType": "MedicationStatement", **shared, "effectivePeriod": period, "dosage": [dosage]}
