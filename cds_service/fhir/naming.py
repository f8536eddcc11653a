"""What a medication record is about: the drugs recognised, and the product's names and strength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.fhir import elements as el
from cds_service.fhir.ledger import is_readable
from cds_service.fhir.modifiers import modified
from cds_service.fhir.references import resolved
from cds_service.fhir.strength import Strength, named_mg, strength_of
from cds_service.fhir.wire import decode
from cds_service.terminology.codes import ConceptIndex, Recognised, alias_of, every_code


@dataclass(frozen=True, slots=True)
class Named:
    """The product of a medication record.

    `drugs` are those of interest. `conflict` says that its codes, or a code and the words beside it, name
    different products.
    """

    found: Recognised
    drugs: frozenset[str]
    label: str
    names: tuple[str, ...]
    strength: Strength
    conflict: bool = False


class Naming:
    """Names products; knows the drugs of interest and the Medication resources of the record."""

    def __init__(
        self, index: ConceptIndex, medications: Mapping[str, el.Medication], addresses: Mapping[str, str]
    ) -> None:
        self._index = index
        self._medications = medications
        self._addresses = addresses

    def name(self, record: el.MedicationRecord) -> Named | None:
        """The product; None when nobody can tell: it does not say, points to a Medication that is not there, or
        holds nothing but a code that no code set of ours knows.
        """
        choice = record.medication or el.CodeableReference()
        reference = record.medicationReference or choice.reference
        medication = self._medication(record, reference)
        stated = (record.medicationCodeableConcept, choice.concept, medication.code if medication else None)
        display = [reference.display] if reference and reference.display else []
        concepts = self._with_ingredients([one for one in stated if one is not None], display, medication)
        if not display and not any(is_readable(one) for one in concepts):
            return None
        names = [*(text for one in concepts for text in one.texts()), *display]
        codings = [coding for one in concepts for coding in one.coding or ()]
        if not names and not any(map(_tells_the_drug, codings)):
            return None
        found = self._index.recognise([(one.system, one.code) for one in codings], names)
        label = names[0] if names else next(one.code for one in codings if one.code)
        return Named(
            found, self._index.drugs & set(found.concepts), label, tuple(names),
            strength_of(found.products, names, medication), self._contradicts(codings, names),
        )  # fmt: skip

    def _with_ingredients(
        self, concepts: list[el.CodeableConcept], display: list[str], medication: el.Medication | None
    ) -> list[el.CodeableConcept]:
        """The concepts, and those of the ingredients where the product itself is none that we know."""
        pairs = [pair for one in concepts for pair in one.pairs()]
        found = self._index.recognise(pairs, [*(text for one in concepts for text in one.texts()), *display])
        if not self._index.drugs.isdisjoint(found.concepts):
            return concepts
        return [*concepts, *_ingredients(medication)]

    def _medication(self, record: el.MedicationRecord, reference: el.Reference | None) -> el.Medication | None:
        if reference is None or not reference.reference:
            return None
        if reference.reference.startswith("#"):
            contained = [decode(raw, el.Medication) for raw in record.contained or ()]
            found = next((one for one in contained if one and f"#{one.id}" == reference.reference), None)
            return found if found and not modified(found) else None
        return self._medications.get(resolved(reference, self._addresses) or "")

    def _contradicts(self, codings: list[el.Coding], names: list[str]) -> bool:
        """True when two codes, or a code and the words beside it, name different drugs or products."""
        coded = [drugs for one in codings if (drugs := self._drugs_of(one))]
        if not coded:
            return False
        said = [drugs for name in names if (drugs := self._index.drugs & set(self._index.in_words(name)))]
        others = [*coded, *said]
        return any(coded[0].isdisjoint(drugs) for drugs in others) or any(map(self._mislabelled, codings))

    def _drugs_of(self, coding: el.Coding) -> frozenset[str]:
        found = self._index.recognise([(coding.system, coding.code)], ())
        return self._index.drugs & set(found.concepts)

    def _mislabelled(self, coding: el.Coding) -> bool:
        """True for the code of an ingredient that is shown as a product of some strength."""
        is_ingredient = alias_of(coding.system) == "rxnorm" and bool(self._drugs_of(coding))
        product = self._index.recognise([(coding.system, coding.code)], ()).products
        return is_ingredient and not product and named_mg(coding.display or "") is not None


def _ingredients(medication: el.Medication | None) -> list[el.CodeableConcept]:
    """What a product is made of, by R4's and by R5's name for it."""
    parts = (medication.ingredient or []) if medication else []
    choices = [decode(part.item, el.CodeableReference) for part in parts]
    named = [*(part.itemCodeableConcept for part in parts), *(one.concept for one in choices if one)]
    return [one for one in named if one is not None]


def _tells_the_drug(coding: el.Coding) -> bool:
    """True for a code that we know, or that names its class of drugs by itself as those of ATC do.

    Any other code without a word beside it may be of any drug, a corticosteroid among them.
    """
    known = every_code().recognise([(coding.system, coding.code)], ()).concepts
    return bool(known) or alias_of(coding.system) == "atc"
