"""Body weight in time: which weight counts for a day, and whether recorded weights contradict each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from cds_service.clinical.dates import Span, days_later
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result, usable
from cds_service.clinical.tables import table


@dataclass(frozen=True, slots=True)
class Weight:
    """A body weight in kg on a day."""

    day: date
    kilograms: Interval
    reference: str


@dataclass(frozen=True, slots=True)
class WeightOnDay:
    """The weight that counts for a day; `stale` when only an old one is there."""

    weight: Weight
    stale: bool


class WeightHistory:
    """All usable weights of a patient, oldest first; several of one day are one range."""

    def __init__(self, results: Iterable[Result]) -> None:
        by_day: dict[date, Weight] = {}
        for weight in _readings(results):
            known = by_day.get(weight.day)
            span = weight.kilograms if known is None else known.kilograms.hull(weight.kilograms)
            by_day[weight.day] = Weight(weight.day, span, weight.reference)
        self.weights = tuple(by_day[day] for day in sorted(by_day))
        self._days = [weight.day for weight in self.weights]
        limits = table("weights")
        self._fresh = Span.parse(limits["fresh"]).days
        self._usable = Span.parse(limits["usable"]).days
        self._jump_within = Span.parse(limits["jump_within"]).days
        self._jump_share = Fraction(limits["jump_share"])

    def on(self, day: date) -> WeightOnDay | None:
        """The weight that counts for `day`, by the rules of tables/weights.yaml; None when there is none."""
        place = bisect_right(self._days, day)
        before = self.weights[place - 1] if place else None
        after = self.weights[place] if place < len(self.weights) else None
        if before and (day - before.day).days <= self._fresh:
            return WeightOnDay(before, stale=False)
        if after and (after.day - day).days <= self._fresh:
            return WeightOnDay(after, stale=False)
        if before and (day - before.day).days <= self._usable:
            return WeightOnDay(before, stale=True)
        return None

    def turning_days(self) -> set[date]:
        """Every day on which another weight may begin to count."""
        shifts = (0, self._fresh + 1, self._usable + 1, -self._fresh)
        return {days_later(w.day, shift) for w in self.weights for shift in shifts}

    def opens(self, day: date) -> date:
        """The first day whose weights are recent on `day`."""
        return days_later(day, -self._usable)

    def recent(self, day: date) -> tuple[Weight, ...]:
        """The weights of the last 90 days before `day`, that day included."""
        return tuple(w for w in self.weights if 0 <= (day - w.day).days <= self._usable)

    def contradict(self, day: date) -> bool:
        """True when two recent weights, close in time, differ more than a body does."""
        recent = self.recent(day)
        return any(
            self._jumps(one, other)
            for position, one in enumerate(recent)
            for other in recent[position:]
            if (other.day - one.day).days <= self._jump_within
        )

    def _jumps(self, one: Weight, other: Weight) -> bool:
        lightest = min(one.kilograms.low, other.kilograms.low)
        heaviest = max(w.kilograms.high or w.kilograms.low for w in (one, other))
        return heaviest - lightest > self._jump_share * one.kilograms.low


def _readings(results: Iterable[Result]) -> Iterator[Weight]:
    """The weights that were read off a scale on a known day; "> 100 kg" was not."""
    for result in usable(results, "weight"):
        kilograms = result.quantity
        if not (result.when and result.when.is_exact and isinstance(kilograms, Interval)):
            continue
        if kilograms.low > 0 and kilograms.high is not None:
            yield Weight(result.when.first, kilograms, result.reference)
