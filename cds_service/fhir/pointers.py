"""Medications that a record only points to: without the Medication nobody can tell which drug it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from cds_service.fhir import envelope as env
from cds_service.fhir.datatypes import ABSENT, Reference
from cds_service.fhir.decoding import decode
from cds_service.fhir.wire import head_of

_MEDICATION = re.compile(r"(?:(https?://.+)/)?Medication/(?!\.+(?:/|$))([A-Za-z0-9._~-]{1,256})(?:/_history/[^/]*)?")


class _Choice(Struct):
    reference: msgspec.Raw = ABSENT


class _Record(Struct):
    """What tells whether a resource points to a Medication; in R5 the reference is one step deeper."""

    resourceType: str | None = None  # noqa: N815 - the names of FHIR
    id: str | None = None
    medicationReference: msgspec.Raw = ABSENT  # noqa: N815
    medication: msgspec.Raw = ABSENT


def unnamed_medications(pages: Iterable[bytes | msgspec.Raw], base: str) -> list[str]:
    """The ids of Medications of the server that records of the pages point to without a name for them."""
    records = [record for page in pages for record in _records(page)]
    there = {record.id for record in records if record.resourceType == "Medication"}
    pointed = dict.fromkeys(name for record in records if (name := _pointed_to(record, base)))
    return [name for name in pointed if name not in there]


def is_medication(body: bytes) -> bool:
    head = head_of(body)
    return head is not None and head.resourceType == "Medication"


def _records(page: bytes | msgspec.Raw) -> Iterator[_Record]:
    bundle = decode(page, env.Bundle)
    for raw in (bundle and bundle.entry) or ():
        entry = decode(raw, env.BundleEntry)
        record = decode(entry.resource, _Record) if entry else None
        if record:
            yield record


def _pointed_to(record: _Record, base: str) -> str | None:
    choice = decode(record.medication, _Choice) or _Choice()
    pointer = decode(record.medicationReference, Reference) or decode(choice.reference, Reference)
    found = _MEDICATION.fullmatch(pointer.reference or "") if pointer and not pointer.display else None
    return found[2] if found and found[1] in (None, base) else None
