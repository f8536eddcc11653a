"""AllergyIntolerance resources as problems whose concepts are what the patient is allergic to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Problem
from cds_service.fhir import elements as el
from cds_service.fhir.entries import Entry
from cds_service.fhir.ledger import Ledger, coded_entries
from cds_service.fhir.problems import status_of
from cds_service.terminology.codes import ConceptIndex

_SUSPECTED = frozenset({"unconfirmed", "presumed"})
_OVER = frozenset({"inactive", "resolved"})


def read_allergies(entries: Iterable[Entry], index: ConceptIndex, ledger: Ledger) -> Iterator[Problem]:
    """The allergies of interest. Refuted, mistaken and future ones are listed and left out."""
    for entry, resource in coded_entries(entries, el.AllergyIntolerance, index, ledger, _substances):
        allergy = _allergy(entry, resource, index, ledger)
        if allergy is not None:
            yield allergy


def _allergy(entry: Entry, allergy: el.AllergyIntolerance, index: ConceptIndex, ledger: Ledger) -> Problem | None:
    verification = status_of(allergy.verificationStatus or allergy.status)  # one status for both in DSTU2
    if verification == "entered-in-error":
        ledger.skip(entry, "entered-in-error")
        return None
    if verification == "refuted":
        ledger.skip(entry, "refuted")
        return None
    code = _substances(allergy) or el.CodeableConcept()
    found = index.recognise(code.pairs(), code.texts())
    onset = DayRange.parse(allergy.onsetDateTime)
    recorded = DayRange.parse(allergy.recordedDate or allergy.assertedDate)
    if not found.concepts or ledger.is_future(entry, onset or recorded):
        return None
    return Problem(
        entry.reference, code.label(), found.concepts,
        "resolved" if status_of(allergy.clinicalStatus or allergy.status) in _OVER else "active",
        "suspected" if verification in _SUSPECTED else "confirmed",
        ledger.past(onset), ledger.past(recorded), contradicted=found.contradicted,
    )  # fmt: skip


def _substances(allergy: el.Resource) -> el.CodeableConcept | None:
    """What an allergy is to: its code, and the substances that caused the reactions."""
    if not isinstance(allergy, el.AllergyIntolerance):
        return None
    reactions = (reaction.substance for reaction in allergy.reaction or ())
    named = [one for one in (allergy.code, allergy.substance, *reactions) if one is not None]
    codings = [coding for one in named for coding in one.coding or ()]
    texts = [one.text for one in named if one.text]
    return el.CodeableConcept(codings, "; ".join(dict.fromkeys(texts)) or None)
