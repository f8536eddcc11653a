"""An active diagnosis, and a history that excludes for life."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.clinical.dates import DayRange
from cds_service.clinical.evidence import Reason
from cds_service.clinical.facts import Problem, is_sure
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Parameters, Rule, doubts_of, failed, few, seen
from cds_service.trials.rules.parameters import Days


class ActiveDiagnosis(Rule):
    """A confirmed, active diagnosis. Suspected, unspecific or merely written ones are for a person.

    A diagnosis without a clinical status counts as active, flagged assumed; only resolved ones fail.
    """

    diagnosis: Concepts
    unspecific: Concepts = ()

    def judge(self, case: Case) -> Judgement:
        problems = case.facts.problems_of(self.diagnosis)
        active = [p for p in problems if p.activity != "resolved"]
        sure = [p for p in active if is_sure(p, self.diagnosis)]
        if sure:
            best = sorted(sure, key=lambda p: p.activity != "active")
            flags = frozenset({Flag.ASSUMED}) if best[0].activity == "not-stated" else frozenset[Flag]()
            return Judgement(Status.PASS, Reason("diagnosis-active"), few(map(seen, best)), flags)
        doubtful = active + [p for p in case.facts.problems_of(self.unspecific) if p.activity != "resolved"]
        if doubtful:
            return review_of(doubtful, "diagnosis-uncertain")
        return self._resolved_or_none(case, problems)

    def _resolved_or_none(self, case: Case, resolved: Sequence[Problem]) -> Judgement:
        evidence = few(map(seen, resolved))
        nothing = self.nothing_recorded(case, evidence=evidence)
        if not resolved or nothing.reason.code == "not-searched":
            return nothing
        if any(is_sure(p, self.diagnosis) for p in resolved):
            return failed(Reason("diagnosis-resolved"), evidence)
        return review_of(resolved, "diagnosis-uncertain")


class Transient(Parameters):
    """What came within so many days of a transplantation, the last of them included, and went.

    A transplantation without a day, or one that cannot be read, may be as near: its loss must not exclude.
    """

    within: Days
    transplant: Concepts

    def may_be(self, problem: Problem, case: Case) -> bool:
        """True for a diagnosis that is over, and on record from a day so near a transplantation."""
        if problem.activity != "resolved" or problem.when is None:
            return False
        when = problem.when
        done = case.facts.interventions_of(self.transplant)
        unseen = case.gaps((("procedures",),), self.transplant)
        return bool(unseen) or any(i.when is None or self._are_near(when, i.when) for i in done)

    def _are_near(self, one: DayRange, other: DayRange) -> bool:
        apart = max((one.first - other.last).days, (other.first - one.last).days)
        return apart <= self.within.days


class LifetimeHistory(Rule):
    """A diagnosis that was ever made excludes for good; a suspected, related or `transient` one is for a person."""

    diagnosis: Concepts
    related: Concepts = ()
    transient: Transient | None = None

    def judge(self, case: Case) -> Judgement:
        problems = case.facts.problems_of(self.diagnosis)
        sure = [p for p in problems if is_sure(p, self.diagnosis)]
        lasting = [p for p in sure if self.transient is None or not self.transient.may_be(p, case)]
        if lasting:
            return failed(Reason("history-recorded"), few(map(seen, lasting)))
        doubtful = problems + case.facts.problems_of(self.related)
        if doubtful:
            return review_of(doubtful, "history-transient" if sure else "history-suspected")
        return self.nothing_recorded(case)


def review_of(problems: Sequence[Problem], code: str) -> Judgement:
    """For a person to judge; flagged text-only when words are all there is."""
    return Judgement(Status.REVIEW, Reason(code), few(map(seen, problems)), doubts_of(problems))
