"""From the dose history to the geometry of its picture: where every band, line, mark and word stands.

The picture has one colour, so that it reads in greyscale: what is certain is solid, what is not is hatched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from cds_service.clinical.dates import days_later
from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.interval import Interval
from cds_service.report.timeline.axes import DAY, DoseAxis, TimeAxis
from cds_service.report.timeline.labels import Box, Label
from cds_service.trials.dose_history import DoseHistory

PER_KG, PER_DAY = "mg/kg/d", "mg/d"
WIDTH = 960.0
LEFT, RIGHT = 156.0, 836.0
# Above the plot stand the tapers, where there are any.
ABOVE, ABOVE_WITHOUT_TAPERS, PLOT, ROW = 58.0, 30.0, 210.0, 20.0
_THINNEST_WEDGE = 4.0
# Doses that were held for so many days set the scale; a shorter pulse may be cut off.
_SUSTAINED = 7
# A year without a record, and what else may stand in front of the first dose.
_WITHOUT_DOSE = 365


@dataclass(frozen=True, slots=True)
class Strip:
    """Days with one dose: solid up to `low`, hatched from there to `high`; None where there is no upper end.

    `is_weighed` is false where the dose per kilogram is not known for want of a weight; `is_cut` where the dose
    stands above the picture.
    """

    left: float
    right: float
    low: float
    high: float | None
    is_weighed: bool = True
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """Days on another drug; hatched where it is not certain, `is_earlier` where they began before the picture."""

    left: float
    right: float
    sure: bool
    is_earlier: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One drug beneath the picture."""

    title: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Wedge:
    """An attempt to taper, from its beginning to its end; `failed` when the dose had to be raised again."""

    left: float
    right: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A flare that made a taper fail; `documented` when the record says so, and not the dose alone."""

    x: float
    day: date
    documented: bool


@dataclass(frozen=True, slots=True)
class Brace:
    """The time between two failures."""

    left: float
    right: float
    days: int


@dataclass(frozen=True, slots=True)
class Line:
    """A dose that the protocol compares with, drawn where it can be."""

    value: Fraction
    criteria: tuple[str, ...]
    pieces: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class WeightMark:
    """A body weight on its day."""

    x: float
    kilograms: Interval


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn. `unit` is that of the dose axis; labels are put in by words.py."""

    unit: str
    time: TimeAxis
    dose: DoseAxis
    plot: Box
    height: float
    strips: tuple[Strip, ...]
    edges: tuple[tuple[tuple[float, float], ...], ...]
    lines: tuple[Line, ...]
    window: tuple[float, float] | None
    window_days: int
    wedges: tuple[Wedge, ...]
    marks: tuple[Mark, ...]
    braces: tuple[Brace, ...]
    weights: tuple[WeightMark, ...]
    weights_y: float | None
    rows: tuple[Row, ...]
    is_cut_off: bool
    labels: tuple[Label, ...] = field(default=())


def picture(history: DoseHistory) -> Picture:
    """The picture of a history."""
    unit = unit_of(history)
    time = TimeAxis.over(_first(history), history.as_of, LEFT, RIGHT)
    shown = [part for part in history.weighed if time.shows(part.first, part.last)]
    wedges = _wedges(history, time)
    above = ABOVE if wedges else ABOVE_WITHOUT_TAPERS
    plot = Box(LEFT, above, RIGHT, above + PLOT)
    dose = _dose_axis(history, shown, unit, plot)
    strips = tuple(_wide_enough([_strip(part, unit, time, dose) for part in shown]))
    weights = tuple(WeightMark(time.x(w.day), w.kilograms) for w in history.weights if time.shows(w.day, w.day))
    weights_y = plot.bottom + 2.4 * ROW if weights else None
    below = plot.bottom + (3.9 if weights else 2.4) * ROW
    rows = _rows(history, time, below)
    return Picture(
        unit, time, dose, plot, below + len(rows) * ROW, strips, _edges(strips),
        tuple(_lines(history, shown, unit, time, dose)),
        time.span(history.window.first, history.window.last) if history.window else None,
        (history.window.last - history.window.first).days if history.window else 0,
        wedges, _marks(history, time), _braces(history, time), weights, weights_y, rows,
        any(part.first < time.first for part in history.weighed),
    )  # fmt: skip


def unit_of(history: DoseHistory) -> str:
    """mg/kg/d; mg/d where the weight is missing today or for most of the days with a dose."""
    if not history.weighed:
        return PER_KG
    unweighed = sum((part.last - part.first).days + 1 for part in history.weighed if part.per_kg is None)
    total = sum((part.last - part.first).days + 1 for part in history.weighed)
    return PER_DAY if history.weighed[-1].per_kg is None or 2 * unweighed > total else PER_KG


