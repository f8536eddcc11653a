"""How often and between which days: FHIR Timing as administrations per day, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from cds_service.clinical.dates import DayRange, Span
from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import Pattern
from cds_service.clinical.quantity import Unusable, exact
from cds_service.fhir import elements as el
from cds_service.fhir.rates import Rate, coded_rate, repeated_rate

_UNITS_OF_LENGTH = {
    "d": "d", "day": "d", "days": "d", "wk": "wk", "week": "wk", "weeks": "wk",
    "mo": "mo", "month": "mo", "months": "mo", "a": "a", "year": "a", "years": "a",
}  # fmt: skip
_LONGEST = 36500
# The times of day that a text names, too.
_TIMES = {
    **dict.fromkeys(("MORN", "CM", "ACM", "PCM"), "morning"), **dict.fromkeys(("NOON", "CD", "ACD", "PCD"), "noon"),
    **dict.fromkeys(("EVE", "NIGHT", "HS", "CV", "ACV", "PCV"), "evening"),
}  # fmt: skip
_HALVES_OF_DAY = {"AM": "morning", "PM": "evening"}
# Years beyond stand for "no end", 9999-12-31 above all.
_LAST_YEAR = 2900


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a Timing says. `per_day` is None where it states no rate that can be understood.

    `understood` is false when it states something that is not read, such as several single events. `conflict`
    says that its parts contradict each other, `backwards` that its bounds end before they begin.
    """

    per_day: Interval | None = None
    pattern: Pattern = "unknown"
    first: DayRange | None = None
    last: DayRange | None = None
    length_days: int | None = None
    part_of_day: bool = False
    times: frozenset[str] = frozenset()
    conflict: bool = False
    backwards: bool = False
    understood: bool = True


def schedule_of(timing: el.Timing | None) -> Schedule:
    """The schedule of a Timing; where its code and its repeat disagree, both are kept as an interval."""
    if timing is None:
        return Schedule()
    repeat = timing.repeat or el.Repeat()
    if any(None in (stated or ()) for stated in (repeat.moments(), repeat.timeOfDay, repeat.dayOfWeek, timing.event)):
        return replace(_bounded(repeat), understood=False)  # an extension stands there instead of a value
    rate = _joined(repeated_rate(repeat), coded_rate(timing.code))
    schedule = _bounded(repeat)
    named = {
        *(_TIMES.get(one, one) for one in repeat.moments() if one),
        *(one for one in repeat.timeOfDay or () if one),
    }
    times = frozenset(named or _coded_times(timing.code))
    schedule = replace(
        schedule,
        per_day=rate.per_day,
        pattern=rate.pattern or pattern_of(rate.per_day),
        part_of_day=bool(times),
        times=times,
        conflict=rate.conflict or schedule.conflict,
        understood=rate.understood,
    )
    return _counted(schedule, repeat) if rate.per_day or repeat.count else _single(schedule, timing)


def _coded_times(code: el.CodeableConcept | None) -> set[str]:
    """The time of day that the code of a Timing stands for: AM or PM."""
    codes = (one.code for one in code.coding or ()) if code else ()
    return {_HALVES_OF_DAY[one.strip().upper()] for one in codes if one and one.strip().upper() in _HALVES_OF_DAY}


def pattern_of(per_day: Interval | None) -> Pattern:
    """The name of a rate: daily from once a day, every other day, weekly for anything rarer."""
    if per_day is None or not per_day.is_exact:
        return "unknown" if per_day is None or per_day.low < 1 else "daily"
    if per_day.low >= 1:
        return "daily"
    return "qod" if per_day.low == Fraction(1, 2) else "weekly"


def end_of(stamp: str | None) -> DayRange | None:
    """The day that a stamp means as an end; None for the far future, which stands for no end."""
    found = DayRange.parse(stamp)
    return found if found and found.last.year < _LAST_YEAR else None


def length_in_days(duration: el.Quantity | None, begins: DayRange | None) -> int | None:
    """A duration in whole days; months by the calendar from the day it begins. None when not told."""
    length = exact(duration.value) if duration and not duration.comparator else Unusable("no-value")
    unit = _UNITS_OF_LENGTH.get((duration.code or duration.unit or "").strip() if duration else "")
    if isinstance(length, Unusable) or unit is None or length.denominator != 1 or not 0 < length <= _LONGEST:
        return None
    days = int(length) * {"d": 1, "wk": 7, "mo": 30, "a": 365}[unit]
    if unit in ("mo", "a") and begins and begins.is_exact and begins.last.year + days // 365 < _LAST_YEAR:
        days = (Span(int(length), unit).after(begins.first) - begins.first).days
    return days if days <= _LONGEST else None


def _joined(repeated: Rate, coded: Rate) -> Rate:
    """Both rates as one. A code that is not understood takes nothing from a repeat that is."""
    if repeated.per_day is None or coded.per_day is None:
        one = repeated if repeated.per_day else coded
        return replace(one, understood=repeated.understood and (one.understood or bool(one.per_day)))
    if repeated.per_day == coded.per_day:
        return repeated if repeated.pattern else replace(repeated, pattern=coded.pattern)
    return Rate(repeated.per_day.hull(coded.per_day), conflict=True)


def _bounded(repeat: el.Repeat) -> Schedule:
    """The days between which it runs. Bounds that end before they begin are a contradiction and no end."""
    period = repeat.boundsPeriod or el.Period()
    first, last = DayRange.parse(period.start), end_of(period.end)
    length = length_in_days(repeat.boundsDuration, first)
    at_most = length_in_days(repeat.boundsRange.high, first) if repeat.boundsRange else None
    if first and last and last.last < first.first:
        return Schedule(first=first, conflict=True, backwards=True)
    return Schedule(first=first, last=last, length_days=length or at_most, conflict=bool(at_most and not length))


def _counted(schedule: Schedule, repeat: el.Repeat) -> Schedule:
    """The schedule with the length that a number of administrations gives it."""
    count, rate = repeat.count, schedule.per_day
    if count is None or repeat.countMax is not None or not 0 < count <= _LONGEST:
        return schedule
    if rate is None and count == 1 and schedule.understood:
        return replace(schedule, per_day=Interval.exactly(1), pattern="daily", length_days=1)
    if rate is None or not rate.is_exact or schedule.last or schedule.length_days:
        return schedule
    days = math.ceil(count / rate.low)
    return replace(schedule, length_days=days) if days <= _LONGEST else schedule


def _single(schedule: Schedule, timing: el.Timing) -> Schedule:
    """A schedule without a rate: one event is one administration on its day, several are not understood."""
    events = timing.event or []
    day = DayRange.parse(events[0]) if len(events) == 1 else None
    if day is None or not schedule.understood:
        return replace(schedule, understood=schedule.understood and not events)
    return replace(schedule, per_day=Interval.exactly(1), pattern="daily", first=day, last=None, length_days=1)
