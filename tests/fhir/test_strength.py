"""Strength: what one tablet or millilitre holds, or that nobody can tell."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from cds_service.clinical.interval import Interval
from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.strength import named_mg, strength_of
from cds_service.terminology.codes import Product
from tests.fhir.made import Json, exactly

FIVE = Product("prednisone", "tablet", Fraction(5), None)
SOLUTION = Product("prednisone", "solution", None, Fraction(1))


@pytest.mark.parametrize(
    ("name", "per_unit", "per_ml", "solid"),
    [
        ("predniSONE 5 MG Oral Tablet", 5, None, True),
        ("prednisone 2.5 mg tab", "2.5", None, True),
        ("Prednison 2,5 mg Tabletten", "2.5", None, True),
        ("醋酸泼尼松片 5mg", 5, None, True),
        ("Prednisone 5mg tablet (product)", 5, None, True),
        ("prednisolone 15 mg/5 mL oral solution", None, 3, False),
        ("prednisolone 3 MG/ML Oral Solution", None, 3, False),
        ("methylprednisolone 40 MG Injection", None, None, False),
        ("Prednisone", None, None, False),
        ("prednisone 20 mg", 20, None, False),
        ("prednisone 1,000 mg tablet", None, None, True),
        ("hydrocodone 5 mg / paracetamol 325 mg tablet", None, None, True),
        ("Ciprofloxacin 3 MG/ML / Dexamethasone 1 MG/ML Suspension", None, None, False),
        ("{21 (prednisone 5 MG Oral Tablet) } Pack", 5, None, False),
        ("prednisone 5 mg/0 ml", None, None, False),
    ],
)
def test_a_name_tells_strength_and_form(name: str, per_unit: object, per_ml: object, solid: bool) -> None:
    found = strength_of((), [name], None)
    assert found.per_unit == (None if per_unit is None else exactly(per_unit))
    assert found.per_ml == (None if per_ml is None else exactly(per_ml))
    assert (found.solid, found.conflict) == (solid, False)


def test_a_product_code_tells_strength_and_form() -> None:
    assert strength_of([FIVE], [], None).per_unit == exactly(5)
    assert strength_of([FIVE], [], None).solid
    assert strength_of([SOLUTION], [], None).per_ml == exactly(1)
    assert strength_of([SOLUTION], [], None).liquid


def test_two_places_that_name_different_strengths_are_a_conflict() -> None:
    found = strength_of([FIVE], ["predniSONE 20 MG Oral Tablet"], None)
    assert (found.per_unit, found.conflict) == (Interval(Fraction(5), Fraction(20)), True)


def _medication(strength: Json, **elements: object) -> el.Medication:
    body = {"resourceType": "Medication", "ingredient": [{"strength": strength}], **elements}
    found = decode(json.dumps(body).encode(), el.Medication)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("strength", "per_unit"),
    [
        ({"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1, "unit": "TAB"}}, 5),
        ({"numerator": {"value": 10, "code": "mg"}, "denominator": {"value": 2, "code": "{tbl}"}}, 5),
        ({"numerator": {"value": 5, "unit": "mg"}}, 5),
        ({"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1, "unit": "mL"}}, None),
        ({"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 0}}, None),
        ({"numerator": {"value": 5, "unit": "g"}}, None),
        ({"numerator": {"value": 5, "unit": "mg", "code": "g"}}, None),
        ({"numerator": {"value": 10**400, "unit": "mg"}}, None),
        ({"numerator": {"value": 5, "unit": "mg", "comparator": "<"}}, None),
        ({}, None),
    ],
)
def test_a_medication_states_the_strength_of_its_one_ingredient(strength: Json, per_unit: object) -> None:
    found = strength_of((), [], _medication(strength)).per_unit
    assert found == (None if per_unit is None else exactly(per_unit))


def test_the_strength_of_one_of_several_ingredients_is_not_that_of_the_product() -> None:
    two = [{"strength": {"numerator": {"value": 5, "unit": "mg"}}}] * 2
    assert strength_of((), [], _medication({}, ingredient=two)).per_unit is None


def test_the_form_of_a_medication_counts_like_its_name() -> None:
    assert strength_of((), ["Prednisone 5 mg"], _medication({}, form={"text": "Tablet"})).solid


def test_a_name_with_several_strengths_names_none() -> None:
    assert named_mg("prednisone 5 mg or 10 mg") is None
    assert named_mg("prednisone .5 mg") is None
    assert named_mg("prednisone 5 mg (5 MG)") == 5
