"""Courses: which stretches of days with a dose belong together, and what is told of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cds_service.clinical.courses import Course, courses
from cds_service.clinical.doses import DoseSegment
from cds_service.clinical.interval import ANYTHING, ZERO, Interval
from tests.clinical.builders import exactly, span

BEGAN = date(2025, 1, 1)


def day(number: int) -> date:
    return BEGAN + timedelta(days=number)


def segment(first: int, last: int, dose: Interval, source: str = "m1", goes_on: bool = False) -> DoseSegment:
    return replace(DoseSegment(day(first), day(last), dose, "daily", (source,)), goes_on=goes_on)


def spans(*segments: DoseSegment) -> list[tuple[int, int]]:
    return [((one.first - BEGAN).days, (one.last - BEGAN).days) for one in courses(segments)]


@pytest.mark.parametrize(("hole", "expected"), [(0, [(0, 39)]), (30, [(0, 69)]), (31, [(0, 9), (41, 70)])])
def test_a_hole_of_up_to_30_days_belongs_to_a_course(hole: int, expected: list[tuple[int, int]]) -> None:
    after = 10 + hole
    assert spans(segment(0, 9, exactly(20)), segment(after, after + 29, exactly(20))) == expected


def test_days_without_a_dose_are_no_course_and_may_part_two() -> None:
    nothing = segment(10, 50, ZERO)
    assert spans(nothing) == []
    assert spans(segment(0, 9, exactly(20)), nothing, segment(51, 60, exactly(20))) == [(0, 9), (51, 60)]


def test_a_course_tells_its_highest_and_its_last_dose_and_each_record_once() -> None:
    steps = (segment(0, 9, exactly(20)), segment(10, 19, exactly(60), "m2"), segment(20, 29, exactly(10), goes_on=True))
    assert courses(steps) == [Course(day(0), day(29), exactly(60), exactly(10), ("m1", "m2"), goes_on=True)]
    assert not courses([*steps, segment(30, 39, exactly(5))])[0].goes_on


@pytest.mark.parametrize(
    ("doses", "highest"),
    [
        ([exactly(40), span(10, 60)], span(10, 60)),
        ([span(20, 60), span(10, 60)], span(20, 60)),
        ([exactly(40), ANYTHING], ANYTHING),
        ([ANYTHING, exactly(40)], ANYTHING),
    ],
)
def test_the_highest_dose_is_that_with_the_highest_end(doses: list[Interval], highest: Interval) -> None:
    (course,) = courses(segment(10 * at, 10 * at + 9, dose) for at, dose in enumerate(doses))
    assert course.highest == highest
