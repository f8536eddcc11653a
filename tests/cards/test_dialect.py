"""Cards as each kind of client wants them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from cards.dialect import announced, spoken
from cds_service.hooks.clients import Dialect
from tests.web.calls import valueless

CREATE = {"type": "create", "description": "Order a test", "resource": {"resourceType": "ServiceRequest"}}
DELETE = {"type": "delete", "description": "Remove the order", "resourceId": "MedicationRequest/d1"}
CARD: dict[str, Any] = {
    "uuid": "7a2f7a1e-8f2b-4c55-9a55-0f4e0c3f5a10",
    "summary": "A card",
    "indicator": "info",
    "detail": "More",
    "source": {
        "label": "Trial",
        "url": "https://example.org",
        "icon": "https://example.org/i.png",
        "topic": {"system": "http://clinicaltrials.gov", "code": "NCT-06920199/orders", "display": "Orders"},
    },
    "suggestions": [
        {"label": "Test", "uuid": "u1", "isRecommended": True, "actions": [CREATE]},
        {"label": "Remove", "uuid": "u2", "actions": [DELETE]},
        {"label": "Both", "uuid": "u3", "actions": [CREATE, DELETE]},
    ],
    "selectionBehavior": "any",
    "overrideReasons": [{"code": "patient-refuses", "system": "http://example.org", "display": "Declined"}],
    "links": [{"label": "Registry", "url": "https://example.org", "type": "absolute", "autolaunchable": False}],
    "extension": {"org.trialhook.screening": {"patient": "Patient/p1"}},
}
ANSWER: Mapping[str, Any] = {"cards": [CARD]}
SERVICE = {
    "hook": "order-sign",
    "id": "s1",
    "title": "T",
    "description": "D",
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
    "usageRequirements": "U",
}


def card_in(dialect: Dialect, card: Mapping[str, Any] = CARD) -> dict[str, Any]:
    (told,) = spoken(dialect, {"cards": [card]})["cards"]
    return dict(told)


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_what_is_given_stays_as_it_is_and_nothing_valueless_comes(dialect: Dialect) -> None:
    answer = copy.deepcopy(ANSWER)
    assert not list(valueless(spoken(dialect, answer)))
    assert answer == ANSWER


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_no_cards_are_no_cards_in_every_dialect(dialect: Dialect) -> None:
    assert spoken(dialect, {"cards": []}) == {"cards": []}


@pytest.mark.parametrize("dialect", ["2.0", "3.0"])
def test_our_own_form_is_that_of_2_0_and_3_0(dialect: Dialect) -> None:
    assert card_in(dialect) == CARD


def test_epic_may_choose_any_suggestion() -> None:
    assert card_in("epic")["selectionBehavior"] == "any"


def test_epic_gets_one_action_for_each_suggestion() -> None:
    """A suggestion of two actions is left out: with half of it accepted, another thing would be done."""
    suggestions = card_in("epic")["suggestions"]
    assert [one["uuid"] for one in suggestions] == ["u1", "u2"]
    assert all(len(one["actions"]) == 1 for one in suggestions)


def test_epic_shows_the_description_so_that_it_is_the_label_as_well() -> None:
    for one in card_in("epic")["suggestions"]:
        assert one["label"] == one["actions"][0]["description"]
    assert card_in("epic")["suggestions"][0]["label"] == "Order a test"


def test_without_a_suggestion_for_epic_there_is_no_selection() -> None:
    told = card_in("epic", CARD | {"suggestions": [CARD["suggestions"][2], {"label": "None"}]})
    assert not {"suggestions", "selectionBehavior"} & set(told)
    assert told["summary"] == "A card"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("NCT06920199", "NCT06920199"), ("NCT-06920199/orders", "NCT06920199orders"), ("é1", "1"), ("x" * 150, "x" * 100)],
)
def test_the_topic_for_epic_is_alphanumeric_and_short(code: str, expected: str) -> None:
    source = CARD["source"] | {"topic": CARD["source"]["topic"] | {"code": code}}
    topic = card_in("epic", CARD | {"source": source})["source"]["topic"]
    assert topic == CARD["source"]["topic"] | {"code": expected}
    assert re.fullmatch(r"[A-Za-z0-9]{1,100}", topic["code"])


def test_a_topic_of_nothing_alphanumeric_is_none_for_epic() -> None:
    source = CARD["source"] | {"topic": {"code": "--"}}
    assert "topic" not in card_in("epic", CARD | {"source": source})["source"]


def test_epic_needs_the_ids_for_feedback() -> None:
    told = card_in("epic")
    assert told["uuid"] == CARD["uuid"] and told["overrideReasons"] == CARD["overrideReasons"]


def test_strict_1_0_has_only_what_1_0_knows() -> None:
    told = card_in("1.0")
    assert set(told) == {
        "summary", "indicator", "detail", "source", "suggestions", "selectionBehavior", "links",
    }  # fmt: skip
    assert set(told["source"]) == {"label", "url", "icon"}
    assert [set(one) for one in told["suggestions"]] == [{"label", "uuid", "actions"}] * 3
    assert [set(link) for link in told["links"]] == [{"label", "url", "type"}]


def test_strict_1_0_may_choose_at_most_one() -> None:
    assert card_in("1.0")["selectionBehavior"] == "at-most-one"
    bare = {key: value for key, value in CARD.items() if key not in ("suggestions", "selectionBehavior", "links")}
    assert not {"suggestions", "selectionBehavior", "links"} & set(card_in("1.0", bare))


def test_strict_1_0_names_what_is_deleted_in_resource() -> None:
    both = card_in("1.0")["suggestions"][2]["actions"]
    assert both[0] == CREATE
    assert both[1] == {"type": "delete", "description": "Remove the order", "resource": "MedicationRequest/d1"}


def test_strict_1_0_has_no_system_actions() -> None:
    assert set(spoken("1.0", {"cards": [CARD], "systemActions": [CREATE]})) == {"cards"}
    assert set(spoken("epic", {"cards": [CARD], "systemActions": [CREATE]})) == {"cards", "systemActions"}


def test_discovery_has_versions_for_3_0_only() -> None:
    assert announced("2.0", SERVICE) == announced("epic", SERVICE) == SERVICE
    assert announced("3.0", SERVICE) == SERVICE | {"version": "3.0.0", "hookVersion": "1.0"}
    assert "hookVersion" not in announced("3.0", SERVICE | {"hook": "org.example.own"})
    assert "usageRequirements" not in announced("1.0", SERVICE)
