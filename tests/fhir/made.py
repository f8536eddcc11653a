"""Resources and records made for tests, each as small as what it shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

import msgspec

from cds_service.clinical.facts import PatientFacts, Problem
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result
from cds_service.clinical.medications import DoseStep, MedicationUse
from cds_service.fhir import elements as el
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import Records, from_files, from_prefetch
from cds_service.terminology.codes import ConceptIndex, code_sets, system_address

Json = dict[str, Any]
AS_OF = date(2026, 3, 16)
PATIENT: Json = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-05-01", "gender": "male"}
SUBJECT = {"reference": "Patient/p1"}
CGVHD = {"system": "http://snomed.info/sct", "code": "402356004"}
PREDNISONE = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8640"}
TABLET_5_MG = {**PREDNISONE, "code": "312617", "display": "prednisone 5 MG Oral Tablet"}


@cache
def index() -> ConceptIndex:
    return ConceptIndex(code_sets())


def coded(system: str, code: str, display: str | None = None) -> Json:
    """A coding by our short name of its system."""
    return {"system": system_address(system), "code": code} | ({"display": display} if display else {})


def resource(kind: str, name: str = "x1", **elements: Any) -> Json:
    return {"resourceType": kind, "id": name, "subject": SUBJECT, **elements}


def condition(*codings: Json, name: str = "c1", **elements: Any) -> Json:
    return resource("Condition", name, **{"code": {"coding": list(codings) or [CGVHD]}, **elements})


def observation(loinc: str = "2160-0", name: str = "o1", **elements: Any) -> Json:
    stated = {
        "status": "final",
        "effectiveDateTime": "2026-03-10",
        "code": {"coding": [coded("loinc", loinc)]},
    }
    return resource("Observation", name, **{**stated, **elements})


def statement(*dosage: Json, name: str = "m1", **elements: Any) -> Json:
    stated = {
        "status": "active", "effectivePeriod": {"start": "2026-01-05"}, "dosage": list(dosage),
        "medicationCodeableConcept": {"coding": [PREDNISONE]},
    }  # fmt: skip
    return resource("MedicationStatement", name, **{**stated, **elements})


def request(*dosage: Json, name: str = "r1", **elements: Any) -> Json:
    stated = {
        "status": "active", "intent": "order", "authoredOn": "2026-01-05", "dosageInstruction": list(dosage),
        "medicationCodeableConcept": {"coding": [PREDNISONE]},
    }  # fmt: skip
    return resource("MedicationRequest", name, **{**stated, **elements})


def repeat(frequency: int, period: float, unit: str = "d", **more: Any) -> Json:
    return {"timing": {"repeat": {"frequency": frequency, "period": period, "periodUnit": unit, **more}}}


def dose(value: object, unit: str | None = "mg", **more: Any) -> Json:
    quantity = {"value": value} | ({"unit": unit} if unit else {})
    return {"doseAndRate": [{"doseQuantity": quantity}], **more}


def bundle(*resources: Json, **elements: Any) -> Json:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **elements}


def file_records(*resources: Json, patient_id: str | None = None) -> Records:
    """The record that one file with the resources holds."""
    return from_files({"record": [json.dumps(bundle(*resources)).encode()]}, index(), patient_id)


def facts_of(*resources: Json) -> PatientFacts:
    """What is read from a file with the Patient and the resources."""
    return read_facts(file_records(PATIENT, *resources), index(), AS_OF)


def prefetched(answers: Mapping[str, object], patient_id: str = "p1") -> Records:
    """The record of a prefetch; what is no bytes is turned to JSON. The Patient is there unless answered otherwise."""
    every = {"patient": PATIENT, **answers}
    raw = {key: one if isinstance(one, bytes) else json.dumps(one).encode() for key, one in every.items()}
    return from_prefetch({key: msgspec.Raw(one) for key, one in raw.items()}, patient_id)


def prefetched_facts(answers: Mapping[str, object]) -> PatientFacts:
    return read_facts(prefetched(answers), index(), AS_OF)


def the_problem(*resources: Json) -> Problem:
    (found,) = facts_of(*resources).problems
    return found


def the_result(*resources: Json) -> Result:
    (found,) = facts_of(*resources).results
    return found


def the_use(*resources: Json) -> MedicationUse:
    (found,) = facts_of(*resources).medications
    return found


def the_step(dosage: Json, **elements: Any) -> DoseStep:
    (found,) = the_use(statement(dosage, **elements)).steps
    return found


def skipped(facts: PatientFacts) -> list[tuple[str, str]]:
    return [(one.reference, one.reason) for one in facts.skipped]


def doubts(facts: PatientFacts) -> set[tuple[str, frozenset[str] | None]]:
    """The sources that hold an unreadable entry, with what it may be about."""
    return {(one.source, one.concepts) for one in facts.unread}


def exactly(number: object) -> Interval:
    return Interval.exactly(el.Number(str(number)))


def references(found: Iterable[Any]) -> list[str]:
    return [one.reference for one in found]
