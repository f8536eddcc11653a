"""The page as a browser shows and prints it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from cds_service.report.page import screening_html
from cds_service.report.wording import LANGUAGES, wording
from tests.report.histories import HISTORIES
from tests.stories.test_stories import INDEX, by_file
from tests.trials.record_of import screened

every_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    tab = browser.new_page(viewport={"width": 320, "height": 800})
    yield tab
    tab.close()


@every_language
@pytest.mark.parametrize("name", ["dependence-to-be-confirmed", "broken-resources", "tablets-and-chinese"])
def test_it_fits_a_phone_and_loads_nothing(tab: Page, name: str, language: str) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: asked.append(message.text))
    tab.set_content(screening_html(by_file(name, INDEX), wording(language)))
    assert asked == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320


@every_language
@pytest.mark.parametrize("name", ["dependence-to-be-confirmed", "nearly-a-candidate", "unreadable-dose"])
def test_it_prints_on_two_pages(tab: Page, name: str, language: str) -> None:
    tab.set_content(screening_html(by_file(name, INDEX), wording(language)))
    printed = tab.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 2


@every_language
@pytest.mark.parametrize("name", HISTORIES)
def test_labels_are_no_wider_than_the_layout_believes(tab: Page, name: str, language: str) -> None:
    """As the browser measures them, no two words of the picture overlap."""
    tab.set_viewport_size({"width": 1200, "height": 900})
    tab.set_content(screening_html(screened(HISTORIES[name]), wording(language)))
    boxes = tab.evaluate(
        "[...document.querySelectorAll('.picture text')].map(t => { const b = t.getBBox();"
        " return [b.x, b.y, b.x + b.width, b.y + b.height, t.textContent]; })"
    )
    over = [
        (one[4], other[4])
        for place, one in enumerate(boxes)
        for other in boxes[place + 1 :]
        if one[0] < other[2] - 0.5 and other[0] < one[2] - 0.5 and one[1] < other[3] - 4 and other[1] < one[3] - 4
    ]
    assert over == []
    assert all(box[0] >= 0 and box[2] <= 960 for box in boxes)
