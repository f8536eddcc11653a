"""The elements that we read of each FHIR resource, and nothing else.

Shapes are those of R4 and R4B; where R5, STU3 or DSTU2 name an element otherwise, that name is read beside
it, so that a resource of another version is neither dropped nor misread. Whatever is not declared is ignored.
"""

# ruff: noqa: N815 - these are the names of FHIR

from __future__ import annotations

import msgspec
from msgspec import Struct

from cds_service.fhir.datatypes import (
    ABSENT,
    Adherence,
    AdministrationDosage,
    Annotation,
    CodeableConcept,
    CodeableReference,
    CodedExtension,
    Coding,
    ConditionStage,
    DispenseRequest,
    Dosage,
    DoseAndRate,
    Identifier,
    Ingredient,
    Known,
    Number,
    Period,
    Progress,
    Quantity,
    Range,
    Ratio,
    Reference,
    ReferenceRange,
    Repeat,
    SubstanceCode,
    Timing,
)

# The data types belong to the same vocabulary: whoever reads elements finds both here.
__all__ = [
    "ABSENT", "Adherence", "AdministrationDosage", "Annotation", "CodeableConcept", "CodeableReference",
    "CodedExtension", "Coding", "ConditionStage", "DispenseRequest", "Dosage", "DoseAndRate", "Identifier",
    "Ingredient", "Known", "Number", "Period", "Progress", "Quantity", "Range", "Ratio", "Reference", "ReferenceRange",
    "Repeat", "SubstanceCode", "Timing",
]  # fmt: skip


class Resource(Struct, kw_only=True):
    """What every resource may have. `meta` stays undecoded: a bad stamp there must not cost a resource."""

    id: str | None = None
    meta: msgspec.Raw = ABSENT
    modifierExtension: list[msgspec.Raw] | None = None
    implicitRules: str | None = None
    contained: list[msgspec.Raw] | None = None


class OtherResource(Resource, kw_only=True):
    """A resource of a type that we do not read: only whose it is."""

    subject: Reference | None = None
    patient: Reference | None = None


class Patient(Resource, kw_only=True):
    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None


class Condition(Resource, kw_only=True):
    """A diagnosis. Its notes, a string in DSTU2, stay undecoded: an odd one must not cost it."""

    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    severity: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    onsetAge: msgspec.Raw = ABSENT
    onsetRange: msgspec.Raw = ABSENT
    onsetString: msgspec.Raw = ABSENT
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    abatementString: str | None = None
    abatementAge: msgspec.Raw = ABSENT
    abatementRange: msgspec.Raw = ABSENT
    abatementBoolean: bool | None = None
    recordedDate: str | None = None
    assertedDate: str | None = None
    dateRecorded: str | None = None
    stage: list[ConditionStage] | ConditionStage | None = None
    note: msgspec.Raw = ABSENT
    notes: msgspec.Raw = ABSENT


class Procedure(Resource, kw_only=True):
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    performedString: str | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    focus: Reference | None = None
    notDone: bool | None = None
    notPerformed: bool | None = None


class Observation(Resource, kw_only=True):
    """A result, or one component of a result, which has a code and a value of its own."""

    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueInteger: Number | None = None
    valueString: str | None = None
    valueRange: Range | None = None
    valueCodeableConcept: CodeableConcept | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] | CodeableConcept | None = None
    referenceRange: list[ReferenceRange] | None = None
    status: str | None = None
    subject: Reference | None = None
    focus: list[Reference] | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    specimen: Reference | None = None
    hasMember: list[Reference] | None = None
    component: list[Observation] | None = None

    def parts(self) -> tuple[Observation, ...]:
        """Itself and its components."""
        return (self, *self.component) if self.component else (self,)


class DiagnosticReport(Resource, kw_only=True):
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    result: list[Reference] | None = None
    conclusion: str | None = None
    conclusionCode: list[CodeableConcept] | None = None
    codedDiagnosis: list[CodeableConcept] | None = None


