"""What a medication record is about: the drugs recognised, and the product's names and strength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.fhir import elements as el
from cds_service.fhir.ledger import is_readable
from cds_service.fhir.references import resolved
from cds_service.fhir.strength import Strength, named_mg, strength_of
from cds_service.fhir.wire import decode
from cds_service.terminology.codes import ConceptIndex, Recognised, alias_of, every_code


@dataclass(frozen=True, slots=True)
class Named:
    """The product of a medication record.

    `drugs` are those of interest. `conflict` says that its codes, or a code and the words beside it, name
    different products, `misnamed` that these are different drugs.
    """

    found: Recognised
    drugs: frozenset[str]
    label: str
    names: tuple[str, ...]
    strength: Strength
    conflict: bool = False
    misnamed: bool = False


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
        concepts = [one for one in stated if one is not None]
        display = [reference.display] if reference and reference.display else []
        if not display and not any(is_readable(one) for one in concepts):
            return None
        names = [*(text for one in concepts for text in one.texts()), *display]
        codings = [coding for one in concepts for coding in one.coding or ()]
        if not names and not any(map(_tells_the_drug, codings)):
            return None
        found = self._index.recognise([(one.system, one.code) for one in codings], names)
        label = names[0] if names else next(one.code for one in codings if one.code)
        misnamed = self._names_two_drugs(codings, names)
        return Named(
            found, self._index.drugs & set(found.concepts), label, tuple(names),
            strength_of(found.products, names, medication), misnamed or self._is_mislabelled(codings), misnamed,
        )  # fmt: skip

    def _medication(self, record: el.MedicationRecord, reference: el.Reference | None) -> el.Medication | None:
        if reference is None or not reference.reference:
            return None
        if reference.reference.startswith("#"):
            contained = [decode(raw, el.Medication) for raw in record.contained or ()]
            return next((one for one in contained if one and f"#{one.id}" == reference.reference), None)
        return self._medications.get(resolved(reference, self._addresses) or "")

    def _names_two_drugs(self, codings: list[el.Coding], names: list[str]) -> bool:
        """True when two codes, or a code and the words beside it, name different drugs."""
        coded = [drugs for one in codings if (drugs := self._drugs_of(one))]
        if not coded:
            return False
        said = [drugs for name in names if (drugs := self._index.drugs & set(self._index.in_words(name)))]
        others = [*coded, *said]
        return any(coded[0].isdisjoint(drugs) for drugs in others)

    def _is_mislabelled(self, codings: list[el.Coding]) -> bool:
        return any(map(self._mislabelled, codings))

    def _drugs_of(self, coding: el.Coding) -> frozenset[str]:
        found = self._index.recognise([(coding.system, coding.code)], ())
        return self._index.drugs & set(found.concepts)

    def _mislabelled(self, coding: el.Coding) -> bool:
        """True for the code of an ingredient that is shown as a product of some strength."""
        is_ingredient = alias_of(coding.system) == "rxnorm" and bool(self._drugs_of(coding))
        product = self._index.recognise([(coding.system, coding.code)], ()).products
        return is_ingredient and not product and named_mg(coding.display or "") is not None


def _tells_the_drug(coding: el.Coding) -> bool:
    """True for a code that we know, or that names its class of drugs by itself as those of ATC do.

    Any other code without a word beside it may be of any drug, a corticosteroid among them.
    """
    known = every_code().recognise([(coding.system, coding.code)], ()).concepts
    return bool(known) or alias_of(coding.system) == "atc"
