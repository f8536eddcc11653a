"""Questions that no record can answer, and criteria that are not read yet."""

from __future__ import annotations

from cds_service.clinical.evidence import Reason
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Rule


class Ask(Rule):
    """A question to a person. It never blocks."""

    question: str

    def judge(self, case: Case) -> Judgement:
        return Judgement(Status.HUMAN, Reason("ask-a-person"))


class NotReadYet(Rule):
    """A criterion that this version does not read: unknown, and a person is asked to look."""

    question: str

    def judge(self, case: Case) -> Judgement:
        return Judgement(Status.UNKNOWN, Reason("not-read-yet"))
