"""Short holes between the records of a drug: carried over, or possibly taken, as tables/exposure.yaml says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise

from cds_service.clinical.exposure import DAY, Stretch, days_of
from cds_service.clinical.therapies import possible


def carried_over(found: Iterable[Stretch]) -> list[Stretch]:
    """Short holes between two orders of a drug: carried over, or possibly taken where less certain."""
    return list(_bridged(found, ("request", "dispense"), days_of("gap_possible")))


def possible_between_reports(found: Iterable[Stretch]) -> list[Stretch]:
    """Holes between two reports of a drug, on which it may have been taken."""
    return list(_bridged(found, ("statement",), days_of("gap_reported")))


def possible_between_administrations(found: Iterable[Stretch], as_of: date) -> list[Stretch]:
    """Days without an administration within a series of them, and as few after its last, with the doses before them.

    A dose that nobody signed for may have been given, and that of today may be due. Beside a dose that is taken anyhow
    they were a course of their own, which was over when it was over.
    """
    sure = [s for s in found if s.sure and not s.filler and not s.dose.is_zero]
    beside = [s for s in sure if s.use.kind != "administration"]
    given: dict[str, dict[date, list[Stretch]]] = {}
    for s in sure:
        if s.use.kind == "administration":
            given.setdefault(s.use.drug, {}).setdefault(s.last, []).append(s)
    holes: list[Stretch] = []
    for by_day in given.values():
        *days, last = sorted(by_day)
        for day, following in pairwise([*days, last]):
            holes += _unsigned(by_day[day], following)
        if days and (last - days[-1]).days - 1 <= days_of("gap_administered"):
            holes += _unsigned(by_day[last], as_of + DAY)
    return [hole for hole in holes if not any(s.covers(hole.first) for s in beside)]


def _unsigned(doses: Iterable[Stretch], following: date) -> Iterator[Stretch]:
    """The doses of a day, possible again until the day of the following ones where that is near."""
    for s in doses:
        if 0 < (following - s.last).days - 1 <= days_of("gap_administered"):
            yield replace(possible(s), first=s.last + DAY, last=following - DAY, filler=True,
                          flags=s.flags | {"assumed"})  # fmt: skip


def _bridged(found: Iterable[Stretch], kinds: Collection[str], longest: int) -> Iterator[Stretch]:
    """The holes of at most so many days between records of these kinds, with the dose before them."""
    sure = [s for s in found if s.use.kind in kinds and s.sure and not s.filler and not s.dose.is_zero]
    until: Stretch | None = None
    for stretch in sorted(sure, key=lambda s: (s.use.drug, s.first, s.last, s.use.reference, s.dose.low)):
        if until is None or until.use.drug != stretch.use.drug:
            until = stretch
            continue
        hole = (stretch.first - until.last).days - 1
        if until.use is not stretch.use and 0 < hole <= longest:
            yield _bridge(until, stretch, hole)
        until = stretch if stretch.last >= until.last else until


def _bridge(before: Stretch, after: Stretch, hole: int) -> Stretch:
    refilled = before.last == before.use.supply_ends and hole <= days_of("gap_carried")
    bridge = replace(before, first=before.last + DAY, last=after.first - DAY, filler=True,
                     flags=before.flags | {"assumed"})  # fmt: skip
    return bridge if refilled else possible(bridge)
