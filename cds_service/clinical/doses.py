"""The dose timeline: prednisone-equivalent mg per day over time, as intervals, from all medication records.

Records of one therapy count once; what cannot be told widens the interval, and is never taken for 0 mg.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import pairwise

from cds_service.clinical.dates import DayRange
from cds_service.clinical.exposure import DAY, Stretch, stretches
from cds_service.clinical.holes import carried_over, possible_between_administrations, possible_between_reports
from cds_service.clinical.interval import ANYTHING, ZERO, Interval
from cds_service.clinical.medications import MedicationUse, Pattern, Shares
from cds_service.clinical.tables import table
from cds_service.clinical.therapies import Succession, are_taken_for_one, counted, dose_of, taken_over
from cds_service.clinical.weights import WeightHistory


@dataclass(frozen=True, slots=True)
class DoseSegment:
    """Days (both ends included) with one dose.

    `dose` is prednisone-equivalent mg per day, `per_dose` that of one administration where all are alike.
    `goes_on` is true when its sources state no end on or before the day of screening. `faults` say why a dose
    could not be read. `divided` are the ways in which the records of these days divide the day's dose.
    """

    first: date
    last: date
    dose: Interval
    pattern: Pattern
    sources: tuple[str, ...]
    per_dose: Interval | None = None
    flags: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()
    goes_on: bool = False
    divided: frozenset[Shares] = frozenset()

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class WeighedSegment:
    """Days with one dose and one weight; `per_kg` is mg/kg/day, None where no weight counts."""

    segment: DoseSegment
    first: date
    last: date
    per_kg: Interval | None
    weight: Interval | None
    stale_weight: bool


class Timeline:
    """All doses up to and including `as_of`, without holes: days without the drug are segments of zero."""

    def __init__(self, segments: Iterable[DoseSegment], as_of: date) -> None:
        self.segments = tuple(segments)
        self.as_of = as_of

    def on(self, day: date) -> DoseSegment:
        """The segment of `day`, which must not lie after `as_of`; zero before the first record."""
        for segment in reversed(self.segments):
            if segment.first <= day <= segment.last:
                return segment
        return DoseSegment(day, day, ZERO, "daily", ())

    def between(self, first: date, last: date) -> list[DoseSegment]:
        """The segments from `first` to `last`, both included, cut to them and without holes.

        Nothing is known of the days after `as_of`, so it has none of them.
        """
        last = min(last, self.as_of)
        cut = [
            replace(s, first=max(s.first, first), last=min(s.last, last))
            for s in self.segments
            if s.first <= last and s.last >= first
        ]
        begin = cut[0].first if cut else last + DAY
        return [DoseSegment(first, begin - DAY, ZERO, "daily", ()), *cut] if begin > first else cut

    def weighed(self, weights: WeightHistory) -> list[WeighedSegment]:
        """The timeline in mg/kg/day, cut wherever the dose or the weight that counts changes."""
        turns = weights.turning_days()
        return [part for segment in self.segments for part in _weighed(segment, weights, turns)]


def _weighed(segment: DoseSegment, weights: WeightHistory, turns: set[date]) -> Iterator[WeighedSegment]:
    inside = (day for day in {segment.first, *turns} if segment.first <= day <= segment.last)
    starts = sorted(day for day in inside if day == segment.first or weights.on(day) != weights.on(day - DAY))
    for first, after in pairwise([*starts, segment.last + DAY]):
        found = weights.on(first)
        kilograms = found.weight.kilograms if found else None
        per_kg = ZERO if segment.dose.is_zero else segment.dose.over(kilograms) if kilograms else None
        yield WeighedSegment(segment, first, after - DAY, per_kg, kilograms, bool(found and found.stale))


@cache
def equivalence(drug: str) -> Interval:
    """How many mg of prednisone equal 1 mg of the drug; anything for a drug that the table does not hold."""
    rows = table("equivalents")
    if not _is_listed(drug):
        return ANYTHING
    stated = rows["equivalents"][drug]
    amounts = [Fraction(one) for one in (stated if isinstance(stated, list) else [stated])]
    reference = Fraction(rows["reference_mg"])
    return Interval(reference / max(amounts), reference / min(amounts))


def _is_listed(drug: str) -> bool:
    return drug in table("equivalents")["equivalents"]


def timeline(uses: Sequence[MedicationUse], as_of: date, weights: WeightHistory) -> Timeline:
    """The dose timeline of the corticosteroid records `uses`, up to and including `as_of`."""
    return _timeline(uses, as_of, weights, equivalence)


def timeline_of(uses: Sequence[MedicationUse], as_of: date, weights: WeightHistory) -> Timeline:
    """The dose timeline of records of one drug, in mg of that drug, up to and including `as_of`."""
    return _timeline(uses, as_of, weights, _as_it_is)


def _as_it_is(drug: str) -> Interval:
    return Interval.exactly(1)


Factor = Callable[[str], Interval]


def _timeline(uses: Sequence[MedicationUse], as_of: date, weights: WeightHistory, factor: Factor) -> Timeline:
    taken = [use for use in uses if use.route != "local"]
    succession = Succession(taken)
    found = [
        stretch for use in taken for stretch in in_milligrams(taken_over(stretches(use, as_of), succession), weights)
    ]
    found += carried_over(found)
    if factor is equivalence:  # of other drugs, how long a pause may be is the protocol's to say
        found += [*possible_between_reports(found), *possible_between_administrations(found, as_of)]
    return Timeline(merged(_segments(found, succession.therapy_of, as_of, factor)), as_of)


def in_milligrams(found: Iterable[Stretch], weights: WeightHistory) -> Iterator[Stretch]:
    """Doses per kilogram times the weight; without a weight every dose is possible."""
    for stretch in found:
        if not stretch.per_kilogram:
            yield stretch
            continue
        known = weights.on(stretch.last)
        if known is None:
            yield replace(stretch, dose=ANYTHING, stated=ANYTHING, per_dose=None, per_kilogram=False,
                          fault="no-weight")  # fmt: skip
            continue
        kilograms = known.weight.kilograms
        per_dose = stretch.per_dose.times(kilograms) if stretch.per_dose else None
        yield replace(stretch, dose=stretch.dose.times(kilograms), stated=stretch.stated.times(kilograms),
                      per_dose=per_dose, per_kilogram=False)  # fmt: skip


def _segments(
    found: Sequence[Stretch], therapy_of: Mapping[str, int], as_of: date, factor: Factor
) -> Iterator[DoseSegment]:
    if not found:
        return
    begin, end = _places_by(found, lambda s: s.first), _places_by(found, lambda s: s.last + DAY)
    starts = begin.keys() | {day for day in end if day <= as_of}
    active: set[int] = set()
    for first, after in pairwise([*sorted(starts), as_of + DAY]):
        active = active.union(begin.get(first, ())).difference(end.get(first, ()))
        covering = [found[place] for place in sorted(active)]
        yield _segment(DayRange(first, after - DAY), covering, therapy_of, as_of, factor)


def _places_by(found: Sequence[Stretch], day_of: Callable[[Stretch], date]) -> Mapping[date, list[int]]:
    """The places of the stretches in their order, by a day of each."""
    places: dict[date, list[int]] = {}
    for place, stretch in enumerate(found):
        places.setdefault(day_of(stretch), []).append(place)
    return places


def _segment(
    days: DayRange, active: list[Stretch], therapy_of: Mapping[str, int], as_of: date, factor: Factor
) -> DoseSegment:
    drugs = sorted({s.use.drug for s in active})
    parts = {drug: counted(drug, active, therapy_of) for drug in drugs}
    dose = sum((dose_of(parts[drug]).times(factor(drug)) for drug in drugs), ZERO)
    giving = [s for drug in drugs for s in parts[drug] if not s.dose.is_zero]
    flags = _flags(giving, factor) | _assumed_one(parts.values())
    return DoseSegment(
        days.first, days.last, dose, _pattern(giving), tuple(sorted({s.use.reference for s in giving})),
        per_dose=_per_dose(giving, factor), flags=flags, faults=_faults(giving, factor),
        goes_on=days.last == as_of and any(s.goes_on for s in giving), divided=_divided(active),
    )  # fmt: skip


def _assumed_one(parts: Iterable[Sequence[Stretch]]) -> frozenset[str]:
    """`assumed` where records of one drug that nothing ties together are taken for one, for their equal dose."""
    return frozenset({"assumed"} if any(map(are_taken_for_one, parts)) else ())


def _flags(giving: Sequence[Stretch], factor: Factor) -> frozenset[str]:
    converted = {"equivalent" for s in giving if factor(s.use.drug) not in (Interval.exactly(1), ANYTHING)}
    replaced = {"assumed" for s in giving if factor is equivalence and _may_be_replacement(s)}
    return frozenset(converted.union(replaced, *(s.flags for s in giving)))


def _may_be_replacement(stretch: Stretch) -> bool:
    """True for a dose that may replace what the adrenal gland lacks: no treatment, and counted all the same."""
    most = table("equivalents")["replacement"].get(stretch.use.drug)
    if most is None:
        return False
    return stretch.pattern == "as-needed" or (stretch.dose.high is not None and stretch.dose.high <= Fraction(most))


def _divided(active: Iterable[Stretch]) -> frozenset[Shares]:
    """How every record of the days divides its dose, also one that counts for less than another of its therapy.

    An order and a report of it that write the same dose differently are then no change from one to the other.
    """
    documented = (s for s in active if not s.filler and not s.dose.is_zero)
    return frozenset(() if s.use.kind == "administration" else s.shares for s in documented)


def _faults(giving: Sequence[Stretch], factor: Factor) -> tuple[str, ...]:
    unlisted = {"no-equivalent" for s in giving if factor(s.use.drug) == ANYTHING}
    return tuple(sorted(unlisted | {s.fault for s in giving if s.fault}))


def _pattern(giving: Sequence[Stretch]) -> Pattern:
    patterns = {s.pattern for s in giving}
    if len(patterns) == 1:
        return patterns.pop()
    return "unknown" if patterns else "daily"


def _per_dose(giving: Sequence[Stretch], factor: Factor) -> Interval | None:
    amounts = {s.per_dose.times(factor(s.use.drug)) if s.per_dose else None for s in giving}
    return amounts.pop() if len(amounts) == 1 else None


def merged(segments: Iterable[DoseSegment]) -> Iterator[DoseSegment]:
    """Neighbours that differ in nothing but their days, made one."""
    pending: DoseSegment | None = None
    for segment in segments:
        if pending and _alike(pending, segment):
            divided = pending.divided | segment.divided
            pending = replace(pending, last=segment.last, goes_on=segment.goes_on, divided=divided)
            continue
        if pending:
            yield pending
        pending = segment
    if pending:
        yield pending


def _alike(one: DoseSegment, other: DoseSegment) -> bool:
    moved = replace(one, first=other.first, last=other.last, goes_on=other.goes_on, divided=other.divided)
    return moved == other and not are_divided_otherwise(one, other)


def are_divided_otherwise(one: DoseSegment, other: DoseSegment) -> bool:
    """True when both tell how the day's dose is divided, and no record divides it alike."""
    told = one.divided and other.divided and () not in one.divided | other.divided
    return bool(told) and one.divided.isdisjoint(other.divided)
