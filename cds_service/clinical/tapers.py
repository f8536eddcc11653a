"""Attempts to taper a corticosteroid, read off the dose timeline: where each began, how low it came, how it ended.

Only what is certain counts: a fall is one from the least that the dose may have been to the most that it may be
after it, a rise the reverse. Doses are prednisone-equivalent mg per day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Literal

from cds_service.clinical.dates import days_later
from cds_service.clinical.doses import DoseSegment
from cds_service.clinical.interval import Interval, Limit
from cds_service.clinical.truth import Truth

# failed: the dose had to be raised again. level: it stayed where it was. stopped: the drug was. going-on: neither yet.
Outcome = Literal["failed", "level", "stopped", "going-on"]


@dataclass(frozen=True, slots=True)
class DoseChange:
    """How large a change must be to count: both an amount in mg/d and a share (%) of the dose it is measured from."""

    amount: Limit
    share: Limit

    def is_reached(self, by: Fraction, dose: Fraction) -> bool:
        """True when a change `by` so many mg/d, measured from `dose`, counts."""
        limits = ((self.amount, by),) if dose == 0 else ((self.amount, by), (self.share, 100 * by / dose))
        return all(limit.holds_for(Interval.exactly(size)) is Truth.TRUE for limit, size in limits)


@dataclass(frozen=True, slots=True)
class Tapering:
    """What counts as a taper and as its failure; lengths in days, both ends included.

    A change counts when it is `held` for so long. A taper ends level after `plateau` days of what may be one dose. A
    pulse is `pulse_times` the dose around it or more for at most `pulse_within` days, and is looked through.
    """

    fall: DoseChange
    rise: DoseChange
    held: int
    plateau: int
    pulse_times: int
    pulse_within: int


@dataclass(frozen=True, slots=True)
class Level:
    """Days (both ends included) on one dose."""

    first: date
    last: date
    dose: Interval
    sources: tuple[str, ...]

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Taper:
    """One attempt: it began on `start` at `dose` and came down to `nadir`.

    When it failed, `ended` is the first day of the higher dose and `raised_to` the dose that was reached. `sources`
    are the records of the dose before, of the lowest one (`lowest`) and of the raised one.
    """

    start: date
    dose: Interval
    nadir: Interval
    outcome: Outcome
    ended: date | None
    sources: tuple[str, ...]
    lowest: tuple[str, ...]
    raised_to: Interval | None = None
    raised_by: tuple[str, ...] = ()


def tapers(segments: Iterable[DoseSegment], tapering: Tapering) -> list[Taper]:
    """All attempts, oldest first."""
    levels = smoothed(segments, tapering)
    found: list[Taper] = []
    position = 0
    while (fall := _next_fall(levels, position, tapering)) is not None:
        taper, position = _followed(levels, fall, tapering)
        found.append(taper)
    return found


def smoothed(segments: Iterable[DoseSegment], tapering: Tapering) -> list[Level]:
    """The timeline in levels, without single days that stick out, short holes, and pulses."""
    levels = _joined(Level(s.first, s.last, s.dose, s.sources) for s in segments)
    levels = _joined(_without_single_days(levels))
    levels = _joined(_without_holes(levels, tapering))
    return _joined(_without_pulses(levels, tapering))


def _joined(levels: Iterable[Level]) -> list[Level]:
    """Neighbours with one dose, made one."""
    found: list[Level] = []
    for level in levels:
        if found and found[-1].dose == level.dose:
            sources = tuple(dict.fromkeys((*found[-1].sources, *level.sources)))
            found[-1] = replace(found[-1], last=level.last, sources=sources)
        else:
            found.append(level)
    return found


def _without_single_days(levels: Sequence[Level]) -> Iterator[Level]:
    """Each day at the median of three: one day beyond both its neighbours takes the nearer one's dose."""
    before: Level | None = None
    for place, level in enumerate(levels):
        after = levels[place + 1] if place + 1 < len(levels) else None
        if before and after and level.days == 1 and all(one.dose.is_exact for one in (before, level, after)):
            median = sorted((before.dose.low, level.dose.low, after.dose.low))[1]
            before = replace(level, dose=Interval.exactly(median))
        else:
            before = level
        yield before


def _without_holes(levels: Sequence[Level], tapering: Tapering) -> Iterator[Level]:
    """A few days of nothing, or perhaps of the dose before, between two doses are a hole in the record, no stop."""
    before: Level | None = None
    for place, level in enumerate(levels):
        follows = any(not later.dose.is_zero for later in levels[place + 1 :])
        is_hole = before and follows and _may_be_a_hole(level, before) and level.days < tapering.held
        before = replace(level, dose=before.dose) if before and is_hole else level
        yield before


def _may_be_a_hole(level: Level, before: Level) -> bool:
    return level.dose.is_zero or level.dose == before.dose.down_to_zero()


def _without_pulses(levels: Sequence[Level], tapering: Tapering) -> Iterator[Level]:
    """Short stretches of a multiple of the dose before them take that dose, where it is gone back to."""
    place = 0
    while place < len(levels):
        level = levels[place]
        yield level
        place += 1
        end = _pulse_end(levels, place, level, tapering)
        yield from (replace(pulse, dose=level.dose) for pulse in levels[place:end])
        place = end


