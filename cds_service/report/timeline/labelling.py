"""Which words stand where in the picture, the most telling ones first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.evidence import Measure
from cds_service.clinical.interval import Interval
from cds_service.report.numbers import as_text
from cds_service.report.sentences import dose_today
from cds_service.report.timeline.labels import SIZE, Anchor, Box, Label, Sheet, width
from cds_service.report.timeline.layout import LEFT, PER_KG, RIGHT, WIDTH, Line, Picture, Strip
from cds_service.report.wording import Wording
from cds_service.trials.dose_history import DoseHistory
from cds_service.trials.screening import Screening

_SMALL = 11.0
_TICK_APART = 78.0
# How far a dose's number may reach beyond its days.
_SPARE = 16.0
_LONGEST_TITLE = LEFT - 14


def labels_of(screening: Screening, history: DoseHistory, bare: Picture, words: Wording) -> list[Label]:
    """The most telling ones first: whoever comes first keeps the place."""
    sheet = Sheet(Box(0, 0, WIDTH, bare.height))
    for candidates in (
        *_axes(bare, words), _of_nothing(screening, history, bare, words), *_of_window(bare, words),
        *_of_flares(bare, history, words), *_of_doses(screening, bare, history, words), *_of_weights(bare, words),
        *_of_rows(bare, words),
    ):  # fmt: skip
        sheet.place(candidates)
    return sheet.labels


Candidates = Iterable[Label]


def _axes(bare: Picture, words: Wording) -> Iterator[Candidates]:
    plot, dose, time = bare.plot, bare.dose, bare.time
    yield from (_of_line(line, bare, words) for line in bare.lines if line.pieces)
    drawn_lines = [line.value for line in bare.lines] if bare.unit == PER_KG else []
    for value in (*drawn_lines, *dose.ticks()):
        yield [Label(LEFT - 8, dose.y(value) + SIZE / 3, as_text(value), "end")]
    beneath = plot.bottom + SIZE + 6
    yield [Label(RIGHT, beneath, time.last.isoformat(), "end")]
    for day in time.ticks(_TICK_APART):
        text = day.isoformat() if day.day != 1 else day.isoformat()[:7]
        yield [Label(time.x(day), beneath, text)]


def _of_line(line: Line, bare: Picture, words: Wording) -> list[Label]:
    """The line's number beside its right end, with the criteria that compare with it where there is room."""
    _, right, y = line.pieces[-1]
    number, criteria = as_text(line.value), " ".join(line.criteria)
    told = words.phrase("picture", "line", value=number, criteria=criteria)
    if bare.unit != PER_KG:
        number = words.measure(Measure(Interval.exactly(line.value), "mg/kg/d"))
        told = words.phrase("picture", "line", value=number, criteria=criteria)
    return [Label(right + 6, y + SIZE / 3, text, "start", _SMALL) for text in (told, number)]


def _of_window(bare: Picture, words: Wording) -> Iterator[Candidates]:
    if bare.window:
        left, right = bare.window
        text, y = words.term("picture", "window"), bare.plot.top + SIZE + 2
        within = [Label((left + right) / 2, y, text, size=_SMALL)] if width(text, _SMALL) < right - left else []
        yield [*within, Label(right - 3, y, text, "end", _SMALL)]


def _of_flares(bare: Picture, history: DoseHistory, words: Wording) -> Iterator[Candidates]:
    for mark in bare.marks:
        text, y = mark.day.isoformat(), bare.plot.top - 6
        yield [Label(mark.x, y, text, size=_SMALL), Label(mark.x + 4, y, text, "end", _SMALL)]
    needed = as_text(history.apart.value) if history.apart else None
    for brace in bare.braces:
        told = [words.phrase("picture", "apart", days=brace.days, needed=needed)] if needed else []
        texts = [*told, words.phrase("picture", "apart_alone", days=brace.days), str(brace.days)]
        yield [Label((brace.left + brace.right) / 2, SIZE + 1, text, size=_SMALL) for text in texts
               if width(text, _SMALL) < brace.right - brace.left + 4 * _SPARE]  # fmt: skip


