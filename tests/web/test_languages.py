"""Pages in the reader's language: by the address, then by the browser, then by the setting."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from app import create_demo_app
from cds_service.settings import Settings

PAGES = ("/", "/demo/stories", "/demo/stories/too-old", "/protocol/nct06920199")


@pytest.fixture(scope="module")
def english() -> FlaskClient:
    return create_demo_app(Settings()).test_client()


@pytest.fixture(scope="module")
def chinese() -> FlaskClient:
    """A site whose setting is Chinese."""
    return create_demo_app(Settings(language="zh-CN")).test_client()


def language_of(client: FlaskClient, address: str, accept: str | None = None) -> str:
    page = client.get(address, headers={"Accept-Language": accept} if accept else {}).text
    found = re.search(r'<html lang="([^"]+)">', page)
    assert found
    return found[1]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [
        ("", None, "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "zh", "zh-CN"),
        ("", "en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("", "de", "en"),
        ("?lang=zh-CN", "en", "zh-CN"),
        ("?lang=en", "zh-CN", "en"),
        ("?lang=xx", "zh-CN", "zh-CN"),
        ("?lang=../en", None, "en"),
    ],
)
def test_the_readers_choice_goes_before_the_browsers_and_that_before_the_sites(
    english: FlaskClient, address: str, query: str, accept: str | None, language: str
) -> None:
    assert language_of(english, address + query, accept) == language


@pytest.mark.parametrize("address", PAGES)
def test_the_setting_decides_where_nobody_says_anything(chinese: FlaskClient, address: str) -> None:
    assert language_of(chinese, address) == "zh-CN"
    assert language_of(chinese, address, "en-US") == "en"


@pytest.mark.parametrize("address", PAGES)
def test_every_page_leads_to_itself_in_the_other_language(english: FlaskClient, address: str) -> None:
    page = english.get(address).text
    assert '<a href="?lang=zh-CN" hreflang="zh-CN" lang="zh-CN">简体中文</a>' in page
    assert 'hreflang="en"' in english.get(address + "?lang=zh-CN").text


@pytest.mark.parametrize("address", PAGES)
def test_a_cache_is_told_that_the_browsers_language_matters(english: FlaskClient, address: str) -> None:
    assert "Accept-Language" in english.get(address).headers["Vary"]


def test_links_carry_a_choice_on_and_only_a_choice(english: FlaskClient) -> None:
    assert 'href="/demo/stories/too-old?lang=zh-CN"' in english.get("/demo/stories?lang=zh-CN").text
    assert 'href="/demo/stories/too-old"' in english.get("/demo/stories", headers={"Accept-Language": "zh-CN"}).text
    story = english.get("/demo/stories/too-old?lang=zh-CN").text
    assert 'href="/protocol/nct06920199?lang=zh-CN#AGE"' in story


def test_a_story_its_card_and_its_screening_are_in_the_readers_language(english: FlaskClient) -> None:
    page = english.get("/demo/stories/nearly-a-candidate?lang=zh-CN").text
    for said in ("重度慢性移植物抗宿主病", "可能适合慢性移植物抗宿主病试验", "请确认", "需人工核实", "完整筛选结果"):
        assert said in page
    assert "Please confirm" not in page


def test_the_protocol_keeps_the_registrys_words_in_english(english: FlaskClient) -> None:
    page = english.get("/protocol/nct06920199?lang=zh-CN").text
    assert '<blockquote lang="en">Received DLI treatment within 100 days before enrollment</blockquote>' in page
    assert "供者淋巴细胞输注" in page


def test_a_card_by_hook_is_in_the_sites_language(chinese: FlaskClient, english: FlaskClient) -> None:
    """What the browser that calls prefers does not matter: a card is for the EHR."""
    for client, begins in ((chinese, "可能适合"), (english, "May fit")):
        call = client.get("/demo/stories/nearly-a-candidate/request").json
        answer = client.post("/cds-services/nct06920199-patient-view", json=call, headers={"Accept-Language": "zh-CN"})
        assert answer.json["cards"][0]["summary"].startswith(begins)  # type: ignore[index]


def test_no_english_sentence_of_ours_is_left_on_a_chinese_page(english: FlaskClient) -> None:
    """Outside of what is marked as English, and of code: words of three Latin letters and more are names."""
    page = english.get("/demo/stories?lang=zh-CN").text
    text = re.sub(r"<[^>]+>", " ", page.split("<body>")[1])
    names = {"Trialhook", "CDS", "Hooks", "NCT", "JSON", "English"}
    assert set(re.findall(r"[A-Za-z]{3,}", text)) - names <= {"mol", "µmol"}
