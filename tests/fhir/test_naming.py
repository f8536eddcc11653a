"""Which drug a medication record is about: by code, by reference, by words, or that nobody can tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.clinical.coded import Certainty
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import from_files
from tests.fhir.made import (
    AS_OF,
    PATIENT,
    PREDNISONE,
    TABLET_5_MG,
    Json,
    coded,
    dose,
    doubts,
    exactly,
    facts_of,
    index,
    repeat,
    request,
    skipped,
    statement,
    the_use,
)  # fmt: skip

DAILY_20 = {**dose(20), **repeat(1, 1)}
ONE = {"reference": "Medication/med"}
MEDICATION: Json = {"resourceType": "Medication", "id": "med", "code": {"coding": [TABLET_5_MG]}}


def by_reference(reference: Json, **elements: Any) -> Json:
    record = statement(DAILY_20, **elements)
    del record["medicationCodeableConcept"]
    return {**record, "medicationReference": reference}


def test_a_reference_leads_to_a_medication_of_the_record() -> None:
    found = the_use(by_reference(ONE), MEDICATION)
    assert (found.drug, found.certainty, found.label) == ("prednisone", Certainty.CODED, TABLET_5_MG["display"])


def test_a_contained_medication_is_found() -> None:
    contained = {**MEDICATION, "ingredient": [{"strength": {"numerator": {"value": 5, "unit": "mg"}}}]}
    found = the_use(
        by_reference({"reference": "#med"}, contained=[{"resourceType": "Organization", "id": 5}, contained])
    )
    assert found.drug == "prednisone"


def test_an_address_of_the_bundle_leads_to_its_medication() -> None:
    entries = [
        {"resource": PATIENT},
        {"fullUrl": "urn:uuid:m", "resource": MEDICATION},
        {"resource": by_reference({"reference": "urn:uuid:m"})},
    ]
    body = json.dumps({"resourceType": "Bundle", "entry": entries}).encode()
    (found,) = read_facts(from_files({"f": [body]}, index(), None), index(), AS_OF).medications
    assert found.drug == "prednisone"


def test_a_display_alone_names_the_drug_as_text() -> None:
    found = the_use(by_reference({"reference": "Medication/gone", "display": "Prednisone 5 mg tablet"}))
    assert (found.drug, found.certainty) == ("prednisone", Certainty.TEXT)


@pytest.mark.parametrize(
    "reference", [{"reference": "Medication/gone"}, {"reference": "#gone"}, {"reference": "urn:uuid:gone"}, {},
                  {"identifier": {"value": "7"}}],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_doubts_every_drug(reference: Json) -> None:
    facts = facts_of(by_reference(reference))
    assert (facts.medications, doubts(facts)) == ((), {("medicationStatements", None)})


@pytest.mark.parametrize("concept", [None, {}, {"coding": []}, {"coding": [{"system": "urn:local", "code": "1"}]}])
def test_a_record_that_names_no_drug_doubts_every_drug(concept: object) -> None:
    assert doubts(facts_of(request(DAILY_20, medicationCodeableConcept=concept))) == {("medicationRequests", None)}


def test_a_broken_medication_still_names_its_drug() -> None:
    facts = facts_of(by_reference(ONE), {**MEDICATION, "form": 7})
    assert [one.drug for one in facts.medications] == ["prednisone"]
    assert skipped(facts) == [("Medication/med", "unreadable")]


def test_a_medication_whose_meaning_may_be_changed_names_nothing() -> None:
    facts = facts_of(by_reference(ONE), {**MEDICATION, "modifierExtension": [{"url": "u"}]})
    assert doubts(facts) == {("medicationStatements", None)}


@pytest.mark.parametrize(
    "choice", [{"concept": {"coding": [PREDNISONE]}}, {"reference": ONE}, {"concept": {"text": "prednisone"}}]
)
def test_r5_states_the_drug_in_one_choice(choice: Json) -> None:
    record = {**statement(DAILY_20, status="recorded"), "medication": choice}
    del record["medicationCodeableConcept"]
    assert the_use(record, MEDICATION).drug == "prednisone"


def test_a_drug_of_no_interest_is_left_out_without_a_word() -> None:
    facts = facts_of(statement(DAILY_20, medicationCodeableConcept={"text": "Amoxicillin 500 mg"}))
    assert (facts.medications, facts.skipped, facts.unread) == ((), (), ())


def test_an_unreadable_record_leaves_a_doubt_about_its_drug() -> None:
    broken = statement(DAILY_20, status=7)
    assert doubts(facts_of(broken)) == {("medicationStatements", frozenset({"prednisone"}))}
    other = statement(DAILY_20, status=7, medicationCodeableConcept={"text": "Amoxicillin"})
    assert not facts_of(other).unread
    assert doubts(facts_of(by_reference(ONE, status=7), MEDICATION)) == {
        ("medicationStatements", frozenset({"prednisone"}))
    }


@pytest.mark.parametrize(
    ("codings", "text", "conflict"),
    [
        ([PREDNISONE], "Prednisone 20 MG Oral Tablet", False),
        ([{**PREDNISONE, "display": "prednisone"}], None, False),
        ([{**PREDNISONE, "display": "predniSONE 20 MG Oral Tablet"}], None, True),
        ([{**PREDNISONE, "display": "Methotrexate"}], None, True),
        ([PREDNISONE], "prednisolone", True),
        ([PREDNISONE], "Amoxicillin", False),
        ([PREDNISONE, coded("rxnorm", "6902")], None, True),
        ([PREDNISONE, TABLET_5_MG, coded("atc", "H02AB07")], None, False),
        ([TABLET_5_MG], "Prednisone 5 MG", False),
    ],
)
def test_a_code_that_contradicts_its_words_or_another_code_is_a_conflict(
    codings: list[Json], text: str | None, conflict: bool
) -> None:
    concept = {"coding": codings} | ({"text": text} if text else {})
    uses = facts_of(statement(DAILY_20, medicationCodeableConcept=concept)).medications
    assert {one.conflict for one in uses} == {conflict}
    assert "prednisone" in {one.drug for one in uses}


def test_a_product_code_with_another_strength_beside_it_spans_both() -> None:
    mislabelled = {**TABLET_5_MG, "display": "predniSONE 20 MG Oral Tablet"}
    record = statement({**dose(1, None), **repeat(1, 1)}, medicationCodeableConcept={"coding": [mislabelled]})
    (step,) = the_use(record).steps
    assert (step.daily, step.conflict) == (exactly(5).hull(exactly(20)), True)
    in_milligrams = statement({**dose(30), **repeat(1, 1)}, medicationCodeableConcept={"coding": [mislabelled]})
    assert (the_use(in_milligrams).steps[0].daily, the_use(in_milligrams).conflict) == (exactly(30), True)


@pytest.mark.parametrize(
    ("coding", "doubtful"),
    [
        (coded("rxnorm", "999999999"), True),  # any drug, for all that anybody can tell
        (coded("rxnorm", "999999999", "Metformin 500 MG"), False),
        (coded("rxnorm", "42316"), False),  # tacrolimus, whether the protocol asks for it or not
        (coded("atc", "A10BA02"), False),  # ATC names the class of the drug by itself
        (coded("rxnorm", "8640"), False),
    ],
)
def test_an_unknown_code_without_a_word_may_be_any_drug(coding: Json, doubtful: bool) -> None:
    facts = facts_of(PATIENT, statement(DAILY_20, medicationCodeableConcept={"coding": [coding]}))
    assert bool(doubts(facts)) is doubtful


ONE_TABLET: Json = {**dose(1, "Tablette"), **repeat(1, 1)}
OF_20_MG: Json = {"strength": {"numerator": {"value": 20, "unit": "mg"}, "denominator": {"value": 1, "unit": "TAB"}}}
SUBSTANCE: Json = {"resourceType": "Substance", "id": "sub", "code": {"coding": [PREDNISONE]}}
TO_SUBSTANCE = {"reference": "Substance/sub"}


def made_of(*ingredients: Json, **elements: Any) -> Json:
    return {"resourceType": "Medication", "id": "med", "ingredient": list(ingredients), **elements}


def one_tablet() -> Json:
    return {**by_reference(ONE), "dosage": [ONE_TABLET]}


@pytest.mark.parametrize("code", [None, {"text": "Decortin"}, {"coding": [{"system": "urn:pzn", "code": "1"}]}])
@pytest.mark.parametrize(
    "ingredient",
    [
        {"itemCodeableConcept": {"coding": [PREDNISONE]}},
        {"itemCodeableConcept": {"coding": [coded("atc", "H02AB07")]}},
        {"itemCodeableConcept": {"coding": [coded("snomed", "116602009")]}},
        {"itemCodeableConcept": {"text": "prednisone"}},
        {"itemReference": TO_SUBSTANCE},
        {"itemReference": {"reference": "Substance/gone", "display": "prednisone"}},
        {"item": {"concept": {"coding": [PREDNISONE]}}},
        {"item": {"reference": TO_SUBSTANCE}},
        {"itemReference": {"reference": "#inside"}},
    ],
)
def test_an_ingredient_names_the_drug(code: Json | None, ingredient: Json) -> None:
    inside = {"resourceType": "Medication", "id": "inside", "code": {"coding": [PREDNISONE]}}
    product = made_of({**ingredient, **OF_20_MG}, contained=[inside], **({"code": code} if code else {}))
    found = the_use(one_tablet(), product, SUBSTANCE)
    assert (found.drug, found.steps[0].daily, found.conflict) == ("prednisone", exactly(20), False)


def test_an_ingredient_may_be_a_medication_with_an_ingredient_or_itself() -> None:
    deeper = {**made_of({"itemCodeableConcept": {"coding": [PREDNISONE]}, **OF_20_MG}), "id": "deeper"}
    itself = {"itemReference": {"reference": "Medication/med"}}
    found = the_use(one_tablet(), made_of({"itemReference": {"reference": "Medication/deeper"}}, itself), deeper)
    assert (found.drug, found.steps[0].daily) == ("prednisone", exactly(20))


def test_a_substance_of_r5_states_its_code_one_level_deeper() -> None:
    substance = {**SUBSTANCE, "code": {"concept": {"coding": [PREDNISONE]}}}
    assert the_use(one_tablet(), made_of({"item": {"reference": TO_SUBSTANCE}}), substance).drug == "prednisone"


def test_each_of_several_ingredients_counts_with_its_own_strength() -> None:
    methotrexate = {
        "itemCodeableConcept": {"text": "methotrexate"},
        "strength": {"numerator": {"value": 2, "unit": "mg"}},
    }
    prednisone = {"itemCodeableConcept": {"coding": [PREDNISONE]}, **OF_20_MG}
    uses = facts_of(one_tablet(), made_of(prednisone, methotrexate, code={"text": "Combi"})).medications
    assert {(one.drug, one.steps[0].daily) for one in uses} == {
        ("prednisone", exactly(20)),
        ("methotrexate", exactly(2)),
    }
    assert not any(one.conflict for one in uses)


def test_an_excipient_is_no_drug() -> None:
    excipient = {"itemCodeableConcept": {"coding": [PREDNISONE]}, "isActive": False}
    assert facts_of(one_tablet(), made_of(excipient, code={"text": "Metformin"})).medications == ()


@pytest.mark.parametrize(
    ("code", "ingredient", "conflict"),
    [
        ({"coding": [PREDNISONE]}, {"coding": [coded("rxnorm", "6902")]}, True),
        ({"text": "Prednisone"}, {"coding": [coded("rxnorm", "6902")]}, True),
        ({"text": "Prednisone"}, {"coding": [{**PREDNISONE, "display": "Methotrexate"}]}, True),
        ({"text": "Prednisone"}, {"text": "Prednisone"}, False),
        ({"text": "Prednisone"}, {"text": "Calcium"}, False),
    ],
)
def test_a_product_called_what_none_of_its_ingredients_is_is_a_conflict(
    code: Json, ingredient: Json, conflict: bool
) -> None:
    uses = facts_of(one_tablet(), made_of({"itemCodeableConcept": ingredient}, code=code)).medications
    assert "prednisone" in {one.drug for one in uses}
    assert {one.conflict for one in uses} == {conflict}


@pytest.mark.parametrize(
    ("product", "doubtful"),
    [
        (made_of({"itemReference": TO_SUBSTANCE}, code={"text": "Decortin"}), True),
        (made_of({}, code={"text": "Decortin"}), True),
        (made_of({"itemCodeableConcept": {"text": "metformin"}}, {}), True),
        (made_of({"itemCodeableConcept": {"text": "metformin"}}), False),
        (made_of({}, code={"coding": [coded("atc", "A10BA02")]}), False),
        (made_of({"itemCodeableConcept": 7}, code={"text": "Decortin"}), True),
        (made_of(code={"text": "Decortin"}), False),
    ],
)
def test_an_ingredient_that_nobody_can_tell_may_be_any_drug(product: Json, doubtful: bool) -> None:
    facts = facts_of(one_tablet(), product)
    assert (bool(doubts(facts)), facts.medications) == (doubtful, ())