def _first(history: DoseHistory) -> date:
    """Where the picture begins: a little before the first dose, or a year ago."""
    if not history.weighed:
        return days_later(history.as_of, -_WITHOUT_DOSE)
    first = history.weighed[0].first
    return days_later(first, -max(1, (history.as_of - first).days // 40))


def amount(part: WeighedSegment, unit: str) -> Interval | None:
    """The dose in the picture's unit; None where a weight is lacking."""
    return part.segment.dose if unit == PER_DAY else part.per_kg


def _dose_axis(history: DoseHistory, shown: Sequence[WeighedSegment], unit: str, plot: Box) -> DoseAxis:
    amounts = [(part.segment.days, found) for part in shown if (found := amount(part, unit)) is not None]
    doses = [found.low if found.high is None else found.high for _, found in amounts]
    held = [dose for (days, _), dose in zip(amounts, doses, strict=True) if days >= _SUSTAINED]
    lines = [line.value for line in history.lines] if unit == PER_KG else []
    return DoseAxis.over(doses, max(held or doses, default=Fraction(0)), lines, plot.top, plot.bottom)


def _strip(part: WeighedSegment, unit: str, time: TimeAxis, dose: DoseAxis) -> Strip:
    left, right = time.span(part.first, part.last)
    found = amount(part, unit)
    if found is None:
        return Strip(left, right, dose.bottom, None, is_weighed=False)
    high = None if found.high is None else dose.y(found.high)
    return Strip(left, right, dose.y(found.low), high, is_cut=dose.cuts_off(found.high or found.low))


def _wide_enough(strips: Sequence[Strip]) -> Iterator[Strip]:
    """The strips; a single day that stands alone in a long history made wide enough to be seen."""
    for place, strip in enumerate(strips):
        follows = place > 0 and strips[place - 1].right > strip.left - 1
        is_followed = place + 1 < len(strips) and strips[place + 1].left < strip.right + 1
        left, right = (strip.left, strip.right) if follows or is_followed else _visible((strip.left, strip.right))
        yield replace(strip, left=left, right=right)


def _edges(strips: Sequence[Strip]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The outlines of the band: one line where the dose is exact, two where it is a range, none where it is open."""
    found: list[list[tuple[float, float]]] = []
    for end in ("high", "low"):
        before: Strip | None = None
        for strip in strips:
            y = getattr(strip, end) if strip.is_weighed else None
            if y is None:
                before = None
                continue
            points = [(strip.left, y), (strip.right, y)]
            if before and abs(before.right - strip.left) < 0.01:
                found[-1] += points
            else:
                found.append(points)
            before = strip
    return tuple(tuple(points) for points in found)


def _lines(
    history: DoseHistory, shown: Sequence[WeighedSegment], unit: str, time: TimeAxis, dose: DoseAxis
) -> list[Line]:
    """The protocol's lines; on an axis in mg/d each where a weight is known, at so many mg for that weight."""
    if unit == PER_KG:
        return [Line(one.value, one.criteria, ((LEFT, RIGHT, dose.y(one.value)),)) for one in history.lines]
    weighed = [(part, part.weight.low) for part in shown if part.weight]
    return [
        Line(one.value, one.criteria, tuple(
            (*time.span(part.first, part.last), dose.y(one.value * kilograms))
            for part, kilograms in weighed if not dose.cuts_off(one.value * kilograms)
        ))
        for one in history.lines
    ]  # fmt: skip


def _wedges(history: DoseHistory, time: TimeAxis) -> tuple[Wedge, ...]:
    failed = {flare.taper for flare in history.flares}
    every = (
        Wedge(time.x(taper.start), time.x(end), taper in failed)
        for taper in history.tapers
        if time.shows(taper.start, end := taper.ended or history.as_of + DAY)
    )
    return tuple(one for one in every if one.failed or one.right - one.left >= _THINNEST_WEDGE)


def _marks(history: DoseHistory, time: TimeAxis) -> tuple[Mark, ...]:
    return tuple(
        Mark(time.x(flare.date), flare.date, flare.documented)
        for flare in history.flares
        if time.shows(flare.date, flare.date)
    )


def _braces(history: DoseHistory, time: TimeAxis) -> tuple[Brace, ...]:
    pairs = pairwise(history.flares)
    return tuple(
        Brace(time.x(first.date), time.x(second.date), (second.date - first.date).days)
        for first, second in pairs
        if time.shows(first.date, first.date)
    )


def _rows(history: DoseHistory, time: TimeAxis, top: float) -> tuple[Row, ...]:
    shown = [one for one in history.therapies if any(time.shows(given.first, given.last) for given in one.given)]
    return tuple(
        Row(therapy.title, top + number * ROW, tuple(
            Bar(*_visible(time.span(given.first, given.last)), given.sure, given.first < time.first)
            for given in therapy.given if time.shows(given.first, given.last)
        ))
        for number, therapy in enumerate(shown)
    )  # fmt: skip


def _visible(span: tuple[float, float]) -> tuple[float, float]:
    """The span; one of a single day in a long history made wide enough to be seen."""
    left, right = span
    return (left, right) if right - left >= 2 else (min(left, RIGHT - 2), max(right, min(left, RIGHT - 2) + 2))
