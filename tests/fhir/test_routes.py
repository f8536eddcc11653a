"""How a drug reached the body: as stated, or as the product proves, else unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.made import Json, coded, dose, facts_of, repeat, statement

DAILY_20 = {**dose(20), **repeat(1, 1)}
ORAL = {"route": {"coding": [coded("snomed", "26643006")]}}


def routed(drug: str, dosage: Json, **elements: Any) -> str:
    record = statement(dosage, medicationCodeableConcept={"text": drug}, **elements)
    return facts_of(record).medications[0].route


@pytest.mark.parametrize(
    ("drug", "dosage", "route"),
    [
        ("Prednisone", {**DAILY_20, "route": {"coding": [coded("snomed", "26643006")]}}, "systemic"),
        ("Methylprednisolone", {**DAILY_20, "route": {"coding": [coded("snomed", "47625008")]}}, "systemic"),
        ("Prednisone", {**DAILY_20, "route": {"text": "PO"}}, "systemic"),
        ("Methylprednisolone", {**DAILY_20, "route": {"text": "IV"}}, "systemic"),
        ("Prednisone", {**DAILY_20, "route": {"text": "Oral"}}, "systemic"),
        ("Prednisone 5 mg tablet", {**DAILY_20, "route": {"coding": [{"system": "urn:x", "code": "9"}]}}, "systemic"),
        ("Prednisone 5 mg tablet", {}, "systemic"),
        ("Prednisone", DAILY_20, "systemic"),
        ("Prednisone", {}, "systemic"),
        ("Prednisolone 3 MG/ML Oral Solution", {**dose(5, "mL"), **repeat(1, 1)}, "systemic"),
        ("Dexamethasone", {**DAILY_20, "route": {"coding": [coded("snomed", "6064005")]}}, "local"),
        ("Dexamethasone", {**DAILY_20, "route": {"text": "Nebulization"}}, "local"),
        ("Prednisolone", {**DAILY_20, "method": {"text": "Topical"}}, "local"),
        ("Dexamethasone 0.1 MG/ML Oral Solution", {"text": "Swish and spit 5 mL four times daily"}, "local"),
        ("Dexamethasone", {"text": "Swish and spit 5 mL four times daily", **ORAL}, "local"),
        ("Dexamethasone 0.5 mg/5 mL elixir", {"text": "Rinse mouth with 5 mL QID and spit", **ORAL}, "local"),
        ("Dexamethasone 0.5 mg/5 mL solution", {"text": "Swish 5 mL, expectorate. Do not swallow."}, "local"),
        ("Dexamethasone", {**dose(5, "mL"), **repeat(4, 1), "text": "Swish & spit"}, "local"),
        ("Dexamethasone 0.5 mg/5 mL solution", {"text": "Swish 5 mL and swallow QID", **ORAL}, "unknown"),
        ("Dexamethasone 4 mg tablet", {"text": "Dissolve in 5 mL, swish and spit", **ORAL}, "unknown"),
        ("Prednisolone 3 MG/ML Oral Solution", {"text": "Take 5 mL daily, rinse mouth after use", **ORAL}, "systemic"),
        ("Methylprednisolone", {**DAILY_20, "route": {"coding": [coded("snomed", "78421000")]}}, "depot"),
        ("Methylprednisolone", {**DAILY_20, "route": {"text": "IM"}}, "depot"),
        ("Triamcinolone", {**DAILY_20, "route": {"text": "Intra-articular"}}, "depot"),
        ("Dexamethasone 0.1 MG/ML Oral Solution", {**dose(5, "mL"), **repeat(4, 1)}, "unknown"),
        ("Dexamethasone 0.1 MG/ML Oral Solution", {}, "unknown"),
        ("Methylprednisolone 40 MG Injection", DAILY_20, "unknown"),
        ("Prednisone", {**DAILY_20, "route": {"coding": [{"system": "urn:x", "code": "9"}]}}, "unknown"),
        ("Methylprednisolone 40 MG Injection", {"text": "40 mg IV q12h"}, "systemic"),
        ("Methylprednisolone 40 MG Injection", {"text": "40 mg IM daily"}, "unknown"),
        ("Methylprednisolone", {"text": "80 mg IM once"}, "unknown"),
        ("Methylprednisolone 40 MG Injection", {"text": "give 40 mg"}, "unknown"),
        ("Prednisone", {**dose(2, "puff"), **repeat(1, 1)}, "unknown"),
        ("Prednisone 5 mg tablet", {**DAILY_20, "text": "Dissolve and apply as mouth rinse"}, "unknown"),
    ],
)
def test_the_route_is_as_stated_or_as_the_product_proves_else_unknown(drug: str, dosage: Json, route: str) -> None:
    assert routed(drug, dosage) == route


@pytest.mark.parametrize(
    "drug", ["Hydrocortisone 10 MG/ML Topical Cream", "Dexamethasone eye drops", "Prednisolone enema",
             "Triamcinolone 1 MG/ML Topical Cream", "Budesonide 0.25 MG/ML Inhalation Suspension"],
)  # fmt: skip
def test_a_local_product_never_reaches_the_whole_body(drug: str) -> None:
    uses = facts_of(statement(DAILY_20, medicationCodeableConcept={"text": drug})).medications
    assert all(one.route == "local" for one in uses)


@pytest.mark.parametrize(
    "drug",
    ["Prednison", "Prednisolon 20 mg Tabletten", "prednisona 20 mg comprimidos", "méthylprednisolone 16 mg comprimé",
     "Dexamétasona", "idrocortisone", "Betamethason", "dexaméthasone"],
)  # fmt: skip
def test_a_corticosteroid_is_known_by_its_names_in_other_languages(drug: str) -> None:
    assert routed(drug, DAILY_20) == "systemic"


@pytest.mark.parametrize(
    "drug",
    ["Prednisolon Augentropfen", "Hydrocortison-Salbe", "hidrocortisona crema", "dexaméthasone collyre",
     "Prednisolon Zäpfchen", "desametasone collirio"],
)  # fmt: skip
def test_a_form_that_does_not_count_is_known_in_other_languages(drug: str) -> None:
    assert facts_of(statement(DAILY_20, medicationCodeableConcept={"text": drug})).medications == ()
    coded_too = {"coding": [coded("rxnorm", "8638")], "text": drug}
    assert {one.route for one in facts_of(statement(DAILY_20, medicationCodeableConcept=coded_too)).medications} == {
        "local"
    }
