"""The page of a screening: complete, complete in itself, semantic, and safe."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from cds_service.report.page import page_of, screening_html
from cds_service.report.wording import LANGUAGES, wording
from cds_service.trials.finding import Status
from fhir_fixtures.story import load_stories
from tests.report.histories import HISTORIES, PREDNISONE, TWO_FAILED
from tests.stories.test_stories import INDEX, by_file
from tests.trials.record_of import screened

STORIES = [one.id for one in load_stories()]
every_language = pytest.mark.parametrize("language", LANGUAGES)
EVIL = """<script>alert("x")</script> & '><img src=x onerror=alert(1)>"""


class Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@cache
def written(name: str, language: str = "en") -> str:
    return screening_html(by_file(name, INDEX), wording(language))


@pytest.mark.parametrize("name", STORIES)
@every_language
def test_every_criterion_stands_on_the_page_once_with_the_protocols_words(name: str, language: str) -> None:
    screening = by_file(name, INDEX)
    seen = Seen(written(name, language))
    rows = [attrs["id"] for attrs in seen.all("tr") if "id" in attrs]
    assert sorted(map(str, rows)) == sorted(finding.id for finding in screening.findings)
    quoted = seen.all("q")
    assert len(quoted) == len(rows)
    assert all(attrs["lang"] == "en" for attrs in quoted)


@pytest.mark.parametrize("name", STORIES)
@every_language
def test_it_is_complete_in_itself(name: str, language: str) -> None:
    """No script, nothing that is loaded, no handler; the only addresses are links to follow."""
    seen = Seen(written(name, language))
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in seen.tags}
    assert not [key for _, attrs in seen.tags for key in attrs if key.startswith("on") or key in ("src", "style")]
    assert "@import" not in written(name, language)
    assert "url(" not in written(name, language).replace("url(#timeline-", "")
    outside = {attrs["href"] for attrs in seen.all("a") if not str(attrs["href"]).startswith("#")}
    assert outside == {"https://clinicaltrials.gov/study/NCT06920199"}


@pytest.mark.parametrize("name", STORIES)
@every_language
def test_it_is_semantic(name: str, language: str) -> None:
    seen = Seen(written(name, language))
    assert seen.all("html")[0]["lang"] == language
    levels = [int(tag[1]) for tag, _ in seen.tags if tag in ("h1", "h2", "h3")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(seen.all("caption")) == len(seen.all("table"))
    assert all(attrs["scope"] in ("col", "row") for attrs in seen.all("th"))
    ids = [attrs["id"] for _, attrs in seen.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {str(attrs["href"])[1:] for attrs in seen.all("a") if str(attrs["href"]).startswith("#")}
    assert targets <= set(ids)


def test_words_of_the_record_stay_words() -> None:
    evil = {"weight": "70 kg", "prednisone": [{"mg": 30, "from": "2026-01-05", "display": EVIL, "named": EVIL}],
            "condition": {"text": EVIL, "icd-10-cm": "D89.811", "recorded": "2026-02-01"}}  # fmt: skip
    text = screening_html(screened(evil), wording("en"))
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


def test_no_name_of_the_patient_and_no_identifier_is_in_the_title() -> None:
    title = written("nearly-a-candidate").split("<title>")[1].split("</title>")[0]
    assert title == "Screening for NCT06920199"


@pytest.mark.parametrize("name", STORIES)
def test_the_groups_come_in_the_order_in_which_they_matter(name: str) -> None:
    screening = by_file(name, INDEX)
    against, confirm, met = page_of(screening, wording("en")).groups
    number = {status: sum(f.status is status for f in screening.findings) for status in Status}
    assert against.size == number[Status.FAIL]
    assert confirm.size == number[Status.REVIEW] + number[Status.UNKNOWN] + number[Status.HUMAN]
    assert met.size == number[Status.PASS]


def rows_of(facts: dict[str, Any]) -> dict[str, Any]:
    page = page_of(screened(facts), wording("en"))
    return {row.id: row for group in page.groups for part in group.parts for row in part.rows}


def test_a_row_says_the_result_in_words_with_its_evidence() -> None:
    row = rows_of({"prednisone": [{"mg": 30, "from": "2026-01-05"}]})["I03a"]
    assert (row.kind, row.word, row.shape) == ("inclusion", "met", "✔")
    assert row.why == "30 mg/day for 70 days at 70 kg: 0.4286 mg/kg/day, limit > 0.25 mg/kg/day"
    dose = row.proofs[0]
    assert (dose.value, dose.limit, dose.day) == ("0.4286 mg/kg/day", "limit > 0.25 mg/kg/day", "2026-01-05")
    assert dose.how == "30 mg × 1 a day ÷ 70 kg"
    assert dose.reference.startswith("MedicationStatement/")


def test_an_equivalent_is_said_with_its_factor() -> None:
    row = rows_of({"methylprednisolone": [{"mg": 24, "from": "2026-01-05"}]})["I03a"]
    assert row.proofs[0].how == "24 mg × 1 a day × 1.25 as prednisone ÷ 70 kg"
    assert "prednisone equivalent" in row.flags


def test_an_arm_that_the_other_one_settles_says_so() -> None:
    flared = [*PREDNISONE[:-1], {"mg": 20, "from": "2025-08-04", "note": "flare"}]
    row = rows_of({**TWO_FAILED, "prednisone": flared})["I02a"]
    assert "settled by I02b: one of the two is enough" in row.remarks


def test_a_failure_that_time_cures_says_until_when() -> None:
    row = rows_of({"procedure": {"cpt": "38242", "on": "2026-01-01"}})["E10"]
    assert row.word == "present"
    assert row.remarks == ("holds no longer against from 2026-04-12 on",)


def test_a_criterion_of_the_donor_says_so() -> None:
    assert rows_of({})["D07"].kind == "donor, exclusion"


def test_what_was_not_looked_at_is_said() -> None:
    page = page_of(screened(HISTORIES["medications not read"]), wording("en"))
    assert ("medication statements", "could not be read") in page.gaps
    assert any("at records of other hospitals" in word for word in Seen(written("nearly-a-candidate")).words)


@every_language
def test_every_entry_that_was_left_out_is_named_with_a_reason(language: str) -> None:
    skipped = page_of(by_file("broken-resources", INDEX), wording(language)).skipped
    assert len(skipped) == 5
    assert "FooType/broken-resources-foo" in [reference for reference, _ in skipped]
    assert all(reason for _, reason in skipped)
