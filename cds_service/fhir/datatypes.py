"""The data types of FHIR, as far as we read them: see elements.py for how other versions are met."""

# ruff: noqa: N815 - these are the names of FHIR

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")
# An element that is left undecoded, and is not there.
ABSENT = msgspec.Raw()


class Number(Decimal):
    """A JSON number, exactly as written. A string, a truth value, NaN and Infinity are no numbers."""


class Coding(Struct):
    system: str | None = None
    code: str | None = None
    display: str | None = None
    extension: msgspec.Raw = ABSENT


class CodedExtension(Struct):
    """An extension that holds one code."""

    url: str | None = None
    valueCoding: Coding | None = None


class CodeableConcept(Struct):
    coding: list[Coding] | None = None
    text: str | None = None

    def pairs(self) -> list[tuple[str | None, str | None]]:
        """Its codings as (system, code)."""
        return [(one.system, one.code) for one in self.coding or ()]

    def texts(self) -> list[str]:
        """Its own text, then the displays of its codings."""
        return [text for text in (self.text, *(one.display for one in self.coding or ())) if text]

    def label(self) -> str:
        """The words that a person would call it by; the first code where it has no words."""
        words = self.texts()
        codes = [one.code for one in self.coding or () if one.code]
        return words[0] if words else codes[0] if codes else ""


class Known(Generic[T]):
    """What was found out about concepts, once for all that say the same: in a record a few come over and over.

    It is told each time how to find it out, so that it refers to nobody and is freed with whoever holds it.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], T] = {}

    def of(self, concept: CodeableConcept, find: Callable[[CodeableConcept], T]) -> T:
        said = (concept.text, *[(one.system, one.code, one.display) for one in concept.coding or ()])
        if said not in self._found:
            self._found[said] = find(concept)
        return self._found[said]


class Annotation(Struct):
    """A note, and when it was written."""

    text: str | None = None
    time: str | None = None


class Quantity(Struct):
    value: Number | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(Struct):
    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(Struct):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(Struct):
    start: str | None = None
    end: str | None = None


class Identifier(Struct):
    system: str | None = None
    value: str | None = None


class Reference(Struct):
    reference: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class CodeableReference(Struct):
    """R5's choice of a concept or a reference."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class ReferenceRange(Struct):
    """A range of normal, and for whom it is one."""

    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    appliesTo: list[CodeableConcept] | CodeableConcept | None = None
    age: Range | None = None
    text: str | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class Repeat(Struct):
    """DSTU2 had one `when`, and `periodUnits`."""

    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None
    boundsRange: Range | None = None
    count: int | None = None
    countMax: int | None = None
    frequency: int | None = None
    frequencyMax: int | None = None
    period: Number | None = None
    periodMax: Number | None = None
    periodUnit: str | None = None
    periodUnits: str | None = None
    dayOfWeek: list[str | None] | None = None
    timeOfDay: list[str | None] | None = None
    when: list[str | None] | str | None = None

    def moments(self) -> list[str | None]:
        """The times of day by their codes; None for one that only an extension tells."""
        return [self.when] if isinstance(self.when, str) else self.when or []


class Timing(Struct):
    event: list[str | None] | None = None
    repeat: Repeat | None = None
    code: CodeableConcept | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class DoseAndRate(Struct):
    type: CodeableConcept | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateRatio: Ratio | None = None
    rateQuantity: Quantity | None = None
    rateRange: Range | None = None


class Dosage(Struct):
    sequence: int | None = None
    text: str | None = None
    patientInstruction: str | None = None
    timing: Timing | None = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: CodeableConcept | None = None
    asNeeded: bool | None = None
    asNeededFor: list[CodeableConcept] | None = None
    route: CodeableConcept | None = None
    method: CodeableConcept | None = None
    doseAndRate: list[DoseAndRate] | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    quantityQuantity: Quantity | None = None
    quantityRange: Range | None = None
    maxDosePerPeriod: Ratio | list[Ratio] | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class AdministrationDosage(Struct):
    text: str | None = None
    route: CodeableConcept | None = None
    method: CodeableConcept | None = None
    dose: Quantity | None = None
    quantity: Quantity | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class SubstanceCode(CodeableConcept):
    """The code of a Substance, which R5 wraps in a choice."""

    concept: CodeableConcept | None = None


class Ingredient(Struct):
    """An ingredient of a Medication: a code or another resource, and how much of it there is.

    `item` is R5's; it stays undecoded, since DSTU2 has another shape under that name.
    """

    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    item: msgspec.Raw = ABSENT
    isActive: bool | None = None
    strength: Ratio | None = None
    strengthRatio: Ratio | None = None
    strengthQuantity: Quantity | None = None
    amount: Ratio | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class Adherence(Struct):
    """R5's word for whether the drug is taken."""

    code: CodeableConcept | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class Progress(Struct):
    """R5's state of a subject in a study, and from when until when it was in it."""

    subjectState: CodeableConcept | None = None
    startDate: str | None = None
    endDate: str | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class DispenseRequest(Struct):
    validityPeriod: Period | None = None
    expectedSupplyDuration: Quantity | None = None
    numberOfRepeatsAllowed: int | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class ConditionStage(Struct):
    summary: CodeableConcept | None = None
    modifierExtension: list[msgspec.Raw] | None = None
