"""From one medication record to the days on which the drug was surely, or only possibly, taken.

The rules for records that leave their end open stand in tables/exposure.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange, Span
from cds_service.clinical.interval import ANYTHING, ZERO, Interval
from cds_service.clinical.medications import DoseStep, MedicationUse, Pattern, Standing
from cds_service.clinical.tables import table

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days (both ends included) on which one record gives one dose, in mg of the drug per day.

    `filler` stretches bridge a hole in the documentation and count only where nothing else does. A stretch that
    is not `sure` may not have been taken at all.
    """

    first: date
    last: date
    dose: Interval
    pattern: Pattern
    use: MedicationUse
    per_dose: Interval | None = None
    per_kilogram: bool = False
    added_to: bool = False
    filler: bool = False
    sure: bool = True
    flags: frozenset[str] = frozenset()
    fault: str | None = None

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Period:
    """When a drug was taken: surely from `sure_first` to `sure_last`, possibly from `first` to `last`."""

    first: date
    last: date
    sure_first: date
    sure_last: date
    flags: frozenset[str] = frozenset()


def days_of(name: str) -> int:
    """A number of days from tables/exposure.yaml."""
    return Span.parse(table("exposure")[name]).days


def is_open_ended(use: MedicationUse) -> bool:
    """True for an order that states no end at all: neither bounds, nor supply, nor validity."""
    bounded = any(step.last or step.length_days for step in use.steps)
    return use.kind == "request" and not (use.ends or use.supply_ends or use.valid_until or bounded)


def stretches(use: MedicationUse, as_of: date) -> list[Stretch]:
    """The record's doses in time, up to and including `as_of`."""
    steps = laid_out(use)
    found = [part for step in steps for part in _stretches_of(use, step, as_of)]
    return found + list(_bridges(use, steps, as_of))


def laid_out(use: MedicationUse) -> list[DoseStep]:
    """The steps with their bounds worked out: steps in sequence follow each other, others run side by side."""
    steps = sorted(use.steps, key=lambda step: step.order or 0)
    if len({step.order for step in steps}) > 1:
        return _without_shared_days(_in_sequence(steps, use.begins))
    if len(steps) > 1 and not any(step.first or step.last or step.length_days for step in steps):
        return [_side_by_side(steps)]
    return _without_shared_days([_with_length(step, step.first or use.begins) for step in steps])


def _in_sequence(steps: Sequence[DoseStep], begins: DayRange | None) -> list[DoseStep]:
    placed: list[DoseStep] = []
    start = begins
    for position, step in enumerate(steps):
        start = step.first or start
        step = _with_length(step, start)
        if step.last is None and position < len(steps) - 1:
            return [*placed, _any_of(steps[position:], start)]
        placed.append(step)
        start = None if step.last is None else DayRange(step.last.first + DAY, step.last.last + DAY)
    return placed


def _without_shared_days(steps: list[DoseStep]) -> list[DoseStep]:
    """A step that ends on the day the next one begins ends the day before: it is a handover, not a double dose."""
    handed: list[DoseStep] = []
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        start = after.first if after else None
        if start and step.last and step.first and step.first.first < start.first and step.last == start:
            step = replace(step, last=DayRange(start.first - DAY, start.last - DAY))
        handed.append(step)
    return handed


def _with_length(step: DoseStep, start: DayRange | None) -> DoseStep:
    if step.length_days is None or step.last is not None or start is None:
        return replace(step, first=start)
    length = timedelta(days=step.length_days - 1)
    return replace(step, first=start, last=DayRange(start.first + length, start.last + length))


def _any_of(steps: Sequence[DoseStep], start: DayRange | None) -> DoseStep:
    """Steps without bounds: on each day one of them was taken, nobody knows which."""
    daily = steps[0].daily
    for step in steps[1:]:
        daily = daily.hull(step.daily)
    ends = [step.last for step in steps if step.last]
    return replace(steps[0], daily=daily, per_dose=None, pattern="unknown", first=start,
                   last=ends[-1] if ends else None, fault="steps-without-bounds")  # fmt: skip


def _side_by_side(steps: Sequence[DoseStep]) -> DoseStep:
    """Instructions without order: parts of one day add up; otherwise they may be alternatives."""
    together = steps[0].daily
    largest = steps[0].daily
    for step in steps[1:]:
        together = together + step.daily
        largest = largest.hull(step.daily)
    alternate = {step.pattern for step in steps} == {"qod"}
    parts = all(step.part_of_day for step in steps) or alternate or steps[0].order is not None
    daily = together if parts else Interval(largest.low, together.high)
    return replace(steps[0], daily=daily, per_dose=None, pattern="alternating" if alternate else "daily",
                   fault=next((s.fault for s in steps if s.fault), None),
                   text_only=any(s.text_only for s in steps), conflict=any(s.conflict for s in steps))  # fmt: skip


