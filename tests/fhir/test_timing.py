"""Timing: how often, from when to when, and what is not understood."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import Interval
from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.timing import Schedule, end_of, length_in_days, pattern_of, schedule_of
from tests.fhir.made import Json


def schedule(code: str | None = None, event: list[str] | None = None, **repeat: Any) -> Schedule:
    stated: Json = {"repeat": repeat} | ({"event": event} if event else {}) | ({"code": {"text": code}} if code else {})
    timing = decode(json.dumps(stated).encode(), el.Timing)
    assert timing is not None
    return schedule_of(timing)


def rate(low: object, high: object | None = None) -> Interval:
    return Interval(Fraction(str(low)), Fraction(str(low if high is None else high)))


def every(frequency: int, period: float, unit: str, **more: Any) -> Json:
    return {"frequency": frequency, "period": period, "periodUnit": unit, **more}


@pytest.mark.parametrize(
    ("repeat", "per_day", "pattern"),
    [
        (every(1, 1, "d"), rate(1), "daily"),
        (every(2, 1, "d"), rate(2), "daily"),
        (every(1, 2, "d"), rate("1/2"), "qod"),
        (every(1, 48, "h"), rate("1/2"), "qod"),
        (every(1, 12, "h"), rate(2), "daily"),
        (every(1, 8, "h"), rate(3), "daily"),
        (every(1, 1, "wk"), rate("1/7"), "weekly"),
        (every(1, 1, "mo"), rate("1/31", "1/28"), "unknown"),
        (every(1, 1, "d", frequencyMax=2), rate(1, 2), "daily"),
        (every(1, 4, "h", periodMax=6), rate(4, 6), "daily"),
        ({"period": 1, "periodUnit": "d"}, rate(1), "daily"),
        ({"period": 1, "periodUnit": "d", "when": ["MORN", "EVE"]}, rate(2), "daily"),
        ({"timeOfDay": ["09:00:00", "21:00:00"]}, rate(2), "daily"),
        ({"frequency": 2, "timeOfDay": ["09:00:00", "21:00:00"]}, rate(2), "daily"),
        ({"when": ["HS"]}, rate(1), "daily"),
        (every(3, 1, "wk", dayOfWeek=["mon", "wed", "fri"]), rate("3/7", "1/2"), "qod"),
        (every(1, 1, "d", dayOfWeek=["mon", "wed", "fri", "sun"]), rate("1/2", "4/7"), "qod"),
        ({"dayOfWeek": ["mon", "thu"]}, rate("2/7"), "weekly"),
        (every(2, 1, "d", dayOfWeek=["mon", "wed", "fri"]), rate("6/7"), "weekly"),
    ],
)
def test_a_repeat_is_a_number_of_administrations_per_day(repeat: Json, per_day: Interval, pattern: str) -> None:
    found = schedule(**repeat)
    assert (found.per_day, found.pattern, found.conflict, found.understood) == (per_day, pattern, False, True)


@pytest.mark.parametrize(
    "repeat",
    [
        every(1, 0, "d"), every(0, 1, "d"), every(-1, 1, "d"), every(1, -1, "d"), every(1, 1, "fortnight"),
        every(10**400, 1, "d"), every(1, 10**400, "d"), every(101, 1, "d"), every(2, 1, "d", frequencyMax=1),
        every(1, 2, "d", periodMax=1), every(1, 1, "d", dayOfWeek=["noday"]), every(1, 2, "wk", dayOfWeek=["mon"]),
        {"period": 1}, {"periodUnit": "d"}, {"when": ["C"]}, every(1, 1, "ms"),
    ],
)  # fmt: skip
def test_a_repeat_that_makes_no_sense_has_no_rate_and_is_not_understood(repeat: Json) -> None:
    found = schedule(**repeat)
    assert (found.per_day, found.understood) == (None, False)


@pytest.mark.parametrize(
    ("repeat", "per_day"),
    [
        ({"frequency": 1, "periodUnit": "wk"}, rate("1/7", 1)),
        ({"frequency": 1, "periodUnit": "h"}, rate(1, 24)),
        (every(1, 1, "d", timeOfDay=["09:00:00", "21:00:00"]), rate(1, 2)),
        (every(1, 1, "wk", dayOfWeek=["mon", "wed", "fri"]), rate("1/7", "3/7")),
    ],
)
def test_a_repeat_that_can_be_read_in_two_ways_spans_both(repeat: Json, per_day: Interval) -> None:
    found = schedule(**repeat)
    assert (found.per_day, found.conflict) == (per_day, True)


@pytest.mark.parametrize(
    ("code", "per_day"),
    [("Daily", rate(1)), ("QD", rate(1)), ("BID", rate(2)), ("TID", rate(3)), ("QID", rate(4)), ("QOD", rate("1/2")),
     ("Q12H", rate(2)), ("Q8H", rate(3)), ("WK", rate("1/7")), ("every other day", rate("1/2")), ("隔日", rate("1/2")),
     ("每日一次", rate(1))],
)  # fmt: skip
def test_a_timing_code_is_a_rate(code: str, per_day: Interval) -> None:
    assert schedule(code=code).per_day == per_day


def test_a_code_that_agrees_adds_nothing_and_one_that_contradicts_is_a_conflict() -> None:
    agreeing, contradicting = schedule("QD", **every(1, 1, "d")), schedule("BID", **every(1, 1, "d"))
    assert (agreeing.per_day, agreeing.conflict) == (rate(1), False)
    assert (contradicting.per_day, contradicting.conflict) == (rate(1, 2), True)


def test_codes_that_contradict_each_other_are_a_conflict() -> None:
    found = schedule_of(el.Timing(code=el.CodeableConcept(coding=[el.Coding(code="BID")], text="Daily")))
    assert (found.per_day, found.conflict) == (rate(1, 2), True)


def test_a_code_that_nobody_knows_is_not_understood_unless_the_repeat_says_it() -> None:
    assert not schedule("4711").understood
    assert schedule("4711", **every(1, 1, "d")).understood


@pytest.mark.parametrize(
    ("repeat", "first", "last", "length"),
    [
        ({"boundsPeriod": {"start": "2026-01-05", "end": "2026-01-11"}}, "2026-01-05", "2026-01-11", None),
        ({"boundsPeriod": {"start": "2026-01-05", "end": "9999-12-31"}}, "2026-01-05", None, None),
        ({"boundsDuration": {"value": 7, "code": "d"}}, None, None, 7),
        ({"boundsDuration": {"value": 2, "unit": "weeks"}}, None, None, 14),
        ({"boundsDuration": {"value": 1, "code": "mo"}}, None, None, 30),
        ({"boundsDuration": {"value": 1.5, "code": "d"}}, None, None, None),
        ({"boundsDuration": {"value": 10**400, "code": "d"}}, None, None, None),
        ({"boundsDuration": {"value": 7, "code": "d", "comparator": "<"}}, None, None, None),
        (every(2, 1, "d", count=14), None, None, 7),
        (every(2, 1, "d", count=15), None, None, 8),
        (every(1, 1, "d", count=10**400), None, None, None),
        ({"count": 1}, None, None, 1),
    ],
)
def test_the_days_between_which_it_runs(repeat: Json, first: str | None, last: str | None, length: int | None) -> None:
    found = schedule(**repeat)
    days = [DayRange.of(date.fromisoformat(one)) if one else None for one in (first, last)]
    assert ([found.first, found.last], found.length_days) == (days, length)


def test_a_range_of_durations_runs_to_its_end_in_doubt() -> None:
    found = schedule(boundsRange={"low": {"value": 5, "code": "d"}, "high": {"value": 10, "code": "d"}})
    assert (found.length_days, found.conflict) == (10, True)


def test_bounds_that_end_before_they_begin_are_a_conflict_and_no_end() -> None:
    found = schedule(boundsPeriod={"start": "2026-02-01", "end": "2026-01-01"})
    assert (found.last, found.conflict, found.backwards) == (None, True, True)


def test_a_month_is_as_long_as_the_calendar_has_it() -> None:
    month = el.Quantity(value=el.Number(1), code="mo")
    assert length_in_days(month, DayRange.of(date(2026, 2, 1))) == 28
    assert length_in_days(month, DayRange.of(date(9990, 2, 1))) == 30


def test_one_event_is_one_administration_and_several_are_not_understood() -> None:
    one, several = schedule(event=["2026-01-05"]), schedule(event=["2026-01-05", "2026-02-05"])
    assert (one.per_day, one.first, one.length_days) == (rate(1), DayRange.of(date(2026, 1, 5)), 1)
    assert (several.per_day, several.understood) == (None, False)
    assert not schedule(event=["some day"]).understood


def test_no_timing_says_nothing_and_nothing_false() -> None:
    assert schedule_of(None) == Schedule()


@pytest.mark.parametrize(
    ("stamp", "day"), [("2899-01-01", True), ("2900-01-01", False), ("9999-12-31", False), (None, False)]
)
def test_the_far_future_is_no_end(stamp: str | None, day: bool) -> None:
    assert (end_of(stamp) is not None) is day


def test_rates_have_names() -> None:
    rates = [None, rate(1), rate(3), rate("1/2"), rate("1/3"), rate("1/2", 1), rate(1, 2)]
    assert [pattern_of(one) for one in rates] == [
        "unknown",
        "daily",
        "daily",
        "qod",
        "weekly",
        "unknown",
        "daily",
    ]
