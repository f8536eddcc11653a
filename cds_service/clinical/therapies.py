"""Records of one drug put together: which are one therapy, which takes over from which, which count."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from cds_service.clinical.coded import Certainty
from cds_service.clinical.exposure import DAY, Stretch, days_of
from cds_service.clinical.interval import ZERO, Interval
from cds_service.clinical.medications import MedicationUse, Standing

# What tells most about a therapy: what was given, then what was reported, handed out, and only ordered.
_RANK = {"administration": 4, "statement": 3, "dispense": 2, "request": 1}
_NOT_STATED = "dose-not-stated"
# The one record that all administrations of a drug are: what was given adds up.
_GIVEN = "given"


def therapies(uses: Sequence[MedicationUse]) -> dict[str, int]:
    """The number of the therapy that each record, by its reference, belongs to.

    Records that name each other, or that both name the same order or identifier, are one therapy.
    """
    leader: dict[str, str] = {}

    def leader_of(name: str) -> str:
        while (above := leader.get(name, name)) != name:
            leader[name] = leader.get(above, above)
            name = above
        return name

    for use in uses:
        for link in use.links:
            leader[leader_of(link)] = leader_of(use.reference)
    numbers: dict[str, int] = {}
    return {use.reference: numbers.setdefault(leader_of(use.reference), len(numbers)) for use in uses}


class Succession:
    """The records of a timeline by what another of them may look for, so that nobody searches them one by one."""

    def __init__(self, uses: Sequence[MedicationUse]) -> None:
        self._orders: dict[str, list[MedicationUse]] = defaultdict(list)
        self._begun: dict[tuple[str, date], list[MedicationUse]] = defaultdict(list)
        self._reports: dict[str, list[MedicationUse]] = defaultdict(list)
        self.therapy_of = therapies(uses)
        for use in uses:
            if use.begins and _may_take_over(use):
                self._begun[use.drug, _begin(use)].append(use)
                if use.kind == "request":
                    self._orders[use.drug].append(use)
            if use.kind == "statement":
                for name in {use.reference, *use.links}:
                    self._reports[name].append(use)
        for orders in self._orders.values():
            orders.sort(key=lambda order: (_begin(order), order.reference))

    def next_order(self, use: MedicationUse) -> MedicationUse | None:
        """The first order of the drug that begins later and is not taken beside this record."""
        if use.begins is None:
            return None
        orders = self._orders.get(use.drug, [])
        place = bisect_right(orders, _begin(use), key=_begin)
        return orders[place] if place < len(orders) else None

    def takes_over(self, use: MedicationUse, day: date) -> bool:
        """True when a newer record of the drug, of another therapy, begins on the day.

        Records of one therapy need no handover: only one of them counts on a day.
        """
        if use.begins is None or day <= _begin(use):
            return False
        mine = self.therapy_of[use.reference]
        return any(self.therapy_of[other.reference] != mine for other in self._begun.get((use.drug, day), ()))

    def reported_end(self, use: MedicationUse) -> date | None:
        """The day on which a report of this very order says that it ended."""
        if use.kind != "request":
            return None
        linked = [other for name in {use.reference, *use.links} for other in self._reports.get(name, ())]
        reports = [
            other
            for other in {id(one): one for one in linked}.values()
            if other.drug == use.drug and (use.reference in other.links or other.reference in use.links)
        ]
        ends = [other.ends.last for other in reports if other.standing is Standing.ENDED and other.ends]
        return max(ends) if ends and len(ends) == len(reports) else None


def taken_over(found: Sequence[Stretch], succession: Succession) -> list[Stretch]:
    """The stretches of one record, cut where another record of the drug takes over or reports its end."""
    if not found:
        return []
    use, therapy_of = found[0].use, succession.therapy_of
    order = succession.next_order(use)
    if order and use.is_open_ended:
        found = _superseded(found, order, therapy_of[use.reference] == therapy_of[order.reference])
    else:
        found = _handed_over(found, {s.last for s in found if succession.takes_over(use, s.last)})
    reported = succession.reported_end(use)
    return [part for s in found for part in _possible_after(s, reported)] if reported else list(found)


def _may_take_over(use: MedicationUse) -> bool:
    """False for what is no order, was perhaps never taken, or is taken beside another record's dose."""
    if use.kind == "administration" or use.route != "systemic" or any(step.added_to for step in use.steps):
        return False
    return use.standing in (Standing.TAKEN, Standing.ENDED) and use.certainty is not Certainty.UNVERIFIED


