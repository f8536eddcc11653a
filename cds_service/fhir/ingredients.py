"""What a Medication is made of: itself and each of its active ingredients, wherever the record keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.modifiers import modified
from cds_service.fhir.references import resolved

Contained = Sequence[msgspec.Raw]
# An ingredient may be a Medication with ingredients of its own, and so on.
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One active ingredient: its codes and its words, and the element that states how much of it there is."""

    codings: Sequence[el.Coding]
    words: Sequence[str]
    element: el.Ingredient


class Pharmacy:
    """The Medication and Substance resources of a record, and those inside its records."""

    def __init__(self, stock: Mapping[str, el.Medication | el.Substance], addresses: Mapping[str, str]) -> None:
        self._stock = stock
        self._addresses = addresses

    def medication(self, record: el.MedicationRecord, reference: el.Reference | None) -> el.Medication | None:
        """The Medication that a record points to; None when it is not there."""
        found = self._fetched(reference, record.contained or (), el.Medication)
        return found if isinstance(found, el.Medication) else None

    def ingredients(self, record: el.MedicationRecord, medication: el.Medication | None) -> Sequence[Ingredient]:
        """The active ingredients of a Medication; one that says nothing has neither codes nor words."""
        inside = [*(record.contained or ()), *((medication.contained if medication else None) or ())]
        found = self._ingredients(medication, inside, 0)
        return list({id(one.element): one for one in found}.values())  # one that holds itself comes again and again

    def _ingredients(self, medication: el.Medication | None, inside: Contained, depth: int) -> Iterator[Ingredient]:
        for element in (medication.ingredient or ()) if medication and depth < _DEEPEST else ():
            if element.isActive is False:
                continue
            choice = decode(element.item, el.CodeableReference) or el.CodeableReference()
            reference = element.itemReference or choice.reference or decode(element.item, el.Reference)
            meant = self._fetched(reference, inside, el.Medication) or self._fetched(reference, inside, el.Substance)
            stated = [element.itemCodeableConcept, choice.concept, *_concepts(meant)]
            concepts = [one for one in stated if one is not None]
            display = [reference.display] if reference and reference.display else []
            codings = [coding for one in concepts for coding in one.coding or ()]
            words = [*(text for one in concepts for text in one.texts()), *display]
            below = list(self._ingredients(meant, inside, depth + 1)) if isinstance(meant, el.Medication) else []
            if codings or words or not below:
                yield Ingredient(codings, words, element)
            yield from below

    def _fetched(
        self, reference: el.Reference | None, inside: Contained, kind: type[el.Medication] | type[el.Substance]
    ) -> el.Medication | el.Substance | None:
        if reference is None or not reference.reference:
            return None
        if reference.reference.startswith("#"):
            found = (decode(raw, kind) for raw in inside)
            meant = next((one for one in found if one and f"#{one.id}" == reference.reference), None)
            return meant if meant and not modified(meant) else None
        return self._stock.get(resolved(reference, self._addresses) or "")


def _concepts(meant: el.Medication | el.Substance | None) -> Sequence[el.CodeableConcept]:
    """The codes of a resource; R5 keeps that of a Substance one level deeper."""
    if meant is None or meant.code is None:
        return ()
    deeper = getattr(meant.code, "concept", None)
    return [meant.code, *([deeper] if deeper else [])]
