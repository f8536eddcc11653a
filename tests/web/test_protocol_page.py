"""The protocol as a page: semantic, safe, without a script, and complete."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise

import pytest
from flask.testing import FlaskClient

from app import create_app, create_demo_app
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol

ADDRESS = "/protocol/nct06920199"


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def page(client: FlaskClient) -> Page:
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    return Page(answer.text)


def test_every_criterion_has_a_section_and_an_entry_in_the_contents(page: Page, protocol: Protocol) -> None:
    ids = [c.id for c in protocol.criteria]
    assert [s["id"] for s in page.all("section")][: len(ids)] == ids
    links = [a["href"] for a in page.all("a") if (a["href"] or "").startswith("#")]
    assert [link for link in links if (link or "")[1:] in ids] == [f"#{one}" for one in ids]
    anchors = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert {link[1:] for link in links if link} <= anchors


def test_ids_stand_once(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(set(ids)) == len(ids)


def test_headings_go_down_step_by_step(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_are_tables_with_captions_and_scopes(page: Page) -> None:
    tables = page.all("table")
    assert tables
    assert len(page.all("caption")) == len(tables)
    assert all(th.get("scope") in ("col", "row", "rowgroup") for th in page.all("th"))


def test_the_language_is_named_and_the_registry_is_quoted_in_english(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert all(quote["lang"] == "en" for quote in page.all("blockquote"))


def test_nothing_is_inline_or_from_elsewhere(client: FlaskClient, page: Page) -> None:
    assert not page.all("script")
    assert not page.all("style")
    assert not [tag for tag, attrs in page.tags if "style" in attrs or any(name.startswith("on") for name in attrs)]
    for link in page.all("link"):
        with client.get(link["href"] or "") as answer:
            assert answer.status_code == 200
    policy = client.get(ADDRESS).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_the_headers_are_those_of_every_page(client: FlaskClient) -> None:
    headers = client.get(ADDRESS).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_the_ruleset_is_the_one_that_screenings_name(client: FlaskClient, protocol: Protocol) -> None:
    assert protocol.ruleset in client.get(ADDRESS).text


def test_the_trial_may_be_written_as_the_registry_does(client: FlaskClient) -> None:
    assert client.get("/protocol/NCT06920199").status_code == 200


def test_an_unknown_trial_gets_a_404_that_says_what_is_there(client: FlaskClient) -> None:
    answer = client.get("/protocol/nct00000000")
    assert answer.status_code == 404
    assert ADDRESS in answer.json["issue"][0]["diagnostics"]  # type: ignore[index]


def test_the_service_shows_it_with_and_without_the_demo() -> None:
    assert create_app(Settings(open_access=True)).test_client().get(ADDRESS).status_code == 200
    demo = create_demo_app(Settings()).test_client()
    assert demo.get(ADDRESS).status_code == 200
    assert f'href="{ADDRESS}"' in demo.get("/").text


def test_a_story_links_each_criterion_to_the_protocol() -> None:
    demo = create_demo_app(Settings()).test_client()
    assert f'href="{ADDRESS}#E10"' in demo.get("/demo/stories/supported-count").text


def test_it_prints_without_the_contents_and_repeats_the_heads_of_tables(client: FlaskClient) -> None:
    with client.get("/protocol/static/protocol.css") as answer:
        style = answer.get_data(as_text=True)
    assert "@media print" in style
    assert "table-header-group" in style
    assert "@media (max-width: 40rem)" in style
