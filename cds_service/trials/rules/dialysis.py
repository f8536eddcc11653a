"""Haemodialysis that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import model_validator

from cds_service.clinical.evidence import Reason
from cds_service.clinical.facts import Intervention, Problem, is_coded, is_sure
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Rule, at_edge, doubts_of, failed, few, seen
from cds_service.trials.rules.parameters import Days


class OngoingDialysis(Rule):
    """Haemodialysis within `lately`, or dialysis on the problem list, excludes; peritoneal alone is for a person.

    A code for dialysis of any kind excludes only where no peritoneal dialysis is recorded. A haemodialysis longer
    than `past` ago was an episode and does not count.
    """

    haemodialysis: Concepts
    unspecific: Concepts
    peritoneal: Concepts
    lately: Days
    past: Days

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.past.days < self.lately.days:
            raise ValueError(f"expected past to be at least lately, which is {self.lately}, found {self.past}")
        return self

    def judge(self, case: Case) -> Judgement:
        done = case.facts.interventions_of((*self.haemodialysis, *self.unspecific))
        current = [i for i in done if self._is_current(i, case)]
        if current:
            return failed(Reason("dialysis-current"), few(map(seen, current)), _edge(current, case, self.lately))
        listed = self._listed(case)
        peritoneal = self._peritoneal(case)
        sure = [p for p in listed if self._excludes(p, bool(peritoneal) or self._may_be_peritoneal(case))]
        if sure:
            assumed = all(p.activity == "not-stated" for p in sure)
            flags = frozenset({Flag.ASSUMED} if assumed else ())
            return failed(Reason("dialysis-listed"), few(map(seen, sure)), flags)
        lately = [i for i in done if i.goes_on or self._within(i, case, self.past)]
        doubtful = [*listed, *(f for f in peritoneal if self._may_go_on(f, case)), *lately]
        if doubtful:
            flags = doubts_of(doubtful) | _edge(lately, case, self.lately) | _edge(lately, case, self.past)
            return Judgement(Status.REVIEW, Reason("dialysis-unclear"), few(map(seen, doubtful)), flags)
        return self._none(case, done)

    def _is_current(self, done: Intervention, case: Case) -> bool:
        certain = done.surely_done and is_coded(done, self.haemodialysis)
        return certain and (done.goes_on or (done.when is not None and self._within(done, case, self.lately)))

    def _listed(self, case: Case) -> list[Problem]:
        problems = case.facts.problems_of((*self.haemodialysis, *self.unspecific))
        return [p for p in problems if p.activity != "resolved"]

    def _peritoneal(self, case: Case) -> list[Problem | Intervention]:
        """Peritoneal dialysis at any time: who has it is not on the machine, whatever the general code says."""
        problems = [p for p in case.facts.problems_of(self.peritoneal) if p.activity != "resolved"]
        return [*problems, *case.facts.interventions_of(self.peritoneal)]

    def _may_go_on(self, fact: Problem | Intervention, case: Case) -> bool:
        return isinstance(fact, Problem) or fact.goes_on or self._within(fact, case, self.past)

    def _may_be_peritoneal(self, case: Case) -> bool:
        """True when a peritoneal dialysis may be recorded where nobody could look."""
        return bool(case.gaps(self.needs, self.peritoneal))

    def _excludes(self, problem: Problem, may_be_peritoneal: bool) -> bool:
        return is_sure(problem, self.haemodialysis) or (is_sure(problem, self.unspecific) and not may_be_peritoneal)

    def _none(self, case: Case, past: Sequence[Intervention]) -> Judgement:
        judgement = self.nothing_recorded(case, evidence=few(map(seen, past)))
        if not past or judgement.status is not Status.PASS:
            return judgement
        flags = judgement.flags | _edge(past, case, self.past)
        return Judgement(Status.PASS, Reason("dialysis-past"), judgement.evidence, flags)

    @staticmethod
    def _within(done: Intervention, case: Case, span: Days) -> bool:
        """True when it may have been done within the span before screening, its first day included."""
        return done.when is None or done.when.last >= span.before(case.as_of)


def _edge(done: Sequence[Intervention], case: Case, span: Days) -> frozenset[Flag]:
    """The boundary flag when the newest of them lies on the edge of the span."""
    newest = max((i.when.last for i in done if i.when and not i.goes_on), default=None)
    near = newest is not None and at_edge((case.as_of - newest).days, span)
    return frozenset({Flag.BOUNDARY}) if near else frozenset()
