"""The queries of the record that the service asks for, and which answers belong to which.

The keys are typed by analysts into EHRs and never change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from cds_service.terminology.codes import code_sets, system_address

ANALYTES_OF: Mapping[str, tuple[str, ...]] = {
    "labs": (
        "creatinine", "bilirubin-total", "alt", "ast", "neutrophils", "neutrophils-percent", "granulocytes",
        "segmented-neutrophils", "segmented-neutrophils-percent",
        "band-neutrophils", "band-neutrophils-percent", "wbc", "platelets",
        "creatinine-clearance-reported", "hcg",
    ),
    "body": ("weight", "height"),
    "function": ("lvef", "fev1-percent-predicted", "fev1-volume", "fev1-predicted", "ecog", "karnofsky"),
}  # fmt: skip
# Read where they come along, though no query asks for them: each with the query whose answer they would stand in.
UNASKED: Mapping[str, str] = {"systolic": "body", "diastolic": "body"}
READ_ANALYTES = frozenset(analyte for analytes in (*ANALYTES_OF.values(), UNASKED) for analyte in analytes)
# No query asks for dispenses; where one comes along it tells of an order.
STANDS_FOR: Mapping[str, str] = {"MedicationDispense": "MedicationRequest"}
_COUNT = {"labs": 200, "body": 200, "function": 100}


@dataclass(frozen=True, slots=True)
class Query:
    """One query: its prefetch key, the type of resource it brings, and whether it is sorted newest first."""

    key: str
    type: str
    sorted: bool = False


QUERIES: Mapping[str, Query] = {
    query.key: query
    for query in (
        Query("patient", "Patient"),
        Query("conditions", "Condition"),
        Query("procedures", "Procedure"),
        Query("medicationStatements", "MedicationStatement"),
        Query("medicationRequests", "MedicationRequest"),
        Query("medicationAdministrations", "MedicationAdministration"),
        Query("labs", "Observation", sorted=True),
        Query("body", "Observation", sorted=True),
        Query("function", "Observation", sorted=True),
        Query("allergies", "AllergyIntolerance"),
        Query("researchSubjects", "ResearchSubject"),
    )
}


def source_of_analyte(analyte: str) -> str:
    """The query that brings results of the analyte, or would. Raises KeyError for an unknown one."""
    return {**UNASKED, **{name: key for key, analytes in ANALYTES_OF.items() for name in analytes}}[analyte]


def prefetch_templates() -> dict[str, str]:
    """The prefetch templates as published at discovery."""
    patient = "{{context.patientId}}"
    return {key: _template(query, patient) for key, query in QUERIES.items()}


def _template(query: Query, patient: str) -> str:
    if query.key == "patient":
        return f"Patient/{patient}"
    parameters = "&".join(f"{name}={value}" for name, value in search_parameters(query, patient).items())
    return f"{query.type}?{parameters}"


@cache
def _codes(key: str) -> str:
    return ",".join(_tokens(ANALYTES_OF[key]))


def search_parameters(query: Query, patient: str) -> dict[str, str]:
    """The parameters of the query as a search of its type, not yet encoded."""
    if query.key == "patient":
        return {"_id": patient}
    if not query.sorted:
        return {"patient": patient}
    return {"patient": patient, "code": _codes(query.key), "_sort": "-date", "_count": str(_COUNT[query.key])}


def _tokens(analytes: Collection[str]) -> list[str]:
    """The codes of the analytes as search tokens, system|code, each once and in a fixed order."""
    rows = [(row["system"], str(row["code"])) for one in analytes for row in code_sets()[one].rows]
    return [f"{system_address(system)}|{code}" for system, code in dict.fromkeys(rows)]