def _of_nothing(screening: Screening, history: DoseHistory, bare: Picture, words: Wording) -> list[Label]:
    """Why there is no dose to be seen."""
    if history.weighed:
        return []
    text = words.term("picture", "no_steroid" if screening.steroids.per_day is not None else "not_searched")
    return [Label((LEFT + RIGHT) / 2, (bare.plot.top + bare.plot.bottom) / 2, text)]


def _of_doses(screening: Screening, bare: Picture, history: DoseHistory, words: Wording) -> Iterator[Candidates]:
    """Milligrams a day over every level, today's first and then the longest ones."""
    runs = list(_runs(bare, history))
    for run in sorted(runs, key=lambda run: (run is not runs[-1], run.left - run.right)):
        today = [dose_today(screening.steroids, words)] if run is runs[-1] and history.is_taken else []
        yield [label for text in (*today, words.measure(Measure(run.dose, "mg"))) for label in _of_run(run, text, bare)]


def _of_run(run: _Run, text: str, bare: Picture) -> Iterator[Label]:
    y = max(run.y - 5, bare.plot.top + SIZE)
    middle = (run.left + run.right) / 2
    if width(text) <= run.right - run.left + _SPARE:
        yield Label(middle, y, text)
        yield Label(middle, y + SIZE + 5, text)
    elif run.is_cut:
        yield Label(run.right + 4, y, text, "start")
        yield Label(run.left - 4, y, text, "end")
    elif run.is_last:
        covered = [strip for strip in bare.strips if strip.right > run.right - width(text)]
        above = min(_upper_end(strip, bare) for strip in covered) - 5
        yield Label(run.right - 2, max(above, bare.plot.top + 2 * SIZE + 4), text, "end")
        yield Label(run.left + 4, y, text, "start")


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring days on one dose, whatever the weight was; `y` is where the upper edge stands."""

    left: float
    right: float
    y: float
    dose: Interval
    is_cut: bool
    is_last: bool


def _runs(bare: Picture, history: DoseHistory) -> Iterator[_Run]:
    parts = [part for part in history.weighed if bare.time.shows(part.first, part.last)]
    for _, found in groupby(zip(parts, bare.strips, strict=True), key=lambda pair: _level(pair[0], bare)):
        pairs = list(found)
        strips = [strip for _, strip in pairs]
        y = min(_upper_end(strip, bare) for strip in strips)
        yield _Run(strips[0].left, strips[-1].right, y, pairs[0][0].segment.dose,
                   strips[-1].is_cut, pairs[-1][0] is parts[-1])  # fmt: skip


def _upper_end(strip: Strip, bare: Picture) -> float:
    """Where the number stands: over the dose, in the middle of what has no end."""
    return (bare.plot.top + strip.low) / 2 if strip.high is None else strip.high


def _level(part: WeighedSegment, bare: Picture) -> tuple[Interval, bool]:
    return part.segment.dose, bare.unit == PER_KG and part.per_kg is None


def _of_weights(bare: Picture, words: Wording) -> Iterator[Candidates]:
    """Weights that differ from the one before, and the last one."""
    if bare.weights_y is None:
        return
    yield [Label(LEFT - 8, bare.weights_y + SIZE / 3, words.term("picture", "weight"), "end")]
    told = None
    ordered = list(bare.weights)
    for mark in (ordered[-1], *ordered[:-1]):
        if mark.kilograms != told:
            text = words.measure(Measure(mark.kilograms, "kg"))
            anchors: tuple[Anchor, ...] = ("middle", "end", "start")
            yield [Label(mark.x, bare.weights_y - 6, text, anchor, _SMALL) for anchor in anchors]
        told = mark.kilograms if mark is not ordered[-1] else None


def _of_rows(bare: Picture, words: Wording) -> Iterator[Candidates]:
    for row in bare.rows:
        title = words.drug(row.title)
        yield [Label(LEFT - 8, row.y + SIZE / 3, _cut(title), "end")]


def _cut(title: str) -> str:
    """The title, as much of it as fits before the frame."""
    while width(title) > _LONGEST_TITLE:
        title = title.rstrip("…")[:-1] + "…"
    return title
