"""From one medication record to the days on which the drug was surely, or only possibly, taken.

The rules for records that leave their end open stand in tables/exposure.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange, Span, days_between, days_later
from cds_service.clinical.interval import ZERO, Interval
from cds_service.clinical.medications import DoseStep, MedicationUse, Pattern, Shares, Standing
from cds_service.clinical.steps import laid_out
from cds_service.clinical.tables import table

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days (both ends included) on which one record gives one dose, in mg of the drug per day.

    A stretch that is not `sure` may not have been taken at all: its `dose` begins at zero, and `stated` is the
    dose as written. `began` is when the record, or a newer one of the same therapy, begins. A `filler` bridges a
    hole in the documentation: it counts where nothing sure does.
    """

    first: date
    last: date
    dose: Interval
    pattern: Pattern
    use: MedicationUse
    stated: Interval
    began: date
    per_dose: Interval | None = None
    per_kilogram: bool = False
    added_to: bool = False
    filler: bool = False
    sure: bool = True
    goes_on: bool = False
    flags: frozenset[str] = frozenset()
    fault: str | None = None
    shares: Shares = ()

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class End:
    """The last day on which a drug was surely taken (None: no day is sure), and the last on which it may have been.

    `stated` when the record says it; `assumed` when it says nothing and a general rule had to stand in.
    """

    sure: date | None
    possible: date
    stated: bool = False
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """When a drug was taken: surely from `sure_first` to `sure_last`, possibly from `first` to `last`.

    No day is sure when `sure_last` is None or lies before `sure_first`. `goes_on`: no end of it is known.
    """

    first: date
    last: date
    sure_first: date
    sure_last: date | None
    goes_on: bool = False
    flags: frozenset[str] = frozenset()


def days_of(name: str) -> int:
    """A number of days from tables/exposure.yaml."""
    return Span.parse(table("exposure")[name]).days


def stretches(use: MedicationUse, as_of: date) -> list[Stretch]:
    """The record's doses in time, up to and including `as_of`, or the day before it was superseded."""
    over = use.superseded_on is not None and use.superseded_on <= as_of
    known = days_later(use.superseded_on, -1) if over and use.superseded_on else as_of
    steps = laid_out(use)
    found = [part for step in steps for part in _stretches_of(use, step, known)]
    found += _bridges(use, steps, known)
    return [replace(one, goes_on=False) for one in found] if over else found


@dataclass(frozen=True, slots=True)
class _Course:
    """One step of a record with the time in which it was taken."""

    use: MedicationUse
    step: DoseStep
    period: Period

    def stretch(self, first: date, last: date, sure: bool = False, filler: bool = False) -> Iterator[Stretch]:
        """The step's dose from `first` to `last`, or nothing where these are no days."""
        if first > last:
            return
        use, step = self.use, self.step
        stated = ZERO if use.standing is Standing.NOT_TAKEN else step.daily
        flags = self.period.flags | _flags(use, step) | ({"assumed"} if filler else set())
        yield Stretch(
            first, last, stated if sure else stated.down_to_zero(), step.pattern, use, stated,
            began=use.begins.first if use.begins else first, per_dose=step.per_dose,
            per_kilogram=step.per_kilogram, added_to=step.added_to, filler=filler, sure=sure,
            goes_on=self.period.goes_on and not filler, flags=flags,
            fault=None if use.standing is Standing.NOT_TAKEN else step.fault, shares=step.shares,
        )  # fmt: skip


def _stretches_of(use: MedicationUse, step: DoseStep, as_of: date) -> Iterator[Stretch]:
    period = _period(use, step, as_of)
    course = _Course(use, step, period)
    if use.standing is Standing.NOT_TAKEN:
        yield from course.stretch(period.first, period.last, sure=True)
        return
    if period.sure_last is None or period.sure_last < period.sure_first:
        yield from course.stretch(period.first, period.last)
    else:
        if period.first < period.sure_first:
            yield from course.stretch(period.first, period.sure_first - DAY)
        for part in course.stretch(period.sure_first, period.sure_last, sure=True):
            yield from _as_supplied(part, use)
        yield from course.stretch(period.sure_last + DAY, period.last)
    for first, last in _undocumented(use, step, period, as_of):
        yield from course.stretch(first, last, filler=True)


