"""Laboratory and other measured results, and how the one that counts is chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache, reduce
from typing import Any, Literal

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import Interval
from cds_service.clinical.quantity import Unusable, analyte_units
from cds_service.clinical.tables import table


@dataclass(frozen=True, slots=True)
class Result:
    """One measured value of one analyte.

    `quantity` is in the analyte's unit, or says why it cannot be used. `upper_limit` is the upper limit of
    normal that the same report states, in the same unit; `limit_doubted` when it states one that no laboratory has.
    `written_in` is the unit of the record. `specimen` is what was examined, where that is stated;
    `tied` names what else results of one sample have in common: the report, the panel, the collection time.
    `contradicted` when its parts do not go together, such as unit and code, or a score and its interpretation, so
    that nobody knows what was meant. `answer` is what a result in words says; an `estimated` one was seen
    on a smear and not counted. `written` are the record's own words for the value, which nobody has checked.
    """

    reference: str
    analyte: str
    label: str
    when: DayRange | None
    quantity: Interval | Unusable
    upper_limit: Interval | None = None
    limit_doubted: bool = False
    written_in: str | None = None
    specimen: str | None = None
    tied: frozenset[str] = frozenset()
    preliminary: bool = False
    estimated: bool = False
    unit_was_assumed: bool = False
    contradicted: bool = False
    text_only: bool = False
    answer: Literal["positive", "negative", "equivocal"] | None = None
    written: str | None = None

    @property
    def is_second_rate(self) -> bool:
        """True for what a final, measured result of the same day goes before."""
        return self.preliminary or self.estimated


@dataclass(frozen=True, slots=True)
class Chosen:
    """The newest results of an analyte, all of one day.

    `quantity` spans the values of that day; `disagree` says that they differ.
    """

    results: tuple[Result, ...]
    quantity: Interval
    day: date
    disagree: bool


def unit_of(analyte: str) -> str:
    """The unit in which the rules read the analyte."""
    return analyte_units()[analyte].unit


def usable(results: Iterable[Result], analyte: str) -> list[Result]:
    """The results of the analyte with a value and a day, newest first."""
    found = [r for r in results if r.analyte == analyte and r.when and isinstance(r.quantity, Interval)]
    return sorted(found, key=lambda r: (taken_on(r), r.reference), reverse=True)


def newest(results: Iterable[Result], analyte: str) -> Chosen | None:
    """The newest day's results of the analyte; final results go before preliminary and estimated ones of that day.

    No value is looked at that is older than the newest usable one.
    """
    of_day: dict[date, list[Result]] = defaultdict(list)
    for result in results:
        if result.analyte == analyte:
            of_day[taken_on(result)].append(result)
    found = ((day, usable(of_day[day], analyte)) for day in sorted(of_day, reverse=True))
    return next((_chosen(same_day, day) for day, same_day in found if same_day), None)


def _chosen(same_day: Sequence[Result], day: date) -> Chosen:
    final = [r for r in same_day if not r.is_second_rate] or same_day
    spans = {r.quantity for r in final if isinstance(r.quantity, Interval)}
    return Chosen(tuple(final), hull(spans), day, disagree=len(spans) > 1)


def taken_on(result: Result) -> date:
    """The first day that its date can mean, so that a partial date never passes for fresher than it is."""
    return result.when.first if result.when else date.min


def hull(intervals: Iterable[Interval]) -> Interval:
    return reduce(Interval.hull, intervals)


def default_upper_limit(analyte: str, written_in: str | None = None) -> Interval | None:
    """The range in which upper limits of normal lie, for a report that does not state its own.

    In the analyte's unit, though it may be that of laboratories which report in another.
    """
    row = _upper_limits().get(analyte)
    if row is None:
        return None
    other = row.get("in_other_units", {}).get(written_in)
    if written_in is None or other is None:
        return Interval(Fraction(row["from"]), Fraction(row["to"]))
    return Interval(Fraction(other["from"]), Fraction(other["to"])).scaled(analyte_units()[analyte].factors[written_in])


def is_believable_limit(analyte: str, limit: Interval) -> bool:
    """False for an upper limit of normal that no laboratory has: a slip, or a number in another unit."""
    believed = _believed().get(analyte)
    if believed is None:
        return True
    low, high = believed
    return limit.high is not None and low <= limit.low and limit.high <= high


@cache
def _believed() -> Mapping[str, tuple[Fraction, Fraction]]:
    """Between which numbers the upper limits of an analyte lie that some laboratory has."""
    ends = {analyte: row["believed"] for analyte, row in _upper_limits().items()}
    return {analyte: (Fraction(low), Fraction(high)) for analyte, (low, high) in ends.items()}


def _upper_limits() -> Mapping[str, Any]:
    limits: Mapping[str, Any] = table("upper_limits")["limits"]
    return limits
