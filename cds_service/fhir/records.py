"""One patient's record as it arrived: what each query brought, in five states, and every entry of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import msgspec

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Skipped, Source, State, Unread
from cds_service.fhir import elements as el
from cds_service.fhir.queries import ANALYTES_OF, QUERIES
from cds_service.fhir.references import full_urls, local_name, resolved
from cds_service.fhir.wire import Answer, Entry, read_answer
from cds_service.terminology.codes import ConceptIndex


class WrongPatient(Exception):
    """The record holds another Patient than the one in context."""


class NoPatient(Exception):
    """No Patient resource could be read."""


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

    `strange` are entries of a type that we do not know, each with the query whose answer it may belong to.
    """

    patient: Entry | None
    entries: tuple[Entry, ...]
    sources: Mapping[str, Source]
    skipped: tuple[Skipped, ...]
    addresses: Mapping[str, str] = field(default_factory=dict)
    strange: tuple[Unread, ...] = ()

    def without(self, references: Mapping[str, str]) -> Records:
        """The same records with some entries marked unreadable, each for the given reason."""
        marked = tuple(
            replace(e, problem=references[e.reference], resource=None) if e.reference in references else e
            for e in self.entries
        )
        return replace(self, entries=marked)


def from_prefetch(prefetch: Mapping[str, msgspec.Raw], patient_id: str) -> Records:
    """The record that a CDS Hooks request brought along.

    Raises WrongPatient when it holds another Patient than the one in context.
    """
    answers = {key: _answer(key, prefetch[key]) for key in QUERIES if key in prefetch}
    sources = {key: _source(key, answers.get(key), key in prefetch) for key in QUERIES}
    return _records(answers, sources, local_name(patient_id) if "/" in patient_id else f"Patient/{patient_id}")


def from_files(files: Mapping[str, Iterable[bytes]], index: ConceptIndex, patient_id: str | None) -> Records:
    """The record that some files hold: each a list of JSON documents, all together the whole record.

    Raises UnreadableRecord for JSON that is no resource, NoPatient, or SeveralPatients when `patient_id` does not
    say which is meant.
    """
    answers = {
        f"{name}#{number}" if number else name: read_answer(document, name)
        for name, documents in files.items()
        for number, document in enumerate(documents)
    }
    for name, answer in answers.items():
        if answer.failed and not answer.entries:
            raise UnreadableRecord(name)
    found = {e.reference for a in answers.values() for e in a.entries if e.type == "Patient"}
    wanted = f"Patient/{patient_id}" if patient_id else None
    if not found or (wanted and wanted not in found):
        raise NoPatient
    if wanted is None and len(found) > 1:
        raise SeveralPatients(found)
    return _records(answers, _whole_record(answers.values(), index), wanted or found.pop())


def _answer(key: str, raw: msgspec.Raw) -> Answer:
    return Answer(()) if bytes(raw).strip() == b"null" else read_answer(raw, key)


def _source(key: str, answer: Answer | None, asked: bool) -> Source:
    if answer is None or not asked:
        return Source(State.ABSENT)
    mine = [entry for entry in answer.entries if entry.type == QUERIES[key].type]
    if answer.failed:
        return Source(State.FAILED)
    if answer.more_exist:
        return Source(State.TRUNCATED, _complete_back_to(mine) if QUERIES[key].sorted else None)
    return Source(State.FOUND if mine else State.NONE)


def _complete_back_to(entries: Iterable[Entry]) -> date | None:
    """The oldest day of a truncated answer that is sorted newest first; None when it is not so sorted."""
    days = [day.last for entry in entries if (day := observed(entry.resource)) is not None]
    return days[-1] if days and days == sorted(days, reverse=True) else None


def observed(resource: el.Resource | None) -> DayRange | None:
    """The day of an Observation."""
    if not isinstance(resource, el.Observation):
        return None
    period = resource.effectivePeriod
    stamps = (resource.effectiveDateTime, resource.effectiveInstant, period and (period.end or period.start))
    return next((day for stamp in stamps if (day := DayRange.parse(stamp or None))), None)


def _whole_record(answers: Iterable[Answer], index: ConceptIndex) -> Mapping[str, Source]:
    """The states of a record that is complete: what is not in it was searched and none was recorded."""
    answers = list(answers)
    entries = [entry for answer in answers for entry in answer.entries]
    types = {entry.type for entry in entries}
    analytes = {
        concept
        for entry in entries
        if isinstance(entry.resource, el.Observation) and entry.resource.code
        for concept in index.recognise(entry.resource.code.pairs(), ()).concepts
    }
    truncated = any(answer.more_exist for answer in answers)
    return {key: _whole_source(key, types, analytes, truncated) for key in QUERIES}


def _whole_source(key: str, types: set[str], analytes: set[str], truncated: bool) -> Source:
    found = bool(analytes & set(ANALYTES_OF[key])) if key in ANALYTES_OF else QUERIES[key].type in types
    if truncated:
        return Source(State.TRUNCATED)
    return Source(State.FOUND if found else State.NONE)


def _records(answers: Mapping[str, Answer], sources: Mapping[str, Source], patient: str | None) -> Records:
    every = [entry for answer in answers.values() for entry in answer.entries]
    addresses = full_urls(every)
    mine: list[Entry] = []
    skipped = [Skipped(place, reason) for answer in answers.values() for place, reason in answer.problems]
    for entry in _once_each(every):
        other = _of_another_patient(entry, patient, addresses)
        if other and _answers_for_patient(answers, entry):
            raise WrongPatient
        if other:
            skipped.append(Skipped(entry.reference, "other-patient"))
        elif entry.type not in KNOWN_TYPES:
            skipped.append(Skipped(entry.reference, "unknown-type"))
        else:
            mine.append(entry)
    found = next((e for e in mine if e.type == "Patient" and e.reference == patient), None)
    return Records(found, tuple(mine), sources, tuple(skipped), addresses, tuple(_strange(answers)))


def _answers_for_patient(answers: Mapping[str, Answer], entry: Entry) -> bool:
    """True for a Patient that came as the answer to the query for the Patient."""
    return entry.type == "Patient" and "patient" in answers and entry in answers["patient"].entries


def _strange(answers: Mapping[str, Answer]) -> Iterator[Unread]:
    """Entries of unknown type that may stand for what a query asked for."""
    for key, answer in answers.items():
        for entry in answer.entries:
            if entry.type not in KNOWN_TYPES:
                source = key if key in QUERIES else OLD_NAMES.get(entry.type)
                if source:
                    yield Unread(entry.reference, source, None)


def _once_each(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in a fixed order, each reference once: a resource may answer several queries.

    Two versions of one resource are told apart by their bytes, so that their order cannot matter.
    """
    by_reference: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda e: (e.reference, e.raw)):
        by_reference[entry.reference] = entry
    return list(by_reference.values())


def _of_another_patient(entry: Entry, patient: str | None, addresses: Mapping[str, str]) -> bool:
    if entry.type == "Patient":
        return patient is not None and entry.reference != patient
    seen = entry.resource or entry.glimpse
    subject = resolved(getattr(seen, "subject", None) or getattr(seen, "patient", None), addresses)
    if subject is None or patient is None or subject.startswith("#"):
        return False
    return subject != patient


def _known_types() -> frozenset[str]:
    path = Path(__file__).parent / "resource_types.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


KNOWN_TYPES = _known_types()
# What earlier versions called the resources of a query: present, but not to be read, and never to be overlooked.
OLD_NAMES = {"MedicationOrder": "medicationRequests", "MedicationPrescription": "medicationRequests"}
