"""The orders that a card may suggest, as valid FHIR."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cds_service.report.wording import Wording
from cds_service.terminology.codes import system_address
from cds_service.trials.finding import Finding, Flag
from cds_service.trials.screening import Screening

# A missing or unusable result that a new test would bring.
_MISSING = frozenset({"no-result", "result-too-old", "result-unusable", "upper-limit-missing"})
MOST_TESTS = 3


def referral(screening: Screening, words: Wording, coding: Mapping[str, str] | None) -> dict[str, Any]:
    """An order to refer the patient to the study team, coded as the site wants it."""
    text = words.phrase("card", "refer", trial=screening.trial.id)
    code: dict[str, Any] = {"text": text}
    if coding:
        code["coding"] = [dict(coding)]
    return _service_request(screening, code)


def tests_due(screening: Screening) -> list[Finding]:
    """The criteria whose result is missing, old or unusable, at most three, in protocol order."""
    due = [f for f in screening.findings if f.judgement.reason.code in _MISSING or Flag.STALE in f.flags]
    return [f for f in due if f.test is not None and f.answer is None][:MOST_TESTS]


def test_order(screening: Screening, finding: Finding) -> dict[str, Any]:
    """An order for the test that the criterion asks for."""
    assert finding.test is not None
    coding = {"system": system_address("loinc"), "code": finding.test.loinc, "display": finding.test.display}
    return _service_request(screening, {"coding": [coding], "text": finding.test.name})


def _service_request(screening: Screening, code: Mapping[str, Any]) -> dict[str, Any]:
    """A draft order, validated with fhir.resources."""
    document = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": dict(code),
        "subject": {"reference": screening.patient},
    }
    _model().model_validate(document)
    return document


@cache
def _model() -> Any:
    """The R4B model of ServiceRequest, loaded when the first card is composed or the service warms up."""
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415

    return get_fhir_model_class("ServiceRequest")
