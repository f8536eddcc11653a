"""A call in the shape in which Epic sends one: long ids, absolute references, private codes, three views of a dose."""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]
BASE = "https://epic.example.org/interconnect/api/FHIR/R4"
_OID = "urn:oid:1.2.840.114350.1.13.0.1.7"
PATIENT_ID = "eMadeUpPatient-0123456789abcdefABCDEF.w3"
MEDICATION_ID = "eMadeUpMedication0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.3"
_SUBJECT = {"reference": f"{BASE}/Patient/{PATIENT_ID}", "display": "Testpatient, Ada"}
_ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}

PATIENT: Json = {
    "resourceType": "Patient",
    "id": PATIENT_ID,
    "extension": [
        {"url": "http://open.epic.com/FHIR/StructureDefinition/extension/legal-sex",
         "valueCodeableConcept": {"coding": [{"system": f"{_OID}.10.698084.130.657370.19999000", "code": "female"}]}},
        {"url": "http://open.epic.com/FHIR/StructureDefinition/extension/calculated-pronouns-to-use-for-text"},
    ],
    "identifier": [{"use": "usual", "type": {"text": "CEID"}, "system": f"{_OID}.3.688884.100", "value": "MADEUP1"}],
    "active": True,
    "name": [{"use": "official", "text": "Ada Testpatient", "family": "Testpatient", "given": ["Ada"]}],
    "gender": "male",
    "birthDate": "1981-04-02",
    "deceasedBoolean": False,
    "generalPractitioner": [{"reference": "Practitioner/eMadeUp3", "type": "Practitioner"}],
}  # fmt: skip


def _coded(type_name: str, text: str, *codings: tuple[str, str], **elements: Any) -> Json:
    return {
        "resourceType": type_name,
        "id": f"e{type_name}MadeUp-{codings[-1][1]}-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP3",
        "identifier": [_ABSENT],
        "subject": _SUBJECT,
        "code": {
            "coding": [{"system": system, "code": code, "display": text} for system, code in codings],
            "text": text,
        },
        **elements,
    }


