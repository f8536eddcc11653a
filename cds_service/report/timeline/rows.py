"""The numbers behind the picture, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.evidence import Measure
from cds_service.clinical.tapers import Taper
from cds_service.report.sentences import worked_out
from cds_service.report.wording import Wording
from cds_service.trials.dose_history import DoseHistory, Given
from cds_service.trials.history import Flare
from cds_service.trials.screening import Screening


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption; the first cell of a row names it. `name` is the same in every language."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def timeline_tables(screening: Screening, history: DoseHistory, words: Wording) -> list[Table]:
    """Doses, tapers, weights and other drugs; no table where there is nothing to put into it."""
    doses = _doses(screening, history, words)
    tables = [
        _table("doses", ("from", "to", "per_day", "per_kg", "weight", "how", "remark"), doses, words),
        _table("tapers", ("from", "to", "before", "nadir", "raised", "outcome", "records"),
               (_taper(one, history.flares, history, words) for one in history.tapers), words),
        _table("therapies", ("drug", "from", "records"), _therapies(history, words), words),
        _table("weights", ("day", "value", "record"), _weights(history, words), words),
    ]  # fmt: skip
    return [table for table in tables if table.rows]


def _table(name: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]], words: Wording) -> Table:
    heads = words.terms_of("picture", "columns")
    return Table(name, words.terms_of("picture", "tables")[name], tuple(heads[one] for one in columns), tuple(rows))


def _doses(screening: Screening, history: DoseHistory, words: Wording) -> Iterator[tuple[str, ...]]:
    """Days on one dose and one amount per kilogram."""
    for _, found in groupby(history.weighed, key=lambda p: (p.segment.dose, p.segment.sources, p.per_kg, p.weight)):
        parts = list(found)
        first, last = parts[0], parts[-1]
        how = [_how(screening, reference, words) for reference in first.segment.sources]
        ends = words.term("text", "ongoing") if last.last == history.as_of else last.last.isoformat()
        per_kg = None if first.per_kg is None else words.measure(Measure(first.per_kg, "mg/kg/d"))
        yield (
            first.first.isoformat(), ends, words.measure(Measure(first.segment.dose, "mg/d")),
            per_kg or words.term("quantities", "unknown"),
            words.measure(Measure(first.weight, "kg")) if first.weight else words.term("picture", "no_weight"),
            words.joined("clause", how), words.joined("list", _remarks(first, words)),
        )  # fmt: skip


def _how(screening: Screening, reference: str, words: Wording) -> str:
    derived = worked_out(screening, reference, words)
    return f"{reference}: {derived}" if derived else reference


def _remarks(part: WeighedSegment, words: Wording) -> Iterator[str]:
    yield from (words.term("faults", fault) for fault in part.segment.faults)
    yield from (words.term("flags", name) for name in sorted(part.segment.flags))
    if part.stale_weight:
        yield words.term("picture", "old_weight")


def _taper(taper: Taper, flares: Iterable[Flare], history: DoseHistory, words: Wording) -> tuple[str, ...]:
    flare = next((one for one in flares if one.taper == taper), None)
    documents = [f"{words.label(one)} ({one.reference})" for one in (flare.documented_by if flare else ())]
    raised = words.measure(Measure(taper.raised_to, "mg/d")) if taper.raised_to else ""
    return (
        taper.start.isoformat(), (taper.ended or history.as_of).isoformat(),
        words.measure(Measure(taper.dose, "mg/d")), words.measure(Measure(taper.nadir, "mg/d")), raised,
        words.terms_of("picture", "outcomes")[_outcome(taper, flare)], words.joined("clause", documents),
    )  # fmt: skip


def _outcome(taper: Taper, flare: Flare | None) -> str:
    """The word for how a taper ended; a failure that is no flare had another reason, or came before the disease."""
    if taper.outcome != "failed":
        return taper.outcome
    if flare is None:
        return "other_reason"
    return "failed_documented" if flare.documented else "failed"


def _therapies(history: DoseHistory, words: Wording) -> Iterator[tuple[str, ...]]:
    for therapy in history.therapies:
        days = words.joined("clause", (_days(given, history, words) for given in therapy.given))
        yield words.drug(therapy.title), days, words.joined("clause", therapy.references)


def _days(given: Given, history: DoseHistory, words: Wording) -> str:
    last = words.term("text", "ongoing") if given.last >= history.as_of else given.last.isoformat()
    days = words.phrase("picture", "span", first=given.first.isoformat(), last=last)
    if given.first == given.last:
        days = given.first.isoformat()
    return days if given.sure else words.phrase("picture", "perhaps", days=days)


def _weights(history: DoseHistory, words: Wording) -> Iterator[tuple[str, ...]]:
    """All weights that may count for a day that is shown."""
    for weight in history.weights:
        yield weight.day.isoformat(), words.measure(Measure(weight.kilograms, "kg")), weight.reference
