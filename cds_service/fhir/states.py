"""What became of each query of the record, in five states."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Source, State, Unread
from cds_service.fhir import elements as el
from cds_service.fhir.entries import Entry
from cds_service.fhir.queries import ANALYTES_OF, QUERIES, STANDS_FOR
from cds_service.fhir.wire import Answer
from cds_service.terminology.codes import ConceptIndex

# What comes along with the matches of a search.
_INCLUDED = frozenset({"Patient", "Medication"})
_ABSENT, _FAILED = Source(State.ABSENT), Source(State.FAILED)


def answered(answers: Mapping[str, Answer], mine: Collection[Entry], strange: Iterable[Unread]) -> Mapping[str, Source]:
    """The state of each query that was answered on its own; a query without an answer is absent."""
    doubted = {one.source for one in strange}
    own = {entry.reference for entry in mine}
    return {key: _of_answer(key, answers.get(key), own, key in doubted) for key in QUERIES}


def _of_answer(key: str, answer: Answer | None, own: Collection[str], doubted: bool) -> Source:
    if answer is None:
        return _ABSENT
    if answer.failed:
        return _FAILED
    asked = QUERIES[key].type
    if answer.entries and not doubted and not any(STANDS_FOR.get(e.type, e.type) == asked for e in answer.entries):
        return _FAILED  # the answer to another question
    theirs = [entry for entry in answer.entries if entry.type == asked]
    if answer.more_exist:
        return Source(State.TRUNCATED, _complete_back_to(theirs) if QUERIES[key].sorted else None)
    found = doubted or any(entry.reference in own for entry in theirs)
    return Source(State.FOUND if found else State.NONE)


def _complete_back_to(entries: Iterable[Entry]) -> date | None:
    """The oldest day of a truncated answer that is sorted newest first; None when it is not so sorted."""
    days = [day.last for entry in entries if (day := observed(entry.resource)) is not None]
    return days[-1] if days and days == sorted(days, reverse=True) else None


def observed(resource: el.Resource | None) -> DayRange | None:
    """The days to which a result belongs; of a period its end."""
    if not isinstance(resource, el.Observation):
        return None
    period = resource.effectivePeriod
    ends = (period.end, period.start) if period else ()
    for stamp in (resource.effectiveDateTime, resource.effectiveInstant, *ends):
        if day := DayRange.parse(stamp):
            return day
    return None


def of_whole_record(
    answers: Iterable[Answer], mine: Collection[Entry], strange: Iterable[Unread], index: ConceptIndex
) -> Mapping[str, Source]:
    """The states of a record that is complete: what is not in it was searched and none was recorded.

    A part that failed takes that certainty from all of it. So does one that goes on elsewhere, unless it is a search
    for one type of resource: then the queries that it answers are cut short, and no other.
    """
    answers = list(answers)
    found = {one.source for one in strange} | {key for entry in mine for key in _queries_of(entry, index)}
    cut: dict[str, Source] = {}
    for answer in answers:
        if answer.more_exist:
            cut |= _cut_short(answer, index)
    failed = any(answer.failed for answer in answers)
    return {key: _state(key in found, cut.get(key), failed) for key in QUERIES}


def _cut_short(answer: Answer, index: ConceptIndex) -> dict[str, Source]:
    """The queries that an answer which goes on elsewhere leaves incomplete."""
    matches = [entry for entry in answer.entries if entry.type not in _INCLUDED]
    of_type = [key for key, query in QUERIES.items() if {query.type} == {entry.type for entry in matches}]
    if not of_type:
        return dict.fromkeys(QUERIES, Source(State.TRUNCATED))
    asked = {key for entry in matches for key in _queries_of(entry, index)} or set(of_type)
    back_to = _complete_back_to(matches)
    return {key: Source(State.TRUNCATED, back_to if QUERIES[key].sorted else None) for key in asked}


def _state(found: bool, cut: Source | None, failed: bool) -> Source:
    if failed:
        return Source(State.TRUNCATED if found else State.FAILED)
    return cut or Source(State.FOUND if found else State.NONE)


def _queries_of(entry: Entry, index: ConceptIndex) -> list[str]:
    """The queries that would have brought the entry."""
    if entry.type != "Observation":
        return [query.key for query in QUERIES.values() if query.type == entry.type]
    seen = entry.resource or entry.glimpse
    analytes = {one for code in codes_of(seen) for one in index.recognise(code.pairs(), ()).concepts}
    return [key for key, names in ANALYTES_OF.items() if not analytes.isdisjoint(names)]


def codes_of(seen: el.Resource | None) -> list[el.CodeableConcept]:
    """The codes of an Observation and of its components."""
    if not isinstance(seen, el.Observation):
        return []
    return [one.code for one in seen.parts() if one.code is not None]
