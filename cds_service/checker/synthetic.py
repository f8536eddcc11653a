"""Requests about a patient who does not exist, made from a service's own prefetch templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

PATIENT_ID = "checker-synthetic-patient"
USER = "Practitioner/checker-synthetic-practitioner"
ENCOUNTER_ID = "checker-synthetic-encounter"
_MADE_UP = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST",
                     "display": "test health data"}]}  # fmt: skip
_READ = re.compile(r"^([A-Za-z]+)/\{\{")
_SEARCH = re.compile(r"^([A-Za-z]+)\?")


def request_for(hook: str, prefetch: Mapping[str, str]) -> dict[str, Any]:
    """A request of the hook: each template is answered, searches with nothing found."""
    answers = {key: answer for key, template in prefetch.items() if (answer := _answer(template)) is not None}
    body: dict[str, Any] = {"hook": hook, "hookInstance": str(uuid4()), "context": context_of(hook)}
    return {**body, "prefetch": answers} if answers else body


def patient(patient_id: str = PATIENT_ID, family: str = "Testpatient") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "meta": _MADE_UP,
        "name": [{"use": "official", "family": family, "given": ["Synthetic"]}],
        "gender": "female",
        "birthDate": "1970-01-01",
    }


def nothing_found() -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "total": 0}


def failed_query() -> dict[str, Any]:
    issue = {"severity": "error", "code": "exception", "diagnostics": "The query failed (synthetic)."}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def context_of(hook: str) -> dict[str, Any]:
    """The context that the hook requires, as the hook library states it; for an unknown hook user and patient."""
    order = draft_order()
    reference = f"{order['resourceType']}/{order['id']}"
    orders = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
    whole: dict[str, Any] = {"userId": USER, "patientId": PATIENT_ID}
    more: Mapping[str, Mapping[str, Any]] = {
        "patient-view": {"encounterId": ENCOUNTER_ID},
        "order-select": {"encounterId": ENCOUNTER_ID, "selections": [reference], "draftOrders": orders},
        "order-sign": {"encounterId": ENCOUNTER_ID, "draftOrders": orders},
        "order-dispatch": {"order": reference, "dispatchedOrders": [reference], "performer": USER},
        "appointment-book": {"encounterId": ENCOUNTER_ID, "appointments": _collection(_appointment())},
        "encounter-start": {"encounterId": ENCOUNTER_ID},
        "encounter-discharge": {"encounterId": ENCOUNTER_ID},
        "medication-refill": {"medications": orders},
        "problem-list-item-create": {"conditions": _collection(_named("Condition", "A synthetic problem"))},
        "allergyintolerance-create": {"allergyIntolerance": _named("AllergyIntolerance", "A synthetic allergy")},
    }
    return whole | dict(more.get(hook, {}))


def draft_order(order_id: str = "checker-synthetic-order") -> dict[str, Any]:
    """A draft for 10 mg of prednisone a day."""
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8640", "display": "prednisone"}
    mg = {"value": 10, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    return {
        "resourceType": "MedicationRequest",
        "id": order_id,
        "meta": _MADE_UP,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "prednisone", "coding": [coding]},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "requester": {"reference": USER},
        "dosageInstruction": [
            {
                "text": "10 mg once daily",
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": mg}],
            }
        ],
    }


def old_draft_order() -> dict[str, Any]:
    """A draft as DSTU2 had it."""
    return {
        "resourceType": "MedicationOrder",
        "id": "checker-synthetic-order",
        "status": "draft",
        "patient": {"reference": f"Patient/{PATIENT_ID}"},
        "medicationCodeableConcept": {"text": "prednisone"},
        "dosageInstruction": [{"text": "10 mg once daily"}],
    }


def without_hits() -> dict[str, Any]:
    """An empty search as some EHRs send it: with an entry that says so."""
    issue = {"severity": "warning", "code": "not-found", "details": {"text": "No resources were found (synthetic)."}}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return {**nothing_found(), "entry": [{"resource": outcome, "search": {"mode": "outcome"}}]}


def first_page(next_url: str) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": next_url}]}


def _answer(template: str) -> dict[str, Any] | None:
    """The answer to a template; None for a read of something that there is none of."""
    if searched := _SEARCH.match(template):
        if searched[1] == "Patient":
            return {**nothing_found(), "total": 1, "entry": [{"resource": patient(), "search": {"mode": "match"}}]}
        return nothing_found()
    read = _READ.match(template)
    kind = read[1] if read else ""
    if kind == "Patient":
        return patient()
    if kind == "Practitioner":
        name = [{"family": "Testpractitioner", "given": ["Synthetic"]}]
        return {"resourceType": kind, "id": USER.partition("/")[2], "meta": _MADE_UP, "name": name}
    return None


def _collection(*resources: Mapping[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def _named(kind: str, text: str) -> dict[str, Any]:
    subject = "patient" if kind == "AllergyIntolerance" else "subject"
    return {
        "resourceType": kind,
        "id": "checker-synthetic-resource",
        "meta": _MADE_UP,
        subject: {"reference": f"Patient/{PATIENT_ID}"},
        "code": {"text": text},
    }


def _appointment() -> dict[str, Any]:
    actor = {"actor": {"reference": f"Patient/{PATIENT_ID}"}, "status": "accepted"}
    return {"resourceType": "Appointment", "id": "checker-synthetic-appointment", "status": "proposed",
            "participant": [actor]}  # fmt: skip
