"""One patient's record as it arrived: what each query brought, in five states, and every entry of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import msgspec

from cds_service.clinical.facts import Skipped, SkipReason, Source, Unread
from cds_service.fhir import elements as el
from cds_service.fhir.contained import contained_results
from cds_service.fhir.fetched import NOTHING_FETCHED, Fetched, Pages
from cds_service.fhir.identity import Identity
from cds_service.fhir.queries import QUERIES
from cds_service.fhir.references import (
    full_urls,
    identifier_searched_for,
    leads_nowhere,
    local_name,
    patient_reference,
    resolved,
)
from cds_service.fhir.states import answered, of_whole_record
from cds_service.fhir.wire import Answer, Entry, joined, read_answer
from cds_service.terminology.codes import ConceptIndex


class WrongPatient(Exception):
    """The record holds another Patient than the one in context."""


class NoPatient(Exception):
    """No Patient resource could be read. `failed` names the answers that hold an error instead."""

    def __init__(self, failed: Iterable[str] = ()) -> None:
        self.failed = tuple(failed)
        super().__init__("no patient")


class UnreadableRecord(Exception):
    """A file holds JSON that is no FHIR resource."""


class SeveralPatients(Exception):
    """More than one Patient, and nobody said which."""

    def __init__(self, references: Iterable[str]) -> None:
        self.references = sorted(references)
        super().__init__("several patients")


@dataclass(frozen=True, slots=True)
class Records:
    """All entries about one patient, by reference, with the state of each query.

    `patient` is None when the Patient is missing or cannot be read. `strange` are entries that may be what a
    query asked for, though we cannot tell what they are.
    """

    patient: Entry | None
    entries: tuple[Entry, ...]
    sources: Mapping[str, Source]
    skipped: tuple[Skipped, ...]
    addresses: Mapping[str, str] = field(default_factory=dict)
    strange: tuple[Unread, ...] = ()

    def without(self, references: Mapping[str, SkipReason]) -> Records:
        """The same records with some entries marked unreadable, each for the given reason."""
        marked = tuple(_marked(entry, references) for entry in self.entries)
        patient = None if self.patient and self.patient.reference in references else self.patient
        return replace(self, entries=marked, patient=patient)

    def leaving_out(self, references: Collection[str]) -> Records:
        """The same records without some entries, as if they had not come."""
        return replace(self, entries=tuple(one for one in self.entries if one.reference not in references))

    def only(self, references: Collection[str]) -> Records:
        """Some entries alone, with the Medications that they may point to."""
        kept = (one for one in self.entries if one.reference in references or one.type in ("Medication", "Substance"))
        return replace(self, entries=tuple(kept), strange=())


def _marked(entry: Entry, references: Mapping[str, SkipReason]) -> Entry:
    reason = references.get(entry.reference)
    return replace(entry, problem=reason, resource=None) if reason else entry


def from_prefetch(
    prefetch: Mapping[str, msgspec.Raw], patient_id: str, fetched: Fetched = NOTHING_FETCHED,
    drafts: Answer | None = None,
) -> Records:  # fmt: skip
    """The record that a CDS Hooks request brought along, and what was fetched besides.

    `drafts` are orders that stand in it as if they were signed; they answer no query.
    Raises WrongPatient when it holds another Patient than the one in context.
    """
    patient = patient_reference(patient_id)
    pages = fetched.answers
    asked = [key for key in QUERIES if key in prefetch or key in pages]
    answers = {key: _answer(key, prefetch.get(key), pages.get(key, Pages())) for key in asked}
    besides = {f"medication {at}": read_answer(body, "medication") for at, body in enumerate(fetched.medications)}
    besides |= {"draftOrders": drafts} if drafts else {}
    sorting = _Sorting({**answers, **besides}, patient)
    if any(entry.type == "Patient" for entry in sorting.others):
        raise WrongPatient
    strange = tuple(_strange(answers, lambda key, _: [key]))
    return sorting.records(answered(answers, sorting.mine, strange), strange)


def from_files(files: Mapping[str, Iterable[bytes]], index: ConceptIndex, patient_id: str | None) -> Records:
    """The record that some files hold: each a list of JSON documents, all together the whole record.

    An answer that failed is a part of it that nobody knows. Raises UnreadableRecord for JSON that is no resource,
    NoPatient, or SeveralPatients when `patient_id` does not say which is meant.
    """
    documents = {
        f"{name}#{number}" if number else name: document
        for name, several in files.items()
        for number, document in enumerate(several)
    }
    answers = {name: read_answer(document, name) for name, document in documents.items()}
    for name, answer in answers.items():
        if any(place == name for place, _ in answer.problems):
            raise UnreadableRecord(name)
    sorting = _Sorting(answers, _chosen(answers, patient_id))
    strange = tuple(_strange(answers, _sources_of_file))
    return sorting.records(of_whole_record(answers.values(), sorting.mine, strange, index), strange)


def _chosen(answers: Mapping[str, Answer], patient_id: str | None) -> str:
    """The reference of the patient that is meant."""
    found = {entry.reference for answer in answers.values() for entry in answer.entries if entry.type == "Patient"}
    if patient_id is not None:
        named = {f"Patient/{patient_id}", patient_id, local_name(patient_id)}
        found = {reference for reference in found if reference in named}
    if not found:
        raise NoPatient(name for name, answer in answers.items() if answer.failed)
    if len(found) > 1:
        raise SeveralPatients(found)
    return found.pop()


def _answer(key: str, brought: msgspec.Raw | None, pages: Pages) -> Answer:
    """The answer to one query: what came with the request, and the pages that were fetched after it."""
    by = frozenset({key})
    came = [] if brought is None else [_prefetched(key, brought, by)]
    came += [read_answer(body, f"{key} page {number}", by) for number, body in enumerate(pages.bodies, len(came) + 1)]
    answer = joined(came) if came else Answer((), failed=True)
    return answer if pages.stopped is None else replace(answer, cut_off=True)


def _prefetched(key: str, raw: msgspec.Raw, by: frozenset[str]) -> Answer:
    # Of a long answer no copy is made.
    is_null = memoryview(raw).nbytes <= len(b"null") and bytes(raw) == b"null"
    return Answer(()) if is_null else read_answer(raw, key, by)


# The answer's key and the type of an entry, None when it has none -> the queries that it may belong to.
_SourcesOf = Callable[[str, str | None], list[str]]


class _Sorting:
    """The entries of all answers, told apart: the patient's own, other people's, and unknown ones."""

    def __init__(self, answers: Mapping[str, Answer], patient: str | None) -> None:
        every = [entry for answer in answers.values() for entry in answer.entries]
        self.patient = patient
        self.identity = Identity.of(every, patient)
        self.addresses = {**full_urls(every), **self._searches_for(every, patient)}
        self._meant: dict[str | None, tuple[str | None, bool]] = {}
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
            self.mine.append(replace(entry, problem="unreadable"))
        else:
            self.mine.append(entry)
            for inside in contained_results(entry):
                self._sort(inside)

    def _is_about_nobody_known(self, subject: el.Reference | None) -> bool:
        """True where nobody can tell whether it is the patient's: then it proves nothing, and is not overlooked."""
        _, nowhere = self._target(subject)
        return nowhere or self.identity.leaves_open(subject, self.addresses)

    def _is_about_another(self, entry: Entry, subject: el.Reference | None) -> bool:
        """True for another Patient, and for what is recorded of somebody or something else."""
        if self.patient is None or self.patient.endswith("]"):
            return False
        if entry.type == "Patient":
            return entry.has_name and entry.reference != self.patient
        focus = entry.resource.focus if isinstance(entry.resource, el.Observation | el.Procedure) else None
        targets = focus if isinstance(focus, list) else [focus]
        named = (self._target(one) for one in (subject, *targets) if one)
        return any(
            not nowhere and name and name != self.patient and not name.startswith("#") for name, nowhere in named
        )

    def _target(self, reference: el.Reference | None) -> tuple[str | None, bool]:
        """What a reference means, and whether it leads nowhere. Nearly all subjects of a record are written alike."""
        written = reference.reference if reference else None
        if written not in self._meant:
            name = resolved(reference, self.addresses)
            self._meant[written] = name, leads_nowhere(name, self.addresses)
        return self._meant[written]

    def records(self, sources: Mapping[str, Source], strange: tuple[Unread, ...]) -> Records:
        readable = [one for one in self.mine if one.type == "Patient" and not one.problem]
        patient = next((one for one in readable if one.reference == self.patient), None)
        return Records(patient, tuple(self.mine), sources, tuple(self.skipped), self.addresses, strange)


