"""Days, partial dates, ages and spans of time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.dates import (
    DayRange,
    Span,
    add_months,
    birthday,
    completed_years,
    days_between,
    days_later,
)
from cds_service.clinical.truth import Truth
from tests.clinical.builders import day, exactly, span


def days(first: str, last: str) -> DayRange:
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", days("2026-01-01", "2026-12-31")),
        ("2026-02", days("2026-02-01", "2026-02-28")),
        ("2024-02", days("2024-02-01", "2024-02-29")),
        ("2026-12", days("2026-12-01", "2026-12-31")),
        ("2026-02-28", days("2026-02-28", "2026-02-28")),
        ("9999-12-31", days("9999-12-31", "9999-12-31")),
    ],
)
def test_a_partial_date_is_every_day_that_it_can_mean(text: str, expected: DayRange) -> None:
    assert DayRange.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["2026-03-16T23:59:59-11:00", "2026-03-16T00:00:00+14:00", "2026-03-16T12:00:00Z", "2026-03-16T10:00"],
)
def test_a_date_time_counts_on_the_day_written_in_it(text: str) -> None:
    assert DayRange.parse(text) == DayRange.of(date(2026, 3, 16))


@pytest.mark.parametrize(
    "text",
    [None, "", "2026-13", "2026-00", "2026-02-29", "2026-04-31", "0000", "26-01-01", "2026-1-1", "2026T10:00",
     "2026-02T10:00", "16.03.2026", "2026-03-16 10:00", " 2026", "٢٠٢٦"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert DayRange.parse(text) is None


def test_a_range_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        days("2026-01-02", "2026-01-01")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("02-01", Truth.FALSE), ("02-02", Truth.UNKNOWN), ("02-28", Truth.UNKNOWN), ("03-01", Truth.TRUE)],
)
def test_before_is_known_only_outside_the_range(limit: str, expected: Truth) -> None:
    assert days("2026-02-01", "2026-02-28").before(day(limit)) is expected


def test_a_range_is_written_as_one_day_or_two() -> None:
    assert str(days("2026-02-01", "2026-02-01")) == "2026-02-01"
    assert str(days("2026-02-01", "2026-02-28")) == "2026-02-01..2026-02-28"
    assert days("2026-02-01", "2026-02-01").is_exact
    assert not days("2026-02-01", "2026-02-28").is_exact


def test_a_shifted_range_keeps_its_length_within_the_calendar() -> None:
    assert days("2026-02-01", "2026-02-28").shifted(-1) == days("2026-01-31", "2026-02-27")
    assert DayRange.of(date.max).shifted(1) == DayRange.of(date.max)
    assert DayRange.of(date.min).shifted(-1) == DayRange.of(date.min)


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        (date(2026, 2, 28), 1, date(2026, 3, 1)),
        (date(2024, 2, 28), 1, date(2024, 2, 29)),
        (date(2026, 3, 1), -1, date(2026, 2, 28)),
        (date.max, 1, date.max),
        (date.max, 10**12, date.max),
        (date.min, -1, date.min),
    ],
)
def test_counting_days_stops_at_the_ends_of_the_calendar(start: date, count: int, expected: date) -> None:
    assert days_later(start, count) == expected


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 5, 31), -3, date(2026, 2, 28)),
        (date(2024, 5, 31), -3, date(2024, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 3, 16), -3, date(2025, 12, 16)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 16), 0, date(2026, 3, 16)),
        (date(2026, 3, 16), 12, date(2027, 3, 16)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_months_are_counted_by_the_calendar_up_to_a_shorter_months_last_day(
    start: date, months: int, expected: date
) -> None:
    assert add_months(start, months) == expected


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-240, 240))
def test_adding_months_moves_the_month_by_exactly_that_many(start: date, months: int) -> None:
    moved = add_months(start, months)
    assert (moved.year - start.year) * 12 + moved.month - start.month == months
    assert moved.day <= start.day


@pytest.mark.parametrize(
    ("born", "age", "expected"),
    [
        (date(2008, 3, 16), 18, date(2026, 3, 16)),
        (date(2008, 2, 29), 18, date(2026, 3, 1)),
        (date(2008, 2, 29), 16, date(2024, 2, 29)),
        (date(2000, 2, 29), 100, date(2100, 3, 1)),
    ],
)
def test_a_leap_day_birthday_falls_on_the_first_of_march_in_other_years(born: date, age: int, expected: date) -> None:
    assert birthday(born, age) == expected


@pytest.mark.parametrize(
    ("born", "years"),
    [("1956-03-16", 70), ("1955-03-17", 70), ("1955-03-16", 71), ("2008-03-17", 17), ("2008-03-16", 18),
     ("2026-03-16", 0), ("2026-03-17", 0), ("2027-01-01", 0)],
)  # fmt: skip
def test_a_year_is_completed_on_the_birthday_itself(born: str, years: int) -> None:
    found = DayRange.parse(born)
    assert found is not None
    assert completed_years(found, day("03-16")) == exactly(years)


@pytest.mark.parametrize(("on", "years"), [("2026-02-28", 17), ("2026-03-01", 18), ("2024-02-29", 16)])
def test_a_leap_day_child_comes_of_age_on_the_first_of_march(on: str, years: int) -> None:
    assert completed_years(DayRange.of(date(2008, 2, 29)), day(on)) == exactly(years)


@pytest.mark.parametrize(
    ("born", "years"), [("1955", span(70, 71)), ("2008-03", span(17, 18)), ("2008-02", exactly(18))]
)
def test_a_partial_birth_date_gives_every_age_that_is_possible(born: str, years: object) -> None:
    found = DayRange.parse(born)
    assert found is not None
    assert completed_years(found, day("03-16")) == years


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 120))
def test_the_age_reaches_a_number_of_years_exactly_on_that_birthday(born: date, age: int) -> None:
    reached = birthday(born, age)
    assert completed_years(DayRange.of(born), reached).low >= age
    if age:
        assert completed_years(DayRange.of(born), reached - timedelta(days=1)) == exactly(age - 1)


@pytest.mark.parametrize(
    ("text", "back", "forth"),
    [
        ("28 d", date(2026, 2, 16), date(2026, 4, 13)),
        ("4 wk", date(2026, 2, 16), date(2026, 4, 13)),
        ("3 mo", date(2025, 12, 16), date(2026, 6, 16)),
        ("18 a", date(2008, 3, 16), date(2044, 3, 16)),
        ("0 d", date(2026, 3, 16), date(2026, 3, 16)),
    ],
)
def test_a_span_leads_back_and_forth_by_days_or_by_the_calendar(text: str, back: date, forth: date) -> None:
    assert Span.parse(text).before(day("03-16")) == back
    assert Span.parse(text).after(day("03-16")) == forth


def test_weeks_are_seven_days_and_months_have_no_fixed_length() -> None:
    assert Span.parse("8 wk").days == Span.parse("56 d").days == 56
    for text in ("3 mo", "1 a"):
        with pytest.raises(ValueError, match="no fixed number of days"):
            _ = Span.parse(text).days


@pytest.mark.parametrize("text", ["", "28", "d", "4 weeks", "1.5 mo", "-3 d", "3 m", "28 d d"])
def test_a_span_needs_a_whole_number_and_a_known_unit(text: str) -> None:
    with pytest.raises(ValueError, match="expected a span"):
        Span.parse(text)


def test_a_span_is_written_as_the_protocol_writes_it() -> None:
    assert str(Span.parse(" 28d ")) == "28 d"


@pytest.mark.parametrize(
    ("end", "begin", "between"),
    [
        ("2026-01-31", "2026-02-10", ("2026-02-01", "2026-02-09")),
        ("2026-01-31", "2026-02-02", ("2026-02-01", "2026-02-01")),
        ("2026-01-31", "2026-02-01", None),
        ("2026-01-31", "2026-01-20", None),
        ("2026-01", "2026-03", ("2026-02-01", "2026-02-28")),
        (None, "2026-02-01", None),
        ("2026-01-31", None, None),
    ],
)
def test_the_days_between_an_end_and_a_beginning(
    end: str | None, begin: str | None, between: tuple[str, str] | None
) -> None:
    expected = between and DayRange(date.fromisoformat(between[0]), date.fromisoformat(between[1]))
    assert days_between(DayRange.parse(end), DayRange.parse(begin)) == expected
