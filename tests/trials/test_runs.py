"""Unbroken runs of days on which a dose keeps a limit: what breaks them, what is looked through, where they begin."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cds_service.clinical.doses import DoseSegment, WeighedSegment
from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.truth import Truth
from cds_service.trials.rules.runs import runs
from tests.clinical.builders import exactly, span

BEGAN = date(2026, 1, 1)
LIMIT = 3
# How much is taken a day, and for how many days: 5 keeps the limit, 1 does not, (1, 5) cannot be told.
Dose = int | tuple[int, int]


def keeps(segment: WeighedSegment) -> Truth:
    per_kg = segment.per_kg or ANYTHING
    if per_kg.high is not None and per_kg.high <= LIMIT:
        return Truth.FALSE
    return Truth.TRUE if per_kg.low > LIMIT else Truth.UNKNOWN


def weighed(*steps: tuple[Dose | None, int], flagged: int | None = None) -> list[WeighedSegment]:
    """Doses one after the other; None is a dose without a weight; the flagged one has no stated start."""
    found: list[WeighedSegment] = []
    first = BEGAN
    for place, (dose, days) in enumerate(steps):
        last = first + timedelta(days=days - 1)
        amount: Interval = exactly(0) if dose is None else exactly(dose) if isinstance(dose, int) else span(*dose)
        flags = frozenset({"left-censored"} if place == flagged else ())
        segment = DoseSegment(first, last, amount, "daily", (f"m{place}",), flags=flags)
        found.append(WeighedSegment(segment, first, last, None if dose is None else amount, None, False))
        first = last + timedelta(days=1)
    return found


def told(*steps: tuple[Dose | None, int], flagged: int | None = None) -> list[tuple[int, int, bool, bool]]:
    """Of each run the first day (0 is that of the record), the days from it to the last, and its two doubts."""
    found = runs(weighed(*steps, flagged=flagged), keeps, 3)
    return [((run.first - BEGAN).days, run.elapsed, run.open_start, run.bridged) for run in found]


def only(*steps: tuple[Dose | None, int], flagged: int | None = None) -> tuple[int, int, bool, bool]:
    (run,) = told(*steps, flagged=flagged)
    return run


def test_runs_come_newest_first_and_a_dose_below_the_limit_parts_them() -> None:
    assert told((5, 10), (1, 1), (6, 5), (1, 3)) == [(11, 4, False, False), (0, 9, False, False)]
    assert told((1, 10)) == []
    assert told() == []


@pytest.mark.parametrize("days", [1, 3])
def test_a_few_unclear_days_within_a_run_are_looked_through(days: int) -> None:
    unclear = (1, 5), days
    assert only((5, 10), unclear, (6, 5)) == (0, 10 + days + 4, False, True)
    assert only((1, 10), (5, 10), unclear, (6, 5)) == (10, 10 + days + 4, False, True)
    assert only(((1, 5), 4), (5, 10), unclear, (6, 5)) == (4, 10 + days + 4, True, True)


def test_more_unclear_days_break_it_and_leave_open_what_came_before() -> None:
    assert told((5, 10), ((1, 5), 4), (6, 5)) == [(14, 4, True, False), (0, 9, False, False)]
    assert only((5, 4), ((1, 5), 1), (5, 4), ((1, 5), 2), (5, 4)) == (0, 14, False, True)
    parted = told((5, 4), ((1, 5), 2), (5, 4), ((1, 5), 2), (5, 4))
    assert parted == [(6, 9, True, True), (0, 3, False, False)]


def test_a_day_without_a_weight_breaks_it() -> None:
    assert told((5, 10), (None, 1), (6, 5)) == [(11, 4, True, False), (0, 9, False, False)]


def test_unclear_days_before_the_first_sure_one_leave_the_beginning_open() -> None:
    assert only(((1, 5), 2), (5, 10)) == (2, 9, True, False)
    assert only((1, 5), ((1, 5), 2), (5, 10)) == (7, 9, True, False)


@pytest.mark.parametrize(("flagged", "open_start"), [(None, False), (0, True), (1, False), (2, False)])
def test_a_dose_without_a_start_leaves_the_beginning_open_where_it_stands_first(
    flagged: int | None, open_start: bool
) -> None:
    assert only((5, 3), (6, 3), (5, 3), flagged=flagged) == (0, 8, open_start, False)


def test_a_run_knows_whether_its_dose_changed() -> None:
    (changed,) = runs(weighed((5, 3), (6, 3)), keeps, 3)
    (steady,) = runs(weighed((5, 3)), keeps, 3)
    assert (changed.has_one_dose, steady.has_one_dose) == (False, True)
    assert (changed.first, changed.last) == (BEGAN, BEGAN + timedelta(days=5))
