"""Draft orders as entries of the record: what a signature makes of them, and that no oddity is a defect."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from cds_service.fhir import elements as el
from cds_service.fhir.drafts import Drafts, NotOrders, read_drafts
from fhir_fixtures.drafts import DRAFTS, draft_orders

TODAY = date(2026, 3, 16)
ODD: tuple[Any, ...] = (None, "", "text", 7, -1, True, [], {}, [None], [7], {"x": 1}, [[]], "\u202e")


def read(orders: Any) -> Drafts:
    return read_drafts(msgspec.Raw(json.dumps(orders).encode()), TODAY)


def spoiled(value: Any) -> Iterator[Any]:
    """The value with each part of it replaced by each oddity, and left out."""
    yield from ODD
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: one for name, one in value.items() if name != key}
            yield from ({**value, key: odd} for odd in spoiled(inner))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], odd, *value[at + 1 :]] for odd in spoiled(inner))


@pytest.mark.parametrize("name", ["prednisone-20", "donor-lymphocytes"])
def test_no_oddity_is_a_defect(name: str) -> None:
    """Whatever stands where: the drafts are read, or refused as no orders."""
    for orders in spoiled(draft_orders([DRAFTS[name]("p1")])):
        try:
            drafts = read(orders)
        except NotOrders:
            continue
        assert {entry.type for entry in drafts.answer.entries} <= {"MedicationRequest", "Procedure"}


def test_what_is_spoiled_beside_the_drug_leaves_a_draft() -> None:
    """An order that names its drug is there, readable or not."""
    draft = DRAFTS["prednisone-20"]("p1")
    for key in draft:
        if key not in ("resourceType", "medicationCodeableConcept"):
            for odd in ODD:
                assert len(read(draft_orders([{**draft, key: odd}])).orders) == 1, (key, odd)


def test_a_signature_makes_an_active_order_of_today() -> None:
    order = DRAFTS["ruxolitinib"]("p1") | {"intent": "proposal", "authoredOn": "2025-01-01"}
    (entry,) = [one for one in read(draft_orders([order])).answer.entries if one.type == "MedicationRequest"]
    assert isinstance(entry.resource, el.MedicationRequest)
    assert (entry.resource.status, entry.resource.intent, entry.resource.authoredOn) == (
        "active",
        "order",
        "2026-03-16",
    )


def test_an_order_in_force_keeps_the_day_on_which_it_was_written() -> None:
    order = DRAFTS["ruxolitinib"]("p1") | {"status": "active", "authoredOn": "2025-01-01"}
    (entry,) = [one for one in read(draft_orders([order])).answer.entries if one.type == "MedicationRequest"]
    assert isinstance(entry.resource, el.MedicationRequest)
    assert entry.resource.authoredOn == "2025-01-01"


@pytest.mark.parametrize(("status", "stops"), [("stopped", True), ("cancelled", True), ("active", False)])
def test_a_signed_end_is_told_from_an_order(status: str, stops: bool) -> None:
    (draft,) = read(draft_orders([DRAFTS["ruxolitinib"]("p1") | {"status": status}])).orders
    assert draft.stops is stops


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ({}, "2026-03-16"),
        ({"occurrenceDateTime": "2026-03-20"}, "2026-03-20"),
        ({"occurrencePeriod": {"start": "2026-03-21T08:00:00Z"}}, "2026-03-21"),
        ({"occurrenceDateTime": "2025-03-20"}, "2026-03-16"),  # past: it is signed today
        ({"occurrenceDateTime": "soon"}, "2026-03-16"),
    ],
)
def test_a_procedure_is_done_on_the_day_for_which_it_is_ordered(when: dict[str, Any], day: str) -> None:
    (entry,) = read(draft_orders([DRAFTS["donor-lymphocytes"]("p1") | when])).answer.entries
    assert isinstance(entry.resource, el.Procedure)
    assert (entry.resource.status, entry.resource.performedDateTime) == ("completed", day)


def test_names_are_told_apart_even_where_ids_are_not() -> None:
    """Two drafts with one id, and none with any, stand in the record side by side."""
    draft = DRAFTS["prednisone-20"]("p1")
    nameless = copy.deepcopy(draft)
    del nameless["id"]
    entries = read(draft_orders([draft, draft, nameless, nameless])).answer.entries
    assert len({entry.reference for entry in entries}) == len(entries) == 8
