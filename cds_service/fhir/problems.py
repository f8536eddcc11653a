"""Condition resources as problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Activity, Problem, Verification
from cds_service.fhir import elements as el
from cds_service.fhir.ledger import Ledger, concepts_of
from cds_service.fhir.wire import Entry
from cds_service.terminology.codes import ConceptIndex, plain

_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_RESOLVED = frozenset({"inactive", "remission", "resolved"})
_SUSPECTED = frozenset({"unconfirmed", "provisional", "differential"})
_GRADES = {"severity-mild": "mild", "severity-moderate": "moderate", "severity-severe": "severe"}
_NIH_WORDS = ("nih", "global")
_SEATTLE_WORDS = ("limited", "extensive", "局限", "广泛")


def read_problems(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Problem]:
    """The conditions of interest. Refuted, mistaken and future ones are listed and left out."""
    for entry in entries:
        condition = entry.resource
        if entry.problem or not isinstance(condition, el.Condition):
            ledger.not_read(entry, lambda seen: concepts_of(index, getattr(seen, "code", None)))
            continue
        problem = _problem(entry, condition, index, ledger)
        if problem is not None:
            yield problem


def _problem(entry: Entry, condition: el.Condition, index: ConceptIndex, ledger: Ledger) -> Problem | None:
    verification = _status(condition.verificationStatus)
    if verification in ("entered-in-error", "refuted"):
        ledger.skip(entry, "refuted" if verification == "refuted" else "entered-in-error")
        return None
    code = condition.code or el.CodeableConcept()
    found = index.recognise(code.pairs(), code.texts())
    if not found.concepts:
        return None
    onset, recorded = _onset(condition), DayRange.parse(condition.recordedDate)
    if ledger.is_future(entry, onset or recorded):
        return None
    severity, severity_label = _severity(condition, index)
    return Problem(
        entry.reference, code.label(), found.concepts, _activity(condition),
        _verification(verification), onset, recorded, severity, severity_label,
    )  # fmt: skip


def _status(status: el.CodeableConcept | str | None) -> str:
    """The code of a status; a plain string in STU3 and DSTU2."""
    if isinstance(status, el.CodeableConcept):
        codes = [one.code for one in status.coding or () if one.code]
        status = codes[0] if codes else status.text
    return (status or "").strip().lower()


def _verification(status: str) -> Verification:
    return "suspected" if status in _SUSPECTED else "confirmed"


def _activity(condition: el.Condition) -> Activity:
    status = _status(condition.clinicalStatus)
    if status in _ACTIVE:
        return "active"
    abated = condition.abatementDateTime or condition.abatementPeriod or condition.abatementString
    return "resolved" if status in _RESOLVED or abated else "not-stated"


def _onset(condition: el.Condition) -> DayRange | None:
    period = condition.onsetPeriod
    return DayRange.parse(condition.onsetDateTime) or DayRange.parse(period.start if period else None)


def _severity(condition: el.Condition, index: ConceptIndex) -> tuple[Mapping[str, Certainty], str | None]:
    """The grades that the severity and the stages name, sure only where they are said to be NIH grades."""
    stages = condition.stage if isinstance(condition.stage, list) else [condition.stage] if condition.stage else []
    stated = [condition.severity, *(stage.summary for stage in stages)]
    grades: dict[str, Certainty] = {}
    labels: list[str] = []
    for concept in (one for one in stated if one is not None):
        text = plain(" ".join(concept.texts()))
        certainty = Certainty.CODED if any(word in text for word in _NIH_WORDS) else Certainty.TEXT
        for grade in _grades(concept, text, index):
            grades[grade] = max(certainty, grades.get(grade, certainty))
            labels.append(concept.label())
    return grades, labels[0] if labels else None


def _grades(concept: el.CodeableConcept, text: str, index: ConceptIndex) -> list[str]:
    found = index.recognise(concept.pairs(), concept.texts()).concepts
    named = [_GRADES[one] for one in found if one in _GRADES]
    return named or (["seattle"] if any(word in text for word in _SEATTLE_WORDS) else [])
