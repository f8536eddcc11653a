"""A record as facts: every entry read once, on the day of screening."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from cds_service.clinical.dates import DayRange
from cds_service.clinical.dispenses import with_dispenses
from cds_service.clinical.facts import PatientFacts, Sex, Skipped
from cds_service.clinical.medications import MedicationUse
from cds_service.fhir import elements as el
from cds_service.fhir.allergies import read_allergies
from cds_service.fhir.electrocardiograms import read_electrocardiograms
from cds_service.fhir.entries import Entry
from cds_service.fhir.interventions import read_interventions
from cds_service.fhir.ledger import Ledger
from cds_service.fhir.medications import MedicationReader
from cds_service.fhir.problems import read_problems
from cds_service.fhir.records import NoPatient, Records
from cds_service.fhir.results import panels, read_results
from cds_service.fhir.studies import ParticipationReader
from cds_service.fhir.upper_limits import Person
from cds_service.terminology.codes import ConceptIndex
from cds_service.terminology.remembered import Remembered

_Stock = el.Medication | el.Substance
_MEDICATION_RECORDS = ("MedicationStatement", "MedicationRequest", "MedicationDispense", "MedicationAdministration")


def read_facts(records: Records, index: ConceptIndex, as_of: date) -> PatientFacts:
    """The facts of the patient as of a day; entries dated later are listed and left out.

    Raises NoPatient when the Patient is missing or cannot be read.
    """
    patient = records.patient.resource if records.patient else None
    if records.patient is None or not isinstance(patient, el.Patient):
        raise NoPatient
    ledger, index = Ledger(as_of), Remembered(index)
    examinations = _of_type(records, "Observation", "DiagnosticReport")
    tied = panels(examinations, records.addresses)
    problems = tuple(read_problems(_of_type(records, "Condition"), index, ledger))
    interventions = tuple(read_interventions(_of_type(records, "Procedure"), index, ledger))
    born, sex = DayRange.parse(patient.birthDate), _sex(patient.gender)
    results = tuple(read_results(_of_type(records, "Observation"), index, ledger, tied, Person(sex, born)))
    medications = with_dispenses(_medications(records, index, ledger))
    allergies = tuple(read_allergies(_of_type(records, "AllergyIntolerance"), index, ledger))
    participations = ParticipationReader(ledger, _of_type(records, "ResearchStudy"), records.addresses)
    studies = tuple(participations.read(_of_type(records, "ResearchSubject")))
    tracings = tuple(read_electrocardiograms(examinations, index, ledger))
    unread = {*records.strange, *ledger.unread}
    return PatientFacts(
        records.patient.reference,
        born, sex, _died(patient, as_of),
        problems, interventions, results, medications, records.sources, allergies, studies,
        tracings,
        skipped=tuple(sorted({*records.skipped, *ledger.skipped}, key=lambda s: (s.reference, s.reason))),
        unread=tuple(sorted(unread, key=lambda u: (u.reference, u.source, sorted(u.concepts or ())))),
    )  # fmt: skip


def _medications(records: Records, index: ConceptIndex, ledger: Ledger) -> Iterator[MedicationUse]:
    known: dict[str, _Stock] = {}
    for entry in _of_type(records, "Medication", "Substance"):
        medication = entry.glimpse if entry.problem == "unreadable" else entry.resource
        if entry.problem:
            ledger.skipped.append(Skipped(entry.reference, entry.problem))
        if isinstance(medication, _Stock) and entry.problem in (None, "unreadable"):
            known[entry.reference] = _with_its_unread_ingredients(medication, entry)
    reader = MedicationReader(index, ledger, known, records.addresses)
    return reader.read(_of_type(records, *_MEDICATION_RECORDS))


def _with_its_unread_ingredients(medication: _Stock, entry: Entry) -> _Stock:
    """A broken Medication whose ingredients may be what is broken has one that says nothing."""
    if entry.problem and isinstance(medication, el.Medication) and b'"ingredient"' in entry.raw:
        return msgspec.structs.replace(medication, ingredient=[el.Ingredient()])
    return medication


def _of_type(records: Records, *types: str) -> Sequence[Entry]:
    return [entry for entry in records.entries if entry.type in types]


def _sex(gender: str | None) -> Sex:
    return "male" if gender == "male" else "female" if gender == "female" else "unknown"


def _died(patient: el.Patient, as_of: date) -> bool:
    """True when the patient is dead on the day; a date of death that cannot be read is one."""
    day = DayRange.parse(patient.deceasedDateTime)
    return bool(patient.deceasedBoolean or patient.deceasedDateTime) and not (day and day.first > as_of)
