"""Age and sex."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from cds_service.clinical.dates import DayRange, birthday, completed_years
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Rule, failed
from cds_service.trials.rules.parameters import Years


class AgeLimits(Rule):
    """Completed years between two ages, both included. A birthday is never in doubt: no boundary flag.

    Without `at_most` nobody is too old.
    """

    at_least: Years
    at_most: Years | None = None

    @model_validator(mode="after")
    def _ends_above(self) -> Self:
        if self.at_most and self.at_most.count < self.at_least.count:
            raise ValueError(f"expected at_most to be at least {self.at_least}, found {self.at_most}")
        return self

    def judge(self, case: Case) -> Judgement:
        born = case.facts.born
        if born is None or born.first > case.as_of:
            return Judgement(Status.UNKNOWN, Reason("no-birth-date"))
        age = completed_years(born, case.as_of)
        years = Measure(age, "a")
        values: dict[str, Value] = {"age": years, "from": self.at_least}
        if self.at_most:
            values["to"] = self.at_most
        evidence = (Evidence(case.facts.reference, None, "birthDate", years),)
        youngest, oldest = age.low, age.high or age.low
        too_old = self.at_most and oldest > self.at_most.count
        if youngest >= self.at_least.count and not too_old:
            return Judgement(Status.PASS, Reason("age-within" if self.at_most else "age-enough", values), evidence)
        if oldest < self.at_least.count:
            return self._too_young(born, Reason("age-below", values), evidence)
        if self.at_most and youngest > self.at_most.count:
            return failed(Reason("age-above", values), evidence)
        return Judgement(Status.UNKNOWN, Reason("age-unclear" if self.at_most else "age-not-exact", values), evidence)

    def _too_young(self, born: DayRange, reason: Reason, evidence: tuple[Evidence, ...]) -> Judgement:
        """Until the first day on which the patient may be old enough."""
        return failed(reason, evidence, curable="date", recheck_on=birthday(born.first, self.at_least.count))


class AnyValue(Rule):
    """A sentence of the protocol that excludes nobody."""

    reads_records: ClassVar[bool] = False

    def judge(self, case: Case) -> Judgement:
        return Judgement(Status.PASS, Reason("excludes-nobody"))
