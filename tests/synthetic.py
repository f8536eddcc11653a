"""A small synthetic record in plain FHIR, for tests of the doors: reports, cards, command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.fhir.records import from_files
from cds_service.pipeline import screen_records
from cds_service.trials.protocol import Protocol, load_protocol
from cds_service.trials.screening import Screening

ROOT = Path(__file__).parent.parent
INDEX_DAY = date(2026, 3, 16)
SUBJECT = {"reference": "Patient/p1"}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@cache
def protocol() -> Protocol:
    return load_protocol("nct06920199")


def days_ago(days: int) -> str:
    return (INDEX_DAY - timedelta(days=days)).isoformat()


def coded(system: str, code: str, text: str | None = None) -> dict[str, Any]:
    concept: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
    return concept | ({"text": text} if text else {})


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1980-05-01"} | elements


def condition(name: str, system: str, code: str, **elements: Any) -> dict[str, Any]:
    active = coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")
    return {"resourceType": "Condition", "id": name, "subject": SUBJECT, "clinicalStatus": active,
            "code": coded(system, code), "recordedDate": days_ago(30)} | elements  # fmt: skip


def procedure(name: str, system: str, code: str, performed: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": "Procedure", "id": name, "status": "completed", "subject": SUBJECT,
            "code": coded(system, code), "performedDateTime": performed} | elements  # fmt: skip


def observation(name: str, loinc: str, value: float, unit: str, days: int = 5, **elements: Any) -> dict[str, Any]:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {"resourceType": "Observation", "id": name, "status": "final", "subject": SUBJECT,
            "code": coded("http://loinc.org", loinc, name), "effectiveDateTime": days_ago(days),
            "valueQuantity": quantity} | elements  # fmt: skip


def up_to(value: float, unit: str) -> list[dict[str, Any]]:
    """A reference range with an upper limit of normal."""
    return [{"high": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}}]


def prednisone(name: str = "m1", milligrams: float = 30, days: int = 70, **elements: Any) -> dict[str, Any]:
    dose = {"value": milligrams, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    daily = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    dosage = {"text": f"{milligrams} mg once daily", "timing": daily, "doseAndRate": [{"doseQuantity": dose}]}
    return {"resourceType": "MedicationStatement", "id": name, "status": "active", "subject": SUBJECT,
            "medicationCodeableConcept": coded(RXNORM, "8640", "Prednisone"), "dateAsserted": days_ago(3),
            "effectivePeriod": {"start": days_ago(days)}, "dosage": [dosage]} | elements  # fmt: skip


def resources() -> list[dict[str, Any]]:
    """A patient of whom every criterion that can be read from a record passes."""
    return [
        patient(),
        procedure("transplant", "http://www.cms.gov/Medicare/Coding/ICD10", "30243Y3", "2024-05-10"),
        condition("cgvhd", "http://hl7.org/fhir/sid/icd-10-cm", "D89.811"),
        condition("grade", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "T86.07"),
        prednisone(),
        *(observation(f"weight{days}", "29463-7", 70, "kg", days) for days in (74, 45, 18, 4)),
        observation("creatinine", "2160-0", 1.0, "mg/dL"),
        observation("bilirubin", "1975-2", 0.6, "mg/dL", referenceRange=up_to(1.2, "mg/dL")),
        observation("alt", "1742-6", 30, "U/L", referenceRange=up_to(40, "U/L")),
        observation("ast", "1920-8", 31, "U/L", referenceRange=up_to(40, "U/L")),
        observation("neutrophils", "751-8", 2.1, "10*9/L"),
        observation("platelets", "777-3", 120, "10*9/L"),
        observation("lvef", "10230-1", 62, "%", 30),
        observation("fev1", "20152-5", 71, "%", 30),
        {"resourceType": "Observation", "id": "ecog", "status": "final", "subject": SUBJECT,
         "code": coded("http://loinc.org", "89247-1"), "effectiveDateTime": days_ago(6), "valueInteger": 1},
    ]  # fmt: skip


def bundle(entries: list[dict[str, Any]], kind: str = "collection") -> bytes:
    document = {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in entries]}
    return json.dumps(document).encode()


def but(changes: Mapping[str, dict[str, Any] | None]) -> list[dict[str, Any]]:
    """The record with some resources replaced, or left out where the change is None, or added."""
    kept = [changes.get(one["id"], one) for one in resources()]
    known = {one["id"] for one in resources()}
    return [one for one in kept if one] + [one for name, one in changes.items() if one and name not in known]


def screened(entries: list[dict[str, Any]], as_of: date = INDEX_DAY) -> Screening:
    """The screening of a record as the command line would do it."""
    return screen_records(from_files({"record": [bundle(entries)]}, protocol().index, None), protocol(), as_of)
