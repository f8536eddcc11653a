"""Drafts as clients really send them: none yet, of other versions of FHIR, broken, absurd, or another patient's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cds_service.errors import MissingRecord, NotConformant
from fhir_fixtures.drafts import draft_orders
from tests.guard.guarded import answer_to, card_for, day, drafted, effects_of, service
from tests.trials.resources_of import PATIENT, Resource

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PREDNISONE = {"coding": [{"system": RXNORM, "code": "8640", "display": "prednisone"}]}


def without(resource: Resource, *names: str) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}


# nothing chosen yet


@pytest.mark.parametrize(
    "orders",
    [
        None,  # the Sandbox, when the current tab is clicked again
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": []},
        {"resourceType": "Bundle", "entry": [None, {}, {"fullUrl": "urn:uuid:1"}]},
        draft_orders([drafted("prednisone") | {"medicationCodeableConcept": {}}]),
        draft_orders([drafted("prednisone") | {"medicationCodeableConcept": {"text": " ", "coding": [{}]}}]),
        draft_orders([without(drafted("prednisone"), "medicationCodeableConcept")]),
        draft_orders([service() | {"code": {"coding": [{}]}}]),
        draft_orders([{"resourceType": "NutritionOrder", "id": "n1", "status": "draft"}]),
    ],
)
def test_where_nothing_is_chosen_there_is_nothing_to_say(orders: Any) -> None:
    assert answer_to(orders) == []


# shapes


def test_a_bundle_needs_no_type() -> None:
    assert len(answer_to({"resourceType": "Bundle", "entry": [{"resource": drafted("ruxolitinib", mg=10)}]})) == 1


def test_shapes_that_fhir_does_not_have_cost_no_order() -> None:
    """The Sandbox sends `category` and `reasonCode` as objects."""
    odd = drafted("prednisone", mg=40) | {"category": {"text": "outpatient"}, "reasonCode": {"text": "GVHD"}}
    odd["dosageInstruction"] = odd["dosageInstruction"][0]
    assert effects_of(odd)["I03b"]["until"] == day(28).isoformat()


def test_an_order_of_dstu2_is_read() -> None:
    """A MedicationOrder, with the patient under its old name and `periodUnits`."""
    dose = {"value": 40, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    order = {
        "resourceType": "MedicationOrder", "id": "order-123", "status": "draft", "patient": PATIENT,
        "dateWritten": "2026-03-16", "medicationCodeableConcept": PREDNISONE,
        "dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnits": "d"}},
                               "doseQuantity": dose}],
    }  # fmt: skip
    found = effects_of(order)["I03b"]
    assert (found["until"], found["drafts"]) == (day(28).isoformat(), ["MedicationOrder/order-123"])


def test_an_order_of_stu3_is_read() -> None:
    order = without(drafted("prednisone", mg=40), "intent") | {"context": {"reference": "Encounter/1"}}
    (dosage,) = order["dosageInstruction"]
    dosage["doseQuantity"] = dosage.pop("doseAndRate")[0]["doseQuantity"]
    assert effects_of(order)["I03b"]["until"] == day(28).isoformat()


@pytest.mark.parametrize("element", ["occurrenceDateTime", "scheduledDateTime"])
def test_a_procedure_request_of_an_older_version_is_read(element: str) -> None:
    order = service("DLI", **{"http://www.ama-assn.org/go/cpt": "38242"})
    order |= {"resourceType": "ProcedureRequest", element: day(3).isoformat()}
    assert effects_of(order)["E10"]["until"] == day(3 + 101).isoformat()


def test_an_order_of_r5_is_read() -> None:
    order = without(drafted("ruxolitinib", mg=10), "medicationCodeableConcept")
    order["medication"] = {"concept": {"coding": [{"system": RXNORM, "code": "1193326", "display": "ruxolitinib"}]}}
    assert effects_of(order)["E12"]["until"] == day(29).isoformat()


@pytest.mark.parametrize("status", ["draft", None, "", "proposed"])
@pytest.mark.parametrize("intent", ["order", "proposal", "plan", None])
def test_a_signature_makes_an_active_order_of_every_draft(status: str | None, intent: str | None) -> None:
    order = drafted("ruxolitinib", mg=10) | {"status": status, "intent": intent, "authoredOn": "2024-01-01"}
    assert effects_of(order)["E12"]["until"] == day(29).isoformat()


def test_a_draft_that_was_entered_in_error_is_none() -> None:
    assert card_for(drafted("ruxolitinib", mg=10, status="entered-in-error")) is None


def test_a_medication_beside_the_drafts_names_the_drug() -> None:
    """As Epic sends them, with ids longer than FHIR allows and a requester that is not told."""
    order = without(drafted("prednisone", "x" * 90, mg=40), "medicationCodeableConcept")
    order["medicationReference"] = {"reference": "https://ehr.example/fhir/Medication/m77"}
    order["requester"] = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}
    medication = {"resourceType": "Medication", "id": "m77", "code": PREDNISONE}
    assert effects_of(order, medication)["I03b"]["until"] == day(28).isoformat()


def test_a_medication_that_is_contained_names_the_drug() -> None:
    order = without(drafted("prednisone", mg=40), "medicationCodeableConcept")
    order["medicationReference"] = {"reference": "#m"}
    order["contained"] = [{"resourceType": "Medication", "id": "m", "code": PREDNISONE}]
    assert effects_of(order)["I03b"]["until"] == day(28).isoformat()


# what cannot be read


def test_a_medication_that_is_not_there_may_be_a_corticosteroid() -> None:
    order = without(drafted("prednisone", mg=40), "medicationCodeableConcept")
    order["medicationReference"] = {"reference": "Medication/unknown"}
    card = card_for(order)
    assert card is not None
    assert "order that cannot be read" in card["summary"]
    assert {"I03a", "I03b"} == set(effects_of(order))


@pytest.mark.parametrize(
    "change",
    [
        {"dosageInstruction": "40 mg"},
        {"subject": "Patient/p1"},
        {"modifierExtension": [{"url": "http://example.org/unknown", "valueBoolean": True}]},
        {"implicitRules": "http://example.org/rules"},
    ],
)
def test_a_corticosteroid_that_cannot_be_read_is_named(change: dict[str, Any]) -> None:
    card = card_for(drafted("prednisone", mg=40) | change)
    assert card is not None
    assert (
        card["summary"] == "An order for prednisone today: what it changes for NCT06920199 cannot be told (I03a, I03b)"
    )


@pytest.mark.parametrize(("drug", "criteria"), [("tacrolimus", {"I03c"}), ("ruxolitinib", {"I03c", "E12"})])
def test_another_drug_that_cannot_be_read_is_named_where_it_matters(drug: str, criteria: set[str]) -> None:
    assert set(effects_of(drafted(drug, mg=2) | {"dosageInstruction": "2 mg"})) == criteria


def test_an_unreadable_draft_of_a_drug_that_does_not_matter_is_not_named() -> None:
    assert card_for(drafted("prednisone", named="Paracetamol") | {"dosageInstruction": "500 mg"}) is None


def test_the_words_of_a_draft_stay_words() -> None:
    """They are escaped, since the detail of a card is Markdown."""
    text = "prednisone [x](http://evil.example) <img src=x>"
    card = card_for(drafted("prednisone", named=text) | {"dosageInstruction": "40 mg"})
    assert card is not None
    assert "<img" not in card["detail"]
    assert "[x](" not in card["detail"]


def test_a_procedure_that_cannot_be_read_is_named() -> None:
    cells = service("DLI", **{"http://www.ama-assn.org/go/cpt": "38242"}) | {"subject": "Patient/p1"}
    assert effects_of(cells)["E10"]["untold"] is True


@pytest.mark.parametrize("oddity", [{"id": 7}, {"id": ""}, {"status": 7}, {"intent": ["order"]}, {"authoredOn": 2026}])
def test_an_oddity_beside_the_order_costs_nothing(oddity: dict[str, Any]) -> None:
    assert effects_of(drafted("ruxolitinib", mg=10) | oddity)["E12"]["until"] == day(29).isoformat()
    cells = service("DLI", **{"http://www.ama-assn.org/go/cpt": "38242"})
    assert effects_of(cells | oddity)["E10"]["until"] == day(101).isoformat()


@pytest.mark.parametrize("change", [{"doNotPerform": True}, {"status": "on-hold"}, {"status": "revoked"}])
def test_cells_that_are_not_to_be_given_start_nothing(change: dict[str, Any]) -> None:
    cells = service("DLI", **{"http://www.ama-assn.org/go/cpt": "38242"})
    assert card_for(cells | change) is None


def test_an_infusion_that_is_held_is_none_that_was_given() -> None:
    assert effects_of(drafted("aldesleukin", status="on-hold", mg=1)).get("E09", {}).get("after") != "fail"


def test_an_extension_that_may_change_a_procedure_leaves_a_doubt() -> None:
    cells = service("DLI", **{"http://www.ama-assn.org/go/cpt": "38242"})
    cells["modifierExtension"] = [{"url": "http://example.org/unknown", "valueBoolean": True}]
    assert effects_of(cells)["E10"]["untold"] is True


def test_a_draft_nested_without_end_is_no_defect() -> None:
    deep: Any = "prednisone"
    for _ in range(400):
        deep = {"text": deep}
    assert answer_to(draft_orders([drafted("prednisone") | {"medicationCodeableConcept": deep}])) != []


@pytest.mark.parametrize("junk", ["a string", 7, {"resource": "x"}, {"resource": {"id": "no type"}}, {"resource": []}])
def test_an_entry_that_is_no_resource_may_be_an_order(junk: Any) -> None:
    (card,) = answer_to({"resourceType": "Bundle", "entry": [junk, {"resource": drafted("ruxolitinib", mg=10)}]})
    found = {one["criterion"] for one in card["extension"]["org.trialhook.orders"]["effects"]}
    assert found == {"I03a", "I03b", "I03c", "E12"}


@pytest.mark.parametrize("absurd", ["a string", 7, [], [drafted("prednisone", mg=40)], {"entry": []}, True])
def test_what_is_no_bundle_is_refused(absurd: Any) -> None:
    """An order may stand in it, so silence would be wrong; and it is not the record that is missing."""
    with pytest.raises(NotConformant):
        answer_to(absurd)


def test_an_order_alone_is_read_without_its_bundle() -> None:
    assert len(answer_to(drafted("ruxolitinib", mg=10))) == 1


def test_a_thousand_drafts_are_answered() -> None:
    many = [drafted("prednisone", f"draft-{number}", mg=20 + number % 7) for number in range(1000)]
    (card,) = answer_to(draft_orders(many))
    assert len(card["summary"]) < 140


# whose


def test_another_patients_draft_is_listed_and_not_applied() -> None:
    other = drafted("ruxolitinib", "draft-2", mg=10, patient="somebody-else")
    assert card_for(other) is None
    card = card_for(other, drafted("belumosudil", mg=200))
    assert card is not None
    told = card["extension"]["org.trialhook.orders"]
    assert told["skipped"] == [{"reference": "MedicationRequest/draft-2", "reason": "other-patient"}]
    assert all(one["drafts"] == ["MedicationRequest/draft-1"] for one in told["effects"])


# several, and the record


def test_two_drafts_are_one_card() -> None:
    card = card_for(drafted("prednisone", mg=20), drafted("ruxolitinib", "draft-2", mg=10, every="bid"))
    assert card is not None
    assert card["summary"] == (
        f"Changing prednisone, starting ruxolitinib today: not before {day(29)} for NCT06920199 (I03b, E12)"
    )
    assert f"not before {day(28)}" in card["detail"]
    assert f"not before {day(29)}" in card["detail"]


def test_the_order_of_the_drafts_changes_nothing() -> None:
    one, other = drafted("prednisone", mg=20), drafted("ruxolitinib", "draft-2", mg=10)
    assert effects_of(one, other) == effects_of(other, one)


@pytest.mark.parametrize("key", ["patient", "conditions"])
@pytest.mark.parametrize("state", ["absent", "failed"])
def test_without_the_required_queries_nothing_is_said(key: str, state: str) -> None:
    with pytest.raises(MissingRecord):
        card_for(drafted("ruxolitinib", mg=10), sources={key: state})


@pytest.mark.parametrize("state", ["failed", "absent", "truncated"])
@pytest.mark.parametrize("mg", [30, 40])
def test_a_medication_list_that_was_not_read_lets_no_difference_be_claimed(state: str, mg: int) -> None:
    """The same order may stand in it. A corticosteroid is named all the same."""
    missing = {"medicationStatements": state, "medicationRequests": state}
    found = effects_of(drafted("prednisone", mg=mg), sources=missing)
    assert {"I03a", "I03b"} <= set(found)
    assert found["I03b"]["untold"] is True
    assert "until" not in found["I03b"]


def test_a_first_dose_is_not_claimed_where_the_earlier_ones_may_be_missing() -> None:
    found = effects_of(drafted("ruxolitinib", mg=10), sources={"medicationRequests": "failed"})
    assert (found["E12"]["after"], "until" in found["E12"]) == ("review", False)
    assert found["I03c"]["untold"] is True


# who


@pytest.mark.parametrize(
    "facts",
    [
        {"condition": {"icd-10-cm": "M31.11", "recorded": "2022"}},  # ruled out
        {"conditions": "none", "procedures": "none"},  # no patient for the trial
        {"patient": {"died": True}},
    ],
)
def test_who_cannot_take_part_gets_no_card(facts: dict[str, Any]) -> None:
    assert card_for(drafted("ruxolitinib", mg=10), **facts) is None


def test_who_may_take_part_later_gets_one() -> None:
    """A low count excludes for now, and is curable."""
    assert card_for(drafted("ruxolitinib", mg=10), labs={"neutrophils": "0.5 10*9/L"}) is not None


def test_drafts_are_left_as_they_came() -> None:
    draft = drafted("prednisone", mg=40)
    before = copy.deepcopy(draft)
    card_for(draft)
    assert draft == before
