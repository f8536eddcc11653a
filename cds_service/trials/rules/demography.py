"""Age and sex."""

from __future__ import annotations

from cds_service.clinical.dates import DayRange, birthday, completed_years
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Length, Rule, failed


class AgeLimits(Rule):
    """Completed years between two ages, both included. A birthday is never in doubt: no boundary flag."""

    at_least: Length
    at_most: Length

    def judge(self, case: Case) -> Judgement:
        born = case.facts.born
        if born is None or born.first > case.as_of:
            return Judgement(Status.UNKNOWN, Reason("no-birth-date"))
        age = completed_years(born, case.as_of)
        years = Measure(age, "a")
        values: dict[str, Value] = {"age": years, "from": self.at_least, "to": self.at_most}
        evidence = (Evidence(case.facts.reference, None, "birthDate", years),)
        youngest, oldest = age.low, age.high or age.low
        if youngest >= self.at_least.count and oldest <= self.at_most.count:
            return Judgement(Status.PASS, Reason("age-within", values), evidence)
        if oldest < self.at_least.count:
            return self._too_young(born, Reason("age-below", values), evidence)
        if youngest > self.at_most.count:
            return failed(Reason("age-above", values), evidence)
        return Judgement(Status.UNKNOWN, Reason("age-unclear", values), evidence)

    def _too_young(self, born: DayRange, reason: Reason, evidence: tuple[Evidence, ...]) -> Judgement:
        """Until the first day on which the patient may be old enough."""
        return failed(reason, evidence, curable="date", recheck_on=birthday(born.first, self.at_least.count))


class AnyValue(Rule):
    """A sentence of the protocol that excludes nobody."""

    def judge(self, case: Case) -> Judgement:
        return Judgement(Status.PASS, Reason("excludes-nobody"))
