"""Calls of the service as a client makes them, and an app around a composer that only counts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from flask import Flask

from app import assembled
from cds_service.hooks.discovery import Service, patient_view_service
from cds_service.hooks.request import HookRequest
from cds_service.pipeline import Compose
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening
from cds_service.web.cds_hooks import Wiring
from cds_service.web.gate import Gate

TODAY = date(2026, 3, 16)
SERVICE = "/cds-services/nct06920199-patient-view"
TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
}
CARD: dict[str, object] = {
    "uuid": "7a2f7a1e-8f2b-4c55-9a55-0f4e0c3f5a10",
    "summary": "A card",
    "indicator": "info",
    "source": {"label": "Test"},
}


def one_card(screening: Screening, request: HookRequest) -> list[Mapping[str, object]]:
    return [CARD] if screening.is_shown else []


def service() -> Service:
    return patient_view_service("NCT06920199", "a short title", TEMPLATES)


def wiring(protocol: Protocol, compose: Compose = one_card, settings: Settings | None = None) -> Wiring:
    gate = Gate(open_access=True)
    return Wiring((service(),), protocol, compose, settings or Settings(), lambda: TODAY, gate=gate)


def app_of(parts: Wiring) -> Flask:
    """The app as the composition root assembles it."""
    return assembled(parts)


def searchset(*resources: Mapping[str, Any]) -> dict[str, Any]:
    entries = [{"resource": dict(one), "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def patient(patient_id: str = "p1") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": patient_id, "gender": "male", "birthDate": "1980-05-01"}


def condition(text: str, patient_id: str = "p1", condition_id: str = "c1") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": condition_id,
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": {"text": text},
        "recordedDate": "2025-11-02",
    }


CHRONIC_GVHD = condition("Chronic graft-versus-host disease")
PREDNISONE = {
    "resourceType": "MedicationStatement",
    "id": "m1",
    "status": "active",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8640", "display": "prednisone"}]
    },
    "effectivePeriod": {"start": "2026-01-05"},
    "dateAsserted": "2026-03-10",
    "dosage": [
        {
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [
                {
                    "doseQuantity": {
                        "value": 30,
                        "unit": "mg",
                        "system": "http://unitsofmeasure.org",
                        "code": "mg",
                    }
                }
            ],
        }
    ],
}


def call(*conditions: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A whole call for a patient with these conditions and nothing else recorded."""
    empty = ("procedures", "medicationStatements", "medicationRequests", "medicationAdministrations")
    searches = (*empty, "labs", "body", "function", "allergies", "researchSubjects")
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1"},
        "prefetch": {"patient": patient(), "conditions": searchset(*conditions)}
        | {key: searchset() for key in searches},
    }
    return copy.deepcopy(body) | changes


def valueless(value: Any, place: str = "$") -> Iterator[str]:
    """The places where a response has null, "" or an empty array or object, which CDS Hooks forbids."""
    if value is None or value in ("", [], {}):
        yield place
    if isinstance(value, dict):
        for key, one in value.items():
            yield from valueless(one, f"{place}.{key}")
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from valueless(one, f"{place}[{number}]")


def call_with_card(**changes: Any) -> dict[str, Any]:
    """A call for a patient with chronic GVHD and prednisone, who may fit."""
    body = call(CHRONIC_GVHD, **changes)
    if isinstance(body.get("prefetch"), dict):
        body["prefetch"]["medicationStatements"] = searchset(PREDNISONE)
    return body
