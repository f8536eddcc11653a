"""Evidence of an allogeneic transplantation."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.clinical.evidence import Reason
from cds_service.clinical.facts import Intervention, Problem, is_coded
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Concepts, Rule, doubts_of, failed, few, seen


class TransplantHistory(Rule):
    """An allogeneic-specific code settles it; anything less specific is for a person; autologous alone fails.

    `implied_by` are diagnoses that only follow an allogeneic transplantation.
    """

    allogeneic: Concepts
    unspecific: Concepts
    implied_by: Concepts
    autologous: Concepts

    def judge(self, case: Case) -> Judgement:
        allogeneic = _found(case, self.allogeneic)
        sure = [fact for fact in allogeneic if _is_sure(fact, self.allogeneic)]
        if sure:
            return Judgement(Status.PASS, Reason("transplant-allogeneic"), few(map(seen, sure)))
        for code, facts in (
            ("transplant-uncertain", allogeneic),
            ("transplant-type-not-coded", _found(case, self.unspecific)),
            ("transplant-implied", _found(case, self.implied_by)),
        ):
            if facts:
                return _review(code, facts)
        return self._autologous_or_none(case)

    def _autologous_or_none(self, case: Case) -> Judgement:
        autologous = _found(case, self.autologous)
        evidence = few(map(seen, autologous))
        nothing = self.nothing_recorded(case, evidence=evidence)
        if not autologous or nothing.reason.code == "not-searched":
            return nothing
        if any(_is_sure(fact, self.autologous) for fact in autologous):
            return failed(Reason("transplant-autologous-only"), evidence)
        return _review("transplant-autologous-only", autologous)


def _review(code: str, facts: Sequence[Problem | Intervention]) -> Judgement:
    return Judgement(Status.REVIEW, Reason(code), few(map(seen, facts)), doubts_of(facts))


def _found(case: Case, concepts: Sequence[str]) -> list[Problem | Intervention]:
    return [*case.facts.interventions_of(concepts), *case.facts.problems_of(concepts)]


def _is_sure(fact: Problem | Intervention, concepts: Sequence[str]) -> bool:
    certain = fact.surely_done if isinstance(fact, Intervention) else fact.verification == "confirmed"
    return certain and is_coded(fact, concepts)
