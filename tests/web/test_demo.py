"""The demo: made-up patients, their cards and the whole screening."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_demo_app
from cds_service import web
from cds_service.fhir.queries import QUERIES
from cds_service.hooks.request import HookRequest
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening
from cds_service.web.demo import Story, demo
from tests.web.calls import SERVICE, TODAY, app_of, call, call_with_card, condition, wiring

HOSTILE = "<img src=x onerror=alert(1)>"
VOID = {"meta", "link", "img", "br", "input", "hr"}


@dataclass(frozen=True)
class Told:
    """A story of the tests."""

    id: str
    body: Mapping[str, Any]
    verdict: str = "needs-review"
    shows_card: bool = True
    patient_id: str = "p1"
    title: str = f"A story {HOSTILE}"
    line: str = "One sentence."

    def hook_request(self, today: date) -> Mapping[str, Any]:
        return {**self.body, "hookInstance": f"for {today.isoformat()}"}


STORIES: list[Story] = [
    Told("shown", call_with_card()),
    Told("silent", call(condition("Essential hypertension")), "not-applicable", False),
    Told("refused", call(prefetch={})),
]


def hostile_card(screening: Screening, request: HookRequest) -> list[Mapping[str, object]]:
    if not screening.is_shown:
        return []
    return [
        {
            "summary": f"Summary {HOSTILE}",
            "indicator": "info",
            "detail": f"**Bold**\n\n- one {HOSTILE}",
            "source": {"label": f"Source {HOSTILE}", "url": "https://a.example/"},
            "suggestions": [{"label": f"Refer {HOSTILE}", "actions": [{"type": "create", "description": HOSTILE}]}],
            "links": [{"label": "Registry", "url": "https://a.example/x", "type": "absolute"}],
            "overrideReasons": [{"code": "x", "system": "y", "display": f"Reason {HOSTILE}"}],
        }
    ]


@pytest.fixture
def pages(protocol: Protocol) -> FlaskClient:
    parts = wiring(protocol, hostile_card)
    app = app_of(parts)
    app.register_blueprint(demo(parts, STORIES))
    return app.test_client()


@pytest.fixture(scope="module")
def deployed() -> FlaskClient:
    """The demo as `run.py demo` starts it, with the stories of the repository."""
    return create_demo_app(Settings()).test_client()


class Reader(HTMLParser):
    """Checks that every element is closed in turn, and collects the addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, *names: str) -> Iterator[str]:
        yield from (value for name, value in self.attributes if name in names)


