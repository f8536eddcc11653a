"""A history of hypertension that was not controlled."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from cds_service.clinical.evidence import Evidence, Measure, Reason
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result, unit_of, usable
from cds_service.clinical.truth import Truth
from cds_service.trials.case import RESULT_SOURCES, Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.rules.base import Bound, Parameters, in_unit, not_searched
from cds_service.trials.rules.diagnosis import LifetimeHistory
from cds_service.trials.rules.parameters import Analyte


class Pressure(Parameters):
    """The kinds of blood pressure, each high from its limit on, and how many of the last readings must all be high."""

    systolic: Analyte
    systolic_high: Bound
    diastolic: Analyte
    diastolic_high: Bound
    last: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _check_units(self) -> Self:
        in_unit(self.systolic_high, unit_of(self.systolic[0]))
        in_unit(self.diastolic_high, unit_of(self.diastolic[0]))
        return self

    def kept_high(self, case: Case) -> list[Evidence]:
        """The last readings of a kind where each of them is high; none where one is not, or there are too few."""
        for (analyte,), limit in ((self.systolic, self.systolic_high), (self.diastolic, self.diastolic_high)):
            readings = usable(case.facts.results, analyte)[: self.last]
            spans = [(one, one.quantity) for one in readings if isinstance(one.quantity, Interval)]
            if len(spans) == self.last and all(limit.holds_for(span) is Truth.TRUE for _, span in spans):
                return [_evidence(one, span, limit) for one, span in spans]
        return []


def _evidence(reading: Result, span: Interval, limit: Bound) -> Evidence:
    measure = Measure(span, unit_of(reading.analyte), limit)
    return Evidence(reading.reference, reading.when, reading.label, measure, limit)


class UncontrolledHypertension(LifetimeHistory):
    """A history that excludes for life; a blood pressure that `stays` high without one is for a person."""

    stays: Pressure

    def judge(self, case: Case) -> Judgement:
        judgement = super().judge(case)
        if judgement.status not in (Status.PASS, Status.UNKNOWN):
            return judgement
        high = self.stays.kept_high(case)
        if high:
            return Judgement(Status.REVIEW, Reason("pressure-high"), tuple(high))
        # No query asks for a pressure: one of which nobody can tell what it is may have come with any result.
        unread = case.unreadable(RESULT_SOURCES, (*self.stays.systolic, *self.stays.diastolic))
        return not_searched(unread) if unread else judgement
