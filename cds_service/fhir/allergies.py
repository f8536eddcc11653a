"""AllergyIntolerance resources as problems whose concepts are what the patient is allergic to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Problem
from cds_service.fhir import elements as el
from cds_service.fhir.ledger import Ledger, concepts_of, is_readable
from cds_service.fhir.problems import status_of
from cds_service.fhir.wire import Entry
from cds_service.terminology.codes import ConceptIndex

_SUSPECTED = frozenset({"unconfirmed", "presumed"})
_OVER = frozenset({"inactive", "resolved"})


def read_allergies(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Problem]:
    """The allergies of interest. Refuted and mistaken ones are listed and left out."""
    for entry in entries:
        allergy = entry.resource
        if entry.problem or not isinstance(allergy, el.AllergyIntolerance) or not is_readable(allergy.code):
            ledger.not_read(entry, lambda seen: concepts_of(index, getattr(seen, "code", None)))
            continue
        verification = status_of(allergy.verificationStatus)
        if verification in ("refuted", "entered-in-error"):
            ledger.skip(entry, "refuted" if verification == "refuted" else "entered-in-error")
            continue
        code = allergy.code or el.CodeableConcept()
        found = index.recognise(code.pairs(), code.texts())
        onset = DayRange.parse(allergy.onsetDateTime)
        recorded = DayRange.parse(allergy.recordedDate or allergy.assertedDate)
        if found.concepts and not ledger.is_future(entry, onset or recorded):
            yield Problem(
                entry.reference, code.label(), found.concepts,
                "resolved" if status_of(allergy.clinicalStatus) in _OVER else "active",
                "suspected" if verification in _SUSPECTED else "confirmed",
                ledger.past(onset), ledger.past(recorded), contradicted=found.contradicted,
            )  # fmt: skip
