"""A first look at what came: whether it can speak of what a protocol is about at all.

Nearly every chart that is opened is that of a patient who has nothing to do with the trial. Its conditions and
procedures tell so; of everything else only the types are looked at, that none of it is a condition or procedure, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeGuard

import msgspec

from cds_service.clinical.facts import State
from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.entries import Entry
from cds_service.fhir.envelope import BundleLink, EntrySearch
from cds_service.fhir.ledger import is_readable
from cds_service.fhir.modifiers import may_be_modified
from cds_service.fhir.queries import QUERIES
from cds_service.fhir.records import Records, WrongPatient, from_prefetch
from cds_service.fhir.references import patient_reference
from cds_service.terminology.codes import ConceptIndex

_TELLING = ("patient", "conditions", "procedures")
# What may tell something wherever it stands; a Bundle may hold it further inside.
_TELLING_TYPES = frozenset({"Patient", "Condition", "Procedure", "Bundle"})


class _Kind(msgspec.Struct):
    resourceType: str | None = None  # noqa: N815 - the name of FHIR


class _Part(msgspec.Struct):
    resource: _Kind | None = None


class _Answer(_Kind):
    entry: list[_Part] | None = None


class _Patient(el.Patient, kw_only=True):
    resourceType: str | None = None  # noqa: N815


class _Condition(el.Condition, kw_only=True):
    resourceType: str | None = None  # noqa: N815


class _Procedure(el.Procedure, kw_only=True):
    resourceType: str | None = None  # noqa: N815


class _Found(msgspec.Struct):
    """One entry of a search."""

    search: EntrySearch | None = None
    response: msgspec.Raw = el.ABSENT

    @property
    def is_match(self) -> bool:
        return not bytes(self.response) and (self.search is None or self.search.is_match)


class _FoundCondition(_Found):
    resource: _Condition | None = None


class _FoundProcedure(_Found):
    resource: _Procedure | None = None


class _Search(_Kind):
    """What a search says of itself."""

    total: int | None = None
    link: list[BundleLink] | None = None

    def is_whole(self, entries: Collection[_Found]) -> bool:
        """True for a Bundle of matches beside which nothing more was found."""
        goes_on = any(link.relation == "next" for link in self.link or ())
        all_there = (self.total or 0) <= len(entries) and all(one.is_match for one in entries)
        return self.resourceType == "Bundle" and all_there and not goes_on


class _Conditions(_Search):
    entry: list[_FoundCondition] | None = None


class _Procedures(_Search):
    entry: list[_FoundProcedure] | None = None


def mentions_none(
    concepts: Collection[str], prefetch: Mapping[str, msgspec.Raw], patient_id: str, index: ConceptIndex
) -> bool:
    """True when the patient's conditions and procedures came whole, all can be read, and none names a concept.

    Whatever else is in the record, a screening of it then finds no evidence and no gap: nothing of the rest can bring
    either. False says only that the record must be read to know.
    """
    if not all(key in prefetch for key in _TELLING):
        return False
    seen = plain_records(prefetch, patient_id)
    if seen is None:
        none = sorted_records_mention_none(concepts, prefetch, patient_id, index)
    else:
        none = not any(_names(one, concepts, index) for one in seen)
    return none and all(_has_none_inside(prefetch[key]) for key in QUERIES if key in prefetch and key not in _TELLING)


def plain_records(prefetch: Mapping[str, msgspec.Raw], patient_id: str) -> list[_Condition | _Procedure] | None:
    """The conditions and procedures, where the three answers are as nearly all are; None where they must be sorted.

    That is the Patient by itself, and Bundles that hold everything that was found, all of it about that patient.
    """
    patient, named = decode(prefetch["patient"], _Patient), patient_reference(patient_id)
    if patient is None or patient.resourceType != "Patient" or f"Patient/{patient.id}" != named:
        return None
    if any(_may_turn(prefetch[key]) for key in _TELLING):
        return None
    conditions = decode(prefetch["conditions"], _Conditions) or _Conditions()
    procedures = decode(prefetch["procedures"], _Procedures) or _Procedures()
    if not conditions.is_whole(conditions.entry or ()) or not procedures.is_whole(procedures.entry or ()):
        return None
    seen = [*((one.resource, "Condition") for one in conditions.entry or ()),
            *((one.resource, "Procedure") for one in procedures.entry or ())]  # fmt: skip
    plain = [one for one, kind in seen if _is_plain(one, kind, named)]
    return plain if len(plain) == len(seen) else None


def _may_turn(raw: msgspec.Raw) -> bool:
    """True where something in it may be modified, or follow other rules."""
    return may_be_modified(raw) or b"implicitRules" in bytes(raw)


def _is_plain(seen: _Condition | _Procedure | None, kind: str, patient: str) -> TypeGuard[_Condition | _Procedure]:
    """True for a resource of the kind that is about the patient and whose code can be read."""
    if seen is None or seen.resourceType != kind or not is_readable(seen.code):
        return False
    subject = seen.subject or getattr(seen, "patient", None)
    return subject is not None and subject.reference == patient


def sorted_records_mention_none(
    concepts: Collection[str], prefetch: Mapping[str, msgspec.Raw], patient_id: str, index: ConceptIndex
) -> bool:
    """The same for answers of every form that a record is read in."""
    try:
        records = from_prefetch({key: prefetch[key] for key in _TELLING}, patient_id)
    except WrongPatient:
        return False
    return _came_whole(records) and not any(_may_tell(one, concepts, index) for one in records.entries)


def _came_whole(records: Records) -> bool:
    states = {records.sources[key].state for key in _TELLING}
    return records.patient is not None and not records.strange and states <= {State.FOUND, State.NONE}


def _may_tell(entry: Entry, concepts: Collection[str], index: ConceptIndex) -> bool:
    """True for a condition or procedure that names a concept, whatever it says of it, or that cannot be read."""
    if entry.type not in ("Condition", "Procedure"):
        return False
    seen = entry.resource
    if entry.problem or not isinstance(seen, el.Condition | el.Procedure) or not is_readable(seen.code):
        return True
    return _names(seen, concepts, index)


def _names(seen: el.Condition | el.Procedure, concepts: Collection[str], index: ConceptIndex) -> bool:
    code = seen.code or el.CodeableConcept()
    return not index.recognise(code.pairs(), code.texts()).concepts.keys().isdisjoint(concepts)


def _has_none_inside(raw: msgspec.Raw) -> bool:
    """True for an answer that holds nothing of a type that may tell something."""
    answer = decode(raw, _Answer)
    if answer is None:
        return bytes(raw).strip() == b"null"
    types = [answer.resourceType, *(part.resource.resourceType for part in answer.entry or () if part.resource)]
    if types[0] == "Bundle":
        del types[0]
    return None not in types and _TELLING_TYPES.isdisjoint(types)
