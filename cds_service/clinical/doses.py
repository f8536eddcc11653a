"""The dose timeline: prednisone-equivalent mg per day over time, as intervals, from every medication record.

Records of one therapy count once; what cannot be told widens the interval. Nothing that cannot be read is 0 mg.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from cds_service.clinical.exposure import DAY, Stretch, days_of, is_open_ended, stretches
from cds_service.clinical.interval import ZERO, Interval
from cds_service.clinical.medications import MedicationUse, Pattern, Standing
from cds_service.clinical.tables import table
from cds_service.clinical.weights import WeightHistory

_RANK = {"administration": 3, "statement": 2, "request": 1}


@dataclass(frozen=True, slots=True)
class DoseSegment:
    """Days (both ends included) with one dose.

    `dose` is prednisone-equivalent mg per day, `per_dose` the mg of one administration when it is the only one.
    `goes_on` is true when its sources state no end. `faults` say why a dose could not be read.
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
    weight_reference: str | None
    stale_weight: bool


class Timeline:
    """All doses up to and including `as_of`, without holes: days without the drug are segments of zero."""

    def __init__(self, segments: Iterable[DoseSegment], as_of: date) -> None:
        self.segments = tuple(segments)
        self.as_of = as_of

    def on(self, day: date) -> DoseSegment:
        """The segment of `day`; zero before the first record."""
        for segment in reversed(self.segments):
            if segment.first <= day <= segment.last:
                return segment
        return DoseSegment(day, day, ZERO, "daily", ())

    def between(self, first: date, last: date) -> list[DoseSegment]:
        """The segments from `first` to `last`, both included, cut to them and without holes."""
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
    starts = sorted({segment.first, *(day for day in turns if segment.first < day <= segment.last)})
    for first, after in pairwise([*starts, segment.last + DAY]):
        found = weights.on(first)
        kilograms = found.weight.kilograms if found else None
        per_kg = ZERO if segment.dose.is_zero else segment.dose.over(kilograms) if kilograms else None
        yield WeighedSegment(segment, first, after - DAY, per_kg, kilograms,
                             found.weight.reference if found else None, bool(found and found.stale))  # fmt: skip


def equivalence(drug: str) -> Interval:
    """How many mg of prednisone equal 1 mg of the drug. Raises KeyError for a drug that the table does not hold."""
    rows = table("equivalents")
    stated = rows["equivalents"][drug]
    amounts = [Fraction(one) for one in (stated if isinstance(stated, list) else [stated])]
    reference = Fraction(rows["reference_mg"])
    return Interval(reference / max(amounts), reference / min(amounts))


def timeline(uses: Sequence[MedicationUse], as_of: date, weights: WeightHistory) -> Timeline:
    """The dose timeline of the corticosteroid records `uses`, up to and including `as_of`."""
    taken = [use for use in uses if use.route != "local"]
    therapies = _therapies(taken)
    group_of = {use.reference: number for number, group in enumerate(therapies) for use in group}
    found = [
        stretch
        for use in taken
        for stretch in _in_milligrams(_superseded(stretches(use, as_of), taken, group_of), weights)
    ]
    found += _carried_over(found)
    return Timeline(_merged(_segments(found, group_of, as_of)), as_of)


def _in_milligrams(found: Iterable[Stretch], weights: WeightHistory) -> Iterator[Stretch]:
    """Doses per kilogram times the weight; without a weight every dose is possible."""
    for stretch in found:
        if not stretch.per_kilogram:
            yield stretch
            continue
        known = weights.on(stretch.last)
        if known is None:
            yield replace(stretch, dose=Interval(Fraction(0), None), per_kilogram=False, fault="no-weight")
        else:
            yield replace(stretch, dose=stretch.dose.times(known.weight.kilograms), per_kilogram=False)


def _therapies(uses: Sequence[MedicationUse]) -> list[list[MedicationUse]]:
    """Records that name each other, or one order, put together."""
    groups: list[tuple[set[str], list[MedicationUse]]] = []
    for use in uses:
        names = {use.reference, *use.links}
        touching = [group for group in groups if group[0] & names]
        members = [one for group in touching for one in group[1]] + [use]
        groups = [group for group in groups if group not in touching]
        groups.append((names.union(*(group[0] for group in touching)), members))
    return [members for _, members in groups]


