"""Days, partial dates and spans of time.

A FHIR date may be a year, a month or a day; each is the range of days that it can mean. A dateTime counts on
the calendar day that is written in it, whatever its zone: that is the day the patient and the ward saw.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from cds_service.clinical.interval import Interval
from cds_service.clinical.truth import Truth

_FHIR_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T.*)?)?)?", re.ASCII)
_SPAN = re.compile(r"(\d+)\s*(d|wk|mo|a)", re.ASCII)


@dataclass(frozen=True, slots=True)
class DayRange:
    """The days on which something may have happened, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a range of days ends before it begins")

    @classmethod
    def of(cls, day: date) -> DayRange:
        return cls(day, day)

    @classmethod
    def parse(cls, text: str | None) -> DayRange | None:
        """The days that a FHIR date or dateTime can mean; None when absent or not a date."""
        match = _FHIR_DATE.fullmatch(text) if text else None
        if match is None:
            return None
        year, month, day = match.groups()
        try:
            if day:
                return cls.of(date(int(year), int(month), int(day)))
            return cls._part_of_calendar(int(year), int(month) if month else None)
        except ValueError:
            return None

    @classmethod
    def _part_of_calendar(cls, year: int, month: int | None) -> DayRange:
        if month is None:
            return cls(date(year, 1, 1), date(year, 12, 31))
        return cls(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))

    @property
    def is_exact(self) -> bool:
        return self.first == self.last

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def shifted(self, days: int) -> DayRange:
        """The same range `days` later (earlier when negative)."""
        return DayRange(days_later(self.first, days), days_later(self.last, days))

    def before(self, day: date) -> Truth:
        """Whether it happened before `day`."""
        if self.last < day:
            return Truth.TRUE
        return Truth.FALSE if self.first >= day else Truth.UNKNOWN

    def __str__(self) -> str:
        return f"{self.first}" if self.is_exact else f"{self.first}..{self.last}"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as the protocol writes it: "28 d" is days, "3 mo" and "18 a" are by the calendar."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Span:
        """The span written as a whole number and d, wk, mo or a (UCUM). Raises ValueError otherwise."""
        match = _SPAN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'expected a span such as "28 d", "4 wk", "3 mo" or "18 a", found {text!r}')
        return cls(int(match[1]), match[2])

    @property
    def days(self) -> int:
        """Its length in days. Raises ValueError for months and years, which differ in length."""
        if self.unit not in ("d", "wk"):
            raise ValueError(f"{self} has no fixed number of days")
        return self.count * (7 if self.unit == "wk" else 1)

    def before(self, day: date) -> date:
        """The day that lies this span before `day`."""
        if self.unit in ("d", "wk"):
            return day - timedelta(days=self.days)
        return add_months(day, -self.count * (12 if self.unit == "a" else 1))

    def after(self, day: date) -> date:
        """The day that lies this span after `day`."""
        if self.unit in ("d", "wk"):
            return day + timedelta(days=self.days)
        return add_months(day, self.count * (12 if self.unit == "a" else 1))

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


def days_between(end: DayRange | None, begin: DayRange | None) -> DayRange | None:
    """The days that surely lie between an end and a beginning; None where there are none or either is not known."""
    if end is None or begin is None:
        return None
    first, last = days_later(end.last, 1), days_later(begin.first, -1)
    return DayRange(first, last) if first <= last else None


def days_later(day: date, days: int) -> date:
    """The day that many days later (earlier when negative), at most the calendar's first or last day.

    Records use 0001-01-01 and 9999-12-31 for "not known": counting on from there must not fail.
    """
    ordinal = day.toordinal() + days
    return date.fromordinal(min(max(ordinal, date.min.toordinal()), date.max.toordinal()))


def add_months(day: date, months: int) -> date:
    """The same day `months` later (earlier when negative), or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def birthday(born: date, age: int) -> date:
    """The day on which `age` years are completed; 29 February falls on 1 March in years without it."""
    year = born.year + age
    if (born.month, born.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return born.replace(year=year)


def completed_years(born: DayRange, day: date) -> Interval:
    """Age in completed years on `day`; an interval when the birth date is partial.

    A birth date after `day` gives zero: such a record is refused before ages are asked for.
    """
    return Interval(Fraction(_years(born.last, day)), Fraction(_years(born.first, day)))


def _years(born: date, day: date) -> int:
    years = day.year - born.year
    return max(0, years if birthday(born, years) <= day else years - 1)
