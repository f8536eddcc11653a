"""Why a drug was given: the reasons and notes of a medication record, recognised clause by clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.medications import StatedReason
from cds_service.fhir import elements as el
from cds_service.fhir.references import resolved
from cds_service.terminology.codes import ConceptIndex

# What one clause denies ("no sign of infection") must not take the next one's word away.
_CLAUSES = re.compile(r"[.;,:\n。；，：、]|\bbut\b")


def stated_reasons(
    record: el.MedicationRecord, index: ConceptIndex, addresses: Mapping[str, str]
) -> tuple[StatedReason, ...]:
    """Every reason and note of the record."""
    return (*_reasons(record, index, addresses), *_notes(record, index))


def _reasons(record: el.MedicationRecord, index: ConceptIndex, addresses: Mapping[str, str]) -> Iterator[StatedReason]:
    either = [
        *(record.reason or ()),
        el.CodeableReference(record.reasonForUseCodeableConcept, record.reasonForUseReference),
    ]
    for concept in (*(record.reasonCode or ()), *(one.concept for one in either if one.concept)):
        yield StatedReason(_recognised(concept, index))
    for reference in (*(record.reasonReference or ()), *(one.reference for one in either if one.reference)):
        said = el.CodeableConcept(text=reference.display)
        yield StatedReason(_recognised(said, index), reference=resolved(reference, addresses))


def _notes(record: el.MedicationRecord, index: ConceptIndex) -> Iterator[StatedReason]:
    stated = record.note or []
    notes = [el.Annotation(text=stated)] if isinstance(stated, str) else stated
    for note in notes:
        if note.text:
            found = _recognised(el.CodeableConcept(text=note.text), index)
            yield StatedReason(found, is_note=True, when=DayRange.parse(note.time))


def _recognised(concept: el.CodeableConcept, index: ConceptIndex) -> Mapping[str, Certainty]:
    """What the codes stand for, and beside them what the words say: a reason's words may say more than its code."""
    found = dict(index.recognise(concept.pairs(), ()).concepts)
    for text in concept.texts():
        for clause in _CLAUSES.split(text):
            for named in index.in_words(clause):
                found.setdefault(named, Certainty.TEXT)
    return found
