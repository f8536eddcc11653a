"""The dosage instructions of one record laid out in time: steps in sequence, parts of a day, alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby, zip_longest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import ANYTHING, ZERO, Interval
from cds_service.clinical.medications import DoseStep, MedicationUse, Pattern, Shares


def laid_out(use: MedicationUse) -> list[DoseStep]:
    """The steps with their bounds worked out, in order of time.

    Steps in sequence follow each other, and touching on one day they hand over on it. Parts of a day add up.
    Steps of which nobody can tell the order leave the dose between the least and all of them together.
    """
    steps = use.steps
    if _are_parts_of_a_day(steps) and _same_bounds(steps):
        placed = [_from(_side_by_side(steps), use.begins)]  # numbered or not, morning and evening are one day
    elif len({step.order for step in steps}) > 1:
        placed = _in_sequence([step for place in _places(steps) for step in _of_one_place(place)], use.begins)
    else:
        placed = [_from(step, use.begins) for step in _of_one_place(steps)]
    placed.sort(key=lambda step: step.first.first if step.first else date.max)
    return [part for step, after in zip_longest(placed, placed[1:]) for part in _handed_over(step, after)]


def _places(steps: Iterable[DoseStep]) -> list[list[DoseStep]]:
    """The steps by their place in the sequence; those without a number come first."""
    ordered = sorted(steps, key=_place)
    return [list(place) for _, place in groupby(ordered, key=_place)]


def _place(step: DoseStep) -> int:
    return step.order or 0


def _are_parts_of_a_day(steps: Sequence[DoseStep]) -> bool:
    """True for doses at different times of the day: two in the morning may be the old dose and the new one."""
    named = [time for step in steps for time in step.times]
    return all(step.part_of_day for step in steps) and len(named) == len(set(named))


def _same_bounds(steps: Iterable[DoseStep]) -> bool:
    return len({(step.first, step.last, step.length_days) for step in steps}) <= 1


def _of_one_place(steps: Sequence[DoseStep]) -> list[DoseStep]:
    """Steps without an order among them: one step where they share their days, else each by its dates."""
    if len(steps) < 2 or (all(step.first for step in steps) and not _same_bounds(steps)):
        return list(steps)
    sequence_unknown = steps[0].order is None and any(step.length_days and not step.first for step in steps)
    if sequence_unknown or not _same_bounds(steps):
        return [_in_any_order(steps)]
    return [_side_by_side(steps)]


def _in_sequence(steps: Sequence[DoseStep], begins: DayRange | None) -> list[DoseStep]:
    """Each step from the end of the one before it; from a step without an end on, any one of the rest."""
    placed: list[DoseStep] = []
    start = begins
    for position, step in enumerate(steps):
        following = steps[position + 1 :]
        bounded = _until_next(_from(step, start), following)
        if bounded.last is None and following:
            return [*placed, _any_of(steps[position:], step.first or start)]
        placed.append(bounded)
        start = bounded.last.shifted(1) if bounded.last else None
    return placed


def _from(step: DoseStep, start: DayRange | None) -> DoseStep:
    """The step from its own beginning, else from `start`, with the end that its length gives it."""
    first = step.first or start
    if step.last is not None or first is None or not step.length_days or step.length_days < 1:
        return replace(step, first=first)
    return replace(step, first=first, last=first.shifted(step.length_days - 1))


def _until_next(step: DoseStep, following: Sequence[DoseStep]) -> DoseStep:
    """A step without an end lasts until the next one begins, where that says when."""
    begins = following[0].first if following else None
    if step.last is not None or step.first is None or begins is None or begins.first <= step.first.first:
        return step
    return replace(step, last=begins.shifted(-1))


def _handed_over(step: DoseStep, after: DoseStep | None) -> list[DoseStep]:
    """The step until the next one begins; where it runs on beyond that day, it is only possible."""
    start = after.first if after else None
    if start is None or step.first is None or step.first.first >= start.first:
        return [step]
    if step.last is not None and step.last.first < start.first:
        return [step]
    own = replace(step, last=start.shifted(-1))
    if step.last == start:
        return [own]
    return [own, replace(step, first=start, daily=step.daily.down_to_zero())]


def _any_of(steps: Sequence[DoseStep], start: DayRange | None) -> DoseStep:
    """Steps without bounds: one of them on each day, nobody knows which; those of every other day may alternate."""
    daily = _hull(steps)
    if {step.pattern for step in steps} == {"qod"}:
        daily = Interval(daily.low, _sum(steps).high)
    return replace(_combined(steps, daily), pattern="unknown", first=start, last=steps[-1].last,
                   length_days=None, fault="steps-without-bounds")  # fmt: skip


def _in_any_order(steps: Sequence[DoseStep]) -> DoseStep:
    """Steps that may be taken at once or one after the other: on each day none of them or up to all."""
    first = min((step.first for step in steps if step.first), key=lambda start: start.first, default=None)
    lengths = [step.length_days for step in steps if step.length_days]
    length = sum(lengths) if len(lengths) == len(steps) else None
    return replace(_combined(steps, _sum(steps).down_to_zero()), pattern="unknown", first=first, last=None,
                   length_days=length, fault="steps-without-bounds")  # fmt: skip


def _side_by_side(steps: Sequence[DoseStep]) -> DoseStep:
    """Instructions for the same days: parts of one day add up; otherwise they may be alternatives.

    What is taken as needed may come on top of the others, and may not.
    """
    needed = [step for step in steps if step.pattern == "as-needed"]
    regular = [step for step in steps if step.pattern != "as-needed"]
    if needed and regular:
        base = _side_by_side(regular)
        both = [base, *needed]
        return replace(_combined(both, _sum(both)), pattern="unknown")
    if len(steps) == 1:
        return steps[0]
    patterns = {step.pattern for step in steps}
    added = _are_parts_of_a_day(steps) or patterns == {"qod"} or all(step.order is not None for step in steps)
    daily = _sum(steps) if added else Interval(_hull(steps).low, _sum(steps).high)
    pattern: Pattern = min(patterns) if len(patterns) == 1 else "unknown"
    if pattern == "qod":
        pattern = "alternating"
    return replace(_combined(steps, daily), pattern=pattern, shares=_shares_of_parts(steps))


def _shares_of_parts(steps: Sequence[DoseStep]) -> Shares:
    """How the day's dose is divided over the parts of a day that the steps are."""
    total = sum(step.daily.low for step in steps)
    told = all(step.part_of_day and step.shares and step.daily.is_exact for step in steps)
    parts = [share * step.daily.low / total for step in steps for share in step.shares] if told and total else []
    return tuple(sorted(parts, reverse=True))


def _combined(steps: Sequence[DoseStep], daily: Interval) -> DoseStep:
    """One step in place of several, with every doubt of theirs."""
    one, *_ = steps  # its bounds are those of all, or are replaced
    mixed = len({step.per_kilogram for step in steps}) > 1  # mg and mg per kg cannot be put together
    faults = [step.fault for step in steps if step.fault]
    return replace(
        one, daily=ANYTHING if mixed else daily, per_dose=None, per_kilogram=all(s.per_kilogram for s in steps),
        fault=faults[0] if faults else "unit-not-understood" if mixed else None,
        text_only=any(s.text_only for s in steps), conflict=any(s.conflict for s in steps),
        added_to=any(s.added_to for s in steps), shares=(),
    )  # fmt: skip


def _sum(steps: Sequence[DoseStep]) -> Interval:
    return sum((step.daily for step in steps), ZERO)


def _hull(steps: Sequence[DoseStep]) -> Interval:
    span = steps[0].daily
    for step in steps[1:]:
        span = span.hull(step.daily)
    return span
