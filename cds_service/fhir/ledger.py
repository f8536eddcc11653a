"""What was left out while a record was read, and what of it may matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Skipped, SkipReason, Unread
from cds_service.fhir import elements as el
from cds_service.fhir.entries import Entry
from cds_service.fhir.queries import QUERIES, STANDS_FOR, source_of_analyte
from cds_service.fhir.states import observed
from cds_service.terminology.codes import ConceptIndex, alias_of

R = TypeVar("R", bound=el.Resource)
# What may turn the meaning of a resource round, that of its day as well.
_TURNING = ("modifier-extension", "implicit-rules")


@dataclass(slots=True)
class Ledger:
    """Collects the skipped and unreadable entries of one reading."""

    as_of: date
    skipped: list[Skipped] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def skip(self, entry: Entry, reason: SkipReason) -> None:
        self.skipped.append(Skipped(entry.reference, reason))

    def is_future(self, entry: Entry, when: DayRange | None) -> bool:
        """True, and listed, when the entry is dated after the day of screening."""
        if when is None or when.first <= self.as_of:
            return False
        self.skip(entry, "future")
        return True

    def past(self, when: DayRange | None) -> DayRange | None:
        """The days on which it may have happened, without those after the day of screening."""
        if when is None or when.last <= self.as_of or when.first > self.as_of:
            return when
        return DayRange(when.first, self.as_of)

    def not_read(self, entry: Entry, recognise: Callable[[el.Resource], frozenset[str] | None]) -> None:
        """Lists an entry that could not be read; where it may be of interest, it leaves a doubt.

        `recognise` tells the concepts of interest that it is about, None when that cannot be told either.
        """
        self.skipped.append(Skipped(entry.reference, entry.problem or "unreadable"))
        seen = entry.resource or entry.glimpse
        concepts = recognise(seen) if seen else None
        if concepts is None or concepts:
            when = None if entry.problem in _TURNING else observed(seen)
            for source in _sources_of(entry, concepts):
                self.unread.append(Unread(entry.reference, source, concepts, when))


def _sources_of(entry: Entry, concepts: frozenset[str] | None) -> list[str]:
    """The queries that the entry may answer: for an Observation those of its analytes, else those that brought it."""
    asked = STANDS_FOR.get(entry.type, entry.type)
    keys = [query.key for query in QUERIES.values() if query.type == asked]
    if entry.type != "Observation" or concepts is None:
        return [key for key in keys if key in entry.queries] or keys
    return sorted({source_of_analyte(concept) for concept in concepts})


def is_readable(code: el.CodeableConcept | None) -> bool:
    """True when a person or we could tell what is meant: words, or a code of a system that we know."""
    if code is None:
        return False
    return bool(code.texts()) or any(value and alias_of(system) for system, value in code.pairs())


def concepts_of(index: ConceptIndex, code: el.CodeableConcept | None) -> frozenset[str] | None:
    """The concepts that a code stands for; None when nobody can tell what it means."""
    if code is None or not is_readable(code):
        return None
    return frozenset(index.recognise(code.pairs(), code.texts()).concepts)


def coded_entries(
    entries: Iterable[Entry],
    kind: type[R],
    index: ConceptIndex,
    ledger: Ledger,
    code_of: Callable[[el.Resource], el.CodeableConcept | None] = lambda seen: getattr(seen, "code", None),
) -> Iterator[tuple[Entry, R]]:
    """The entries whose code tells what they are about, each with its resource; any other is listed as not read."""
    for entry in entries:
        resource = entry.resource
        if not entry.problem and isinstance(resource, kind) and is_readable(code_of(resource)):
            yield entry, resource
        else:
            ledger.not_read(entry, lambda seen: concepts_of(index, code_of(seen)))
