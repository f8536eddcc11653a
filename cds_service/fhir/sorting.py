"""The entries of all answers, told apart: whose each is, and which version of it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from cds_service.clinical.facts import Skipped
from cds_service.fhir import elements as el
from cds_service.fhir.contained import contained_results
from cds_service.fhir.entries import Entry
from cds_service.fhir.identity import Identity
from cds_service.fhir.references import full_urls, identifier_searched_for, leads_nowhere, resolved
from cds_service.fhir.wire import Answer

_BY_REFERENCE = attrgetter("reference")


class _Meant(NamedTuple):
    """Whom a subject means: surely another, or perhaps nobody that is known."""

    is_another: bool
    is_open: bool


class Sorting:
    """The entries of all answers, told apart: the patient's own, other people's, and unknown ones."""

    def __init__(self, answers: Mapping[str, Answer], patient: str | None) -> None:
        every = [entry for answer in answers.values() for entry in answer.entries]
        self.patient = patient
        self.identity = Identity.of(every, patient)
        self.addresses = {**full_urls(every), **self._searches_for(every, patient)}
        self._meant: dict[str, _Meant] = {}
        self.mine: list[Entry] = []
        self.others: list[Entry] = []
        self.skipped = [Skipped(*problem) for answer in answers.values() for problem in answer.problems]
        for entry in _once_each(every):
            self._sort(entry)

    def _searches_for(self, every: Iterable[Entry], patient: str | None) -> Mapping[str, str]:
        """The conditional references that search for an identifier of the patient -> the patient."""
        named = {subject.reference for entry in every if (subject := _subject(entry)) and subject.reference}
        known = self.identity.identifiers
        return {one: patient for one in named if patient and identifier_searched_for(one) in known}

    def _sort(self, entry: Entry) -> None:
        subject = _subject(entry)
        if self._is_about_another(entry, subject):
            self.others.append(entry)
            self.skipped.append(Skipped(entry.reference, "other-patient"))
        elif entry.problem == "deleted":
            self.skipped.append(Skipped(entry.reference, "deleted"))
        elif entry.type not in KNOWN_TYPES:
            self.skipped.append(Skipped(entry.reference, "unknown-type"))
        elif self._is_about_nobody_known(subject):
            self.mine.append(entry.with_problem("unreadable"))
        else:
            self.mine.append(entry)
            if entry.resource and entry.resource.contained:
                for inside in contained_results(entry):
                    self._sort(inside)

    def _is_about_nobody_known(self, subject: el.Reference | None) -> bool:
        """True where nobody can tell whether it is the patient's: then it proves nothing, and is not overlooked."""
        if subject is None or not subject.reference:
            return self.identity.leaves_open(subject, self.addresses)
        return self._target(subject.reference).is_open

    def _is_about_another(self, entry: Entry, subject: el.Reference | None) -> bool:
        """True for another Patient, and for what is recorded of somebody or something else."""
        if self.patient is None or self.patient.endswith("]"):
            return False
        if entry.type == "Patient":
            return entry.has_name and entry.reference != self.patient
        focus = getattr(entry.resource, "focus", None)
        others = focus if isinstance(focus, list) else [focus] if focus else ()
        return self._is_another(subject) or any(map(self._is_another, others))

    def _is_another(self, subject: el.Reference | None) -> bool:
        if subject is None or not subject.reference:
            return False
        return self._target(subject.reference).is_another

    def _target(self, written: str) -> _Meant:
        """What a reference means. Nearly all subjects of a record are written alike."""
        if (meant := self._meant.get(written)) is None:
            reference = el.Reference(written)
            name = resolved(reference, self.addresses)
            nowhere = leads_nowhere(name, self.addresses)
            another = not nowhere and bool(name) and name != self.patient and not str(name).startswith("#")
            is_open = nowhere or self.identity.leaves_open(reference, self.addresses)
            meant = self._meant[written] = _Meant(another, is_open)
        return meant


def _subject(entry: Entry) -> el.Reference | None:
    seen = entry.resource or entry.glimpse
    for element in ("subject", "patient", "individual"):
        if named := getattr(seen, element, None):
            return cast(el.Reference, named)
    return None


def _once_each(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in a fixed order, each resource once, in the version that was changed last.

    Versions that do not say when are told apart by their bytes, so that their order cannot matter.
    """
    newest: dict[str | bytes, Entry] = {}
    for entry in _in_order(entries):
        name = entry.reference if entry.has_name else entry.raw
        earlier = newest.get(name)
        newest[name] = msgspec.structs.replace(entry, queries=earlier.queries | entry.queries) if earlier else entry
    return list(newest.values())


def _in_order(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries by reference; those of one reference by edition, of which no other is asked."""
    for _, alike in groupby(sorted(entries, key=_BY_REFERENCE), _BY_REFERENCE):
        several = list(alike)
        if len(several) > 1:
            several.sort(key=lambda e: (e.edition, e.problem is None, e.raw))
        yield from several


def _known_types() -> frozenset[str]:
    path = Path(__file__).parent / "resource_types.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


KNOWN_TYPES = _known_types()
