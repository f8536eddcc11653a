"""One patient's record as it arrived: what each query brought, in five states, and every entry of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from cds_service.clinical.facts import Skipped, SkipReason, Source, Unread
from cds_service.fhir.entries import Entry
from cds_service.fhir.fetched import NOTHING_FETCHED, Fetched, Pages
from cds_service.fhir.queries import QUERIES
from cds_service.fhir.references import local_name, patient_reference
from cds_service.fhir.sorting import KNOWN_TYPES, Sorting
from cds_service.fhir.states import answered, of_whole_record
from cds_service.fhir.wire import Answer, joined, read_answer
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
    return msgspec.structs.replace(entry, problem=reason, resource=None) if reason else entry


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
    sorting = Sorting({**answers, **besides}, patient)
    if any(entry.type == "Patient" for entry in sorting.others):
        raise WrongPatient
    strange = tuple(_strange(answers, lambda key, _: [key]))
    return _records(sorting, answered(answers, sorting.mine, strange), strange)


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
    sorting = Sorting(answers, _chosen(answers, patient_id))
    strange = tuple(_strange(answers, _sources_of_file))
    return _records(sorting, of_whole_record(answers.values(), sorting.mine, strange, index), strange)


def _records(sorting: Sorting, sources: Mapping[str, Source], strange: tuple[Unread, ...]) -> Records:
    readable = [one for one in sorting.mine if one.type == "Patient" and not one.problem]
    patient = next((one for one in readable if one.reference == sorting.patient), None)
    return Records(patient, tuple(sorting.mine), sources, tuple(sorting.skipped), sorting.addresses, strange)


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


# What other versions called the resources of a query: present, not to be read, and never to be overlooked.
OLD_NAMES = {
    "MedicationOrder": "medicationRequests",
    "MedicationPrescription": "medicationRequests",
    "MedicationUsage": "medicationStatements",
}
