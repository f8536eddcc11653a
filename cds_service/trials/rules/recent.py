"""Which result of an analyte counts on the day of screening, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.clinical.evidence import Evidence, Measure, Reason
from cds_service.clinical.interval import Interval, Limit
from cds_service.clinical.labs import Chosen, Result, newest, unit_of
from cds_service.clinical.quantity import Unusable
from cds_service.trials.case import Case, Needs
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Length, Parameters, not_searched


class Freshness(Parameters):
    """How old a result may be, in days included: fresh up to `use`, flagged stale up to `flag`, then not usable."""

    use: Length
    flag: Length


@dataclass(frozen=True, slots=True)
class Recent:
    """The result that counts, and the flags that its age and its origin give it."""

    chosen: Chosen
    flags: frozenset[Flag]

    @property
    def is_doubtful(self) -> bool:
        """True when a person must look: results of one day that differ, or a unit that contradicts the code."""
        return Flag.CONFLICT in self.flags


def recent(case: Case, analyte: str, fresh: Freshness) -> Recent | None:
    """The newest usable result that is not too old; None when there is none."""
    chosen = newest(case.facts.results, analyte)
    return chosen and counted(case, chosen, fresh)


def counted(case: Case, chosen: Chosen, fresh: Freshness) -> Recent | None:
    """The chosen result with its flags; None when it is too old."""
    if chosen.day < fresh.flag.before(case.as_of):
        return None
    flags: set[Flag] = set()
    if chosen.day < fresh.use.before(case.as_of):
        flags.add(Flag.STALE)
    if chosen.disagree or any(r.units_conflict for r in chosen.results):
        flags.add(Flag.CONFLICT)
    if any(r.unit_was_assumed or r.preliminary for r in chosen.results):
        flags.add(Flag.ASSUMED)
    if any(r.text_only for r in chosen.results):
        flags.add(Flag.TEXT_ONLY)
    return Recent(chosen, frozenset(flags))


def overtaken(case: Case, analyte: str, day: date) -> list[Result]:
    """Results of the analyte, of that day or newer, that cannot be used: the newest word may be another one."""
    return [
        r
        for r in case.facts.results
        if r.analyte == analyte and isinstance(r.quantity, Unusable) and r.when and r.when.last >= day
    ]


def none_usable(case: Case, analytes: Iterable[str], needs: Needs, fresh: Freshness) -> Judgement:
    """Unknown: no result, only old ones, or only unusable ones; the reason says which, the evidence shows them."""
    analytes = tuple(analytes)
    unusable = [r for a in analytes for r in overtaken(case, a, fresh.flag.before(case.as_of))]
    if unusable:
        faults = tuple(sorted({r.quantity.fault for r in unusable if isinstance(r.quantity, Unusable)}))
        evidence = tuple(Evidence(r.reference, r.when, r.label) for r in unusable[:3])
        return Judgement(Status.UNKNOWN, Reason("result-unusable", {"faults": faults}), evidence)
    old = next((found for a in analytes if (found := newest(case.facts.results, a))), None)
    evidence = tuple(result_evidence(old)) if old else ()
    gaps = case.gaps(needs, analytes, fresh.flag.before(case.as_of))
    if gaps:
        return not_searched(gaps, evidence)
    if old:
        values = {"measured": old.day, "fresh": fresh.flag}
        return Judgement(Status.UNKNOWN, Reason("result-too-old", values), evidence, frozenset({Flag.STALE}))
    return Judgement(Status.UNKNOWN, Reason("no-result"))


def result_evidence(chosen: Chosen, limit: Limit | None = None) -> list[Evidence]:
    """The results of the day that counts, each with its own value."""
    return [
        Evidence(r.reference, r.when, r.label, Measure(r.quantity, unit_of(r.analyte), limit), limit)
        for r in chosen.results
        if isinstance(r.quantity, Interval)
    ]


def doubted(case: Case, analyte: str, chosen: Chosen, judgement: Judgement) -> Judgement:
    """The judgement, turned over to a person where a newer result, or one that may be newer, cannot be read.

    A newer result that nobody can read must never let an older one decide in the patient's favour.
    """
    later = [r for r in overtaken(case, analyte, chosen.day) if r.when and r.when.last > chosen.day]
    unread = [u for u in case.facts.unread if u.concepts is None or analyte in u.concepts]
    unread = [u for u in unread if u.source in ("labs", "body", "function")]
    if judgement.status is not Status.PASS or not (later or unread):
        return judgement
    evidence = (*judgement.evidence, *(Evidence(r.reference, r.when, r.label) for r in later[:2]))
    reason = Reason("newer-result-unreadable", judgement.reason.values)
    return Judgement(Status.REVIEW, reason, evidence, judgement.flags)
