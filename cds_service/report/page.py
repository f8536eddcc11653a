"""One screening as a page: for the clinician on the screen, for the coordinator on paper.

What the templates print is made here, so that they hold no logic of their own; templates/review.html has the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cds_service.clinical.evidence import Evidence, Measure
from cds_service.report.groups import GROUPS
from cds_service.report.rendering import filled
from cds_service.report.sentences import worked_out
from cds_service.report.timeline.rows import Table, timeline_tables
from cds_service.report.timeline.words import Drawn, drawn
from cds_service.report.wording import Wording, day_of
from cds_service.trials.finding import Finding, Flag, Status
from cds_service.trials.protocol import package_version
from cds_service.trials.screening import Screening
from cds_service.trials.spoken import in_language

# A status also has a shape, so that neither colour nor grey alone says it.
SHAPES = {Status.PASS: "✔", Status.FAIL: "✖", Status.REVIEW: "◆", Status.UNKNOWN: "?", Status.HUMAN: "☐"}
# The three answers that a reader looks for, each of the groups in it, with its heading where it has one.
_ANSWERS = (
    ("against", (("", "against"),)),
    ("confirm", (("from_record", "confirm"), ("ask", "ask"))),
    ("met", (("", "met"),)),
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What an answer rests on, in words; None where the record tells none."""

    label: str
    value: str | None
    day: str | None
    limit: str | None
    how: str | None
    reference: str


@dataclass(frozen=True, slots=True)
class Row:
    """One criterion with the answer to it."""

    id: str
    name: str
    kind: str
    text: str
    status: str
    shape: str
    word: str
    why: str | None
    asks: str | None
    flags: tuple[str, ...]
    remarks: tuple[str, ...]
    reading: str | None
    alternative: str | None
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows under a heading of their own, where it has one."""

    title: str | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One of the three answers that a reader looks for."""

    key: str
    title: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        return sum(len(part.rows) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the templates print."""

    trial: Any
    patient: str
    verdict: str
    facts: tuple[tuple[str, str], ...]
    basis: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    drawn: Drawn
    tables: tuple[Table, ...]
    gaps: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]


def screening_html(screening: Screening, words: Wording) -> str:
    """The page, complete in itself: nothing is loaded from elsewhere, and every word of the record is escaped."""
    return str(review(screening, words, "page.html"))


def review(screening: Screening, words: Wording, template: str, **content: object) -> Markup:
    """A template that is built of the parts of review.html, filled with a screening and whatever else it needs."""
    return filled(
        template,
        page=page_of(screening, words),
        said=words.terms("page"),
        comma=words.term("joins", "list"),
        lang=words.language,
        **content,
    )


def page_of(screening: Screening, words: Wording) -> Page:
    """What the templates print of a screening, in a language."""
    screening = in_language(screening, words.language)
    picture = drawn(screening, words)
    return Page(
        screening.trial, screening.patient, words.term("verdicts", screening.verdict.value),
        tuple(_facts(screening, words)), tuple(_basis(screening, words)), tuple(_groups(screening, words)), picture,
        tuple(timeline_tables(screening, picture.history, words)),
        tuple(_gaps(screening, words)),
        tuple((one.reference, words.term("skip_reasons", one.reason)) for one in screening.skipped),
    )  # fmt: skip


def _facts(screening: Screening, words: Wording) -> Iterator[tuple[str, str]]:
    """What stands at the head, each with its name."""
    if screening.recheck_on:
        yield words.term("page", "recheck"), screening.recheck_on.isoformat()
    yield words.term("page", "patient"), screening.patient
    yield words.term("page", "as_of"), screening.as_of.isoformat()
    yield words.term("page", "counts"), words.joined("list", _counts(screening, words))


def _basis(screening: Screening, words: Wording) -> Iterator[tuple[str, str]]:
    """What it was screened against, and by what."""
    yield words.term("page", "version"), screening.trial.version.isoformat()
    yield words.term("page", "package"), package_version()
    yield words.term("page", "ruleset"), screening.ruleset


def _counts(screening: Screening, words: Wording) -> Iterator[str]:
    for key, statuses in GROUPS.items():
        yield words.phrase("page", f"count_{key}", n=sum(f.status in statuses for f in screening.findings))


def _groups(screening: Screening, words: Wording) -> Iterator[Group]:
    for key, parts in _ANSWERS:
        found = (
            Part(words.term("page", title) if title else None,
                 tuple(_row(f, screening, words) for f in screening.findings if f.status in GROUPS[group]))
            for title, group in parts
        )  # fmt: skip
        yield Group(key, words.term("page", key), tuple(part for part in found if part.rows))


def _row(finding: Finding, screening: Screening, words: Wording) -> Row:
    kind = words.term("page", finding.kind)
    if finding.subject == "donor":
        kind = words.joined("beside", (words.term("page", "donor"), kind))
    why = None if finding.status is Status.HUMAN else words.sentence(finding.judgement.reason)
    return Row(
        finding.id, finding.name, kind,
        finding.text, finding.status.value, SHAPES[finding.status], words.status(finding), why, finding.asks,
        tuple(words.term("flags", flag.value) for flag in Flag if flag in finding.flags),
        tuple(_remarks(finding, screening, words)),
        words.phrase("page", "reading", reading=finding.reading or "") if finding.is_ambiguous else None,
        words.phrase("page", "alternative", alternative=finding.alternative or "") if finding.is_ambiguous else None,
        tuple(_proof(one, finding, screening, words) for one in finding.judgement.evidence),
    )  # fmt: skip


def _remarks(finding: Finding, screening: Screening, words: Wording) -> Iterator[str]:
    """How a failure may be cured, and which other criterion settles an open one."""
    judgement = finding.judgement
    if judgement.recheck_on:
        yield words.phrase("page", "recheck_on", day=judgement.recheck_on.isoformat())
    elif judgement.curable == "event":
        yield words.term("page", "curable_event")
    for group in screening.readings.either:
        settles = [one for one in group if one != finding.id and screening.finding(one).status is Status.PASS]
        if finding.id in group and settles and finding.status is not Status.PASS:
            yield words.phrase("page", "either", id=settles[0])


def _proof(evidence: Evidence, finding: Finding, screening: Screening, words: Wording) -> Proof:
    value = None if evidence.value is None else words.value(evidence.value)
    limit = None if evidence.limit is None else words.phrase("page", "limit", limit=words.value(evidence.limit))
    return Proof(
        words.label(evidence), value, day_of(evidence.when), limit, _how(evidence, finding, screening, words),
        evidence.reference,
    )  # fmt: skip


def _how(evidence: Evidence, finding: Finding, screening: Screening, words: Wording) -> str | None:
    """How a dose was worked out; divided by the weight that the finding names, where it is one per kilogram."""
    how = worked_out(screening, evidence.reference, words)
    weight = finding.judgement.reason.values.get("weight")
    per_kg = isinstance(evidence.value, Measure) and evidence.value.unit == "mg/kg/d"
    if how and per_kg and isinstance(weight, Measure):
        return words.phrase("text", "by_weight", how=how, weight=words.measure(weight))
    return how


def _gaps(screening: Screening, words: Wording) -> Iterator[tuple[str, str]]:
    """Each part of the record and what came of the search for it."""
    states = words.terms_of("text", "states")
    for key, source in screening.sources.items():
        state = states[source.state.value]
        if source.complete_back_to:
            back = words.phrase("page", "complete_back_to", day=source.complete_back_to.isoformat())
            state = words.joined("beside", (state, back))
        yield words.term("sources", key), state
