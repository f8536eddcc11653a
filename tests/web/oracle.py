"""A call in the shape of Oracle Health (Millennium): nothing prefetched, private codes, home medications as plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
_TENANT = "https://fhir.cerner.com/ec000000-0000-4000-8000-000000000000"
_SUBJECT = {"reference": "Patient/12700001", "display": "TESTPATIENT, ADA"}

PATIENT: Json = {
    "resourceType": "Patient",
    "id": "12700001",
    "meta": {"versionId": "4", "lastUpdated": "2026-03-01T10:11:12.000Z"},
    "text": {"status": "generated", "div": "<div>Patient</div>"},
    "active": True,
    "gender": "male",
    "_gender": {"extension": [{"url": f"{_TENANT}/original", "valueCoding": {"code": "362", "display": "Male"}}]},
    "birthDate": "1981-04-02",
    "deceasedBoolean": False,
}


def _concept(text: str, *codings: tuple[str, str], private: str = "72") -> Json:
    own = {"system": f"{_TENANT}/codeSet/{private}", "code": "1234567", "display": text, "userSelected": True}
    known = [{"system": system, "code": code, "userSelected": False} for system, code in codings]
    return {"coding": [own, *known], "text": text}


def _status(kind: str, code: str) -> Json:
    return _concept(code.title(), (f"http://terminology.hl7.org/CodeSystem/{kind}", code), private="12030")


CONDITION: Json = {
    "resourceType": "Condition",
    "id": "p70000001",
    "clinicalStatus": _status("condition-clinical", "active"),
    "verificationStatus": _status("condition-ver-status", "confirmed"),
    "category": [_status("condition-category", "problem-list-item")],
    "severity": _concept("Severe", ("http://snomed.info/sct", "24484000"), private="12022"),
    "code": _concept("Chronic graft-versus-host disease", ("http://hl7.org/fhir/sid/icd-10-cm", "D89.811")),
    "subject": _SUBJECT,
    "onsetDateTime": "2025-09-14",
    "recordedDate": "2026-02-20",
}
TRANSPLANT: Json = {
    "resourceType": "Procedure",
    "id": "70000002",
    "status": "completed",
    "code": _concept("Allogeneic transplantation", ("http://www.ama-assn.org/go/cpt", "38240")),
    "subject": _SUBJECT,
    "performedDateTime": "2024-05-10",
}
PREDNISONE: Json = {
    "resourceType": "MedicationRequest",
    "id": "70000003",
    "status": "active",
    "intent": "plan",
    "reportedBoolean": True,
    "category": [_status("medicationrequest-category", "community")],
    "medicationCodeableConcept": _concept(
        "predniSONE 20 mg oral tablet", ("http://www.nlm.nih.gov/research/umls/rxnorm", "312615")
    ),
    "subject": _SUBJECT,
    "authoredOn": "2026-01-05T09:30:00.000-06:00",
    "dosageInstruction": [
        {
            "text": "40 mg = 2 tab(s), Oral, Daily",
            "patientInstruction": "40 mg Oral (given by mouth) every day.",
            "timing": {
                "repeat": {"boundsPeriod": {"start": "2026-01-05T09:30:00.000-06:00"}},
                "code": _concept(
                    "Daily", ("http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "QD"), private="4003"
                ),
            },
            "asNeededBoolean": False,
            "route": _concept("Oral", ("http://snomed.info/sct", "26643006"), private="4001"),
            "doseAndRate": [
                {"doseQuantity": {"value": 40, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}
            ],
        }
    ],
}


def _result(number: int, text: str, loinc: str, value: float, unit: str, day: str = "2026-03-12") -> Json:
    return {
        "resourceType": "Observation",
        "id": f"L-7100000{number}",
        "status": "final",
        "code": _concept(text, ("http://loinc.org", loinc)),
        "subject": _SUBJECT,
        "effectiveDateTime": f"{day}T11:00:00.000Z",
        "issued": f"{day}T11:30:00.000Z",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


LABS = [
    _result(1, "Platelet", "777-3", 152, "10*3/uL"),
    _result(2, "Neutro Absolute", "751-8", 3.4, "10*3/uL"),
    _result(3, "Creatinine Level", "2160-0", 0.9, "mg/dL"),
]
WEIGHTS = [_result(10 + day, "Weight Measured", "29463-7", 70, "kg", f"2026-0{day}-09") for day in (3, 2, 1)]
METADATA: Json = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [{"mode": "server", "resource": [
        {"type": one} for one in ("Patient", "Condition", "Procedure", "MedicationRequest", "MedicationAdministration",
                                  "Observation", "AllergyIntolerance")
    ]}],
}  # fmt: skip


def bundle(resources: Iterable[Json], goes_on: str | None = None) -> Json:
    """A page without a total; `goes_on` is the path of the next one, below {base}/Observation."""
    entries = [{"fullUrl": f"{_TENANT}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    links = [{"relation": "self", "url": f"{_TENANT}/x"}]
    links += [{"relation": "next", "url": f"{{base}}/Observation/{goes_on}"}] if goes_on else []
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def call(base: str) -> Json:
    return {
        "hook": "patient-view",
        "hookInstance": "0b2d7c54-6a1e-4f6b-8a51-8b3c2c1d0e9f",
        "fhirServer": base,
        "fhirAuthorization": {
            "access_token": "made-up", "token_type": "Bearer", "expires_in": 570, "subject": "made-up-client",
            "scope": "patient/Condition.read patient/Observation.read launch",
        },
        "context": {"userId": "Practitioner/4464007", "patientId": "12700001", "encounterId": "97900001"},
    }  # fmt: skip
