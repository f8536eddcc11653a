"""Questions that no record can answer."""

from __future__ import annotations

from typing import ClassVar

from cds_service.clinical.evidence import Reason
from cds_service.clinical.facts import Intervention, Problem
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Concepts, Rule, doubts_of, seen
from cds_service.trials.rules.parameters import Words


class Ask(Rule):
    """A question to a person. It never blocks; what the record holds of `hints` is put to the person with it.

    `allergens` are hints of another kind: that the patient is allergic to them.
    """

    reads_records: ClassVar[bool] = False

    question: Words
    hints: Concepts = ()
    allergens: Concepts = ()

    def judge(self, case: Case) -> Judgement:
        allergies = [p for p in case.facts.allergies if any(one in p.concepts for one in self.allergens)]
        listed = [p for p in (*case.facts.problems_of(self.hints), *allergies) if p.activity != "resolved"]
        found: list[Problem | Intervention] = [*listed, *case.facts.interventions_of(self.hints)]
        if not found:
            return Judgement(Status.HUMAN, Reason("ask-a-person"))
        evidence = tuple(seen(fact) for fact in found[:3])
        return Judgement(Status.REVIEW, Reason("hint-recorded"), evidence, doubts_of(found))
