"""Haemodialysis that goes on."""

from __future__ import annotations

from cds_service.clinical.evidence import Evidence, Reason
from cds_service.clinical.facts import Intervention
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Concepts, Length, Rule, failed, seen
from cds_service.trials.rules.diagnosis import is_sure
from cds_service.trials.rules.washout import is_coded


class OngoingDialysis(Rule):
    """Haemodialysis within `lately`, or dialysis on the problem list, excludes; peritoneal alone is for a person.

    A haemodialysis that ended longer than `past` ago was an episode and does not count.
    """

    haemodialysis: Concepts
    unspecific: Concepts
    peritoneal: Concepts
    lately: Length
    past: Length

    def judge(self, case: Case) -> Judgement:
        done = case.facts.interventions_of(self.haemodialysis)
        listed = [p for p in case.facts.problems_of((*self.haemodialysis, *self.unspecific)) if p.activity != "resolved"]
        peritoneal = [i for i in case.facts.interventions_of(self.peritoneal) if self._since(i, case, self.past)]
        current = [i for i in done if i.surely_done and is_coded(i, self.haemodialysis)
                   and (i.goes_on or self._since(i, case, self.lately))]  # fmt: skip
        if current:
            return failed(Reason("dialysis-current"), [seen(i) for i in current[:3]])
        sure = [p for p in listed if is_sure(p, (*self.haemodialysis, *self.unspecific))]
        if sure and not peritoneal:
            return failed(Reason("dialysis-listed"), [seen(p) for p in sure[:3]])
        unclear = [i for i in (*done, *case.facts.interventions_of(self.unspecific)) if self._since(i, case, self.past)]
        doubtful = [*listed, *peritoneal, *unclear]
        if doubtful:
            evidence = tuple(seen(fact) for fact in doubtful[:3])
            return Judgement(Status.REVIEW, Reason("dialysis-unclear"), evidence)
        return self._none(case, [seen(i) for i in done])

    def _none(self, case: Case, past: list[Evidence]) -> Judgement:
        judgement = self.nothing_recorded(case, evidence=past[:2])
        if past and judgement.status is Status.PASS:
            return Judgement(Status.PASS, Reason("dialysis-past"), judgement.evidence, judgement.flags)
        return judgement

    @staticmethod
    def _since(done: Intervention, case: Case, span: Length) -> bool:
        """True when it may have been done within the span before screening, its first day included."""
        return done.when is None or done.when.last >= span.before(case.as_of)
