"""An active infection, or its treatment."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical.evidence import Reason
from cds_service.clinical.medications import MedicationUse
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Concepts, Rule, doubts_of, few, seen
from cds_service.trials.rules.parameters import Days, Drugs
from cds_service.trials.rules.washout import Event, doubts_together, last_dose


class ActiveInfection(Rule):
    """An infection on record as active, or a drug of `treatments` taken within `window` days, the last included.

    A use whose stated reason is one of `prevention` treats nothing. Only a person can say whether an infection is
    uncontrolled: this never fails.
    """

    infections: Concepts
    treatments: Drugs
    prevention: Concepts
    window: Days

    def judge(self, case: Case) -> Judgement:
        active = [p for p in case.facts.problems_of(self.infections) if p.activity != "resolved"]
        treated = list(self._treatments(case))
        if not active and not treated:
            return self.nothing_recorded(case)
        evidence = (*few(map(seen, active)), *few(event.evidence for event in treated))
        flags = doubts_together([*(doubts_of([p]) for p in active), *(event.doubts for event in treated)])
        return Judgement(Status.REVIEW, Reason("infection-active" if active else "infection-treated"), evidence, flags)

    def _treatments(self, case: Case) -> Iterator[Event]:
        """The newest dose of each treatment that was, or may have been, given within the window."""
        for use in case.facts.uses_of(self.treatments):
            doses = [] if self._prevents(use) else list(last_dose(use, case.as_of))
            recent = [d for d in doses if d.when is None or (case.as_of - d.when.last).days <= self.window.days]
            yield from recent[-1:]

    def _prevents(self, use: MedicationUse) -> bool:
        return any(concept in reason.concepts for reason in use.reasons for concept in self.prevention)
