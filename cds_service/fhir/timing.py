"""How often and between which days: FHIR Timing as administrations per day, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import Pattern
from cds_service.clinical.quantity import Unusable, exact
from cds_service.fhir import elements as el
from cds_service.fhir.sig import read_frequency

_HOURS = {"h": Fraction(1), "d": Fraction(24), "wk": Fraction(168), "min": Fraction(1, 60), "s": Fraction(1, 3600)}
_DAYS_OF_BOUNDS = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}
_EVERY_OTHER_DAY = frozenset({3, 4})
_DAYS_OF_WEEK = 7


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a Timing says. `per_day` is None where it states no rate that can be understood.

    `understood` is false when it states something that is not read, such as single events.
    """

    per_day: Interval | None = None
    pattern: Pattern = "unknown"
    first: DayRange | None = None
    last: DayRange | None = None
    length_days: int | None = None
    part_of_day: bool = False
    conflict: bool = False
    understood: bool = True


def schedule_of(timing: el.Timing | None) -> Schedule:
    """The schedule of a Timing; where its code and its repeat disagree, both are kept as an interval."""
    if timing is None:
        return Schedule()
    repeat = timing.repeat or el.Repeat()
    from_repeat, understood = _rate(repeat)
    from_code = _coded_rate(timing.code)
    first, last, length = _bounds(repeat)
    rate, conflict = _joined(from_repeat, from_code)
    if rate is None and repeat.count == 1:
        rate, length = Interval.exactly(1), 1
    return Schedule(
        rate, pattern_of(rate), first, last, length,
        part_of_day=bool(repeat.when or repeat.timeOfDay),
        conflict=conflict,
        understood=understood and not (timing.event and rate is None),
    )  # fmt: skip


def pattern_of(per_day: Interval | None) -> Pattern:
    """The name of a rate: daily from once a day, every other day, weekly for anything rarer."""
    if per_day is None or not per_day.is_exact:
        return "unknown" if per_day is None or per_day.low < 1 else "daily"
    if per_day.low >= 1:
        return "daily"
    return "qod" if per_day.low == Fraction(1, 2) else "weekly"


def _joined(one: Interval | None, other: Interval | None) -> tuple[Interval | None, bool]:
    if one is None or other is None:
        return one or other, False
    return one.hull(other), one != other


def _coded_rate(code: el.CodeableConcept | None) -> Interval | None:
    """The rate that the timing's code or its words name; contradicting ones are an interval."""
    if code is None:
        return None
    texts = [*(one.code for one in code.coding or () if one.code), *code.texts()]
    found = [reading[0] for text in texts if (reading := read_frequency(text)) is not None]
    rate = None
    for one in found:
        rate = one if rate is None else rate.hull(one)
    return rate


def _rate(repeat: el.Repeat) -> tuple[Interval | None, bool]:
    """Administrations per day of a repeat, and whether what it states was understood."""
    times_a_day = len(repeat.timeOfDay or ()) or len(repeat.when or ())
    if repeat.period is None:
        if repeat.periodUnit or repeat.frequency:
            return None, False
        rate = Interval.exactly(times_a_day) if times_a_day else None
        return _on_some_days(rate or Interval.exactly(1), repeat) if repeat.dayOfWeek else (rate, True)
    hours = _HOURS.get(repeat.periodUnit or "")
    shortest, longest = exact(repeat.period), exact(repeat.periodMax or repeat.period)
    if hours is None or isinstance(shortest, Unusable) or isinstance(longest, Unusable) or shortest <= 0:
        return None, False
    fewest = repeat.frequency if repeat.frequency is not None else times_a_day or 1
    most = repeat.frequencyMax or fewest
    if fewest < 0 or most < fewest or longest < shortest:
        return None, False
    rate = Interval(fewest * 24 / (longest * hours), most * 24 / (shortest * hours))
    return _on_some_days(rate, repeat) if repeat.dayOfWeek else (rate, True)


def _on_some_days(rate: Interval, repeat: el.Repeat) -> tuple[Interval | None, bool]:
    """A daily or weekly rate on named days of the week."""
    days = len(set(repeat.dayOfWeek or ()))
    if repeat.periodUnit == "wk" and repeat.period == 1:
        return Interval.exactly(Fraction(days, _DAYS_OF_WEEK)), True
    if days in _EVERY_OTHER_DAY and rate == Interval.exactly(1):
        return Interval.exactly(Fraction(1, 2)).hull(Interval.exactly(Fraction(days, _DAYS_OF_WEEK))), True
    return rate.scaled(Fraction(days, _DAYS_OF_WEEK)), True


def _bounds(repeat: el.Repeat) -> tuple[DayRange | None, DayRange | None, int | None]:
    period = repeat.boundsPeriod or el.Period()
    duration = repeat.boundsDuration
    if duration is None or duration.value is None:
        return DayRange.parse(period.start), DayRange.parse(period.end), None
    days = _DAYS_OF_BOUNDS.get(duration.code or duration.unit or "")
    length = exact(duration.value)
    if days is None or isinstance(length, Unusable) or (length * days).denominator != 1 or length <= 0:
        return DayRange.parse(period.start), DayRange.parse(period.end), None
    return DayRange.parse(period.start), DayRange.parse(period.end), int(length * days)
