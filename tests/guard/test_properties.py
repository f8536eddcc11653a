"""What must hold of the order guard whatever the record: it disturbs nothing, and no visible loss silences it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import pytest

from cards.compose import Site, composer
from cards.guard import order_composer
from cds_service import pipeline
from cds_service.errors import MissingRecord
from cds_service.hooks.request import HookRequest
from fhir_fixtures.drafts import DRAFTS, draft_orders
from tests.guard.guarded import INSTANCE, drafted, effects_of, request_of, service
from tests.trials.losses import Loss, entries_lost, queries_lost
from tests.trials.record_of import PROTOCOL, SCREENED_ON, answers_of, as_json, prefetch_of
from tests.trials.test_properties import RECORDS

DLI = service("DLI", "draft-dli", **{"http://www.ama-assn.org/go/cpt": "38242"})
EVERY = [
    drafted("prednisone", "draft-prednisone", mg=40),
    drafted("ruxolitinib", "draft-ruxolitinib", mg=10, every="bid"),
    drafted("tacrolimus", "draft-tacrolimus", mg=2),
    drafted("basiliximab", "draft-basiliximab", mg=20),
    drafted("filgrastim", "draft-filgrastim", mg="0.3"),
    DLI,
    service("platelets", "draft-platelets", **{"http://snomed.info/sct": "12719002"}),
]
WHOLE = answers_of({"filgrastim": {"kind": "request", "mg": "0.3", "from": "2025-12-01", "to": "2025-12-03"}})
# Entries of what an order can be held against; every query.
_HELD_AGAINST = ("conditions", "procedures", "medicationStatements", "medicationRequests", "body")
LOSSES = [
    *(
        Loss(loss.what, {**WHOLE, key: [*loss.answers[key], *WHOLE[key][1:]]})
        for key in _HELD_AGAINST
        for loss in entries_lost({key: WHOLE[key][:1]})
    ),
    *queries_lost(WHOLE),
]


@pytest.mark.parametrize("name", RECORDS)
def test_drafts_change_nothing_of_what_a_chart_opening_says(name: str) -> None:
    """The guard asks about another record; the screening of this one is the same before and after."""
    compose = composer(Site(show_not_yet=True))
    facts: Any = RECORDS[name]
    opened = request_of(facts, None, "patient-view")
    with_drafts = request_of(facts, draft_orders(EVERY), "patient-view")
    first = pipeline.patient_view(opened, PROTOCOL, compose, SCREENED_ON)
    pipeline.order_guard(with_drafts, PROTOCOL, order_composer(Site()), SCREENED_ON)
    assert pipeline.patient_view(with_drafts, PROTOCOL, compose, SCREENED_ON) == first


def test_the_order_of_drafts_and_entries_changes_nothing() -> None:
    several = [EVERY[0], EVERY[1], DLI]
    found = [effects_of(*one) for one in itertools.permutations(several)]
    assert all(_unordered(one) == _unordered(found[0]) for one in found)


def _unordered(effects: Mapping[str, Mapping[str, Any]]) -> str:
    return json.dumps({key: {**one, "drafts": sorted(one["drafts"])} for key, one in effects.items()}, sort_keys=True)


def test_each_draft_says_alone_what_it_says_among_others() -> None:
    """But for the doses that add up, one draft takes nothing from the alert of another."""
    together = effects_of(*EVERY)
    for draft in EVERY:
        name = f"{draft['resourceType']}/{draft['id']}"
        for criterion in effects_of(draft):
            assert name in together[criterion]["drafts"]


def named_after(loss: Loss) -> dict[str, set[str]] | None:
    """The drafts by criterion that the card names after a loss; None for a refusal, which says what is missing."""
    prefetch = prefetch_of(loss.answers, loss.states)
    drafts = msgspec.Raw(as_json(draft_orders(EVERY)))
    raw = {key: msgspec.Raw(as_json(one)) for key, one in prefetch.items()}
    request = HookRequest("order-sign", INSTANCE, "p1", raw, draft_orders=drafts)
    try:
        answer = pipeline.order_guard(request, PROTOCOL, order_composer(Site()), SCREENED_ON)
    except MissingRecord:
        return None
    cards: list[Mapping[str, Any]] = answer["cards"]  # type: ignore[assignment]
    told = cards[0]["extension"]["org.trialhook.orders"]["effects"] if cards else []
    return {one["criterion"]: set(one["drafts"]) for one in told}


@cache
def told_of_the_whole() -> dict[str, set[str]]:
    found = named_after(Loss("nothing", WHOLE))
    assert found is not None
    return found


# Where the protocol says what an order is taken for, every single alert survives; of the others the draft is named.
STAY = {one.id for one in PROTOCOL.criteria if one.rule.ordered}


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.what)
def test_no_loss_that_shows_silences_an_alert(loss: Loss) -> None:
    """Who can be seen to have lost a part of the record is refused, or still told of every draft."""
    whole, after = told_of_the_whole(), named_after(loss)
    if after is not None:
        assert set().union(*whole.values()) == set().union(*after.values())
        for criterion in STAY & set(whole):
            assert whole[criterion] <= after.get(criterion, set()), criterion


@pytest.mark.parametrize("name", DRAFTS)
def test_an_answer_is_the_same_when_it_is_asked_again(name: str) -> None:
    request = request_of({}, draft_orders([DRAFTS[name]("p1")]))
    compose = order_composer(Site())
    first = pipeline.order_guard(request, PROTOCOL, compose, SCREENED_ON)
    assert pipeline.order_guard(request, PROTOCOL, compose, SCREENED_ON) == first
