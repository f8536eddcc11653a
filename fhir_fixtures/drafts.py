"""Draft orders as an EHR sends them with order-select and order-sign, for a patient of any story.

Every code is one that our code sets hold as verified; `tests/stories/test_drafts.py` proves it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from cds_service.terminology.codes import system_address

Resource = dict[str, Any]
_MG = {"system": "http://unitsofmeasure.org", "code": "mg"}
_ORAL = {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}]}


def _coded(system: str, code: str, display: str) -> Resource:
    """A code with its name, and the name as the text that a person reads."""
    named = {"system": system_address(system), "code": code, "display": display}
    return {"coding": [named], "text": display}


def _tablets(mg: float, times: int, sig: str) -> Resource:
    """A dosage by mouth, so many times a day, in words and in figures."""
    return {
        "text": sig,
        "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
        "route": copy.deepcopy(_ORAL),
        "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg", **_MG}}],
    }


def _drug(code: str, display: str, dosage: Resource, patient_id: str) -> Resource:
    """A draft for a drug in RxNorm."""
    return {
        "resourceType": "MedicationRequest",
        "id": f"draft-{display.lower()}",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": _coded("rxnorm", code, display),
        "subject": {"reference": f"Patient/{patient_id}"},
        "dosageInstruction": [copy.deepcopy(dosage)],
    }


def _service(draft_id: str, system: str, code: str, text: str, patient_id: str) -> Resource:
    """A draft for a procedure. CPT has no descriptors of ours: the text is what the ward calls it."""
    return {
        "resourceType": "ServiceRequest",
        "id": draft_id,
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": system_address(system), "code": code}], "text": text},
        "subject": {"reference": f"Patient/{patient_id}"},
    }


def prednisone(patient_id: str, mg: float) -> Resource:
    """Prednisone once a day."""
    return _drug("8640", "prednisone", _tablets(mg, 1, f"{mg:g} mg once daily"), patient_id)


# What each draft is called -> the draft for a patient. Of those without figures nobody needs the dose, but for
# prednisone, where it is what cannot be read.
DRAFTS: Mapping[str, Callable[[str], Resource]] = {
    "prednisone-20": partial(prednisone, mg=20),
    "prednisone-30": partial(prednisone, mg=30),
    "prednisone-80": partial(prednisone, mg=80),
    "prednisone-unreadable": partial(_drug, "8640", "prednisone", {"text": "as directed"}),
    "ruxolitinib": partial(_drug, "1193326", "ruxolitinib", _tablets(10, 2, "10 mg twice daily")),
    "belumosudil": partial(_drug, "2564025", "belumosudil", _tablets(200, 1, "200 mg once daily")),
    "tacrolimus": partial(_drug, "42316", "tacrolimus", _tablets(2, 2, "2 mg twice daily")),
    "rituximab": partial(_drug, "121191", "riTUXimab", {"text": "375 mg/m2 intravenously once"}),
    "basiliximab": partial(_drug, "196102", "basiliximab", {"text": "20 mg intravenously once"}),
    "filgrastim": partial(_drug, "68442", "filgrastim", {"text": "300 mcg under the skin daily"}),
    "donor-lymphocytes": partial(_service, "draft-dli", "cpt", "38242", "Donor lymphocyte infusion"),
    "platelets": partial(_service, "draft-platelets", "snomed", "12719002", "Platelet transfusion"),
}


def draft_orders(drafts: Iterable[Resource]) -> Resource:
    """The Bundle in which the order hooks hold all unsigned orders."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in drafts]}


def order_request_of(hook: str, request: Mapping[str, Any], drafts: Iterable[Resource]) -> Resource:
    """The same patient's request, when these drafts are selected (order-select) or about to be signed (order-sign)."""
    drafted = list(drafts)
    context = {**request["context"], "draftOrders": draft_orders(drafted)}
    if hook == "order-select":
        context["selections"] = [f"{one['resourceType']}/{one['id']}" for one in drafted]
    return {**request, "hook": hook, "context": context}
