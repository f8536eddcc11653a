"""The words of the picture: labels that find room, the legend, and the description for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cds_service.clinical.evidence import Measure
from cds_service.report.sentences import dose_today
from cds_service.report.timeline.labelling import labels_of
from cds_service.report.timeline.labels import SIZE, Label, width
from cds_service.report.timeline.layout import LEFT, PER_KG, ROW, WIDTH, Picture, picture
from cds_service.report.wording import Wording
from cds_service.trials.dose_history import DoseHistory, dose_history
from cds_service.trials.rules.base import not_searched
from cds_service.trials.screening import Screening

_SWATCH = 26.0
_GAP = 18.0


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend: what is drawn, and what it means."""

    kind: str
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture with its words: what the template fills in."""

    picture: Picture
    title: str
    description: str
    unit: str
    axis_unit: Label
    keys: tuple[Key, ...]
    notes: tuple[Label, ...]
    height: float
    history: DoseHistory


def drawn(screening: Screening, words: Wording) -> Drawn:
    """The steroid timeline of a screening in a language."""
    history = dose_history(screening)
    bare = picture(history)
    keys, below = _legend(bare, words)
    notes = [Label(LEFT, below + (n + 1) * ROW, text, "start") for n, text in enumerate(_of_scale(bare, words))]
    labels = tuple(labels_of(screening, history, bare, words))
    unit = words.term("picture", "axis_kg" if bare.unit == PER_KG else "axis_day")
    return Drawn(
        replace(bare, labels=labels), words.term("picture", "title"), _description(screening, history, bare, words),
        unit, Label(LEFT - 8, bare.plot.top - SIZE - 4, unit, "end"), keys,
        tuple(notes), below + (len(notes) + 0.5) * ROW, history,
    )  # fmt: skip


def _legend(bare: Picture, words: Wording) -> tuple[tuple[Key, ...], float]:
    """What appears in the picture and what it means, in as many rows as it takes, and the height with them."""
    days = bare.window_days
    terms = {kind: word.format(n=days) for kind, word in words.terms_of("picture", "legend").items()}
    x, y = LEFT, bare.height + 1.2 * ROW
    keys: list[Key] = []
    for kind in _kinds(bare):
        wide = _SWATCH + width(terms[kind]) + _GAP
        if keys and x + wide > WIDTH:
            x, y = LEFT, y + ROW
        keys.append(Key(kind, x, y, terms[kind]))
        x += wide
    return tuple(keys), y


def _kinds(bare: Picture) -> Iterator[str]:
    weighed = [strip for strip in bare.strips if strip.is_weighed]
    bars = [bar for row in bare.rows for bar in row.bars]
    present = {
        "exact": any(strip.high is not None for strip in weighed),
        "range": any(strip.high is not None and strip.high != strip.low for strip in weighed),
        "open": any(strip.high is None for strip in weighed),
        "unweighed": len(weighed) < len(bare.strips),
        "cut": any(strip.is_cut for strip in bare.strips),
        "window": bare.window is not None,
        "documented": any(mark.documented for mark in bare.marks),
        "by_dose": any(not mark.documented for mark in bare.marks),
        "wedge": bool(bare.wedges),
        "given": any(bar.sure for bar in bars),
        "possible": any(not bar.sure for bar in bars),
    }
    return (kind for kind, holds in present.items() if holds)


def _description(screening: Screening, history: DoseHistory, bare: Picture, words: Wording) -> str:
    """What the picture shows, in sentences."""
    first, last = bare.time.first.isoformat(), bare.time.last.isoformat()
    return " ".join([
        words.phrase("picture", "alternative", first=first, last=last) + words.term("text", "stop"),
        *_of_steroids(screening, history, words), *_of_course(screening, history, words),
        *_of_others(history, words), *_of_scale(bare, words), words.term("picture", "in_table"),
    ])  # fmt: skip


def _of_steroids(screening: Screening, history: DoseHistory, words: Wording) -> Iterator[str]:
    if screening.steroids.per_day is None:
        yield words.phrase("picture", "not_read", why=words.sentence(not_searched(history.gaps).reason))
    elif not history.weighed:
        yield words.term("picture", "no_steroid")
    else:
        yield words.phrase(
            "picture", "today", as_of=screening.as_of.isoformat(), dose=dose_today(screening.steroids, words)
        )
    if history.weighed:
        highest = max((part.segment.dose for part in history.weighed), key=lambda dose: dose.high or dose.low)
        yield words.phrase("picture", "highest", dose=words.measure(Measure(highest, "mg/d")))


def _of_course(screening: Screening, history: DoseHistory, words: Wording) -> Iterator[str]:
    if not history.weighed:
        return
    days = words.joined("list", (flare.date.isoformat() for flare in history.flares))
    count = len(history.flares)
    key = {0: "no_failed_taper", 1: "one_failed_taper"}.get(count, "failed_tapers")
    yield words.phrase("picture", key, n=count, days=days)
    stable = [f for f in screening.findings if f.judgement.reason.code in _STABILITY]
    if stable:
        yield words.phrase("picture", "stability", why=words.sentence(stable[0].judgement.reason))


_STABILITY = frozenset({"dose-changed", "dose-changed-slightly", "dose-unclear-in-window", "dose-stable"})


def _of_others(history: DoseHistory, words: Wording) -> Iterator[str]:
    drugs = words.joined("list", (words.drug(therapy.title) for therapy in history.therapies))
    yield words.phrase("picture", "others", drugs=drugs) if drugs else words.term("picture", "no_others")


def _of_scale(bare: Picture, words: Wording) -> Iterator[str]:
    if bare.unit != PER_KG:
        yield words.term("picture", "no_weight_axis")
    if bare.time.knee:
        yield words.term("picture", "scales")
    if bare.is_cut_off:
        yield words.term("picture", "cut_off")
