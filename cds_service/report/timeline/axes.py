"""Where a day and a dose stand in the picture. Pure arithmetic in the picture's own units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from cds_service.clinical.dates import add_months, days_later

DAY = timedelta(days=1)
# The least and the most that is drawn. What lies further back is cut off, said so, and stands in the table.
SHORTEST = 84
LONGEST = 3653
# A longer history is drawn on two scales: its last year, of which most is asked, gets the larger part.
EVEN = 731
_RECENT = 365
_SHARE_OF_OLDER = 0.4
_MONTHS = (1, 2, 3, 6, 12, 24, 36, 60)
_DAYS = (7, 14)
# Above the highest dose there is room for its number.
_HEADROOM = Fraction(6, 5)
_STEPS = (Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5), Fraction(10))


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The days from `first` to `last` (both included) between `left` and `right`; later days stand further right.

    From `knee` on the scale is another one, where there is a knee.
    """

    first: date
    last: date
    left: float
    right: float
    knee: date | None = None

    @classmethod
    def over(cls, first: date, last: date, left: float, right: float) -> TimeAxis:
        """The axis up to `last` that begins at `first`, or later or earlier where that makes no picture."""
        earliest, latest = days_later(last, -LONGEST), days_later(last, 1 - SHORTEST)
        first = min(max(first, earliest), latest)
        knee = days_later(last, -_RECENT) if (last - first).days > EVEN else None
        return cls(first, last, left, right, knee)

    def x(self, day: date) -> float:
        """The left edge of a day; the day after the last one stands at the right end. Days outside are moved in."""
        end = self.last.toordinal() + 1
        place = min(max(day.toordinal(), self.first.toordinal()), end)
        if self.knee is None:
            return self._between(place, self.first.toordinal(), end, self.left, self.right)
        bend = self.left + (self.right - self.left) * _SHARE_OF_OLDER
        knee = self.knee.toordinal()
        if place <= knee:
            return self._between(place, self.first.toordinal(), knee, self.left, bend)
        return self._between(place, knee, end, bend, self.right)

    @staticmethod
    def _between(place: int, first: int, end: int, left: float, right: float) -> float:
        return left + (right - left) * (place - first) / (end - first)

    def span(self, first: date, last: date) -> tuple[float, float]:
        """From the beginning of the first day to the end of the last one."""
        return self.x(first), self.x(days_later(last, 1))

    def shows(self, first: date, last: date) -> bool:
        """True when any of these days is drawn."""
        return last >= self.first and first <= self.last

    def ticks(self, apart: float) -> list[date]:
        """Days to be named, at least so far apart: beginnings of months or years, of weeks in a short history."""
        if self.knee is None:
            return self._ticks(self.first, self.last, apart)
        recent = self._ticks(self.knee, self.last, apart)
        older = self._ticks(self.first, days_later(self.knee, -1), apart)
        return [day for day in older if not recent or self.x(recent[0]) - self.x(day) >= apart] + recent

    def _ticks(self, first: date, last: date, apart: float) -> list[date]:
        for days in self._candidates(first, last):
            shown = [day for day in days if first <= day <= last]
            gaps = [self.x(later) - self.x(day) for day, later in pairwise(shown)]
            if all(gap >= apart for gap in gaps):
                return shown
        return []

    def _candidates(self, first: date, last: date) -> Iterator[Sequence[date]]:
        if (last - first).days < 2 * SHORTEST:
            for step in _DAYS:
                yield [days_later(last, -step * n) for n in range((last - first).days // step, -1, -1)]
        for months in _MONTHS:
            yield list(_months(first, last, months))


def _months(first: date, last: date, step: int) -> Iterator[date]:
    """The first days of every `step`th month, counted from January of the first year."""
    day = date(first.year, 1, 1)
    while day <= last:
        yield day
        day = add_months(day, step)


@dataclass(frozen=True, slots=True)
class DoseAxis:
    """Doses from zero at `bottom` to `most` at `top`; larger ones stand at the top, where they are cut off."""

    most: Fraction
    top: float
    bottom: float

    @classmethod
    def over(
        cls, doses: Iterable[Fraction], sustained: Fraction, lines: Sequence[Fraction], top: float, bottom: float
    ) -> DoseAxis:
        """An axis on which lines and sustained doses can be told apart, whatever a short pulse came to."""
        most = max(doses, default=Fraction(0))
        highest = max(lines, default=Fraction(0))
        usual = max(highest * Fraction(5, 4), sustained * _HEADROOM) or Fraction(1)
        if most <= usual:
            return cls(usual, top, bottom)
        return cls(max(usual, min(most * _HEADROOM, 2 * max(highest, sustained))), top, bottom)

    def y(self, dose: Fraction) -> float:
        return self.bottom - (self.bottom - self.top) * float(min(dose, self.most) / self.most)

    def cuts_off(self, dose: Fraction) -> bool:
        return dose > self.most

    def ticks(self, most: int = 6) -> list[Fraction]:
        """Round doses from zero on, at most so many of them."""
        power = Fraction(1)
        while power * 10 <= self.most:
            power *= 10
        while power > self.most:
            power /= 10
        sizes = [power * scale * step for scale in (Fraction(1, 10), Fraction(1)) for step in _STEPS]
        size = next(size for size in sizes if self.most / size <= most)
        return [size * n for n in range(int(self.most / size) + 1)]
