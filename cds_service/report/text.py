"""A screening for a terminal: the verdict, why there would be a card or none, and every criterion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.evidence import Measure
from cds_service.report.columns import columns, padded, wrapped
from cds_service.report.groups import GROUPS
from cds_service.report.sentences import dose_today
from cds_service.report.wording import Wording, day_of
from cds_service.trials.finding import Finding, Flag, Status
from cds_service.trials.screening import Screening, Steroids, Verdict
from cds_service.trials.spoken import in_language

_INDENT = " " * 25
_MARKS = {Status.PASS: "+", Status.FAIL: "x", Status.REVIEW: "?", Status.UNKNOWN: "?", Status.HUMAN: ">"}


def screening_text(screening: Screening, words: Wording) -> str:
    """The screening as plain text, at most a hundred columns wide."""
    screening = in_language(screening, words.language)
    lines = [*_head(screening, words), ""]
    for name, statuses in GROUPS.items():
        members = [f for f in screening.findings if f.status in statuses]
        if members:
            title = words.terms_of("text", "groups")[name]
            lines += [f"{title} ({len(members)})", *_findings(members, words), ""]
    lines += [*_doses(screening, words), *_sources(screening, words)]
    return "\n".join(lines).rstrip() + "\n"


def _head(screening: Screening, words: Wording) -> Iterator[str]:
    trial = screening.trial
    yield words.phrase("text", "heading", trial=trial.id, title=trial.short_title)
    yield words.phrase("text", "patient", patient=clean(screening.patient), as_of=screening.as_of.isoformat())
    yield ""
    yield words.phrase("text", "verdict", verdict=words.term("verdicts", screening.verdict.value))
    if screening.recheck_on:
        yield words.phrase("text", "recheck", day=screening.recheck_on.isoformat())
    key = "card_yes" if screening.is_shown else "card_no"
    yield words.phrase("text", key, why=why_shown_or_not(screening, words))


def why_shown_or_not(screening: Screening, words: Wording) -> str:
    """Why there would be a card, or none, at the opening of the chart."""
    hard = words.joined("list", (f.id for f in screening.findings if f.is_hard_fail))
    if screening.verdict is Verdict.NEEDS_REVIEW:
        possible = screening.finding(screening.readings.diagnosis).status in (Status.PASS, Status.REVIEW)
        key = "why_possible" if possible else "why_usual" if screening.is_shown else "why_not_possible"
    else:
        key = f"why_{screening.verdict.value.replace('-', '_')}"
    usual = words.joined("list", (screening.finding(one).name for one in screening.readings.usual_case))
    return words.phrase("text", key, ids=hard, about=screening.trial.about, usual=usual)


def _findings(findings: Iterable[Finding], words: Wording) -> Iterator[str]:
    for finding in findings:
        flags = [words.term("flags", flag.value) for flag in Flag if flag in finding.flags]
        why = None if finding.status is Status.HUMAN else words.sentence(finding.judgement.reason)
        because = words.after(why, finding.asks) if why and finding.asks else why or finding.asks or ""
        marks = f" [{words.joined('list', flags)}]" if flags else ""
        first = f"  {_MARKS[finding.status]} {finding.id:<8} {padded(words.status(finding), 11)} "
        yield from wrapped(f"{because}{marks}", first, " " * columns(first))
        if finding.status not in (Status.PASS, Status.HUMAN):
            yield from _evidence(finding, words)
        if finding.is_ambiguous:
            yield from wrapped(words.reading(finding), _INDENT)


def _evidence(finding: Finding, words: Wording) -> Iterator[str]:
    for evidence in finding.judgement.evidence:
        value = f"  {clean(words.value(evidence.value))}" if evidence.value is not None else ""
        parts = [day_of(evidence.when) or "", clean(words.label(evidence))[:60] + value, clean(evidence.reference)]
        yield _INDENT + "  ".join(part for part in parts if part)


def _doses(screening: Screening, words: Wording) -> Iterator[str]:
    steroids = screening.steroids
    yield words.phrase("text", "steroids", dose=dose_today(steroids, words))
    for segment in steroids.timeline:
        end = words.term("text", "ongoing") if segment.goes_on else segment.last.isoformat()
        amount = words.measure(Measure(segment.dose, "mg/d"))
        yield f"  {segment.first.isoformat()} .. {end:<10}  {amount}"
        for reference in segment.sources:
            derived = words.joined("clause", map(words.derivation, steroids.worked_out.get(reference, ())))
            yield f"      {clean(reference)}{': ' if derived else ''}{derived}"
    yield from _history(steroids, words)
    yield ""


def _history(steroids: Steroids, words: Wording) -> Iterator[str]:
    """The courses, and the tapers that failed."""
    for course in steroids.courses:
        end = words.term("text", "ongoing") if course.goes_on else course.last.isoformat()
        highest = words.measure(Measure(course.highest, "mg/d"))
        yield "  " + words.phrase("text", "course", first=course.first.isoformat(), last=end, highest=highest)
    for flare in steroids.flares:
        key = "flare_documented" if flare.documented else "flare_by_dose"
        nadir, raised = (words.measure(Measure(dose, "mg/d")) for dose in (flare.nadir, flare.raised_to))
        yield "  " + words.phrase("text", key, day=flare.date.isoformat(), nadir=nadir, raised=raised)


def _sources(screening: Screening, words: Wording) -> Iterator[str]:
    yield words.term("text", "searched")
    states = words.terms_of("text", "states")
    for key, source in screening.sources.items():
        yield f"  {padded(words.term('sources', key), 40)} {states[source.state.value]}"
    if screening.skipped:
        yield ""
        yield words.term("text", "skipped")
        reasons = words.terms("skip_reasons")
        yield from (f"  {clean(one.reference):<40} {reasons[one.reason]}" for one in screening.skipped)


def clean(text: str) -> str:
    """Text of a record without control characters, which could otherwise steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
