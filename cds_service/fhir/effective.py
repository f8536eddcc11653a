"""When a drug was taken or given: on a day, between two days, or, in R5, by a timing."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.clinical.dates import DayRange
from cds_service.fhir import elements as el
from cds_service.fhir.timing import end_of


@dataclass(frozen=True, slots=True)
class Effective:
    """The days of beginning and end, as far as they are told. `understood` is false for a timing that names neither."""

    begins: DayRange | None = None
    ends: DayRange | None = None
    understood: bool = True


def effective(stamp: str | None, period: el.Period | None, timing: el.Timing | None = None) -> Effective:
    """When it was; of a timing, its bounds, or its first and last event."""
    if period is None and stamp is None and timing is not None:
        return _of_timing(timing)
    if period is not None:
        return Effective(DayRange.parse(period.start), end_of(period.end))
    return Effective(DayRange.parse(stamp))


def _of_timing(timing: el.Timing) -> Effective:
    bounds = timing.repeat.boundsPeriod if timing.repeat else None
    if bounds is not None:
        return Effective(DayRange.parse(bounds.start), end_of(bounds.end))
    events = [DayRange.parse(event) for event in timing.event or ()]
    days = [day for day in events if day is not None]
    if not days or len(days) < len(events):
        return Effective(understood=False)
    return Effective(min(days, key=lambda day: day.first), max(days, key=lambda day: day.last))
