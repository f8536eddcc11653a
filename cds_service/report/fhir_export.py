"""A screening as FHIR R4: the patient as somebody who may take part, and each criterion with what it was seen from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from cds_service.clinical.evidence import Evidence
from cds_service.report.wording import Wording
from cds_service.trials.finding import Finding
from cds_service.trials.protocol import REGISTRY
from cds_service.trials.screening import Screening, Verdict

_CRITERION = "urn:trialhook:criterion"
# Software never says eligible or ineligible; `candidate` is the most that it says.
_STATUS = {
    Verdict.CANDIDATE: "candidate",
    Verdict.NEEDS_REVIEW: "potential-candidate",
    Verdict.NOT_YET: "potential-candidate",
    Verdict.RULED_OUT: "not-registered",
    Verdict.NOT_APPLICABLE: "not-registered",
}


def fhir_export(screening: Screening, words: Wording, at: datetime) -> dict[str, Any]:
    """A collection Bundle with a ResearchSubject and a List of the criteria, validated; `at` is when it is written.

    Each entry of the List is one piece of evidence, flagged with its criterion and status; a criterion without
    evidence has one entry that says why in words.
    """
    resources = [_subject(screening), _list(screening, words, at)]
    entries = [{"fullUrl": f"urn:uuid:{uuid4()}", "resource": resource} for resource in resources]
    bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": at.isoformat(), "entry": entries}
    _model("Bundle").model_validate(bundle)
    return bundle


def _subject(screening: Screening) -> dict[str, Any]:
    return {
        "resourceType": "ResearchSubject",
        "status": _STATUS[screening.verdict],
        "study": {"identifier": {"system": REGISTRY, "value": screening.trial.id}, "display": screening.trial.title},
        "individual": {"reference": screening.patient},
    }


def _list(screening: Screening, words: Wording, at: datetime) -> dict[str, Any]:
    trial = screening.trial
    title = words.phrase("export", "title", trial=trial.id, version=trial.version.isoformat(),
                         day=screening.as_of.isoformat(), ruleset=screening.ruleset)  # fmt: skip
    return {
        "resourceType": "List",
        "status": "current",
        "mode": "snapshot",
        "title": title,
        "subject": {"reference": screening.patient},
        "date": at.isoformat(),
        "note": [{"text": words.term("export", "note")}],
        "entry": [entry for finding in screening.findings for entry in _entries(finding, words)],
    }


def _entries(finding: Finding, words: Wording) -> Iterator[dict[str, Any]]:
    flag = {
        "coding": [{"system": _CRITERION, "code": finding.id}],
        "text": f"{finding.name} ({finding.id}): {words.status(finding)}",
    }
    because = words.because(finding)
    for evidence in finding.judgement.evidence:
        yield {"flag": flag, "item": {"reference": evidence.reference, "display": _said(evidence, because, words)}}
    if not finding.judgement.evidence:
        yield {"flag": flag, "item": {"display": because}}
    if finding.answer:
        says, day = words.status(finding, finding.standing), finding.answer.at.date().isoformat()
        answer = words.phrase("export", "answer", says=says, by=finding.answer.by, day=day)
        yield {"flag": flag, "item": {"display": answer}}


def _said(evidence: Evidence, because: str, words: Wording) -> str:
    value = "" if evidence.value is None else f" {words.value(evidence.value)}"
    return f"{words.label(evidence)}{value}: {because}"


@cache
def _model(name: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - loaded when somebody asks for the export

    return get_fhir_model_class(name)
