"""The steroid timeline as numbers: everything stands inside the frame, later is further right, no word on another."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from cds_service.report.timeline import timeline_svg
from cds_service.report.timeline.axes import DAY, DoseAxis, TimeAxis
from cds_service.report.timeline.labels import Label
from cds_service.report.timeline.layout import LEFT, PER_DAY, PER_KG, RIGHT, WIDTH
from cds_service.report.timeline.rows import timeline_tables
from cds_service.report.timeline.words import Drawn, drawn
from cds_service.report.wording import LANGUAGES, wording
from cds_service.trials.dose_history import dose_history
from cds_service.trials.screening import Screening
from tests.report.histories import HISTORIES
from tests.trials.record_of import SCREENED_ON, screened

SVG = "{http://www.w3.org/2000/svg}"
every_history = pytest.mark.parametrize("name", HISTORIES)
every_language = pytest.mark.parametrize("language", LANGUAGES)


@cache
def screening(name: str) -> Screening:
    return screened(HISTORIES[name])


@cache
def of(name: str, language: str = "en") -> Drawn:
    return drawn(screening(name), wording(language))


def texts(name: str) -> list[str]:
    return [label.text for label in of(name).picture.labels]


@every_history
@every_language
def test_everything_stands_inside_the_frame(name: str, language: str) -> None:
    shown = of(name, language)
    picture = shown.picture
    for strip in picture.strips:
        assert LEFT <= strip.left < strip.right <= RIGHT
        assert picture.plot.top <= strip.low <= picture.plot.bottom
        assert strip.high is None or picture.plot.top <= strip.high <= strip.low
    for bar in (bar for row in picture.rows for bar in row.bars):
        assert LEFT <= bar.left < bar.right <= RIGHT
    for label in (*picture.labels, *shown.notes):
        assert label.box.left >= 0
        assert 0 <= label.y - label.size < label.y <= shown.height
    for label in picture.labels:
        assert label.box.right <= WIDTH


@every_history
@every_language
def test_no_label_lies_over_another(name: str, language: str) -> None:
    boxes = [label.box for label in of(name, language).picture.labels]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


@every_history
def test_a_later_day_never_stands_further_left(name: str) -> None:
    strips = of(name).picture.strips
    assert all(before.left <= after.left for before, after in pairwise(strips))


@every_history
@every_language
def test_it_is_xml_with_a_title_and_a_description_and_without_script_or_style(name: str, language: str) -> None:
    root = ElementTree.fromstring(timeline_svg(screening(name), wording(language), "one"))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "one-title one-description"
    told = {child.get("id"): child.text for child in root}
    assert told["one-title"]
    assert told["one-description"]
    assert not {SVG + "script", SVG + "style", SVG + "image", SVG + "a"} & {one.tag for one in root.iter()}
    assert not [key for one in root.iter() for key in one.attrib if key == "style" or key.startswith("on")]
    assert {key: value for one in root.iter() for key, value in one.attrib.items() if "#" in value or "(" in value}


def test_the_picture_has_one_colour_so_that_it_reads_in_greyscale() -> None:
    root = ElementTree.fromstring(timeline_svg(screening("two failed tapers"), wording("en")))
    fills = {one.get(kind) for one in root.iter() for kind in ("fill", "stroke")}
    assert fills <= {None, "none", "currentColor", "url(#timeline-hatch)", "url(#timeline-dots)"}


def test_the_lines_are_those_of_the_protocol() -> None:
    history = dose_history(screening("two failed tapers"))
    lines = {line.value: line.criteria for line in history.lines}
    assert lines == {Fraction(1, 4): ("I02b", "I03a"), Fraction(1, 2): ("I02a",), Fraction(1): ("E02",)}
    assert history.apart is not None
    assert history.apart.value == 56
    assert history.window is not None
    assert (history.window.first, history.window.last) == (date(2026, 2, 16), SCREENED_ON)
    assert [t for t in texts("two failed tapers") if ": " in t] == ["0.25: I02b I03a", "0.5: I02a", "1: E02"]


def test_failed_tapers_have_wedges_marks_and_the_days_between_them() -> None:
    picture = of("two failed tapers").picture
    assert [wedge.failed for wedge in picture.wedges] == [True, True]
    assert [(mark.day, mark.documented) for mark in picture.marks] == [
        (date(2025, 6, 2), True), (date(2025, 8, 4), False)]  # fmt: skip
    assert [brace.days for brace in picture.braces] == [63]
    assert "63 days (≥ 56)" in texts("two failed tapers")
    assert all(wedge.right == mark.x for wedge, mark in zip(picture.wedges, picture.marks, strict=True))


def test_a_dose_stands_at_its_height() -> None:
    """40 mg at 60 kg is 0.667 mg/kg/day, on an axis from 0 to 1.25 mg/kg/day over 210 units."""
    picture = of("two failed tapers").picture
    strip = picture.strips[0]
    assert strip.high == strip.low
    assert picture.plot.bottom - strip.low == pytest.approx(210 * (40 / 60) / 1.25)


def test_a_changed_weight_is_marked_and_changes_the_height() -> None:
    assert {"60 kg", "63 kg", "62 kg"} <= set(texts("two failed tapers"))
    heights = {round(strip.low, 1) for strip in of("weight changes").picture.strips}
    assert len(heights) == 5


def test_the_last_level_says_the_dose_of_the_day() -> None:
    assert "20 mg/day, 0.3226 mg/kg/day" in texts("two failed tapers")


def test_an_open_dose_has_no_upper_end() -> None:
    last = of("unreadable dose").picture.strips[-1]
    assert last.high is None
    assert last.low == of("unreadable dose").picture.plot.bottom
    assert "not known" in texts("unreadable dose")


def test_a_possible_dose_is_a_range_from_nothing() -> None:
    last = of("as needed").picture.strips[-1]
    assert last.high is not None
    assert last.high < last.low == of("as needed").picture.plot.bottom


@pytest.mark.parametrize(
    ("name", "said"),
    [("no corticosteroid", "No systemic corticosteroid is recorded."),
     ("medications not read", "The medication records could not be read.")],
)  # fmt: skip
def test_an_empty_picture_says_why(name: str, said: str) -> None:
    assert not of(name).picture.strips
    assert said in texts(name)


@pytest.mark.parametrize(
    ("name", "unit"),
    [("two failed tapers", PER_KG), ("no corticosteroid", PER_KG), ("no weight", PER_DAY),
     ("weights for a while", PER_DAY), ("pulse", PER_KG)],
)  # fmt: skip
def test_the_axis_is_per_kilogram_where_weights_allow_it(name: str, unit: str) -> None:
    assert of(name).picture.unit == unit


def test_in_milligrams_the_lines_are_drawn_where_a_weight_is_known() -> None:
    """0.25 and 0.5 mg/kg at 70 kg are 17.5 and 35 mg; 70 mg would stand above the picture."""
    picture = of("weights for a while").picture
    heights = [round((picture.plot.bottom - line.pieces[0][2]) * float(picture.dose.most) / 210, 1)
               for line in picture.lines if line.pieces]  # fmt: skip
    assert heights == [17.5, 35.0]
    assert all(right < RIGHT for line in picture.lines for _, right, _ in line.pieces)
    assert not any(line.pieces for line in of("no weight").picture.lines)


def test_days_without_a_weight_are_dotted_and_keep_their_milligrams() -> None:
    first = of("pulse").picture.strips[0]
    assert not first.is_weighed
    assert "5 mg" in texts("pulse")


def test_a_pulse_is_cut_off_so_that_5_mg_can_still_be_seen() -> None:
    picture = of("pulse").picture
    cut = [strip for strip in picture.strips if strip.is_cut]
    assert [strip.low for strip in cut] == [picture.plot.top]
    assert "1005 mg" in texts("pulse")
    assert picture.plot.bottom - picture.strips[-1].low > 5
    assert "cut" in [key.kind for key in of("pulse").keys]


def test_a_long_history_has_two_scales_and_begins_ten_years_ago() -> None:
    picture = of("ten years").picture
    assert picture.time.first == SCREENED_ON - timedelta(days=3653)
    assert picture.is_cut_off
    assert picture.time.knee == SCREENED_ON - timedelta(days=365)
    tables = timeline_tables(screening("ten years"), of("ten years").history, wording("en"))
    assert tables[0].rows[0][0] == "2014-02-01"
    assert {"2019-01", "2026-03-16"} <= set(texts("ten years"))


def test_a_single_day_long_ago_can_be_seen() -> None:
    strip = of("one day long ago").picture.strips[0]
    assert strip.right - strip.left >= 2


def test_other_drugs_have_a_row_each() -> None:
    rows = {row.title: row.bars for row in of("two failed tapers").picture.rows}
    assert list(rows) == ["tacrolimus", "ruxolitinib", "mycophenolate"]
    assert rows["tacrolimus"][0].is_earlier
    assert rows["tacrolimus"][0].sure
    assert not rows["mycophenolate"][0].sure
    assert len(of("many drugs").picture.rows) == 10


def test_the_legend_names_only_what_is_drawn() -> None:
    assert [key.kind for key in of("no corticosteroid").keys] == ["window"]
    assert {"documented", "by_dose", "wedge"} <= {key.kind for key in of("two failed tapers").keys}


@every_history
@every_language
def test_the_tables_hold_every_number(name: str, language: str) -> None:
    history = of(name, language).history
    tables = timeline_tables(screening(name), history, wording(language))
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)
    rows = sum(len(table.rows) for table in tables)
    assert rows >= len(history.weights) + len(history.tapers) + len(history.therapies) + bool(history.weighed)


def test_a_row_says_how_the_dose_was_worked_out() -> None:
    doses, tapers, *_ = timeline_tables(
        screening("two failed tapers"), of("two failed tapers").history, wording("en"))  # fmt: skip
    assert doses.rows[0] == (
        "2025-03-01", "2025-05-04", "40 mg/day", "0.6667 mg/kg/day", "60 kg",
        "MedicationStatement/m3: 40 mg × 1 a day", "")  # fmt: skip
    assert doses.rows[-1][1] == "today"
    assert tapers.rows[0][:6] == ("2025-05-05", "2025-06-02", "40 mg/day", "15 mg/day", "40 mg/day",
                                  "raised again, flare documented")  # fmt: skip
    assert tapers.rows[1][5] == "raised again"


def test_the_description_tells_what_the_picture_shows() -> None:
    told = of("two failed tapers").description
    assert "2 failed tapers: 2025-06-02, 2025-08-04." in told
    assert "20 mg/day, 0.3226 mg/kg/day" in told
    assert "tacrolimus, ruxolitinib, mycophenolate" in told


def test_the_description_says_what_could_not_be_read() -> None:
    told = of("medications not read").description
    assert "medication statements: could not be read; medication orders: could not be read" in told


# the axes by themselves


@pytest.mark.parametrize("days", [1, 30, 83, 84, 85, 400, 731, 732, 2000, 3653, 3654, 9000])
def test_time_runs_from_left_to_right(days: int) -> None:
    axis = TimeAxis.over(SCREENED_ON - timedelta(days=days), SCREENED_ON, 100, 900)
    shown = [axis.first + timedelta(days=n) for n in range((axis.last - axis.first).days + 1)]
    places = [axis.x(day) for day in shown]
    assert places[0] == 100
    assert axis.x(SCREENED_ON + DAY) == pytest.approx(900)
    assert all(before < after for before, after in pairwise(places))
    assert len(shown) == min(max(days + 1, 84), 3654)
    ticks = axis.ticks(60)
    assert len(ticks) >= 3
    assert all(axis.x(after) - axis.x(before) >= 60 for before, after in pairwise(ticks))


def test_a_day_outside_is_moved_to_the_edge() -> None:
    axis = TimeAxis.over(date(2026, 1, 1), SCREENED_ON, 100, 900)
    assert axis.x(date(1999, 1, 1)) == 100
    assert axis.x(date(2031, 1, 1)) == pytest.approx(900)
    assert axis.x(date.max) == pytest.approx(900)


def test_the_calendars_first_day_makes_no_fault() -> None:
    assert TimeAxis.over(date.min, date.min + timedelta(days=5), 0, 100).x(date.min + timedelta(days=6)) == 100


@pytest.mark.parametrize(
    ("doses", "sustained", "most"),
    [([], 0, Fraction(5, 4)), ([Fraction(1)], 1, Fraction(5, 4)), ([Fraction(3, 2)], Fraction(3, 2), Fraction(9, 5)),
     ([Fraction(14)], 0, Fraction(2)), ([Fraction(3)], 3, Fraction(18, 5)), ([Fraction(3, 2)], 0, Fraction(9, 5))],
)  # fmt: skip
def test_the_dose_axis_shows_the_lines_and_what_was_held(
    doses: list[Fraction], sustained: Fraction, most: Fraction
) -> None:
    axis = DoseAxis.over(doses, Fraction(sustained), [Fraction(1, 4), Fraction(1)], 0, 100)
    assert axis.most == most
    assert axis.y(Fraction(0)) == 100
    assert axis.y(axis.most) == axis.y(axis.most * 9) == 0


@pytest.mark.parametrize("most", [Fraction(1, 50), Fraction(5, 4), Fraction(2), Fraction(48), Fraction(1200)])
def test_dose_ticks_are_round_few_and_within(most: Fraction) -> None:
    ticks = DoseAxis(most, 0, 100).ticks()
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 7
    assert ticks[-1] <= most


def test_a_label_in_chinese_takes_more_room() -> None:
    assert Label(0, 0, "体重").box.right > Label(0, 0, "kg").box.right