def _begin(use: MedicationUse) -> date:
    assert use.begins is not None  # records without a beginning take over from none
    return use.begins.last


def _superseded(found: Sequence[Stretch], newer: MedicationUse, linked: bool) -> list[Stretch]:
    """The stretches of an open-ended order until a newer one begins.

    For some days both may be taken, unless the newer one is a renewal: the same dose again, or an order that
    names its predecessor. When a newer one that is not linked has ended, the old one may be taken again.
    """
    first = _begin(newer)
    renewed = linked or _is_same_dose(found[0].use, newer)
    alone_from = first if renewed else first + timedelta(days=days_of("superseded_may_overlap"))
    cut: list[Stretch] = []
    for stretch in found:
        before, after = split(stretch, first)
        beside, later = split(after, alone_from) if after else (None, None)
        cut += [part for part in (before, beside and possible(beside)) if part]
        if later and not linked:
            cut.append(replace(possible(later), filler=True, flags=later.flags | {"assumed"}))
    return cut


def _is_same_dose(one: MedicationUse, other: MedicationUse) -> bool:
    """True for the same readable instructions; two that cannot be read may be anything."""
    own, others = (tuple(step.daily for step in use.steps) for use in (one, other))
    return own == others and all(dose.high is not None for dose in own)


def split(stretch: Stretch, day: date) -> tuple[Stretch | None, Stretch | None]:
    """The stretch before `day`, and from `day` on."""
    before = replace(stretch, last=min(stretch.last, day - DAY)) if stretch.first < day else None
    after = replace(stretch, first=max(stretch.first, day)) if stretch.last >= day else None
    return before, after


def possible(stretch: Stretch) -> Stretch:
    """The stretch, on whose days the dose may have been taken or not."""
    return replace(stretch, dose=stretch.dose.down_to_zero(), sure=False)


def _handed_over(found: Iterable[Stretch], beginnings: set[date]) -> list[Stretch]:
    """A record that ends on the day on which a newer one begins hands over: that day has one dose."""
    return [
        replace(s, last=s.last - DAY) if s.last in beginnings and s.first < s.last and not s.goes_on else s
        for s in found
    ]


def _possible_after(stretch: Stretch, end: date) -> Iterator[Stretch]:
    before, after = split(stretch, end + DAY)
    yield from [part for part in (before, after and possible(after)) if part]


def counted(drug: str, active: Iterable[Stretch], therapy_of: Mapping[str, int]) -> list[Stretch]:
    """What counts of one drug on a day: the best record of each therapy, lowered where one is "not taken"."""
    mine = [s for s in active if s.use.drug == drug]
    documented = [s for s in mine if not s.filler]
    best = [
        part
        for number in sorted({therapy_of[s.use.reference] for s in documented})
        for part in _of_one_therapy([s for s in documented if therapy_of[s.use.reference] == number])
    ]
    if not any(s.sure for s in best):
        best += _fillers([s for s in mine if s.filler])
    if not any(s.use.standing is Standing.NOT_TAKEN for s in documented):
        return best
    return [possible(s) for s in best]


def _fillers(fillers: Sequence[Stretch]) -> list[Stretch]:
    """One filler of each record; a carried dose goes before a possible one."""
    of_record: dict[str, Stretch] = {}
    for filler in [s for s in fillers if s.sure] or fillers:
        known = of_record.setdefault(filler.use.reference, filler)
        of_record[filler.use.reference] = max(known, filler, key=_most)
    return list(of_record.values())


