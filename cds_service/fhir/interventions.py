"""Procedure resources as interventions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Intervention
from cds_service.fhir import elements as el
from cds_service.fhir.entries import Entry
from cds_service.fhir.ledger import Ledger, coded_entries
from cds_service.terminology.codes import ConceptIndex

_DONE = frozenset({"completed", "in-progress"})
# A procedure that was stopped or held had begun: it may have been done.
_BROKEN_OFF = frozenset({"stopped", "on-hold", "aborted", "suspended"})
_NOT_DONE = frozenset({"preparation", "not-done"})


def read_interventions(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Intervention]:
    """The procedures of interest that were done or may have been."""
    for entry, procedure in coded_entries(entries, el.Procedure, index, ledger):
        intervention = _intervention(entry, procedure, index, ledger)
        if intervention is not None:
            yield intervention


def _intervention(entry: Entry, procedure: el.Procedure, index: ConceptIndex, ledger: Ledger) -> Intervention | None:
    status = (procedure.status or "").strip().lower()
    if status == "entered-in-error":
        ledger.skip(entry, "entered-in-error")
        return None
    if status in _NOT_DONE or procedure.notDone or procedure.notPerformed:
        ledger.skip(entry, "status")
        return None
    code = procedure.code or el.CodeableConcept()
    found = index.recognise(code.pairs(), code.texts())
    when = performed(procedure)
    if not found.concepts or ledger.is_future(entry, when):
        return None
    return Intervention(
        entry.reference,
        code.label(),
        found.concepts,
        status in _DONE,
        ledger.past(when),
        _goes_on(procedure, status, ledger),
        found.contradicted,
        ledger.past(_ended(procedure)),
    )


def _goes_on(procedure: el.Procedure, status: str, ledger: Ledger) -> bool:
    """True when it is under way, or states no end that lies behind us and neither a status that does."""
    if status in ("in-progress", "completed"):
        return status == "in-progress"
    period = _period(procedure)
    end = DayRange.parse(period.end)
    begun = bool(period.start) or status not in _BROKEN_OFF
    return begun and (end is None or end.first > ledger.as_of)


def performed(procedure: el.Procedure) -> DayRange | None:
    """The days on which the procedure may have been done."""
    day = DayRange.parse(procedure.performedDateTime or procedure.occurrenceDateTime)
    start, end = DayRange.parse(_period(procedure).start), _ended(procedure)
    if day is None and start and end:
        return DayRange(start.first, end.last)
    return day or start or end


def _ended(procedure: el.Procedure) -> DayRange | None:
    """The end of its period; None where it is said to lie before the start."""
    start, end = DayRange.parse(_period(procedure).start), DayRange.parse(_period(procedure).end)
    return None if start and end and end.last < start.first else end


def _period(procedure: el.Procedure) -> el.Period:
    return procedure.performedPeriod or procedure.occurrencePeriod or el.Period()
