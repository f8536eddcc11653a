"""A first look at what came: whether it can speak of what a protocol is about at all.

Nearly every chart that is opened is that of a patient who has nothing to do with the trial. Its conditions and
procedures tell so; of everything else only the types are looked at, that none of it is a condition or procedure, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from cds_service.clinical.facts import State
from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.ledger import is_readable
from cds_service.fhir.queries import QUERIES
from cds_service.fhir.records import Records, WrongPatient, from_prefetch
from cds_service.fhir.wire import Entry
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


def mentions_none(
    concepts: Collection[str], prefetch: Mapping[str, msgspec.Raw], patient_id: str, index: ConceptIndex
) -> bool:
    """True when the patient's conditions and procedures came whole, all can be read, and none names a concept.

    Whatever else is in the record, a screening of it then finds no evidence and no gap: nothing of the rest can bring
    either. False says only that the record must be read to know.
    """
    if not all(key in prefetch for key in _TELLING):
        return False
    try:
        records = from_prefetch({key: prefetch[key] for key in _TELLING}, patient_id)
    except WrongPatient:
        return False
    if not _came_whole(records) or any(_may_tell(one, concepts, index) for one in records.entries):
        return False
    return all(_has_none_inside(prefetch[key]) for key in QUERIES if key in prefetch and key not in _TELLING)


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
