"""Condition resources as problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Activity, Problem, Verification
from cds_service.clinical.medications import StatedReason
from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.entries import Entry
from cds_service.fhir.ledger import Ledger, coded_entries
from cds_service.fhir.reasons import remarks_in
from cds_service.fhir.suspicions import is_suspected_in_words
from cds_service.terminology.codes import ConceptIndex, alias_of, certainty_mark
from cds_service.terminology.words import plain

_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_RECURRING = frozenset({"recurrence", "relapse"})
_RESOLVED = frozenset({"inactive", "remission", "resolved"})
_SUSPECTED = frozenset({"unconfirmed", "provisional", "differential", "unknown"})
# What the status of a diagnosis can be in any version of FHIR; anything else is not understood.
_KNOWN = frozenset({*_ACTIVE, *_RESOLVED, *_SUSPECTED, "confirmed", "refuted", "entered-in-error"})
_GRADES = {"severity-mild": "mild", "severity-moderate": "moderate", "severity-severe": "severe"}
_NOTHING = (b"", b"null", b'""', b"{}")
_NIH_WORDS = ("nih", "global")
_SEATTLE_WORDS = ("limited", "extensive", "局限", "广泛")
# Germany marks how sure a diagnosis is by an extension of the code, or by a letter after it.
_GERMAN_CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"


def read_problems(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Problem]:
    """The conditions of interest. Refuted, mistaken and future ones are listed and left out."""
    for entry, condition in coded_entries(entries, el.Condition, index, ledger):
        problem = _problem(entry, condition, index, ledger)
        if problem is not None:
            yield problem


def _problem(entry: Entry, condition: el.Condition, index: ConceptIndex, ledger: Ledger) -> Problem | None:
    verification, mark = status_of(condition.verificationStatus), _german_mark(condition.code)
    if verification == "entered-in-error":
        ledger.skip(entry, "entered-in-error")
        return None
    if verification == "refuted" or mark == "A":
        ledger.skip(entry, "refuted")
        return None
    code = condition.code or el.CodeableConcept()
    found = index.recognise(code.pairs(), code.texts())
    onset, recorded = _onset(condition), _recorded(condition)
    if not found.concepts or ledger.is_future(entry, onset or (None if _states_onset(condition) else recorded)):
        return None
    severity, severity_label = _severity(condition, index)
    return Problem(
        entry.reference, code.label(), found.concepts,
        "resolved" if mark == "Z" else _activity(condition, ledger),
        "suspected" if mark == "V" or is_suspected_in_words(code.texts()) else _verification(condition),
        ledger.past(onset), ledger.past(recorded), severity, severity_label, found.contradicted,
        recurs=status_of(condition.clinicalStatus) in _RECURRING,
        over_on=ledger.past(_over_on(condition)),
        remarks=tuple(_remarks(condition, frozenset(found.concepts), recorded, index, ledger)),
    )  # fmt: skip


def _remarks(
    condition: el.Condition, named: frozenset[str], recorded: DayRange | None, index: ConceptIndex, ledger: Ledger
) -> Iterator[StatedReason]:
    """The notes on the diagnosis, which are about it where they name nothing else.

    One without a day was written on some day since the diagnosis was recorded.
    """
    noted = decode(condition.note, list[el.Annotation]) or decode(condition.notes, str)
    since = DayRange(recorded.first, ledger.as_of) if recorded and recorded.first <= ledger.as_of else None
    for remark in remarks_in(noted, index):
        about_it = [replace(one, concepts=one.concepts | named) if one.understood else one for one in remark.clauses]
        when = remark.when or since
        if when is None or when.first <= ledger.as_of:
            yield replace(remark, clauses=tuple(about_it), when=ledger.past(when))


def status_of(status: el.CodeableConcept | str | None) -> str:
    """The code of a status, of several one that FHIR knows; a plain string in STU3 and DSTU2."""
    if not isinstance(status, el.CodeableConcept):
        return (status or "").strip().lower()
    codes = [one.code.strip().lower() for one in status.coding or () if one.code]
    return next((code for code in codes if code in _KNOWN), (codes or [(status.text or "").strip().lower()])[0])


def _german_mark(code: el.CodeableConcept | None) -> str | None:
    """How sure ICD-10-GM says the diagnosis is; of several marks the one that takes most from it."""
    marks = {mark for one in (code.coding if code else None) or () for mark in _marks(one)}
    return next((mark for mark in "AVZG" if mark in marks), None)


def _marks(coding: el.Coding) -> Iterator[str]:
    if alias_of(coding.system) != "icd-10-gm":
        return
    extensions = decode(coding.extension, list[el.CodedExtension]) or []
    marked = [one.valueCoding.code for one in extensions if one.url == _GERMAN_CERTAINTY and one.valueCoding]
    yield from (mark.strip().upper() for mark in (*marked, certainty_mark(coding.system, coding.code)) if mark)


def _verification(condition: el.Condition) -> Verification:
    """Confirmed unless it says otherwise. A status that nobody understands may say that it is over, or never was."""
    stated = {status_of(condition.clinicalStatus), status_of(condition.verificationStatus)} - {""}
    return "suspected" if stated & _SUSPECTED or not stated <= _KNOWN else "confirmed"


def _activity(condition: el.Condition, ledger: Ledger) -> Activity:
    """Active, resolved, or not stated: so too where a status and an end contradict each other."""
    status, over = status_of(condition.clinicalStatus), _is_over(condition, ledger)
    if status in _RESOLVED:
        return "resolved"
    if status in _ACTIVE:
        return "not-stated" if over else "active"
    return "resolved" if over else "not-stated"


def _over_on(condition: el.Condition) -> DayRange | None:
    ends = [period.end for period in (condition.abatementPeriod, condition.onsetPeriod) if period]
    return next((day for stamp in (condition.abatementDateTime, *ends) if (day := DayRange.parse(stamp))), None)


def _is_over(condition: el.Condition, ledger: Ledger) -> bool:
    """True when the condition is said to have ended by the day of screening; a day that cannot be read says nothing."""
    period = condition.abatementPeriod
    dated = (condition.abatementDateTime, period.end if period else None)
    days = [day for stamp in dated if (day := DayRange.parse(stamp))]
    if days:
        return any(day.first <= ledger.as_of for day in days)
    undated = (condition.abatementString, condition.abatementBoolean)
    return any(undated) or any(bytes(one) not in _NOTHING for one in (condition.abatementAge, condition.abatementRange))


def _onset(condition: el.Condition) -> DayRange | None:
    period = condition.onsetPeriod
    return DayRange.parse(condition.onsetDateTime) or DayRange.parse(period.start if period else None)


def _states_onset(condition: el.Condition) -> bool:
    """True where it says when it began, if only in a way that nobody can read, or as an age or in words."""
    otherwise = (condition.onsetAge, condition.onsetRange, condition.onsetString)
    dated = condition.onsetDateTime or (condition.onsetPeriod and condition.onsetPeriod.start)
    return bool(dated) or any(bytes(one) not in _NOTHING for one in otherwise)


def _recorded(condition: el.Condition) -> DayRange | None:
    return DayRange.parse(condition.recordedDate or condition.assertedDate or condition.dateRecorded)


def _severity(condition: el.Condition, index: ConceptIndex) -> tuple[Mapping[str, Certainty], str | None]:
    """The grades that are stated, sure only where severity or a stage says that they are NIH grades."""
    several = condition.stage if isinstance(condition.stage, list) else [condition.stage]
    stated = [condition.severity, *(stage.summary for stage in several or () if stage)]
    named = el.CodeableConcept(text=" ".join(condition.code.texts())) if condition.code else None
    grades: dict[str, Certainty] = {}
    labels: list[str] = []
    for concept in (one for one in (*stated, named) if one is not None):
        text = plain(" ".join(concept.texts()))
        is_nih = concept is not named and any(word in text for word in _NIH_WORDS)
        certainty = Certainty.CODED if is_nih else Certainty.TEXT
        for grade in _grades(concept, text, index):
            grades[grade] = max(certainty, grades.get(grade, certainty))
            labels.append(concept.label())
    return grades, labels[0] if labels else None


def _grades(concept: el.CodeableConcept, text: str, index: ConceptIndex) -> list[str]:
    found = index.recognise(concept.pairs(), concept.texts()).concepts
    named = [_GRADES[one] for one in found if one in _GRADES]
    return named or (["seattle"] if any(word in text for word in _SEATTLE_WORDS) else [])