def _subject(entry: Entry) -> el.Reference | None:
    seen = entry.resource or entry.glimpse
    for element in ("subject", "patient", "individual"):
        if named := getattr(seen, element, None):
            return cast(el.Reference, named)
    return None


def _strange(answers: Mapping[str, Answer], sources_of: _SourcesOf) -> Iterator[Unread]:
    """What may stand for an answer to a query: entries of unknown type, and entries that are no resource."""
    for key, answer in answers.items():
        places: list[tuple[str, str | None]] = [(place, None) for place, _ in answer.problems]
        places += [(one.reference, one.type) for one in answer.entries if one.type not in KNOWN_TYPES]
        for place, type_name in places:
            for source in sources_of(key, type_name):
                yield Unread(place, source, None)


def _sources_of_file(_: str, type_name: str | None) -> list[str]:
    """The queries that an entry of a file may answer: an old name tells, no name tells nothing."""
    if type_name is None:
        return list(QUERIES)
    return [OLD_NAMES[type_name]] if type_name in OLD_NAMES else []


def _once_each(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in a fixed order, each resource once, in the version that was changed last.

    Versions that do not say when are told apart by their bytes, so that their order cannot matter.
    """
    newest: dict[str | bytes, Entry] = {}
    for entry in sorted(entries, key=lambda e: (e.reference, e.edition, e.problem is None, e.raw)):
        name = entry.reference if entry.has_name else entry.raw
        earlier = newest.get(name)
        newest[name] = replace(entry, queries=earlier.queries | entry.queries) if earlier else entry
    return list(newest.values())


def _known_types() -> frozenset[str]:
    path = Path(__file__).parent / "resource_types.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


KNOWN_TYPES = _known_types()
# What other versions called the resources of a query: present, not to be read, and never to be overlooked.
OLD_NAMES = {
    "MedicationOrder": "medicationRequests",
    "MedicationPrescription": "medicationRequests",
    "MedicationUsage": "medicationStatements",
}
