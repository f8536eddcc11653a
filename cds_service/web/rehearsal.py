"""One made-up call at the start, so that no request pays for what is loaded on first use."""

from __future__ import annotations

import json
from datetime import date

from cds_service.fhir.queries import QUERIES
from cds_service.fhir.validation import warm
from cds_service.web.cds_hooks import Wiring


def rehearse(wiring: Wiring) -> None:
    """Answers a made-up chart opening with every service. Raises what a real call would raise: better now."""
    warm()
    for service in wiring.services:
        wiring.answer(service, json.dumps(_call(service.hook, wiring.today())).encode())


def _call(hook: str, today: date) -> dict[str, object]:
    subject = {"reference": "Patient/rehearsal"}
    condition = {
        "resourceType": "Condition",
        "id": "rehearsal",
        "subject": subject,
        # Words, not a code: which codes count is the protocol's matter.
        "code": {"text": "Chronic graft-versus-host disease"},
        "recordedDate": today.isoformat(),
    }
    prefetch: dict[str, object] = dict.fromkeys(QUERIES)
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