def _as_supplied(stretch: Stretch, use: MedicationUse) -> Iterator[Stretch]:
    """The stretch, sure only on the days for which supplies were handed out where it is known that any were."""
    after = stretch.first
    for first, last, carried in covered(use.supplied, use.begins):
        inside = replace(stretch, first=max(first, after), last=min(last, stretch.last))
        if inside.first > inside.last:
            continue
        yield from possible_between(stretch, after, inside.first - DAY)
        yield inside if carried else replace(inside, flags=inside.flags - {"assumed"})
        after = inside.last + DAY
    if use.supplied:
        yield from possible_between(stretch, after, stretch.last)
    else:
        yield stretch


def possible_between(stretch: Stretch, first: date, last: date) -> Iterator[Stretch]:
    """The stretch cut to these days, on which the dose is only possible; nothing where they are none."""
    if first <= last:
        yield replace(stretch, first=first, last=last, dose=stretch.dose.down_to_zero(), sure=False)


def covered(supplied: Iterable[tuple[date, date]], begins: DayRange | None) -> list[tuple[date, date, bool]]:
    """The days, first and last, for which supplies lasted, and whether a short hole was carried over within them."""
    reach = days_of("gap_carried")
    spans: list[tuple[date, date, bool]] = []
    for first, last in sorted(supplied):
        before = spans[-1] if spans else None
        if before and (first - before[1]).days - 1 <= reach:
            holed = before[2] or first > before[1] + DAY
            spans[-1] = (before[0], max(before[1], last), holed)
        else:
            spans.append((first, last, False))
    if spans and begins and 0 < (spans[0][0] - begins.first).days <= reach:
        spans[0] = (begins.first, spans[0][1], True)
    return spans


def _flags(use: MedicationUse, step: DoseStep) -> frozenset[str]:
    marks = {
        "text-only": step.text_only or use.certainty is Certainty.TEXT,
        "conflict": step.conflict or use.conflict,
        "left-censored": _has_no_start(use, step),
    }
    return frozenset(name for name, holds in marks.items() if holds)


def _has_no_start(use: MedicationUse, step: DoseStep) -> bool:
    return use.begins is None and step.first is None


def _undocumented(use: MedicationUse, step: DoseStep, period: Period, as_of: date) -> Iterator[tuple[date, date]]:
    """Days, first and last, of which the record says nothing although the drug may have been taken."""
    if _has_no_start(use, step) and use.kind != "administration":
        yield days_later(period.first, -days_of("unstated_start_reaches_back")), days_later(period.first, -1)
    if use.active and use.kind in ("request", "dispense") and use.supply_ends and not (step.last or use.ends):
        run_out = max(use.supply_ends, period.first)
        refilled = max(run_out, use.refillable_until or run_out)
        yield days_later(run_out, 1), min(days_later(refilled, days_of("gap_possible")), as_of)


def _period(use: MedicationUse, step: DoseStep, as_of: date) -> Period:
    """When the step was taken, as far as the record tells, up to `as_of`."""
    stated = _earlier(step.last, use.ends)
    begins = step.first or use.begins or _latest_beginning(use, stated, as_of)
    if stated and (_is_inverted(step.first, step.last) or _is_inverted(use.begins, use.ends)):
        first = min(begins.first, stated.first)
        ongoing = use.standing is Standing.TAKEN
        return Period(first, as_of, begins.last, None, ongoing, frozenset({"conflict"}))
    end = End(stated.first, stated.last, stated=True) if stated else _end(use, begins, as_of)
    flags = frozenset({"assumed"}) if end.assumed else frozenset[str]()
    return Period(begins.first, min(end.possible, as_of), begins.last,
                  _surely_until(use, step, end, as_of), _goes_on(use, end, as_of), flags)  # fmt: skip