def _stretches_of(use: MedicationUse, step: DoseStep, as_of: date) -> Iterator[Stretch]:
    period = _period(use, step, as_of)
    dose = step.daily if step.fault is None or step.daily.high is not None else ANYTHING
    flags = period.flags | _flags(use, step)

    def part(first: date, last: date, amount: Interval, sure: bool = False) -> Iterator[Stretch]:
        if first <= last:
            yield Stretch(first, last, amount, step.pattern, use, step.per_dose, step.per_kilogram,
                          step.added_to, False, sure, flags, step.fault)  # fmt: skip

    if use.standing is Standing.NOT_TAKEN:
        yield from part(period.first, period.last, ZERO, sure=True)
        return
    if period.sure_first > period.sure_last:
        yield from part(period.first, period.last, dose.down_to_zero())
        return
    yield from part(period.first, period.sure_first - DAY, dose.down_to_zero())
    yield from part(period.sure_first, period.sure_last, dose, sure=True)
    yield from part(period.sure_last + DAY, period.last, dose.down_to_zero())


def _flags(use: MedicationUse, step: DoseStep) -> frozenset[str]:
    marks = {
        "text-only": step.text_only or use.certainty is Certainty.TEXT,
        "conflict": step.conflict or use.conflict,
        "left-censored": use.begins is None and step.first is None,
    }
    return frozenset(name for name, holds in marks.items() if holds)


def _period(use: MedicationUse, step: DoseStep, as_of: date) -> Period:
    """When the step was taken. Sure days are none when its sure end lies before its sure beginning."""
    begins = step.first or use.begins or DayRange.of(min(use.written or as_of, as_of))
    sure_last, last, assumed = _end(use, step, begins, as_of)
    stopped_early = use.standing is Standing.ENDED and sure_last > as_of  # on a day that nobody wrote down
    only_possible = use.standing is Standing.POSSIBLE or use.certainty is Certainty.UNVERIFIED
    if stopped_early or only_possible or use.route in ("depot", "unknown"):
        sure_last = begins.last - DAY
    return Period(begins.first, min(last, as_of), begins.last, min(sure_last, as_of),
                  frozenset({"assumed"}) if assumed else frozenset())  # fmt: skip


def _end(use: MedicationUse, step: DoseStep, begins: DayRange, as_of: date) -> tuple[date, date, bool]:
    """The last sure day, the last possible day, and whether that had to be assumed."""
    stated = _earlier(step.last, use.ends)
    if stated is not None:
        return stated.first, stated.last, False
    if use.standing is Standing.NOT_TAKEN:
        return as_of, as_of, False
    if use.kind == "administration":
        return begins.last, begins.last, False
    if use.kind == "statement":
        return _statement_end(use, begins, as_of)
    return _request_end(use, begins, as_of)


def _earlier(one: DayRange | None, other: DayRange | None) -> DayRange | None:
    if one is None or other is None:
        return one or other
    return DayRange(min(one.first, other.first), min(one.last, other.last))


def _statement_end(use: MedicationUse, begins: DayRange, as_of: date) -> tuple[date, date, bool]:
    if use.standing is Standing.ENDED:
        return use.written or begins.last, use.written or as_of, False
    if use.standing is Standing.HELD:
        return (use.written or begins.last) - DAY, as_of, False
    confirmed = use.written and (as_of - use.written).days <= days_of("statement_confirmed_within")
    return as_of, as_of, not confirmed


def _request_end(use: MedicationUse, begins: DayRange, as_of: date) -> tuple[date, date, bool]:
    if use.supply_ends is not None:
        tail = timedelta(days=days_of("gap_possible") if use.active else 0)
        return use.supply_ends, use.supply_ends + tail, False
    counts_until = begins.first + timedelta(days=days_of("open_request_counts"))
    valid_until = use.valid_until or as_of
    if use.standing is Standing.ENDED:
        nothing_sure = begins.last - DAY
        return nothing_sure, min(counts_until, valid_until, max(as_of - DAY, begins.last)), False
    if use.standing is Standing.HELD:
        return begins.last - DAY, valid_until, False
    return min(counts_until, valid_until), valid_until, True


def _bridges(use: MedicationUse, steps: Sequence[DoseStep], as_of: date) -> Iterator[Stretch]:
    """Holes between dated steps, possibly bridged with the dose before; they count where nothing else does."""
    for before, after in zip(steps, steps[1:], strict=False):
        if before.last and after.first:
            first, last = before.last.last + DAY, min(after.first.first - DAY, as_of)
            if first <= last and (last - first).days < days_of("gap_possible"):
                yield Stretch(first, last, before.daily.down_to_zero(), before.pattern, use, before.per_dose,
                              before.per_kilogram, filler=True, sure=False, flags=frozenset({"assumed"}))  # fmt: skip