@pytest.mark.parametrize("address", ["/", "/demo/stories/shown", "/demo/stories/silent", "/demo/stories/refused"])
def test_every_page_is_whole_and_carries_nothing_active(pages: FlaskClient, address: str) -> None:
    answer = pages.get(address)
    assert answer.status_code == 200
    page = Reader(answer.get_data(as_text=True))
    assert page.open == []
    assert {"script", "style", "img", "iframe", "form"}.isdisjoint(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert {"html", "main", "h1"} <= set(page.tags)
    assert "Every patient here is made up" in answer.get_data(as_text=True)
    assert "Open access" in answer.get_data(as_text=True)


@pytest.mark.parametrize("address", ["/", "/demo/stories/shown"])
def test_everything_a_page_loads_is_its_own_and_there(pages: FlaskClient, address: str) -> None:
    answer = pages.get(address)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for one in re.findall(r'<link[^>]+href="([^"]+)"', answer.get_data(as_text=True)):
        assert one.startswith("/demo/")
        with pages.get(one) as file:
            assert file.status_code == 200


def test_the_overview_lists_every_story_with_its_verdict_in_words(pages: FlaskClient) -> None:
    page = pages.get("/").get_data(as_text=True)
    for story in STORIES:
        assert f"/demo/stories/{story.id}" in page
    assert "needs review by a person" in page
    assert "not a patient for this trial" in page
    assert "shows no card" in page


def test_a_story_shows_its_card_and_every_criterion(pages: FlaskClient, protocol: Protocol) -> None:
    page = pages.get("/demo/stories/shown").get_data(as_text=True)
    assert "<strong>Bold</strong>" in page
    assert "As of 2026-03-16" in page
    for criterion in protocol.criteria:
        assert re.search(rf">{re.escape(criterion.id)}</a></th>", page)
    assert "to confirm" in page


def test_a_story_without_card_says_so_and_still_shows_the_screening(pages: FlaskClient) -> None:
    page = pages.get("/demo/stories/silent").get_data(as_text=True)
    assert "No card. The record was screened" in page
    assert ">I01</a></th>" in page


def test_a_refused_story_says_what_the_service_said(pages: FlaskClient) -> None:
    page = pages.get("/demo/stories/refused").get_data(as_text=True)
    assert "the service refused the call" in page
    assert "conditions" in page


def test_the_request_of_a_story_can_be_sent_as_it_is(pages: FlaskClient) -> None:
    request = pages.get("/demo/stories/shown/request")
    assert request.content_type == "application/json"
    assert request.get_json()["hookInstance"] == f"for {TODAY.isoformat()}"
    assert len(pages.post(SERVICE, data=request.data).get_json()["cards"]) == 1


def test_the_command_line_names_both_addresses(pages: FlaskClient) -> None:
    page = pages.get("/demo/stories/shown").get_data(as_text=True)
    command = re.search(r'aria-label="Command line">(.*?)</pre>', page, re.DOTALL)
    assert command is not None
    import html  # noqa: PLC0415

    words = shlex.split(html.unescape(command[1]))
    assert "http://localhost/demo/stories/shown/request" in words
    assert f"http://localhost{SERVICE}" in words


@pytest.mark.parametrize("address", ["/demo/stories/nope", "/demo/stories/nope/request"])
def test_an_unknown_story_names_the_known(pages: FlaskClient, address: str) -> None:
    answer = pages.get(address)
    assert answer.status_code == 404
    assert "shown, silent, refused" in answer.get_json()["issue"][0]["diagnostics"]


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2 of a colour like #0b5394 or #fff."""
    digits = colour.removeprefix("#")
    pairs = [c * 2 for c in digits] if len(digits) == 3 else [digits[at : at + 2] for at in (0, 2, 4)]
    parts = [int(pair, 16) / 255 for pair in pairs]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def schemes() -> list[dict[str, str]]:
    """The colours of the style sheet by name, first the light ones, then the dark."""
    sheet = (Path(web.__file__).parent / "static" / "demo.css").read_text(encoding="utf-8")
    return [dict(re.findall(r"--(\w+): (#\w+)", part)) for part in sheet.split("@media")[:2]]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "raised"])
@pytest.mark.parametrize("ink", ["ink", "soft", "link", "pass", "fail", "review", "unknown", "human"])
def test_text_can_be_read_on_every_ground(scheme: int, ground: str, ink: str) -> None:
    """WCAG 2 AA asks for 4.5 to 1."""
    colours = schemes()[scheme]
    low, high = sorted((luminance(colours[ground]), luminance(colours[ink])))
    assert (high + 0.05) / (low + 0.05) >= 4.5


class TestDeployed:
    def test_the_service_answers_as_ever(self, deployed: FlaskClient) -> None:
        assert deployed.get("/cds-services").status_code == 200
        assert deployed.application.config["DEMO"] is True

    def test_every_story_of_the_repository_has_a_page_with_its_verdict(self, deployed: FlaskClient) -> None:
        from fhir_fixtures.story import load_stories  # noqa: PLC0415

        for story in load_stories():
            page = deployed.get(f"/demo/stories/{story.id}")
            assert page.status_code == 200, story.id
            assert ('<section class="card"' in page.get_data(as_text=True)) is story.shows_card, story.id

    def test_the_story_of_the_demo_command_asks_with_every_key(self, deployed: FlaskClient) -> None:
        body = json.loads(deployed.get("/demo/stories/nearly-a-candidate/request").data)
        assert set(body["prefetch"]) == set(QUERIES)
        for key, value in body["prefetch"].items():
            assert value["resourceType"] == ("Patient" if key == "patient" else "Bundle")
            assert key == "patient" or value["type"] == "searchset"
        answer = deployed.post(SERVICE, data=json.dumps(body))
        assert answer.status_code == 200
        assert len(answer.get_json()["cards"]) == 1
