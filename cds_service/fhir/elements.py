"""The elements that we read of each FHIR resource, and nothing else.

Shapes are those of R4 and R4B; where R5 or STU3 name an element otherwise, that name is read beside it, so that a
resource of another version is neither dropped nor misread. Everything not declared here is ignored unread.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import Struct, field

# An element that is left undecoded, and is not there.
ABSENT = msgspec.Raw()


class Coding(Struct):
    system: str | None = None
    code: str | None = None
    display: str | None = None


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


class Quantity(Struct):
    value: Decimal | None = None
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


class Annotation(Struct):
    text: str | None = None


class Repeat(Struct):
    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None
    boundsRange: Range | None = None
    count: int | None = None
    countMax: int | None = None
    frequency: int | None = None
    frequencyMax: int | None = None
    period: Decimal | None = None
    periodMax: Decimal | None = None
    periodUnit: str | None = None
    dayOfWeek: list[str] | None = None
    timeOfDay: list[str] | None = None
    when: list[str] | None = None


class Timing(Struct):
    event: list[str] | None = None
    repeat: Repeat | None = None
    code: CodeableConcept | None = None


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
    modifierExtension: list[msgspec.Raw] | None = None


class AdministrationDosage(Struct):
    text: str | None = None
    route: CodeableConcept | None = None
    dose: Quantity | None = None


class Resource(Struct, kw_only=True):
    """What every resource may have. `meta` is not read: a bad stamp there must not cost a resource."""

    id: str | None = None
    modifierExtension: list[msgspec.Raw] | None = None
    implicitRules: str | None = None
    contained: list[msgspec.Raw] | None = None


class Patient(Resource, kw_only=True):
    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None


class ConditionStage(Struct):
    summary: CodeableConcept | None = None


class Condition(Resource, kw_only=True):
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    severity: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    abatementString: str | None = None
    recordedDate: str | None = None
    stage: list[ConditionStage] | ConditionStage | None = None


class Procedure(Resource, kw_only=True):
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    performedString: str | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    notDone: bool | None = None


class ReferenceRange(Struct):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    text: str | None = None


class Observation(Resource, kw_only=True):
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    issued: str | None = None
    valueQuantity: Quantity | None = None
    valueInteger: int | None = None
    valueString: str | None = None
    valueRange: Range | None = None
    valueCodeableConcept: CodeableConcept | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] | CodeableConcept | None = None
    referenceRange: list[ReferenceRange] | None = None
    specimen: Reference | None = None
    partOf: list[Reference] | None = None


class SubstanceStrength(Struct):
    item: CodeableConcept | CodeableReference | None = None
    itemCodeableConcept: CodeableConcept | None = None
    strength: Ratio | None = None
    strengthRatio: Ratio | None = None


class Medication(Resource, kw_only=True):
    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    ingredient: list[SubstanceStrength] | None = None


class MedicationRecord(Resource, kw_only=True):
    """What the three kinds of medication record share."""

    status: str | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    identifier: list[Identifier] | None = None
    basedOn: list[Reference] | None = None
    derivedFrom: list[Reference] | None = None
    partOf: list[Reference] | None = None


class MedicationStatement(MedicationRecord, kw_only=True):
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    dateAsserted: str | None = None
    dosage: list[Dosage] | None = None
    taken: str | None = None


class DispenseRequest(Struct):
    validityPeriod: Period | None = None
    expectedSupplyDuration: Quantity | None = None


class MedicationRequest(MedicationRecord, kw_only=True):
    intent: str | None = None
    doNotPerform: bool | None = None
    reportedBoolean: bool | None = None
    reported: bool | None = None
    authoredOn: str | None = None
    dosageInstruction: list[Dosage] | None = None
    dispenseRequest: DispenseRequest | None = None
    priorPrescription: Reference | None = None
    groupIdentifier: Identifier | None = None


class MedicationAdministration(MedicationRecord, kw_only=True):
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    occurenceDateTime: str | None = None
    occurencePeriod: Period | None = None
    request: Reference | None = None
    dosage: AdministrationDosage | None = None


RESOURCE_TYPES: dict[str, type[Resource]] = {
    kind.__name__: kind
    for kind in (
        Patient, Condition, Procedure, Observation, Medication,
        MedicationStatement, MedicationRequest, MedicationAdministration,
    )
}  # fmt: skip


class BundleLink(Struct):
    relation: str | None = None


class EntrySearch(Struct):
    mode: str | None = None


class BundleEntry(Struct):
    fullUrl: str | None = None
    resource: msgspec.Raw = ABSENT
    search: EntrySearch | None = None


class Bundle(Struct):
    total: int | None = None
    link: list[BundleLink] | None = None
    entry: list[msgspec.Raw] | None = None


class Issue(Struct):
    severity: str | None = None


class OperationOutcome(Struct):
    issue: list[Issue] = field(default_factory=list)


class Head(Struct):
    """The least that says what an object is: looked at before anything else of it is decoded."""

    resourceType: str | None = None
    resource: msgspec.Raw = ABSENT


class Glimpse(Struct):
    """What may still be told of a resource that cannot be read as a whole."""

    id: msgspec.Raw = ABSENT
    code: msgspec.Raw = ABSENT
    medicationCodeableConcept: msgspec.Raw = ABSENT
    subject: msgspec.Raw = ABSENT
    patient: msgspec.Raw = ABSENT
