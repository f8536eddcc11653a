"""A record as an EHR sends it: a collection Bundle, or the prefetched answers of a CDS Hooks request.

The keys and what each asks for are stated here once more, as an analyst would type them into an EHR.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.terminology.codes import code_sets, systems

BASE = "https://ehr.example/fhir"
# Who opens the charts: as made up as the patients.
USER: Mapping[str, Any] = {
    "resourceType": "Practitioner",
    "id": "synthetic-haematologist",
    "active": True,
    "name": [{"use": "official", "family": "Testhaematologist", "given": ["Kim"]}],
}
# The prefetch keys, and the type of resource that each brings.
KEYS: Mapping[str, str] = {
    "patient": "Patient",
    "conditions": "Condition",
    "procedures": "Procedure",
    "medicationStatements": "MedicationStatement",
    "medicationRequests": "MedicationRequest",
    "medicationAdministrations": "MedicationAdministration",
    "labs": "Observation",
    "body": "Observation",
    "function": "Observation",
    "allergies": "AllergyIntolerance",
    "researchSubjects": "ResearchSubject",
}
# What the three searches for observations name in their `code`, newest first.
ANALYTES: Mapping[str, tuple[str, ...]] = {
    "labs": (
        "creatinine", "bilirubin-total", "alt", "ast", "neutrophils", "neutrophils-percent", "granulocytes",
        "segmented-neutrophils", "segmented-neutrophils-percent", "band-neutrophils",
        "band-neutrophils-percent", "wbc", "platelets", "creatinine-clearance-reported", "hcg",
    ),
    "body": ("weight", "height"),
    "function": ("lvef", "fev1-percent-predicted", "fev1-volume", "fev1-predicted", "ecog", "karnofsky"),
}  # fmt: skip
Resource = Mapping[str, Any]


def hook_request_of(name: str, patient_id: str, resources: Sequence[Resource]) -> dict[str, Any]:
    """The patient-view request of CDS Hooks 2.0 with the answer to every query; one instance for one name."""
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid5(NAMESPACE_URL, f"urn:trialhook:story:{name}")),
        "context": {"userId": f"Practitioner/{USER['id']}", "patientId": patient_id},
        "prefetch": {key: _answer(key, patient_id, resources) for key in KEYS},
    }


def bundle_of(kind: str, resources: Iterable[Resource]) -> dict[str, Any]:
    """A Bundle of that type. A searchset says how many it found, and of each that it matched."""
    entries = [{"fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if kind == "searchset":
        bundle["total"] = len(entries)
        entries = [{**entry, "search": {"mode": "match"}} for entry in entries]
    return {**bundle, "entry": entries} if entries else bundle


def _answer(key: str, patient_id: str, resources: Sequence[Resource]) -> Any:
    """The answer to one query: the Patient itself, or what the search finds."""
    found = [one for one in resources if one["resourceType"] == KEYS[key]]
    if key == "patient":
        return next(one for one in found if one["id"] == patient_id)
    if key in ANALYTES:
        wanted = codes_of(ANALYTES[key])
        found = sorted((one for one in found if _codings(one) & wanted), key=_day, reverse=True)
    return bundle_of("searchset", found)


def codes_of(analytes: Iterable[str]) -> set[tuple[str, str]]:
    """The codes of the analytes, each with the short name of its system."""
    return {(row["system"], str(row["code"])) for one in analytes for row in code_sets()[one].rows}


def _codings(observation: Resource) -> set[tuple[str, str]]:
    codings = observation["code"].get("coding", [])
    return {(systems().get(one.get("system", ""), ""), one.get("code", "")) for one in codings}


def _day(observation: Resource) -> str:
    return str(observation.get("effectiveDateTime", ""))
