"""The order guard asked about drafts for the patient of the case tables, by the way that a request takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from cards.compose import Site
from cards.guard import order_composer
from cds_service import pipeline
from cds_service.hooks.request import HookRequest
from fhir_fixtures.drafts import draft_orders
from tests.trials.record_of import PROTOCOL, SCREENED_ON, answers_of, as_json, prefetch_of
from tests.trials.resources_of import PATIENT, Resource, Shorthand, medication

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
# Without tacrolimus, other therapies, or anything else that stands in the way.
NOTHING: Shorthand = {}


def day(days: int) -> date:
    """So many days after the day of the signature."""
    return SCREENED_ON + timedelta(days=days)


def drafted(drug: str, name: str = "draft-1", **facts: Any) -> Resource:
    """A draft order for a drug in the shorthand of the case tables; `from` and `to` bound its dosage."""
    return medication(name, drug, {"kind": "request", "status": "draft", **facts})


def service(text: str | None = None, name: str = "draft-1", **code: str) -> Resource:
    """A draft for a procedure, by its text, or by a code of one system."""
    coding = [{"system": system, "code": one} for system, one in code.items()]
    concept = ({"coding": coding} if coding else {}) | ({"text": text} if text else {})
    return {"resourceType": "ServiceRequest", "id": name, "status": "draft", "intent": "order", "subject": PATIENT,
            "code": concept}  # fmt: skip


def request_of(facts: Shorthand, orders: Any, hook: str = "order-sign") -> HookRequest:
    """A request with the patient's record as prefetch and anything as draftOrders; None for none."""
    prefetch = prefetch_of(answers_of(facts), facts.get("sources"))
    drafts = None if orders is None else msgspec.Raw(as_json(orders))
    return HookRequest(hook, INSTANCE, "p1", {key: msgspec.Raw(as_json(one)) for key, one in prefetch.items()},
                       draft_orders=drafts)  # fmt: skip


def answer_to(orders: Any, facts: Shorthand = NOTHING, site: Site | None = None) -> list[Mapping[str, Any]]:
    """The cards for whatever was sent as draftOrders."""
    answer = pipeline.order_guard(request_of(facts, orders), PROTOCOL, order_composer(site or Site()), SCREENED_ON)
    cards: list[Mapping[str, Any]] = answer["cards"]  # type: ignore[assignment]
    return cards


def card_for(*drafts: Resource, **facts: Any) -> Mapping[str, Any] | None:
    """The one card for the drafts, None where there is none."""
    cards = answer_to(draft_orders(drafts), facts)
    assert len(cards) <= 1
    return cards[0] if cards else None


def effects_of(*drafts: Resource, **facts: Any) -> dict[str, Mapping[str, Any]]:
    """What the card tells programs, by criterion."""
    card = card_for(*drafts, **facts)
    told = card["extension"]["org.trialhook.orders"]["effects"] if card else []
    assert len({one["criterion"] for one in told}) == len(told)
    return {one["criterion"]: one for one in told}
