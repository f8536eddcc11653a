"""The one card of the order hooks: its words, and what it never says."""

from __future__ import annotations

import re
from datetime import date

import pytest

from app import wire
from cards.compose import Site
from cds_service.settings import Settings
from fhir_fixtures.drafts import DRAFTS, draft_orders
from tests.guard.guarded import answer_to, card_for, day, drafted
from tests.web.calls import valueless

ALL = [make("p1") for make in DRAFTS.values()]


def test_the_words_are_those_of_the_difference() -> None:
    card = card_for(drafted("belumosudil", mg=200))
    assert card is not None
    assert card["summary"] == (
        f"Starting belumosudil today: not before {day(29)} for NCT06920199 (E12, new cGVHD therapy within 4 weeks)"
    )
    assert card["indicator"] == "info"


def test_care_comes_first_and_the_study_team_is_named_where_it_is_known() -> None:
    orders = draft_orders([drafted("basiliximab")])
    (unnamed,), (named,) = answer_to(orders), answer_to(orders, site=Site(coordinator_contact="+86 21 *000*"))
    assert f"not before {day(29)} for NCT06920199 (E09, IL-2 or drugs against it within 4 weeks)." in unnamed["detail"]
    assert "If treatment is needed, do not delay it." in unnamed["detail"]
    assert (
        "If treatment is needed, do not delay it; the study team can be reached at +86 21 \\*000\\*." in named["detail"]
    )


@pytest.mark.parametrize("name", DRAFTS)
def test_a_card_proposes_nothing_and_has_nothing_valueless(name: str) -> None:
    for card in answer_to(draft_orders([DRAFTS[name]("p1")])):
        assert "suggestions" not in card
        assert list(valueless(card)) == []
        assert card["source"]["topic"]["code"].isalnum()


@pytest.mark.parametrize("word", ["do not start", "avoid", "stop ", "cancel", "contraindicated", "should not"])
def test_no_card_advises_against_treatment(word: str) -> None:
    (card,) = answer_to(draft_orders(ALL))
    assert word not in (card["summary"] + card["detail"]).lower()


def test_many_orders_are_one_short_summary() -> None:
    (card,) = answer_to(draft_orders(ALL))
    assert len(card["summary"]) < 140
    assert len({card["uuid"], *(one["uuid"] for one in answer_to(draft_orders(ALL)))}) == 1


def test_in_chinese_nothing_of_ours_is_left_in_english() -> None:
    """Drugs, criteria and sentences; ids, units and the registry's number are the same in every language."""
    for name, draft in DRAFTS.items():
        for card in answer_to(draft_orders([draft("p1")]), site=Site(language="zh-CN")):
            words = re.sub(r"NCT06920199|IL-2|GVHD|DLI|CAR-T|[IE]\d\d[a-f]?", "", card["summary"])
            assert not re.search("[A-Za-z]{3,}", words), name


def test_the_summary_says_nothing_of_a_draft_that_is_another_drafts() -> None:
    """The gravest leads; what else there is stands below."""
    card = card_for(drafted("basiliximab"), drafted("filgrastim", "draft-2", mg="0.3"))
    assert card is not None
    assert card["summary"].startswith(f"Giving basiliximab today: not before {day(29)}")
    assert "- Starting filgrastim today: a count within 7 days" in card["detail"]


def test_many_drugs_of_one_kind_are_counted_where_their_names_are_too_many() -> None:
    drugs = ("ruxolitinib", "belumosudil", "ibrutinib", "imatinib")
    several = [
        drafted(drug, f"draft-{drug}", mg=10) for drug in (*drugs, "acalabrutinib", "baricitinib", "tofacitinib")
    ]
    card = card_for(*several)
    assert card is not None
    assert len(card["summary"]) < 140
    assert f"not before {day(29)} for NCT06920199" in card["summary"]


def test_the_services_are_wired() -> None:
    wiring = wire(Settings(open_access=True))
    assert [service.id for service in wiring.services] == [
        "nct06920199-patient-view", "nct06920199-order-select", "nct06920199-order-sign",
    ]  # fmt: skip
    prefetch = {tuple(sorted(service.prefetch.items())) for service in wiring.services}
    assert len(prefetch) == 1
    assert isinstance(wiring.today(), date)
