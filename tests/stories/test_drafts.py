"""The draft orders of the fixtures."""

from __future__ import annotations

import pytest

from cds_service.terminology.codes import code_sets, systems
from fhir_fixtures.drafts import DRAFTS, draft_orders, order_request_of
from fhir_fixtures.hook_request import hook_request_of

PATIENT = {"resourceType": "Patient", "id": "p1"}


@pytest.mark.parametrize("name", DRAFTS)
def test_every_code_of_a_draft_is_one_that_was_verified(name: str) -> None:
    draft = DRAFTS[name]("p1")
    concept = draft.get("medicationCodeableConcept") or draft["code"]
    verified = {(row["system"], str(row["code"])) for one in code_sets().values() for row in one.rows if row["checked"]}
    assert {(systems()[coding["system"]], coding["code"]) for coding in concept["coding"]} <= verified


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_is_one_and_is_the_patients(name: str) -> None:
    draft = DRAFTS[name]("p1")
    assert (draft["status"], draft["subject"]) == ("draft", {"reference": "Patient/p1"})
    assert draft != DRAFTS[name]("p2")


def test_a_request_of_an_order_hook_is_that_of_the_chart_with_the_drafts() -> None:
    opened = hook_request_of("p1", "p1", [PATIENT])
    draft = DRAFTS["ruxolitinib"]("p1")
    asked = order_request_of("order-select", opened, [draft])
    assert asked["context"]["draftOrders"] == draft_orders([draft])
    assert asked["context"]["selections"] == ["MedicationRequest/draft-ruxolitinib"]
    assert asked["prefetch"] == opened["prefetch"]
    assert "selections" not in order_request_of("order-sign", opened, [draft])["context"]