def _superseded(
    found: list[Stretch], uses: Sequence[MedicationUse], group_of: dict[str, int]
) -> Iterator[Stretch]:
    """The stretches of a record, cut where a newer record of the same drug takes over."""
    newer = _newer(found[0].use, uses) if found else []
    if newer and is_open_ended(found[0].use):
        overlap = 0 if _goes_on_in(found[0].use, newer[0], group_of) else days_of("superseded_may_overlap")
        for stretch in found:
            yield from _cut(stretch, _begin(newer[0]), overlap)
        return
    handovers = {_begin(other) for other in newer}
    for stretch in found:
        touches = stretch.last in handovers and stretch.first < stretch.last
        yield replace(stretch, last=stretch.last - DAY) if touches else stretch


def _newer(use: MedicationUse, uses: Sequence[MedicationUse]) -> list[MedicationUse]:
    """The records of the same drug that begin later and are not taken beside this one, earliest first."""
    later = [
        other
        for other in uses
        if other.drug == use.drug and other is not use and use.begins and _begin(other) > use.begins.last
    ]
    alone = [
        o for o in later if o.standing is not Standing.NOT_TAKEN and not any(s.added_to for s in o.steps)
    ]
    return sorted((o for o in alone if o.begins), key=lambda o: (_begin(o), o.reference))


def _begin(use: MedicationUse) -> date:
    return use.begins.last if use.begins else date.min


def _goes_on_in(use: MedicationUse, other: MedicationUse, group_of: dict[str, int]) -> bool:
    """True for a renewal: the same dose again, or a record that names its predecessor."""
    renewed = tuple(s.daily for s in use.steps) == tuple(s.daily for s in other.steps)
    return renewed or group_of[use.reference] == group_of[other.reference]


def _cut(stretch: Stretch, taken_over: date, overlap: int) -> Iterator[Stretch]:
    if stretch.first < taken_over:
        yield replace(stretch, last=min(stretch.last, taken_over - DAY))
    first, last = max(stretch.first, taken_over), min(stretch.last, taken_over + timedelta(days=overlap - 1))
    if first <= last:
        yield replace(stretch, first=first, last=last, dose=stretch.dose.down_to_zero())


def _carried_over(found: Sequence[Stretch]) -> list[Stretch]:
    """Short holes between two prescriptions of a drug: carried over, or possibly taken when longer."""
    carried: list[Stretch] = []
    orders = sorted((s for s in found if s.use.kind == "request" and not s.filler), key=lambda s: (s.first, s.last))
    for drug in sorted({s.use.drug for s in orders}):
        ends: Stretch | None = None
        for stretch in (s for s in orders if s.use.drug == drug):
            if ends is not None and ends.use is not stretch.use and stretch.first > ends.last + DAY:
                carried += _bridge(ends, stretch)
            if ends is None or stretch.last >= ends.last:
                ends = stretch
    return carried


def _bridge(before: Stretch, after: Stretch) -> list[Stretch]:
    hole = (after.first - before.last).days - 1
    if hole > days_of("gap_possible"):
        return []
    dose = before.dose if hole <= days_of("gap_carried") else before.dose.down_to_zero()
    return [
        replace(before, first=before.last + DAY, last=after.first - DAY, dose=dose, filler=True,
                flags=before.flags | {"assumed"})  # fmt: skip
    ]


def _segments(found: Sequence[Stretch], group_of: dict[str, int], as_of: date) -> Iterator[DoseSegment]:
    if not found:
        return
    starts = {day for s in found for day in (s.first, s.last + DAY) if day <= as_of}
    for first, after in pairwise([*sorted(starts), as_of + DAY]):
        yield _segment(first, after - DAY, [s for s in found if s.covers(first)], group_of, as_of)


