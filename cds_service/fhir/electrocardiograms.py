"""Electrocardiograms that are said to be abnormal, from Observations and DiagnosticReports.

No query asks for them; they are read where they come along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Problem, Unread
from cds_service.fhir import elements as el
from cds_service.fhir.entries import Entry
from cds_service.fhir.ledger import Ledger
from cds_service.terminology.codes import ConceptIndex

MADE = "electrocardiogram"
_SHOWS = frozenset({"abnormal-ecg", "abnormal-ecg-report"})
# HL7 v3 ObservationInterpretation: abnormal, critically abnormal.
_ABNORMAL = frozenset({"A", "AA"})
_NOT_RESULTED = frozenset({"entered-in-error", "registered", "cancelled", "unknown"})
# The query whose answer they would come with.
_SOURCE = "function"


def read_electrocardiograms(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Problem]:
    """The abnormal ones, dated by the day on which they were made. One that cannot be read leaves a doubt."""
    known = el.Known[bool]()
    for entry in entries:
        seen = entry.resource or entry.glimpse
        code = getattr(seen, "code", None)
        if code is None or not known.of(code, lambda one: MADE in index.recognise(one.pairs(), one.texts())):
            continue
        made = entry.resource
        if entry.problem or not isinstance(made, el.Observation | el.DiagnosticReport):
            ledger.unread.append(Unread(entry.reference, _SOURCE, _SHOWS))
        elif (made.status or "").strip().lower() not in _NOT_RESULTED:
            yield from _abnormal(entry, made, index, ledger)


def _abnormal(
    entry: Entry, made: el.Observation | el.DiagnosticReport, index: ConceptIndex, ledger: Ledger
) -> Iterator[Problem]:
    shown = _shown(made, index)
    period = made.effectivePeriod or el.Period()
    day = DayRange.parse(made.effectiveDateTime) or DayRange.parse(period.end) or DayRange.parse(period.start)
    if shown and not (day and day.first > ledger.as_of):
        label = made.code.label() if made.code else ""
        yield Problem(entry.reference, label, shown, "active", "confirmed", ledger.past(day), None)


def _shown(made: el.Observation | el.DiagnosticReport, index: ConceptIndex) -> dict[str, Certainty]:
    """What of interest it shows: by a code, or by the words of whoever read it."""
    said = list(_said(made))
    if isinstance(made, el.Observation):
        several = made.interpretation if isinstance(made.interpretation, list) else [made.interpretation]
        said += [one for one in several if one is not None]
    coded = {(code or "").strip().upper() for one in said for _, code in one.pairs()}
    found = dict.fromkeys(_SHOWS, Certainty.CODED) if coded & _ABNORMAL else {}
    for one in said:
        for concept, certainty in index.recognise(one.pairs(), one.texts()).concepts.items():
            if concept in _SHOWS:
                found[concept] = max(certainty, found.get(concept, certainty))
    return found


def _said(made: el.Observation | el.DiagnosticReport) -> Iterator[el.CodeableConcept]:
    if isinstance(made, el.DiagnosticReport):
        yield from (*(made.conclusionCode or ()), *(made.codedDiagnosis or ()))
        yield el.CodeableConcept(text=made.conclusion)
        return
    yield made.valueCodeableConcept or el.CodeableConcept()
    yield el.CodeableConcept(text=made.valueString)