def _is_inverted(first: DayRange | None, last: DayRange | None) -> bool:
    """True for a period that ends before it begins: it is not to be believed, and its drug not to be lost."""
    return first is not None and last is not None and last.last < first.first


def _latest_beginning(use: MedicationUse, stated: DayRange | None, as_of: date) -> DayRange:
    """The day by which a drug without a stated beginning had begun."""
    days = [as_of, use.written or as_of, *([stated.first] if stated else [])]
    return DayRange.of(min(days))


def _surely_until(use: MedicationUse, step: DoseStep, end: End, as_of: date) -> date | None:
    """The last sure day, None where no day can be."""
    if end.sure is None or use.standing is Standing.POSSIBLE or use.certainty is Certainty.UNVERIFIED:
        return None
    if use.route in ("depot", "unknown"):
        return None
    over = use.standing is Standing.ENDED
    if over and end.sure > as_of:  # it ended earlier than planned, on a day that nobody wrote down
        return None
    once = use.kind == "administration"
    if _has_no_start(use, step) and (once or (over and not end.stated) or (use.written or as_of) > as_of):
        return None
    if use.standing is not Standing.HELD:
        return min(end.sure, as_of)
    held_from = use.written if use.kind == "statement" else None  # an order is not rewritten when it is held
    return min(end.sure, days_later(held_from, -1)) if held_from else None


def _goes_on(use: MedicationUse, end: End, as_of: date) -> bool:
    if use.standing is Standing.ENDED:
        return False
    return end.possible > as_of or (end.possible == as_of and not end.stated and use.kind != "administration")


def _earlier(one: DayRange | None, other: DayRange | None) -> DayRange | None:
    if one is None or other is None:
        return one or other
    return DayRange(min(one.first, other.first), min(one.last, other.last))


def _end(use: MedicationUse, begins: DayRange, as_of: date) -> End:
    """When the drug ended, where the record does not say it."""
    if use.kind == "administration":
        return End(begins.last, begins.last)
    if use.standing is Standing.NOT_TAKEN:
        return End(None, as_of)
    return _statement_end(use, begins, as_of) if use.kind == "statement" else _request_end(use, begins, as_of)


def _statement_end(use: MedicationUse, begins: DayRange, as_of: date) -> End:
    if use.standing is Standing.ENDED:
        return End(use.written or begins.last, use.written or as_of)
    confirmed = use.written and (as_of - use.written).days <= days_of("statement_confirmed_within")
    return End(as_of, as_of, assumed=use.standing is Standing.TAKEN and not confirmed)


def _request_end(use: MedicationUse, begins: DayRange, as_of: date) -> End:
    if use.supply_ends is not None:
        return End(use.supply_ends, use.supply_ends, stated=True)
    counts_until = days_later(use.written or begins.first, days_of("open_request_counts"))
    if use.kind == "dispense":  # of a supply for nobody knows how long
        return End(begins.last, min(counts_until, as_of))
    supplied_until = max((last for _, last in use.supplied), default=begins.last)
    counts_until = max(counts_until, supplied_until)
    valid_until = max(use.valid_until, supplied_until) if use.valid_until else as_of
    if use.standing is Standing.ENDED:
        return End(None, min(counts_until, valid_until, max(as_of - DAY, begins.last)))
    if use.valid_until and not use.supplied:  # until when it may be filled proves no dose
        return End(None, valid_until)
    return End(min(counts_until, valid_until), valid_until, assumed=use.standing is Standing.TAKEN)


def _bridges(use: MedicationUse, steps: Sequence[DoseStep], as_of: date) -> Iterator[Stretch]:
    """Holes between dated steps, possibly bridged with the dose before; fillers all."""
    if use.standing is Standing.NOT_TAKEN:
        return
    for before, after in pairwise(steps):
        hole = days_between(before.last, after.first)
        if hole and hole.days <= days_of("gap_possible"):
            course = _Course(use, before, Period(hole.first, hole.last, hole.first, None))
            yield from course.stretch(hole.first, min(hole.last, as_of), filler=True)
