"""Procedure resources as interventions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Intervention
from cds_service.fhir import elements as el
from cds_service.fhir.ledger import Ledger, concepts_of
from cds_service.fhir.wire import Entry
from cds_service.terminology.codes import ConceptIndex

_DONE = frozenset({"completed", "in-progress"})
_NOT_DONE = frozenset({"preparation", "not-done", "suspended", "aborted", "on-hold"})


def read_interventions(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Intervention]:
    """The procedures of interest that were done or may have been."""
    for entry in entries:
        procedure = entry.resource
        if entry.problem or not isinstance(procedure, el.Procedure):
            ledger.not_read(entry, lambda seen: concepts_of(index, getattr(seen, "code", None)))
            continue
        intervention = _intervention(entry, procedure, index, ledger)
        if intervention is not None:
            yield intervention


def _intervention(
    entry: Entry, procedure: el.Procedure, index: ConceptIndex, ledger: Ledger
) -> Intervention | None:
    status = (procedure.status or "").strip()
    if status == "entered-in-error":
        ledger.skip(entry, "entered-in-error")
        return None
    code = procedure.code or el.CodeableConcept()
    found = index.recognise(code.pairs(), code.texts())
    if not found.concepts:
        return None
    if status in _NOT_DONE or procedure.notDone:
        ledger.skip(entry, "status")
        return None
    when = performed(procedure)
    if ledger.is_future(entry, when):
        return None
    period = procedure.performedPeriod or procedure.occurrencePeriod
    goes_on = status == "in-progress" or bool(period and period.start and not period.end and status != "completed")
    return Intervention(entry.reference, code.label(), found.concepts, status in _DONE, when, goes_on)


def performed(procedure: el.Procedure) -> DayRange | None:
    """The days on which the procedure may have been done."""
    day = DayRange.parse(procedure.performedDateTime or procedure.occurrenceDateTime)
    period = procedure.performedPeriod or procedure.occurrencePeriod
    if day or period is None:
        return day
    start, end = DayRange.parse(period.start), DayRange.parse(period.end)
    if start and end and end.last >= start.first:
        return DayRange(start.first, end.last)
    return start or end
