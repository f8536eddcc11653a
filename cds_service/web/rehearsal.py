"""One made-up call at the start, so that no request pays for what is loaded on first use."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date

from cds_service.errors import ServiceError
from cds_service.fhir.queries import QUERIES
from cds_service.fhir.validation import warm
from cds_service.terminology.codes import every_code
from cds_service.web.cds_hooks import Wiring


def rehearse(wiring: Wiring) -> None:
    """Answers a made-up chart opening with every service. A defect shows now, before anybody relies on it."""
    warm()
    every_code()
    for service in wiring.services:
        with suppress(ServiceError):  # a refusal is an answer as well
            wiring.answer(service, json.dumps(made_up_call(service.hook, wiring.today())).encode())


def made_up_call(hook: str, today: date) -> dict[str, object]:
    """A call for a patient who does not exist and who gets a card."""
    subject = {"reference": "Patient/rehearsal"}
    condition = {
        "resourceType": "Condition",
        "id": "rehearsal",
        "subject": subject,
        # Words, not a code: which codes count is the protocol's matter.
        "code": {"text": "Chronic graft-versus-host disease"},
        "recordedDate": today.isoformat(),
    }
    # Medications are not sent: "searched and none found" would rule the patient out before a card is made.
    prefetch: dict[str, object] = {key: None for key in QUERIES if not key.startswith("medication")}
    prefetch["patient"] = {
        "resourceType": "Patient",
        "id": "rehearsal",
        "gender": "male",
        "birthDate": "1970-01-01",
    }
    prefetch["conditions"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": condition}],
    }
    return {
        "hook": hook,
        "hookInstance": "00000000-0000-4000-8000-000000000000",
        "context": {"userId": "Practitioner/rehearsal", "patientId": "rehearsal"},
        "prefetch": prefetch,
    }
