"""What a medication record is about: the drugs recognised, and the product's names and strength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.clinical.coded import Certainty
from cds_service.fhir import elements as el
from cds_service.fhir.ingredients import Ingredient, Pharmacy
from cds_service.fhir.strength import Strength, named_mg, strength_of
from cds_service.terminology.codes import ConceptIndex, Recognised, alias_of, every_code


@dataclass(frozen=True, slots=True)
class Named:
    """The product of a medication record.

    `drugs` are those of interest, `strengths` how much of each it holds. `conflict` says that its codes, a code and
    the words beside it, or its name and its ingredients, name different products, `misnamed` that these are
    different drugs.
    """

    found: Recognised
    drugs: frozenset[str]
    label: str
    names: tuple[str, ...]
    forms: tuple[str, ...]
    strength: Strength
    strengths: Mapping[str, Strength]
    conflict: bool = False
    misnamed: bool = False


class Naming:
    """Names products; knows the drugs of interest and the Medication resources of the record."""

    def __init__(
        self,
        index: ConceptIndex,
        medications: Mapping[str, el.Medication | el.Substance],
        addresses: Mapping[str, str],
    ) -> None:
        self._index = index
        self._pharmacy = Pharmacy(medications, addresses)
        self._known = el.Known[Named | None]()

    def name(self, record: el.MedicationRecord) -> Named | None:
        """The product; None when nobody can tell: it does not say, points to a Medication that is not there, holds
        nothing but a code that no code set of ours knows, or is made of such.
        """
        code = record.medicationCodeableConcept
        if code is None or record.contained or record.medication or record.medicationReference:
            return self._product(record)
        return self._known.of(code, lambda _: self._product(record))  # the code is all that is said of it

    def _product(self, record: el.MedicationRecord) -> Named | None:
        choice = record.medication or el.CodeableReference()
        reference = record.medicationReference or choice.reference
        medication = self._pharmacy.medication(record, reference)
        stated = (record.medicationCodeableConcept, choice.concept, medication.code if medication else None)
        concepts = [one for one in stated if one is not None]
        display = [reference.display] if reference and reference.display else []
        names = [*(text for one in concepts for text in one.texts()), *display]
        codings = [coding for one in concepts for coding in one.coding or ()]
        parts = self._pharmacy.ingredients(record, medication)
        found = self._recognised(codings, names, parts)
        drugs = self._index.drugs & set(found.concepts)
        if not drugs:  # of what is of no interest nobody asks more than that
            return _of_no_interest(found, codings, names, parts) if _is_told(codings, names, parts) else None
        misnamed = self._names_two_drugs(codings, names) or self._is_made_of_others(codings, names, parts)
        return Named(
            found, drugs, _label(codings, names, parts), tuple(names), _forms(medication),
            strength_of(found.products, names, medication),
            {drug: self._strength(drug, found, names, medication, parts) for drug in drugs},
            misnamed or self._is_mislabelled(codings), misnamed,
        )  # fmt: skip

    def _recognised(
        self, codings: Sequence[el.Coding], names: Sequence[str], parts: Sequence[Ingredient]
    ) -> Recognised:
        """The concepts of the product and of each of its ingredients."""
        whole = self._index.recognise([(one.system, one.code) for one in codings], names)
        concepts = dict(whole.concepts)
        for part in parts:
            for concept, certainty in self._made_of(part).items():
                concepts[concept] = max(certainty, concepts.get(concept, certainty))
        return replace(whole, concepts=concepts)

    def _made_of(self, part: Ingredient) -> Mapping[str, Certainty]:
        return self._index.recognise([(one.system, one.code) for one in part.codings], part.words).concepts

    def _strength(
        self,
        drug: str,
        found: Recognised,
        names: Sequence[str],
        medication: el.Medication | None,
        parts: Sequence[Ingredient],
    ) -> Strength:
        """How much of the drug the product holds: of several ingredients its own says so."""
        own = [part.element for part in parts if drug in self._made_of(part)]
        others = [part for part in parts if drug not in self._made_of(part)]
        if not own and len(others) == 1 and not self._index.drugs & set(self._made_of(others[0])):
            own = [others[0].element]  # the one ingredient of a product that its name tells
        return strength_of(found.products, names, medication, own)

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

    def _is_made_of_others(self, codings: list[el.Coding], names: list[str], parts: Sequence[Ingredient]) -> bool:
        """True when an ingredient contradicts itself, or the product is called what none of its ingredients is."""
        called = self._index.drugs & set(self._recognised(codings, names, ()).concepts)
        made_of = self._index.drugs & {drug for part in parts for drug in self._made_of(part)}
        itself = any(self._names_two_drugs(list(part.codings), list(part.words)) for part in parts)
        return itself or bool(called and made_of and called.isdisjoint(made_of))

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


def _is_told(codings: Sequence[el.Coding], names: Sequence[str], parts: Sequence[Ingredient]) -> bool:
    """True when it is known what the product is: by its code, or by its words or ingredients, each of which tells."""
    if any(map(_tells_the_drug, codings)):
        return True
    return all(part.words or any(map(_tells_the_drug, part.codings)) for part in parts) and bool(names or parts)


def _label(codings: Sequence[el.Coding], names: Sequence[str], parts: Sequence[Ingredient]) -> str:
    """What a person would call it: by its name, by what it is made of, by a code."""
    words = [*names, *(word for part in parts for word in part.words)]
    codes = (one.code for one in [*codings, *(coding for part in parts for coding in part.codings)])
    return words[0] if words else next(code for code in codes if code)


def _of_no_interest(
    found: Recognised, codings: Sequence[el.Coding], names: Sequence[str], parts: Sequence[Ingredient]
) -> Named:
    return Named(found, frozenset(), _label(codings, names, parts), tuple(names), (), Strength(), {})


def _forms(medication: el.Medication | None) -> tuple[str, ...]:
    forms = (medication.form, medication.doseForm) if medication else ()
    return tuple(text for form in forms if form for text in form.texts())
