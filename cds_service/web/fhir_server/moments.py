"""FHIR dates as spans of moments, compared as FHIR's date search compares them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_STAMP = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
# The first moment, and the first that no longer belongs to it.
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Moments:
    """When something may have been: by the clock that the date was written with, and in universal time.

    A date without a zone is taken as universal time only where the other side names a zone.
    """

    local: Span
    universal: Span
    zoned: bool

    @classmethod
    def parse(cls, text: object) -> Moments | None:
        """The moments of a date, dateTime or instant, however partial; None for anything else."""
        match = _STAMP.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            return None
        *parts, zone = match.groups()
        try:
            local = _span(parts)
            west = _west_of_greenwich(zone)
        except ValueError:
            return None
        return cls(local, (_moved(local[0], west), _moved(local[1], west)), zone is not None)

    @classmethod
    def of_period(cls, start: object, end: object) -> Moments | None:
        """From the first moment of the start to the last of the end; an end that is missing is open."""
        first, last = cls.parse(start), cls.parse(end)
        if first is None and last is None:
            return None
        first, last = first or _ALWAYS, last or _ALWAYS
        return cls(
            (first.local[0], last.local[1]), (first.universal[0], last.universal[1]), first.zoned or last.zoned
        )  # fmt: skip


_ALWAYS = Moments((datetime.min, datetime.max), (datetime.min, datetime.max), zoned=False)
# Prefix of a search -> whether the found span (second) answers to the wanted one (first).
_COMPARISONS: Mapping[str, Callable[[Span, Span], bool]] = {
    "eq": lambda wanted, found: wanted[0] <= found[0] and found[1] <= wanted[1],
    "ne": lambda wanted, found: not _COMPARISONS["eq"](wanted, found),
    "gt": lambda wanted, found: found[1] > wanted[1],
    "lt": lambda wanted, found: found[0] < wanted[0],
    "ge": lambda wanted, found: _COMPARISONS["gt"](wanted, found) or _COMPARISONS["eq"](wanted, found),
    "le": lambda wanted, found: _COMPARISONS["lt"](wanted, found) or _COMPARISONS["eq"](wanted, found),
    "sa": lambda wanted, found: found[0] >= wanted[1],
    "eb": lambda wanted, found: found[1] <= wanted[0],
}
_PREFIXED = re.compile(r"([a-z]{2})?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The value of a date search, such as ge2026-03."""

    prefix: str
    moments: Moments

    @classmethod
    def parse(cls, text: str) -> Wanted | None:
        """The value as understood; None for an unknown prefix or no date."""
        match = _PREFIXED.fullmatch(text)
        assert match
        # An unescaped "+" of a zone arrives as the blank that it stands for in a query.
        moments = Moments.parse(match[2].replace(" ", "+"))
        prefix = match[1] or "eq"
        return cls(prefix, moments) if moments and prefix in _COMPARISONS else None

    def is_met_by(self, found: Moments) -> bool:
        """True when a search for this finds that; days without a zone are those written on the other side."""
        compare = _COMPARISONS[self.prefix]
        if self.moments.zoned:
            return compare(self.moments.universal, found.universal)
        return compare(self.moments.local, found.local)


def _span(parts: list[str | None]) -> Span:
    year, month, day, hour, minute, second, fraction = parts
    first = datetime(
        int(year or 0), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
        int((fraction or "0").ljust(6, "0")),
    )  # fmt: skip
    steps = [
        (fraction, timedelta(microseconds=10 ** (6 - len(fraction or "")))),
        (second, timedelta(seconds=1)),
        (minute, timedelta(minutes=1)),
        (day, timedelta(days=1)),
        (month, timedelta(days=calendar.monthrange(first.year, first.month)[1])),
        (year, timedelta(days=366 if calendar.isleap(first.year) else 365)),
    ]
    return first, _moved(first, next(length for given, length in steps if given))


def _west_of_greenwich(zone: str | None) -> timedelta:
    """What must be added to the written time for universal time."""
    if zone in (None, "Z"):
        return timedelta()
    assert zone
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    ahead = timedelta(hours=hours, minutes=minutes)
    return ahead if zone[0] == "-" else -ahead


def _moved(moment: datetime, by: timedelta) -> datetime:
    """The moment so much later; what lies beyond the calendar is its edge."""
    try:
        return moment + by
    except OverflowError:
        return datetime.max if by > timedelta() else datetime.min