def _pulse_end(levels: Sequence[Level], place: int, base: Level, tapering: Tapering) -> int:
    """Where the pulse that begins at `place` is over; `place` itself when none does."""
    end = place
    while end < len(levels) and _is_multiple(levels[end], base, tapering):
        end += 1
    days = sum(level.days for level in levels[place:end])
    return end if days <= tapering.pulse_within and end < len(levels) else place


def _is_multiple(level: Level, base: Level, tapering: Tapering) -> bool:
    high = base.dose.high
    return high is not None and level.dose.low >= tapering.pulse_times * high


@dataclass(frozen=True, slots=True)
class _Fall:
    """Where a taper begins: the level it falls from, and the first level that lies surely lower."""

    peak: int
    place: int


def _next_fall(levels: Sequence[Level], position: int, tapering: Tapering) -> _Fall | None:
    """The next fall that is held, from the highest dose since `position`."""
    peak = position
    for place in range(position + 1, len(levels)):
        if levels[place].dose.low > levels[peak].dose.low:
            peak = place
        elif _held(levels, place, tapering.held, partial(_is_below, top=levels[peak], tapering=tapering)):
            return _Fall(peak, place)
    return None


def _is_below(level: Level, top: Level, tapering: Tapering) -> bool:
    high = level.dose.high
    return high is not None and tapering.fall.is_reached(top.dose.low - high, top.dose.low)


def _is_above(level: Level, nadir: Level, tapering: Tapering) -> bool:
    high = nadir.dose.high
    return high is not None and tapering.rise.is_reached(level.dose.low - high, high)


def _held(levels: Sequence[Level], place: int, days: int, holds: Callable[[Level], bool]) -> bool:
    """True when the test holds from the level at `place` on for so many days."""
    for level in levels[place:]:
        if not holds(level):
            return False
        days -= level.days
        if days <= 0:
            return True
    return False


def _followed(levels: Sequence[Level], fall: _Fall, tapering: Tapering) -> tuple[Taper, int]:
    """The taper that begins with a fall, and the place from which the next one is looked for."""
    nadir, begun = levels[fall.place], _beginning(levels, fall)
    if begun < fall.place and _may_be_level(levels, begun, tapering.plateau):
        on = days_later(levels[begun].first, tapering.plateau - 1)
        return _taper(levels, fall, nadir, "level", on), fall.place
    for place in range(fall.place, len(levels)):
        level = levels[place]
        if _held(levels, place, tapering.held, partial(_is_above, nadir=nadir, tapering=tapering)):
            return _failed(levels, fall, nadir, place, tapering), place
        if level.dose.is_zero:
            return _taper(levels, fall, level, "stopped", level.first), place
        assert nadir.dose.high is not None  # it lies surely below the peak
        if level.dose.high is not None and level.dose.high < nadir.dose.high:
            nadir = level
        if _may_be_level(levels, place, tapering.plateau):
            return _taper(levels, fall, nadir, "level", days_later(level.first, tapering.plateau - 1)), place
    return _taper(levels, fall, nadir, "going-on", None), len(levels)


def _may_be_level(levels: Sequence[Level], place: int, days: int) -> bool:
    """True when the dose was one and the same for so many days, or may have been where it is uncertain."""
    low, high = levels[place].dose.low, levels[place].dose.high
    for level in levels[place:]:
        highest = [one for one in (high, level.dose.high) if one is not None]
        low, high = max(low, level.dose.low), min(highest, default=None)
        if high is not None and low > high:
            return False
        days -= level.days
        if days <= 0:
            return True
    return False


def _failed(levels: Sequence[Level], fall: _Fall, nadir: Level, place: int, tapering: Tapering) -> Taper:
    until = days_later(levels[place].first, tapering.held - 1)
    raised = [level for level in levels[place:] if level.first <= until]
    highest = max(raised, key=lambda level: level.dose.low)
    taper = _taper(levels, fall, nadir, "failed", levels[place].first)
    raised_by = tuple(dict.fromkeys(source for level in raised for source in level.sources))
    sources = tuple(dict.fromkeys((*taper.sources, *raised_by)))
    return replace(taper, raised_to=highest.dose, raised_by=raised_by, sources=sources)


def _taper(levels: Sequence[Level], fall: _Fall, nadir: Level, outcome: Outcome, ended: date | None) -> Taper:
    peak, low = levels[fall.peak], levels[fall.place]
    sources = tuple(dict.fromkeys((*peak.sources, *low.sources, *nadir.sources)))
    return Taper(levels[_beginning(levels, fall)].first, peak.dose, nadir.dose, outcome, ended, sources, nadir.sources)


def _beginning(levels: Sequence[Level], fall: _Fall) -> int:
    """Where the fall begins; days on which both doses were possible belong to it, those of the peak never."""
    low, place = levels[fall.place].dose, fall.place
    while not levels[place - 1].dose.is_exact and levels[place - 1].dose.low <= low.low:
        place -= 1
    return place
