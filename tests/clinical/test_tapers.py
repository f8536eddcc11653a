"""Tapers and their failures: each bound of what a fall, a rise, a hole, a pulse and a level dose are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from cds_service.clinical.doses import DoseSegment
from cds_service.clinical.interval import ANYTHING, Interval, Limit
from cds_service.clinical.tapers import DoseChange, Taper, Tapering, smoothed, tapers
from tests.clinical.builders import span

BEGAN = date(2025, 1, 1)
READING = Tapering(
    fall=DoseChange(Limit.parse(">= 2.5 mg/d"), Limit.parse(">= 10 %")),
    rise=DoseChange(Limit.parse(">= 5 mg/d"), Limit.parse(">= 20 %")),
    held=7, plateau=56, pulse_times=2, pulse_within=5,
)  # fmt: skip
Dose = int | tuple[int, int]
Step = tuple[Dose, int]


def day(number: int) -> date:
    """The day so many days after the first."""
    return BEGAN + timedelta(days=number)


def of(dose: Dose) -> Interval:
    return Interval.exactly(dose) if isinstance(dose, int) else span(*dose)


def segments(steps: Sequence[Step]) -> list[DoseSegment]:
    """Doses one after the other, each for so many days, each of a record of its own."""
    found: list[DoseSegment] = []
    first = 0
    for number, (dose, days) in enumerate(steps):
        found.append(DoseSegment(day(first), day(first + days - 1), of(dose), "daily", (f"m{number}",)))
        first += days
    return found


def levels(*steps: Step) -> list[tuple[Interval, int]]:
    return [(level.dose, level.days) for level in smoothed(segments(steps), READING)]


def only_taper(*steps: Step) -> Taper:
    (found,) = tapers(segments(steps), READING)
    return found


def as_they_are(*steps: Step) -> list[tuple[Interval, int]]:
    return [(of(dose), days) for dose, days in steps]


@pytest.mark.parametrize(
    ("by", "dose", "reached"),
    [("10", "100", True), ("9.95", "100", False), ("2.5", "20", True), ("2.45", "20", False), ("2.5", "0", True)],
)
def test_a_change_counts_by_its_amount_and_by_its_share(by: str, dose: str, reached: bool) -> None:
    assert READING.fall.is_reached(Fraction(by), Fraction(dose)) is reached


def test_levels_of_one_dose_are_one_with_the_records_of_all() -> None:
    (level,) = smoothed(segments([(20, 5), (20, 7)]), READING)
    assert (level.days, level.sources) == (12, ("m0", "m1"))


@pytest.mark.parametrize(
    "hole", [0, (0, 40)], ids=["nothing for six days", "perhaps nothing for six days"],
)  # fmt: skip
def test_a_hole_of_six_days_between_two_doses_is_looked_through(hole: Dose) -> None:
    assert levels((40, 30), (hole, 6), (40, 30)) == [(of(40), 66)]


def test_a_hole_is_looked_through_although_the_drug_is_stopped_later() -> None:
    assert levels((40, 30), (0, 6), (40, 30), (0, 30)) == as_they_are((40, 66), (0, 30))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([(40, 30), (0, 7), (40, 30)], id="seven days of nothing are a stop"),
        pytest.param([(40, 30), (0, 6)], id="nothing at the end of the record is a stop"),
        pytest.param([(40, 30), ((0, 20), 6), (40, 30)], id="perhaps another dose is no hole"),
        pytest.param([(30, 30), ((10, 40), 1), (30, 30)], id="a single uncertain day stays uncertain"),
        pytest.param([(20, 60), (100, 3)], id="a high dose that was not gone back from is no pulse"),
        pytest.param([(30, 30), (40, 1), (50, 30)], id="a single day between two doses is a step"),
    ],
)
def test_what_is_not_looked_through(steps: list[Step]) -> None:
    assert levels(*steps) == as_they_are(*steps)


def test_a_single_day_beyond_both_its_neighbours_takes_the_nearer_dose() -> None:
    assert levels((30, 30), (60, 1), (50, 30)) == as_they_are((30, 30), (50, 31))


def test_the_higher_dose_is_the_highest_that_began_within_the_days_that_a_rise_is_held() -> None:
    assert only_taper((40, 60), (15, 30), (20, 6), (30, 60)).raised_to == of(30)
    assert only_taper((40, 60), (15, 30), (20, 7), (30, 60)).raised_to == of(20)
    assert only_taper((40, 60), (15, 30), (28, 4), (26, 60)).raised_to == of(28)


@pytest.mark.parametrize(
    ("between", "starts"),
    [
        (((15, 40), 10), 60),  # on these days the low dose may have been taken already
        (((10, 40), 10), 60),
        (((20, 40), 10), 70),
        ((39, 10), 70),
    ],
    ids=["perhaps the low dose", "perhaps a lower one", "not the low dose", "hardly lower"],
)
def test_a_taper_begins_on_the_first_day_on_which_the_low_dose_was_possible(between: Step, starts: int) -> None:
    assert only_taper((40, 60), between, (15, 30), (40, 60)).start == day(starts)


def test_a_taper_comes_down_from_the_first_of_two_doses_that_were_surely_as_high() -> None:
    assert only_taper((40, 60), ((40, 60), 10), (15, 30), (50, 60)).dose == of(40)


def test_a_dose_between_the_lowest_and_a_rise_is_not_what_the_rise_is_measured_from() -> None:
    found = only_taper((40, 60), (15, 30), (17, 30), (20, 60))
    assert (found.outcome, found.nadir, found.ended) == ("failed", of(15), day(120))


def test_a_rise_is_measured_from_the_lowest_dose() -> None:
    found = only_taper((40, 60), (30, 30), (15, 30), (22, 60))
    assert (found.outcome, found.nadir, found.ended) == ("failed", of(15), day(120))


def test_what_may_have_been_as_high_as_the_lowest_dose_is_no_lower_one() -> None:
    assert only_taper((40, 60), (15, 30), ((10, 15), 20), (40, 60)).nadir == of(15)


def test_a_level_taper_ends_on_the_last_day_of_the_plateau() -> None:
    found = only_taper((40, 60), (15, 60))
    assert (found.outcome, found.ended) == ("level", day(115))


def test_a_pulse_on_nothing_is_a_dose_and_one_on_very_little_is_looked_through() -> None:
    assert levels((0, 10), (100, 5), (0, 10)) == as_they_are((0, 10), (100, 5), (0, 10))
    assert levels((1, 10), (100, 5), (1, 10)) == as_they_are((1, 25))


def outcomes(*steps: Step) -> list[tuple[str, date | None]]:
    return [(taper.outcome, taper.ended) for taper in tapers(segments(steps), READING)]


def test_how_a_taper_ends_and_when() -> None:
    assert outcomes((40, 30), (15, 28), (40, 7)) == [("failed", day(58))]
    assert outcomes((40, 30), (15, 28), (40, 6)) == [("going-on", None)]
    assert outcomes((40, 30), (15, 28)) == [("going-on", None)]
    assert outcomes((40, 30), (15, 28), (0, 30)) == [("stopped", day(58))]
    assert outcomes((40, 30), (0, 60)) == [("stopped", day(30))]
    assert outcomes((40, 30), (15, 56)) == [("level", day(85))]
    assert outcomes((40, 30), (15, 55)) == [("going-on", None)]


def test_a_dose_that_may_have_been_level_before_it_surely_fell_ends_the_taper() -> None:
    assert outcomes((40, 30), ((15, 40), 56), (15, 28)) == [("level", day(85))]
    assert outcomes((40, 30), ((15, 40), 20), (15, 28), (40, 7)) == [("failed", day(78))]


def test_a_failed_taper_rests_on_the_dose_before_the_lowest_and_the_raised_one() -> None:
    assert only_taper((40, 30), (15, 28), (40, 7)).sources == ("m0", "m1", "m2")


def test_days_of_any_dose_in_a_taper_are_no_level_by_themselves() -> None:
    steps = segments([(40, 30), (15, 5), (0, 20), (12, 20)])
    steps[2] = replace(steps[2], dose=ANYTHING)
    assert [taper.outcome for taper in tapers(steps, READING)] == ["going-on"]