def _status(kind: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{kind}", "code": code}], "text": code.title()}


CONDITION = _coded(
    "Condition", "Chronic GVHD complicating bone marrow transplantation, moderate (HCC)",
    ("http://hl7.org/fhir/sid/icd-10-cm", "D89.811"), (f"{_OID}.2.696871", "1590123"),
    clinicalStatus=_status("condition-clinical", "active"),
    verificationStatus=_status("condition-ver-status", "confirmed"),
    category=[_status("condition-category", "problem-list-item")],
    onsetDateTime="2025-09-14",
    recordedDate="2025-09-20",
)  # fmt: skip
TRANSPLANT = _coded(
    "Procedure", "PR BONE MARROW/STEM CELL TRANSPLANT ALLOGENEIC",
    ("http://www.ama-assn.org/go/cpt", "38240"), (f"{_OID}.2.696580", "55310"),
    status="completed", performedPeriod={"start": "2024-05-10T15:00:00Z", "end": "2024-05-10T19:30:00Z"},
)  # fmt: skip


def _view(kind: str, value: float, unit: str, code: str) -> Json:
    kinds = [{"system": "http://epic.com/CodeSystem/dose-rate-type", "code": kind, "display": kind}]
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": code}
    return {"type": {"coding": kinds, "text": kind}, "doseQuantity": quantity}


PREDNISONE: Json = {
    "resourceType": "MedicationRequest",
    "id": "eMadeUpOrder-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.3",
    "identifier": [{"use": "usual", "system": f"{_OID}.2.798268", "value": "990011"}],
    "status": "active",
    "intent": "order",
    "category": [_status("medicationrequest-category", "community")],
    "medicationReference": {"reference": f"Medication/{MEDICATION_ID}",
                            "display": "predniSONE (DELTASONE) 20 MG tablet"},
    "subject": _SUBJECT,
    "authoredOn": "2026-01-05T16:20:11Z",
    "requester": _ABSENT,
    "courseOfTherapyType": {"text": "Long-term"},
    "dosageInstruction": [
        {
            "text": "Take 2 tablets (40 mg total) by mouth daily., Starting Mon 1/5/2026, Normal",
            "patientInstruction": "Take 2 tablets (40 mg total) by mouth daily.",
            "timing": {"repeat": {"boundsPeriod": {"start": "2026-01-05"}, "timeOfDay": ["09:00:00"]},
                       "code": {"text": "Daily"}},
            "asNeededBoolean": False,
            "route": {"coding": [{"system": f"{_OID}.4.798268.7025", "code": "15", "display": "Oral"}], "text": "Oral"},
            "doseAndRate": [_view("calculated", 40, "mg", "mg"), _view("admin-amount", 2, "tablet", "{tbl}"),
                            _view("ordered", 40, "mg", "mg")],
        }
    ],
    "dispenseRequest": {
        "validityPeriod": {"start": "2026-01-05T06:00:00Z"},
        "numberOfRepeatsAllowed": 2,
        "quantity": {"value": 60, "unit": "tablet"},
        "expectedSupplyDuration": {"value": 30, "unit": "Day", "system": "http://unitsofmeasure.org", "code": "d"},
    },
}  # fmt: skip


def _result(text: str, loinc: str, value: float, unit: str, code: str, **elements: Any) -> Json:
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": code}
    return _coded(
        "Observation", text, (f"{_OID}.5.737384.0", "123"), ("http://loinc.org", loinc), status="final",
        effectiveDateTime="2026-03-12T13:05:00Z", issued="2026-03-12T14:40:02Z", valueQuantity=quantity, **elements,
    )  # fmt: skip


def _range(text: str, low: float, high: float, unit: str) -> list[Json]:
    ends = {"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}
    return [{**ends, "text": text}]


LABS = (
    _result(
        "PLATELET COUNT", "777-3", 152, "K/uL", "10*3/uL", referenceRange=_range("150 - 400 K/uL", 150, 400, "K/uL")
    ),
    _result("NEUTROPHILS ABSOLUTE", "751-8", 3.4, "K/uL", "10*3/uL", interpretation=[{"text": "Normal"}]),
    _result("CREATININE", "2160-0", 0.9, "mg/dL", "mg/dL"),
    _result("BILIRUBIN TOTAL", "1975-2", 0.6, "mg/dL", "mg/dL", referenceRange=_range("0.2-1.2", 0.2, 1.2, "mg/dL")),
    _result("ALT", "1742-6", 31, "U/L", "U/L", referenceRange=_range("<50 U/L", 0, 50, "U/L")),
    _result("AST", "1920-8", 28, "U/L", "U/L", referenceRange=_range("<40 U/L", 0, 40, "U/L")),
)
WEIGHTS = tuple(
    {
        **_result("Weight", "29463-7", 70, "kg", "kg"),
        "id": f"eMadeUpWeight{day}3",
        "effectiveDateTime": f"{day}T09:00:00Z",
    }
    for day in ("2026-03-09", "2026-02-09", "2026-01-05")
)
NOTHING = {
    "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000000",
    "search": {"mode": "outcome"},
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [{
            "severity": "warning", "code": "processing", "diagnostics": "No results.",
            "details": {"coding": [{"system": f"{_OID}.2.657369", "code": "4101"}], "text": "No results."},
        }],
    },
}  # fmt: skip


def searchset(*resources: Json) -> Json:
    """As Epic answers a search: one that finds nothing holds a warning."""
    entries = [
        {"link": [{"relation": "self", "url": f"{BASE}/{one['resourceType']}/{one['id']}"}],
         "fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "search": {"mode": "match"}, "resource": one}
        for one in resources
    ]  # fmt: skip
    head = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    return {**head, "link": [{"relation": "self", "url": f"{BASE}/x"}], "entry": entries or [NOTHING]}


def call(**prefetch: Any) -> Json:
    """A call when a chart is opened, with these answers instead of the usual ones."""
    extension = {
        "com.epic.cdshooks.request.bpa-trigger-action": "60",
        "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
        "com.epic.cdshooks.request.fhir-version": "R4",
        "com.epic.cdshooks.request.criteria-id": "990000",
        "internal": {"com.epic.cdshooks.request.is-test": False},
    }
    return copy.deepcopy({
        "hook": "patient-view",
        "hookInstance": "6d1c2f0e-4e3f-4d0e-9f5a-1a2b3c4d5e6f",
        "fhirServer": BASE,
        "fhirAuthorization": {
            "access_token": "made-up", "token_type": "Bearer", "expires_in": 300, "subject": "trialhook",
            "scope": "Read Condition (Problems) (R4) and others", "patient": PATIENT_ID,
        },
        "context": {"userId": "PractitionerRole/eMadeUpRole3", "patientId": PATIENT_ID, "encounterId": "eMadeUpEnc3"},
        "extension": extension,
        "prefetch": {
            "patient": PATIENT,
            "conditions": searchset(CONDITION),
            "procedures": searchset(TRANSPLANT),
            "medicationRequests": searchset(PREDNISONE),
            "medicationAdministrations": searchset(),
            "labs": searchset(*LABS),
            "body": searchset(*WEIGHTS),
            "function": searchset(),
            "allergies": searchset(),
            **prefetch,
        },
    })  # fmt: skip