class Medication(Resource, kw_only=True):
    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    doseForm: CodeableConcept | None = None
    ingredient: list[Ingredient] | None = None


class Substance(Resource, kw_only=True):
    code: SubstanceCode | None = None


class MedicationRecord(Resource, kw_only=True):
    """What the kinds of medication record share. `reason` is R5's, `reasonForUse` DSTU2's, the others are R4's."""

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
    reason: list[CodeableReference] | None = None
    reasonCode: list[CodeableConcept] | None = None
    reasonReference: list[Reference] | None = None
    reasonForUseCodeableConcept: CodeableConcept | None = None
    reasonForUseReference: Reference | None = None
    note: list[Annotation] | str | None = None
    statusReason: list[CodeableConcept] | CodeableConcept | None = None


class MedicationStatement(MedicationRecord, kw_only=True):
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveTiming: Timing | None = None
    dateAsserted: str | None = None
    dosage: list[Dosage] | None = None
    taken: str | None = None
    wasNotTaken: bool | None = None
    reasonNotTaken: list[CodeableConcept] | None = None
    adherence: Adherence | None = None
    renderedDosageInstruction: str | None = None


class MedicationRequest(MedicationRecord, kw_only=True):
    intent: str | None = None
    doNotPerform: bool | None = None
    reportedBoolean: bool | None = None
    reportedReference: Reference | None = None
    reported: bool | None = None
    authoredOn: str | None = None
    effectiveDosePeriod: Period | None = None
    dosageInstruction: list[Dosage] | None = None
    renderedDosageInstruction: str | None = None
    dispenseRequest: DispenseRequest | None = None
    priorPrescription: Reference | None = None
    groupIdentifier: Identifier | None = None


class MedicationAdministration(MedicationRecord, kw_only=True):
    """`occurence` is R5's own spelling; some spell it right."""

    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    occurenceDateTime: str | None = None
    occurencePeriod: Period | None = None
    occurenceTiming: Timing | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    effectiveTimeDateTime: str | None = None
    effectiveTimePeriod: Period | None = None
    wasNotGiven: bool | None = None
    notGiven: bool | None = None
    request: Reference | None = None
    prescription: Reference | None = None
    dosage: AdministrationDosage | None = None


class MedicationDispense(MedicationRecord, kw_only=True):
    whenHandedOver: str | None = None
    whenPrepared: str | None = None
    daysSupply: Quantity | None = None
    authorizingPrescription: list[Reference] | None = None
    dosageInstruction: list[Dosage] | None = None
    renderedDosageInstruction: str | None = None
    notDone: bool | None = None


class Reaction(Struct):
    substance: CodeableConcept | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class AllergyIntolerance(Resource, kw_only=True):
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    substance: CodeableConcept | None = None
    reaction: list[Reaction] | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    onsetDateTime: str | None = None
    recordedDate: str | None = None
    assertedDate: str | None = None


class ResearchSubject(Resource, kw_only=True):
    """In R5 `status` is that of the record itself, and `progress` tells what became of the subject."""

    status: str | None = None
    progress: list[Progress] | None = None
    period: Period | None = None
    study: Reference | None = None
    individual: Reference | None = None
    subject: Reference | None = None


class ResearchStudy(Resource, kw_only=True):
    identifier: list[Identifier] | None = None
    title: str | None = None


RESOURCE_TYPES: dict[str, type[Resource]] = {
    kind.__name__: kind
    for kind in (
        Patient, Condition, Procedure, Observation, Medication,
        MedicationStatement, MedicationRequest, MedicationAdministration, AllergyIntolerance, ResearchSubject,
    )
}  # fmt: skip
# Read as well, though no query asks for them.
READ_TYPES: dict[str, type[Resource]] = {
    **RESOURCE_TYPES, "DiagnosticReport": DiagnosticReport, "MedicationDispense": MedicationDispense,
    "ResearchStudy": ResearchStudy, "Substance": Substance,
}  # fmt: skip