def _most(stretch: Stretch) -> tuple[bool, Fraction]:
    high = stretch.dose.high
    return high is None, high or stretch.dose.low


def _of_one_therapy(linked: Sequence[Stretch]) -> list[Stretch]:
    """Of records that belong together the most telling one, then the newest.

    One that only says that the drug is taken takes its dose from the others.
    """
    best = _most_telling(linked)
    silent = {s.use.reference for s in linked if s.fault == _NOT_STATED}
    stated = [s for s in linked if s.use.reference not in silent]
    if stated and all(s.fault == _NOT_STATED for s in best):
        others = _most_telling(stated)
        best = others if all(s.sure for s in best) else [possible(s) for s in others]
    began = max(s.began for s in linked)
    return [replace(s, began=began) for s in best]


def _most_telling(linked: Sequence[Stretch]) -> list[Stretch]:
    top = max(_RANK[s.use.kind] for s in linked)
    best = [s for s in linked if _RANK[s.use.kind] == top]
    newest = max(s.began for s in best)
    return [s for s in best if s.began == newest or s.use.kind == "administration"]


def dose_of(parts: Sequence[Stretch]) -> Interval:
    """The dose of one drug from what counts of it on a day.

    Records that say that they are taken beside another add up, and so do administrations. Otherwise equal doses
    are one therapy recorded twice, and of unequal ones what was given, or the newest alone, is sure, and all
    together are possible.
    """
    beside = [p.dose for p in parts if p.added_to]
    return sum(beside, _one_or_all([p for p in parts if not p.added_to]))


def are_taken_for_one(parts: Iterable[Stretch]) -> bool:
    """True where several records, none of them a filler or beside another, state the same dose of a drug."""
    stated: dict[str, Interval] = {}
    for part in parts:
        if not (part.added_to or part.filler or part.stated.is_zero):
            record = _GIVEN if part.use.kind == "administration" else part.use.reference
            stated[record] = stated.get(record, ZERO) + part.stated
    return len(set(stated.values())) < len(stated)


def _one_or_all(parts: Sequence[Stretch]) -> Interval:
    told = [p for p in parts if p.fault != _NOT_STATED]
    untold = [p for p in parts if p.fault == _NOT_STATED]
    if told and untold and max(p.began for p in told) >= max(p.began for p in untold):
        # A record that does not say how much may be of another dose, and takes nothing from one as new that does.
        least = _one_or_all(told)
        return Interval(least.low, None, least.low_open)
    records: dict[str, list[Stretch]] = {}
    for part in parts:
        record = _GIVEN if part.use.kind == "administration" else part.use.reference
        records.setdefault(record, []).append(part)
    by_stated: dict[Interval, list[tuple[date, Interval]]] = {}
    for mine in records.values():
        stated, dose = sum((p.stated for p in mine), ZERO), sum((p.dose for p in mine), ZERO)
        by_stated.setdefault(stated, []).append((max(p.began for p in mine), dose))
    each = [(max(day for day, _ in same), _surest(dose for _, dose in same)) for same in by_stated.values()]
    if len(each) <= 1:
        return each[0][1] if each else ZERO
    total = sum((dose for _, dose in each), ZERO)
    newest = max(each, key=_newness)[1]
    given = sum((p.dose for p in records.get(_GIVEN, [])), ZERO).low
    return Interval(max(newest.low, given), total.high, high_open=total.high_open)


def _newness(dated: tuple[date, Interval]) -> tuple[date, bool, Fraction]:
    """Later days first; of the same day an unreadable dose, else the larger one with a smaller one beside it."""
    began, dose = dated
    return began, dose.high is None, -dose.low if dose.high is None else dose.low


def _surest(doses: Iterable[Interval]) -> Interval:
    """Of one stated dose, recorded several times, the record that proves most."""
    return max(doses, key=lambda dose: dose.low)
