"""The drafts of the public CDS Hooks Sandbox, in its own shape: medicine, number, frequency and dates as typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.guard.guarded import answer_to, day, effects_of
from tests.trials.record_of import SCREENED_ON
from tests.trials.resources_of import PATIENT, Resource

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PREDNISONE_20 = ("312615", "Prednisone 20 MG Oral Tablet")
PREDNISONE_10 = ("198145", "Prednisone 10 MG Oral Tablet")
RUXOLITINIB_5 = ("1193339", "ruxolitinib 5 MG Oral Tablet")


def typed(medicine: tuple[str, str], number: int = 1, frequency: int = 1, **bounds: str) -> Resource:
    """A medicine of the Sandbox's list. It counts pills, has a supply of 30 days, and one category that is no list."""
    code, name = medicine
    times: Resource = {"frequency": frequency, "period": 1, "periodUnit": "d"}
    dose = {"value": number, "system": "http://unitsofmeasure.org", "code": "{pill}"}
    return nothing_typed() | {
        "dosageInstruction": [
            {
                "timing": {"repeat": times | ({"boundsPeriod": bounds} if bounds else {})},
                "doseAndRate": [{"doseQuantity": dose}],
            }
        ],
        "dispenseRequest": {
            "expectedSupplyDuration": {"value": 30, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
        },
        "intent": "order",
        "category": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "code": "community"}
            ]
        },
        "medicationCodeableConcept": {"text": name, "coding": [{"display": name, "system": RXNORM, "code": code}]},
    }


def nothing_typed() -> Resource:
    """The draft before a medicine is chosen: it has neither a name nor an intent."""
    return {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft", "subject": PATIENT,
            "authoredOn": SCREENED_ON.isoformat()}  # fmt: skip


def sent(*drafts: Resource) -> dict[str, Any]:
    """The drafts in a Bundle without a type."""
    return {"resourceType": "Bundle", "entry": [{"resource": one} for one in drafts]}


def test_before_a_medicine_is_chosen_there_is_nothing_to_say() -> None:
    assert answer_to(sent(nothing_typed())) == []


def test_before_an_imaging_study_is_chosen_there_is_nothing_to_say() -> None:
    study = {"resourceType": "ServiceRequest", "id": "example-request-id", "status": "draft", "intent": "plan",
             "code": {"coding": [{}]}, "subject": PATIENT}  # fmt: skip
    assert answer_to(sent(study)) == []


def test_the_card_names_the_first_day_after_the_washout_of_a_new_therapy() -> None:
    (card,) = answer_to(sent(typed(RUXOLITINIB_5, frequency=2)))
    assert card["summary"].startswith(f"Starting ruxolitinib today: not before {day(29).isoformat()} for NCT06920199")


@pytest.mark.parametrize("number", [1, 2, 5])
def test_pills_are_counted_as_tablets(number: int) -> None:
    """The patient takes 30 mg; another number of tablets is another dose, and can be told."""
    found = effects_of(typed(PREDNISONE_20, number))["I03b"]
    assert (found["until"], found.get("untold", False)) == (day(28).isoformat(), False)


def test_the_dose_that_the_patient_takes_already_changes_nothing() -> None:
    assert answer_to(sent(typed(PREDNISONE_10, number=3))) == []


def test_four_pills_are_above_a_milligram_per_kilogram() -> None:
    """80 mg at 70 kg."""
    assert "E02" in effects_of(typed(PREDNISONE_20, number=4))
    assert "E02" not in effects_of(typed(PREDNISONE_20, number=3))


def test_a_washout_counts_from_the_start_that_was_typed() -> None:
    start, end = day(5).isoformat(), day(40).isoformat()
    assert effects_of(typed(RUXOLITINIB_5, start=start, end=end))["E12"]["until"] == day(5 + 29).isoformat()


def test_the_condition_that_it_treats_costs_nothing() -> None:
    """It comes as one concept where FHIR has a list."""
    disease = {"coding": [{"system": "http://snomed.info/sct", "code": "402356004"}], "text": "Chronic GVHD"}
    found = effects_of(typed(PREDNISONE_20, number=2) | {"reasonCode": disease})
    assert found["I03b"]["until"] == day(28).isoformat()
