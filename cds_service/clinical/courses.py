"""Courses of a corticosteroid: stretches of days with a dose, further apart than a hole in the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.clinical.doses import DoseSegment
from cds_service.clinical.exposure import days_of
from cds_service.clinical.interval import Interval


@dataclass(frozen=True, slots=True)
class Course:
    """Days (both ends included) on which the drug was, or may have been, taken; `highest` and `last_dose` in mg/d.

    `goes_on` when it states no end on or before the day of screening.
    """

    first: date
    last: date
    highest: Interval
    last_dose: Interval
    sources: tuple[str, ...]
    goes_on: bool


def courses(segments: Iterable[DoseSegment]) -> list[Course]:
    """All courses, oldest first. After a longer hole than exposure.yaml bridges, the next dose begins a new one."""
    found: list[Course] = []
    for segment in segments:
        if segment.dose.is_zero:
            continue
        if found and (segment.first - found[-1].last).days - 1 <= days_of("gap_possible"):
            found[-1] = _longer(found[-1], segment)
        else:
            found.append(
                Course(segment.first, segment.last, segment.dose, segment.dose, segment.sources, segment.goes_on)
            )
    return found


def _longer(course: Course, segment: DoseSegment) -> Course:
    sources = tuple(dict.fromkeys((*course.sources, *segment.sources)))
    highest = max(course.highest, segment.dose, key=lambda dose: (dose.high is None, dose.high or dose.low, dose.low))
    return Course(course.first, segment.last, highest, segment.dose, sources, segment.goes_on)