def _segment(
    first: date, last: date, active: list[Stretch], group_of: dict[str, int], as_of: date
) -> DoseSegment:
    drugs = sorted({s.use.drug for s in active})
    counted = [part for drug in drugs for part in _of_one_drug(drug, active, group_of)]
    dose = ZERO
    for drug in drugs:
        dose = dose + _sum_or_choice([s for s in counted if s.use.drug == drug]).times(equivalence(drug))
    giving = [s for s in counted if not s.dose.is_zero]
    flags = frozenset(flag for s in giving for flag in s.flags)
    if any(equivalence(s.use.drug) != equivalence(table("equivalents")["reference_drug"]) for s in giving):
        flags |= {"equivalent"}
    return DoseSegment(
        first, last, dose, _pattern(giving), tuple(sorted({s.use.reference for s in giving})),
        per_dose=_per_dose(giving), flags=flags,
        faults=tuple(sorted({s.fault for s in giving if s.fault})),
        goes_on=any(_has_no_end(s, as_of) for s in giving))  # fmt: skip


def _has_no_end(stretch: Stretch, as_of: date) -> bool:
    return stretch.last == as_of and (stretch.use.ends is None or stretch.use.ends.last > as_of)


def _of_one_drug(drug: str, active: list[Stretch], group_of: dict[str, int]) -> list[Stretch]:
    """What counts of one drug: the best record of each therapy, fillers only where nothing else is."""
    mine = [s for s in active if s.use.drug == drug]
    documented = [s for s in mine if not s.filler] or mine
    denied = any(s.use.standing is Standing.NOT_TAKEN for s in documented)
    best = [
        part
        for number in sorted({group_of[s.use.reference] for s in documented})
        for part in _of_one_therapy([s for s in documented if group_of[s.use.reference] == number])
    ]
    if denied:
        return [
            s if s.use.standing is Standing.NOT_TAKEN else replace(s, dose=s.dose.down_to_zero()) for s in best
        ]
    return best


def _of_one_therapy(linked: list[Stretch]) -> list[Stretch]:
    """Of records that belong together the most telling one: given before reported before ordered, then the newest."""
    top = max(_RANK[s.use.kind] for s in linked)
    best = [s for s in linked if _RANK[s.use.kind] == top]
    newest = max(_began(s) for s in best)
    return [s for s in best if _began(s) == newest or top == _RANK["administration"]]


def _began(stretch: Stretch) -> date:
    return stretch.use.begins.first if stretch.use.begins else stretch.first


def _sum_or_choice(parts: list[Stretch]) -> Interval:
    """The dose of one drug from records that are not linked.

    Equal doses are one therapy recorded twice. Records that say they are taken together add up. Otherwise the
    newest alone is sure, and all of them together are possible.
    """
    if not parts:
        return ZERO
    total = parts[0].dose
    for part in parts[1:]:
        total = total + part.dose
    given_together = any(p.added_to for p in parts) or all(p.use.kind == "administration" for p in parts)
    if len(parts) == 1 or given_together or len({p.use.reference for p in parts}) == 1:
        return total
    if len({p.dose for p in parts}) == 1:
        return parts[0].dose
    newest = max(parts, key=lambda p: (_began(p), p.dose.low))
    return Interval(min(newest.dose.low, total.low), total.high, high_open=total.high_open)


def _pattern(giving: list[Stretch]) -> Pattern:
    patterns = {s.pattern for s in giving}
    if len(patterns) == 1:
        return patterns.pop()
    return "daily" if not patterns else "unknown"


def _per_dose(giving: list[Stretch]) -> Interval | None:
    amounts = {s.per_dose.times(equivalence(s.use.drug)) if s.per_dose else None for s in giving}
    return amounts.pop() if len(amounts) == 1 else None


def _merged(segments: Iterable[DoseSegment]) -> Iterator[DoseSegment]:
    """Neighbours that differ in nothing but their days, made one."""
    pending: DoseSegment | None = None
    for segment in segments:
        if pending and _alike(pending, segment):
            pending = replace(pending, last=segment.last, goes_on=segment.goes_on)
            continue
        if pending:
            yield pending
        pending = segment
    if pending:
        yield pending


def _alike(one: DoseSegment, other: DoseSegment) -> bool:
    return replace(one, first=other.first, last=other.last, goes_on=other.goes_on) == other
