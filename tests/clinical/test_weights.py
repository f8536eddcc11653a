"""Which body weight counts for a day, and when weights contradict each other."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical.interval import Interval
from cds_service.clinical.quantity import Unusable
from cds_service.clinical.weights import WeightHistory
from tests.clinical.builders import AS_OF, ago, exactly, result, span, weights


def counting(history: WeightHistory, on: date = AS_OF) -> tuple[Interval, bool] | None:
    """The weight that counts for a day and whether it is stale."""
    found = history.on(on)
    return (found.weight.kilograms, found.stale) if found else None


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, (exactly(70), False)), (30, (exactly(70), False)), (31, (exactly(70), True)), (91, None),
     (90, (exactly(70), True)), (-1, (exactly(70), False)), (-30, (exactly(70), False)), (-31, None)],
)  # fmt: skip
def test_a_weight_is_fresh_for_30_days_either_way_and_then_stale_up_to_90(
    days: int, expected: tuple[Interval, bool] | None
) -> None:
    assert counting(weights((ago(days), 70))) == expected


def test_the_last_weight_on_or_before_the_day_goes_before_a_nearer_one_after_it() -> None:
    history = weights((ago(30), 70), (ago(-1), 60))
    assert counting(history) == (exactly(70), False)


def test_the_next_fresh_weight_goes_before_a_stale_one() -> None:
    assert counting(weights((ago(31), 70), (ago(-30), 60))) == (exactly(60), False)
    assert counting(weights((ago(31), 70), (ago(-31), 60))) == (exactly(70), True)


def test_of_several_weights_the_nearest_on_its_side_counts() -> None:
    assert counting(weights((ago(9), 70), (ago(2), 71), (ago(20), 72))) == (exactly(71), False)
    assert counting(weights((ago(-9), 70), (ago(-2), 71))) == (exactly(71), False)


def test_several_weights_of_a_day_are_one_range() -> None:
    assert counting(weights((AS_OF, 70), (AS_OF, 74), (AS_OF, 72))) == (span(70, 74), False)


def test_without_weights_there_is_none() -> None:
    assert counting(weights()) is None


@pytest.mark.parametrize(
    "kilograms",
    [
        Unusable("no-unit"),
        Interval(Fraction(100), None),
        Interval(Fraction(0), Fraction(100), high_open=True),
    ],
)
def test_what_is_no_reading_of_a_scale_does_not_hide_an_older_weight(kilograms: Interval | Unusable) -> None:
    history = WeightHistory([result("weight", kilograms, AS_OF), result("weight", 70, ago(20), "b")])
    assert counting(history) == (exactly(70), False)


@pytest.mark.parametrize("on", ["2026-03", "2026"])
def test_a_weight_of_an_unknown_day_does_not_count(on: str) -> None:
    assert counting(weights((on, 70))) is None


def test_a_weight_names_its_resource() -> None:
    found = weights((AS_OF, 70)).on(AS_OF)
    assert found is not None
    assert (found.weight.reference, found.weight.day) == ("weight/1", AS_OF)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-60, 60), st.integers(50, 90)), max_size=4))
def test_another_weight_begins_to_count_on_turning_days_only(readings: list[tuple[int, int]]) -> None:
    history = weights(*((ago(shift), kilograms) for shift, kilograms in readings))
    changes = [ago(n) for n in range(-160, 160) if history.on(ago(n)) != history.on(ago(n + 1))]
    assert set(changes) <= history.turning_days()


def test_the_newest_of_several_stale_weights_counts() -> None:
    assert counting(weights((ago(80), 70), (ago(60), 72), (ago(100), 74))) == (exactly(72), True)
    assert counting(weights((ago(100), 70), (ago(60), 72))) == (exactly(72), True)


def test_weights_at_the_ends_of_the_calendar_do_no_harm() -> None:
    assert weights((date.min, 70), (date.max, 80)).turning_days()


@pytest.mark.parametrize(("days", "inside"), [(0, True), (90, True), (91, False), (-1, False)])
def test_recent_weights_are_those_of_the_last_90_days(days: int, inside: bool) -> None:
    assert bool(weights((ago(days), 70)).recent(AS_OF)) is inside


@pytest.mark.parametrize(
    ("first", "second", "days", "contradicts"),
    [
        ("70", "77", 30, False), ("70", "77.01", 30, True), ("70", "63", 30, False),
        ("70", "62.99", 30, True), ("70", "77.01", 31, False), ("70", "77.01", 1, True), ("70", "70", 1, False),
    ],
)  # fmt: skip
def test_weights_contradict_each_other_when_they_differ_by_more_than_a_tenth_within_30_days(
    first: str, second: str, days: int, contradicts: bool
) -> None:
    assert weights((ago(days), first), (AS_OF, second)).contradict(AS_OF) is contradicts


def test_readings_of_one_day_may_contradict_each_other() -> None:
    assert weights((AS_OF, 70), (AS_OF, 78)).contradict(AS_OF)
    assert not weights((AS_OF, 70), (AS_OF, 77)).contradict(AS_OF)


def test_weights_that_are_not_neighbours_may_contradict_each_other() -> None:
    assert weights((ago(20), 70), (ago(10), 74), (AS_OF, 78)).contradict(AS_OF)


@pytest.mark.parametrize(("days", "contradicts"), [(90, True), (91, False)])
def test_old_contradictions_are_no_longer_held_against_the_weight(days: int, contradicts: bool) -> None:
    assert weights((ago(days), 70), (ago(80), 90)).contradict(AS_OF) is contradicts


def test_a_weight_of_some_day_of_a_month_does_not_hide_an_older_one() -> None:
    found = weights(("2026-03", 70), ("02-20", 60)).on(AS_OF)
    assert found is not None
    assert found.weight.kilograms == exactly(60)


def test_one_kilogram_is_a_weight_and_nothing_is_none() -> None:
    assert [weight.kilograms for weight in weights((AS_OF, 1)).weights] == [exactly(1)]
    assert weights((AS_OF, 0)).weights == ()
