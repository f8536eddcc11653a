"""Which result of an analyte counts on the day of screening, and what stands in its way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from pydantic import model_validator

from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import Interval, Limit
from cds_service.clinical.labs import Chosen, Result, newest, unit_of, usable
from cds_service.clinical.quantity import Unusable
from cds_service.trials.case import RESULT_SOURCES, Case, Needs
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Parameters, few, not_searched
from cds_service.trials.rules.parameters import Days


class Freshness(Parameters):
    """How old a result may be, in days included: fresh up to `use`, flagged stale up to `flag`, then not usable."""

    use: Days
    flag: Days

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.flag.days < self.use.days:
            raise ValueError(f"expected flag to be at least use, which is {self.use}, found {self.flag}")
        return self


@dataclass(frozen=True, slots=True)
class Recent:
    """The result that counts, and the flags that its age and its origin give it."""

    chosen: Chosen
    flags: frozenset[Flag]

    @property
    def is_contradicted(self) -> bool:
        """True when the parts of a result contradict each other, so that nobody knows what was measured."""
        return any(r.contradicted for r in self.chosen.results)


def recent(case: Case, analyte: str, fresh: Freshness) -> Recent | None:
    """The newest usable result that is not too old; None when there is none."""
    chosen = newest(case.facts.results, analyte)
    return counted(case, chosen, fresh) if chosen else None


def counted(case: Case, chosen: Chosen, fresh: Freshness) -> Recent | None:
    """The chosen result with its flags; None when it is too old."""
    if chosen.day < fresh.flag.before(case.as_of):
        return None
    flags: set[Flag] = set()
    if chosen.day < fresh.use.before(case.as_of):
        flags.add(Flag.STALE)
    if any(r.contradicted for r in chosen.results):
        flags.add(Flag.CONFLICT)
    if any(r.unit_was_assumed or r.is_second_rate for r in chosen.results):
        flags.add(Flag.ASSUMED)
    if any(r.text_only for r in chosen.results):
        flags.add(Flag.TEXT_ONLY)
    return Recent(chosen, frozenset(flags))


def unusable_since(case: Case, analyte: str, day: date) -> list[Result]:
    """Results of the analyte, of that day or newer, that cannot be used."""
    return [r for r in case.facts.results if r.analyte == analyte and r.when and r.when.last >= day and _is_unusable(r)]


def _is_unusable(result: Result) -> bool:
    """True also for a weight that is only more than so much: nothing can be divided by it."""
    if isinstance(result.quantity, Unusable):
        return True
    return result.analyte == "weight" and result.quantity.high is None


def _in_its_place(case: Case, analyte: str, day: date) -> list[Result]:
    """Results that cannot be used and would count in place of, or beside, the usable ones of the day.

    A preliminary one of the same day would not, beside a final one. One that says why it has no value hides none:
    only where nothing newer was measured, it may be the last word.
    """
    unusable = unusable_since(case, analyte, day)
    if not unusable:
        return []
    final = {r.when.first for r in usable(case.facts.results, analyte) if r.when and not r.preliminary}
    newest_day = max(final, default=date.min)
    return [r for r in unusable if not _gives_way(r, final, newest_day)]


def _gives_way(unusable: Result, final: Collection[date], newest_day: date) -> bool:
    assert unusable.when is not None  # else nobody would ask
    if unusable.quantity == Unusable("said-to-be-absent"):
        return unusable.when.last <= newest_day
    return unusable.preliminary and unusable.when.last in final


def none_usable(case: Case, analytes: Iterable[str], needs: Needs, fresh: Freshness) -> Judgement:
    """Unknown: no result, only old ones, or only unusable ones; the reason says which, the evidence shows them.

    A result whose coded and written unit differ is for a person: one of the two is right.
    """
    analytes = tuple(analytes)
    unusable = [r for a in analytes for r in unusable_since(case, a, fresh.flag.before(case.as_of))]
    if unusable:
        faults = tuple(sorted({r.quantity.fault for r in unusable if isinstance(r.quantity, Unusable)}))
        evidence = few(map(as_written, unusable))
        if "units-disagree" in faults:
            reason = Reason("result-units-disagree")
            return Judgement(Status.REVIEW, reason, evidence, frozenset({Flag.CONFLICT}))
        return Judgement(Status.UNKNOWN, Reason("result-unusable", {"faults": faults}), evidence)
    old = next((found for a in analytes if (found := newest(case.facts.results, a))), None)
    evidence = tuple(result_evidence(old)) if old else ()
    gaps = case.gaps(needs, analytes, fresh.flag.before(case.as_of))
    if gaps:
        return not_searched(gaps, evidence)
    if old:
        values: dict[str, Value] = {"measured": old.day, "fresh": fresh.flag}
        return Judgement(Status.UNKNOWN, Reason("result-too-old", values), evidence, frozenset({Flag.STALE}))
    return Judgement(Status.UNKNOWN, Reason("no-result"))


def as_written(result: Result) -> Evidence:
    """A result that cannot be used, in the record's own words."""
    return Evidence(result.reference, result.when, result.label, result.written)


def result_evidence(chosen: Chosen, limit: Limit | None = None, lab: str | None = None) -> list[Evidence]:
    """The results of the day that counts, each with its own value.

    Where they are parts that a value of `lab` was worked out from, they have no limit of their own.
    """
    return [
        Evidence(r.reference, r.when, r.label, Measure(r.quantity, unit_of(r.analyte), own), own)
        for r in chosen.results
        if isinstance(r.quantity, Interval)
        for own in [limit if lab in (None, r.analyte) else None]
    ]


def doubted(case: Case, rests_on: Mapping[str, date], needs: Needs, judgement: Judgement) -> Judgement:
    """The judgement, taken back where something newer than it rests on may exist that nobody can read.

    `rests_on` says of each analyte how far back the results lie that decide. An older result must decide neither for
    nor against a patient: one that cannot be read, newer or of the same day, is for a person; a source that failed,
    or was cut short before the day, leaves the answer unknown.
    """
    if judgement.status not in (Status.PASS, Status.FAIL):
        return judgement
    asked = [name for alternatives in needs for name in alternatives if name in RESULT_SOURCES]
    gaps = case.cut_short(asked, min(rests_on.values()))
    if gaps:
        return not_searched(gaps, judgement.evidence)
    later = [r for name, day in rests_on.items() for r in _in_its_place(case, name, day)]
    if not later and not case.may_be_newer(asked, rests_on):
        return judgement
    evidence = (*judgement.evidence, *few(map(as_written, later)))
    reason = Reason("newer-result-unreadable", judgement.reason.values)
    return Judgement(Status.REVIEW, reason, evidence, judgement.flags)
