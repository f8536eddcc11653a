"""Another study in which the patient took part lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from cds_service.clinical.dates import DayRange
from cds_service.clinical.evidence import Evidence, Reason, Value
from cds_service.clinical.facts import Participation
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import at_edge, failed, few
from cds_service.trials.rules.parameters import Days, Words
from cds_service.trials.rules.people import AskBesideRecord


class OtherStudy(AskBesideRecord):
    """No part in another study within `window` days before screening, the last of them included.

    A part in the study called `own` is for a person, and so is one of which nobody says for certain until when it was
    taken. Where none within the time is recorded, a person is asked all the same.
    """

    window: Days
    own: Words

    def judge(self, case: Case) -> Judgement:
        others = [one for one in case.facts.studies if not self._is_own(one)]
        inside = [one for one in others if one.sure and self._ended(one, case).first >= self._opens(case)]
        if inside:
            return self._too_recent(inside, case)
        doubtful = [
            one for one in case.facts.studies
            if self._is_own(one) or not one.sure or self._ended(one, case).last >= self._opens(case)
        ]  # fmt: skip
        past = [one for one in others if one not in doubtful]
        flags = self._edge([one.until.last for one in past if one.until], case)
        if doubtful:
            return Judgement(Status.REVIEW, Reason("study-uncertain", {"window": self.window}), _seen(doubtful))
        return self.asked(case, _seen(past), flags)

    def _too_recent(self, inside: Sequence[Participation], case: Case) -> Judgement:
        last = max(min(self._ended(one, case).last, case.as_of) for one in inside)
        recheck = last + timedelta(days=self.window.days + 1)
        values: dict[str, Value] = {"last": last, "window": self.window, "recheck": recheck}
        return failed(Reason("study-recent", values), _seen(inside), self._edge([last], case), "date", recheck)

    def _is_own(self, one: Participation) -> bool:
        return any(self.own.lower() in name.lower() for name in one.names)

    def _opens(self, case: Case) -> date:
        return self.window.before(case.as_of)

    @staticmethod
    def _ended(one: Participation, case: Case) -> DayRange:
        return one.until or DayRange.of(case.as_of)

    def _edge(self, days: Sequence[date], case: Case) -> frozenset[Flag]:
        near = bool(days) and at_edge((case.as_of - max(days)).days, self.window)
        return frozenset({Flag.BOUNDARY}) if near else frozenset()


def _seen(parts: Sequence[Participation]) -> tuple[Evidence, ...]:
    return few(Evidence(one.reference, one.until or one.begins, one.label) for one in parts)
