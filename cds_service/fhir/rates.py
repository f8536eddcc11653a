"""Administrations per day of a timing's repeat and of its code."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import Pattern
from cds_service.clinical.quantity import Unusable, exact
from cds_service.fhir import elements as el
from cds_service.fhir.sig import read_frequency

# The shortest and the longest that each unit of time may be, in hours.
_HOURS = {
    "s": (Fraction(1, 3600), Fraction(1, 3600)),
    "min": (Fraction(1, 60), Fraction(1, 60)),
    "h": (Fraction(1), Fraction(1)),
    "d": (Fraction(24), Fraction(24)),
    "wk": (Fraction(168), Fraction(168)),
    "mo": (Fraction(28 * 24), Fraction(31 * 24)),
    "a": (Fraction(365 * 24), Fraction(366 * 24)),
}
_DAYS_OF_WEEK = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
_EVERY_OTHER_DAY = frozenset({3, 4})
_ONCE_A_DAY = Interval.exactly(1)
# "With meals", "before meals" and "after meals" do not say how many meals.
_UNCOUNTED = frozenset({"C", "AC", "PC"})
_MOST_PER_DAY = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """Administrations per day. `understood` is false when something is stated that cannot be read."""

    per_day: Interval | None = None
    conflict: bool = False
    understood: bool = True
    pattern: Pattern | None = None


_NOT_UNDERSTOOD = Rate(understood=False)


def repeated_rate(repeat: el.Repeat) -> Rate:
    """The rate of a repeat; no rate where it states none."""
    times = [one for one in (repeat.frequency, repeat.frequencyMax) if one is not None]
    if any(not 0 < one <= _MOST_PER_DAY for one in times):
        return _NOT_UNDERSTOOD
    rate = _on_days(repeat) if repeat.dayOfWeek else _every_period(repeat)
    if rate.per_day and (rate.per_day.low <= 0 or (rate.per_day.high or 0) > _MOST_PER_DAY):
        return _NOT_UNDERSTOOD
    return rate


def coded_rate(code: el.CodeableConcept | None) -> Rate:
    """The rate that the timing's code or its words name; contradicting ones as an interval."""
    if code is None:
        return Rate()
    texts = [*(one.code for one in code.coding or () if one.code), *code.texts()]
    found = [reading for text in texts if (reading := read_frequency(text)) is not None]
    if not found:
        return Rate(understood=not texts)
    span, pattern = found[0]
    for rate, _ in found[1:]:
        span = span.hull(rate)
    if any(rate != span for rate, _ in found):
        return Rate(span, conflict=True)
    return Rate(span, pattern=pattern)


def _every_period(repeat: el.Repeat) -> Rate:
    """So many times in each period."""
    moments = _moments(repeat)
    if repeat.period is None:
        return _without_period(repeat, moments)
    shortest, longest = exact(repeat.period), exact(repeat.periodMax or repeat.period)
    hours = _HOURS.get(_unit(repeat) or "")
    if hours is None or isinstance(shortest, Unusable) or isinstance(longest, Unusable):
        return _NOT_UNDERSTOOD
    fewest = repeat.frequency or moments or 1
    most = repeat.frequencyMax or fewest
    if not 0 < shortest <= longest or most < fewest:
        return _NOT_UNDERSTOOD
    rate = Interval(fewest * 24 / (longest * hours[1]), most * 24 / (shortest * hours[0]))
    by_moments = Interval.exactly(moments or 0)
    if moments and repeat.frequency and rate != by_moments and _unit(repeat) == "d" and repeat.period == 1:
        return Rate(rate.hull(by_moments), conflict=True)
    return Rate(rate)


def _without_period(repeat: el.Repeat, moments: int | None) -> Rate:
    """Times of day alone are daily. A unit without a number leaves open how often: once in it, or daily."""
    hours = _HOURS.get(_unit(repeat) or "")
    if _unit(repeat) is None and repeat.frequency is None:
        return Rate(Interval.exactly(moments)) if moments else Rate(understood=moments is not None)
    if repeat.frequency is None or repeat.frequencyMax is not None or (_unit(repeat) and hours is None):
        return _NOT_UNDERSTOOD
    if hours is None:
        return Rate(Interval.exactly(moments)) if moments == repeat.frequency else Rate()
    daily = Interval.exactly(repeat.frequency)
    literal = Interval(repeat.frequency * 24 / hours[1], repeat.frequency * 24 / hours[0])
    return Rate(literal.hull(daily), conflict=literal != daily)


def _unit(repeat: el.Repeat) -> str | None:
    return repeat.periodUnit or repeat.periodUnits


def _moments(repeat: el.Repeat) -> int | None:
    """How many times of day are named: none is 0, and None when they cannot be counted."""
    if repeat.timeOfDay:
        return len(set(repeat.timeOfDay))
    when = set(repeat.moments())
    return None if when & _UNCOUNTED else len(when)


def _on_days(repeat: el.Repeat) -> Rate:
    """A rate on named days of the week; three or four are every other day, as near as a week allows."""
    days = {day.strip().lower() for day in repeat.dayOfWeek or () if day}
    by_week = _unit(repeat) == "wk" and repeat.period == 1
    unstated = _unit(repeat) is None and repeat.period is None
    by_day = unstated or (_unit(repeat) == "d" and repeat.period == 1)
    if not days <= _DAYS_OF_WEEK or not (by_week or by_day) or repeat.frequencyMax is not None:
        return _NOT_UNDERSTOOD
    moments = _moments(repeat) or 1
    each_day = moments if by_week else repeat.frequency or moments
    rate = Interval.exactly(Fraction(len(days) * each_day, 7))
    if by_week and repeat.frequency not in (None, len(days) * moments):
        return Rate(rate.hull(Interval.exactly(Fraction(repeat.frequency or 0, 7))), conflict=True)
    if each_day == 1 and len(days) in _EVERY_OTHER_DAY:
        return Rate(rate.hull(Interval.exactly(Fraction(1, 2))), pattern="qod")
    return Rate(rate)
