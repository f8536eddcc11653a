"""Every story over HTTP: its verdict as far as an answer shows one, and a card or none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import assembled, wire
from cds_service.settings import Settings
from fhir_fixtures.story import Story, load_stories
from tests.synthetic import INDEX_DAY

SERVICE = "/cds-services/nct06920199-patient-view"
SILENT = frozenset({"ruled-out", "not-applicable"})


@cache
def client(show_not_yet: bool) -> FlaskClient:
    """The service on the index day: on a day after the trial's end some verdicts would rightly be others."""
    wiring = replace(wire(Settings(show_not_yet=show_not_yet, open_access=True)), today=lambda: INDEX_DAY)
    return assembled(wiring).test_client()


def cards_of(story: Story, show_not_yet: bool) -> list[dict[str, Any]]:
    answer = client(show_not_yet).post(SERVICE, json=story.hook_request(INDEX_DAY))
    assert answer.status_code == 200
    assert answer.json is not None
    return list(answer.json["cards"])


@pytest.mark.parametrize("story", load_stories(), ids=lambda story: story.id)
def test_a_story_shows_a_card_or_none(story: Story) -> None:
    assert bool(cards_of(story, show_not_yet=False)) is story.shows_card


@pytest.mark.parametrize("story", load_stories(), ids=lambda story: story.id)
def test_a_story_gets_its_verdict(story: Story) -> None:
    cards = cards_of(story, show_not_yet=True)
    if not cards:
        assert story.verdict in SILENT
        return
    (card,) = cards
    screening = card["extension"]["org.trialhook.screening"]
    assert screening["verdict"] == story.verdict
    statuses = {one["id"]: one["status"] for one in screening["criteria"]}
    assert {one: statuses[one] for one in story.criteria} == dict(story.criteria)


def test_the_silent_stories_differ_in_what_the_command_line_says() -> None:
    """An empty answer has two reasons, and there is a story for each."""
    assert {story.verdict for story in load_stories()} >= SILENT
