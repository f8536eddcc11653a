"""The review page as a coordinator uses it: from the card, through answers, to paper and FHIR."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Visit
from tests.browser.test_demo_ehr import opened


def reviewed(visit: Visit, story: str = "nearly-a-candidate") -> Page:
    """The review page to which the story's card leads."""
    page = opened(visit, story)
    address = page.get_by_role("link", name="Criterion by criterion").get_attribute("href")
    assert address
    page.goto(re.sub(r"^http://[^/]+", visit.site, address))
    return page


def row(page: Page, criterion: str) -> Locator:
    return page.locator(f"tr#{criterion}")


def save(page: Page, initials: str = "AB") -> None:
    page.get_by_label("Your initials").fill(initials)
    page.get_by_role("button", name="Save the answers").click()


def test_the_card_leads_to_it_and_its_address_tells_nothing(visit: Visit) -> None:
    page = reviewed(visit)
    assert re.fullmatch(r"http://[^/]+/review/[\w-]{43}", page.url)
    expect(page.get_by_role("heading", level=1)).to_contain_text("NCT06920199")


def test_three_groups_hold_every_criterion(visit: Visit) -> None:
    page = reviewed(visit)
    for group in ("against", "confirm", "met"):
        expect(page.locator(f"section.{group}")).to_have_count(1)
    for criterion, group in (("I03a", "met"), ("I02b", "confirm"), ("I05", "confirm"), ("E12", "met")):
        expect(page.locator(f"section.{group} tr#{criterion}")).to_have_count(1)


def test_answers_change_the_verdict_and_stand_beside_the_finding(visit: Visit) -> None:
    """With one arm of the pair answered nothing is open any more but what only people know."""
    page = reviewed(visit)
    expect(page.locator(".verdict")).to_contain_text("needs review")
    row(page, "I02b").get_by_label("met").check()
    row(page, "I05").get_by_label("met").check()
    save(page)
    expect(page.locator(".verdict")).to_contain_text("candidate")
    expect(row(page, "I02b")).to_contain_text(re.compile(r"Answered: met; AB, \d{4}-\d\d-\d\d \d\d:\d\d UTC"))
    expect(row(page, "I02b").locator(".result")).to_contain_text("not known")
    row(page, "I02b").get_by_label("still open").check()
    row(page, "I05").get_by_label("still open").check()
    save(page)
    expect(page.locator(".verdict")).to_contain_text("needs review")


def test_answers_count_when_the_chart_is_opened_again(visit: Visit) -> None:
    """A no speaks against on the next card's place: there is none, until it is taken back."""
    page = reviewed(visit, "supported-count")
    first = page.url
    row(page, "I07a").get_by_label("against").check()
    save(page)
    expect(page.locator(".verdict")).to_contain_text("not yet")
    expect(opened(visit, "supported-count").locator("#cards")).to_contain_text("Nothing to say.")
    page.goto(first)
    row(page, "I07a").get_by_label("still open").check()
    save(page)
    expect(opened(visit, "supported-count").locator("article.card")).to_have_count(1)


def test_without_initials_nothing_is_saved(visit: Visit) -> None:
    page = reviewed(visit, "stale-labs")
    page.get_by_label("Your initials").evaluate("field => field.required = false")
    row(page, "I05").get_by_label("met").check()
    save(page, "  ")
    expect(page.get_by_role("alert")).to_contain_text("initials are missing")
    expect(row(page, "I05")).not_to_contain_text("Answered")


def test_what_the_record_settles_has_no_choice(visit: Visit) -> None:
    page = reviewed(visit)
    expect(row(page, "I03a").get_by_role("radio")).to_have_count(0)
    expect(row(page, "I02a").get_by_role("radio")).to_have_count(3)


def test_it_can_be_taken_along_as_fhir(visit: Visit) -> None:
    page = reviewed(visit)
    with page.expect_download() as caught:
        page.get_by_role("link", name="Save as FHIR").click()
    bundle = json.loads(caught.value.path().read_text(encoding="utf-8"))
    assert [one["resource"]["resourceType"] for one in bundle["entry"]] == ["ResearchSubject", "List"]


def test_it_prints_on_two_sheets(visit: Visit) -> None:
    pages = re.findall(rb"/Type\s*/Page[^s]", reviewed(visit).pdf(format="A4", prefer_css_page_size=True))
    assert 1 <= len(pages) <= 2


def test_a_wrong_address_says_what_to_do(visit: Visit) -> None:
    answer = visit.page.goto(f"{visit.site}/review/{'A' * 43}")
    assert answer and answer.status == 404
    expect(visit.page.locator("body")).to_contain_text("chart again")
    visit.errors.clear()  # the browser itself reports the 404


@pytest.mark.parametrize("story", ["nearly-a-candidate", "dependence-to-be-confirmed", "unreadable-dose"])
def test_it_has_no_barrier_that_axe_finds(visit: Visit, story: str) -> None:
    reviewed(visit, story)
    assert visit.violations() == []


def test_it_fits_a_narrow_phone(visit: Visit) -> None:
    visit.page.set_viewport_size(PHONE)
    reviewed(visit)
    assert not visit.is_wider_than_the_window()
    assert visit.violations() == []


def test_it_is_read_and_answered_in_chinese_too(visit: Visit) -> None:
    """The reader switches the language; the protocol's own words stay as they were registered."""
    page = reviewed(visit, "boundary-dose")
    page.get_by_role("link", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", level=1)).to_contain_text("筛选")
    expect(row(page, "I03a").locator("q")).to_contain_text("Prednisone dose")
    row(page, "I05").get_by_label("符合", exact=True).check()
    page.get_by_label("您的姓名缩写").fill("王")
    page.get_by_role("button", name="保存作答").click()
    expect(row(page, "I05")).to_contain_text("已作答")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert visit.violations() == []
