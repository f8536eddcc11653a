"""Which version of FHIR a resource has the shapes of. A server says its version only when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from cds_service.fhir import elements as el


class Version(StrEnum):
    """The versions that are told apart; R4 and R4B are one here."""

    DSTU2 = "DSTU2"
    STU3 = "STU3"
    R4 = "R4"
    R5 = "R5"


# Elements that only one version has, or has under this name.
_ONLY_IN = {
    Version.R5: (
        "medication", "occurrenceDateTime", "occurrencePeriod", "occurenceDateTime", "occurencePeriod", "reported",
        "adherence", "progress", "effectiveTiming", "occurenceTiming", "reason",
        "renderedDosageInstruction", "effectiveDosePeriod",
    ),
    Version.STU3: ("taken", "notDone", "notGiven"),
    Version.DSTU2: (
        "wasNotTaken", "wasNotGiven", "notPerformed", "dateRecorded", "effectiveTimeDateTime", "effectiveTimePeriod",
        "reasonForUseCodeableConcept", "reasonForUseReference", "substance",
    ),
}  # fmt: skip
# What was the patient before it became the subject.
_OF_A_PATIENT = (el.Condition, el.MedicationRecord)
_CODES_IN_STU3 = ("clinicalStatus", "verificationStatus")


def version_of(resource: el.Resource) -> Version:
    """The version whose shapes the resource has; R4 where nothing tells."""
    return next((version for version, is_of in _TELLS.items() if is_of(resource)), Version.R4)


def _is_dstu2(resource: el.Resource) -> bool:
    patient = isinstance(resource, _OF_A_PATIENT) and resource.patient is not None and resource.subject is None
    return patient or _has(resource, Version.DSTU2) or isinstance(getattr(resource, "note", None), str)


def _is_stu3(resource: el.Resource) -> bool:
    coded = any(isinstance(getattr(resource, name, None), str) for name in _CODES_IN_STU3)
    single = isinstance(getattr(resource, "interpretation", None), el.CodeableConcept)
    return (
        coded
        or single
        or _has(resource, Version.STU3)
        or isinstance(getattr(resource, "stage", None), el.ConditionStage)
    )


def _is_r5(resource: el.Resource) -> bool:
    subject = isinstance(resource, el.ResearchSubject) and resource.individual is None and resource.subject is not None
    dosages = getattr(resource, "dosage", None) or getattr(resource, "dosageInstruction", None)
    listed = isinstance(dosages, list) and any(isinstance(one.maxDosePerPeriod, list) for one in dosages)
    return subject or listed or _has(resource, Version.R5)


def _has(resource: el.Resource, version: Version) -> bool:
    return any(getattr(resource, name, None) is not None for name in _ONLY_IN[version])


_TELLS: dict[Version, Callable[[el.Resource], bool]] = {
    Version.DSTU2: _is_dstu2, Version.STU3: _is_stu3, Version.R5: _is_r5,
}  # fmt: skip
