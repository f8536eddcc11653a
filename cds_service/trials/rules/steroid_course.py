"""A prednisone dose above a limit, kept for longer than a time, up to the day of screening."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import model_validator

from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import Interval
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules import steroids
from cds_service.trials.rules.base import Bound, in_unit, not_searched
from cds_service.trials.rules.parameters import Days
from cds_service.trials.rules.runs import Run, runs
from cds_service.trials.rules.steroids import SteroidRule


class SteroidCourse(SteroidRule):
    """The ongoing run of days with a mean daily dose beyond `dose`, for a time of `duration` elapsed days.

    An alternate-day dose counts as its daily mean. Up to `unclear_days` unclear days do not break the run.
    """

    dose: Bound
    duration: Bound
    unclear_days: Days
    every_other_day: Literal["mean"]
    equivalents: Literal["counted"]

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        in_unit(self.dose, steroids.PER_KG)
        in_unit(self.duration, "d")
        return self

    def judge(self, case: Case) -> Judgement:
        gaps = self.medication_gaps(case)
        current = case.weighed[-1] if case.weighed else None
        if gaps:
            return not_searched(gaps, steroids.dose_evidence(case, current) if current else ())
        if current is None:
            return self.no_steroid(case)
        if current.segment.dose.is_zero:
            return self._not_taken_today(case)
        if current.per_kg is None:
            return self.without_weight(case, current)
        if self.dose.holds_for(current.per_kg) is Truth.TRUE:
            return self._of_run(case, next(runs(case.weighed, self._keeps, self.unclear_days.days)))
        judged = self._not_above(case, current, current.per_kg)
        return self.with_doubts(case, judged, (current,))

    def _keeps(self, segment: WeighedSegment) -> Truth:
        return steroids.holds(self.dose, segment)

    def _not_above(self, case: Case, current: WeighedSegment, per_kg: Interval) -> Judgement:
        """The answer for a dose that is not above the limit, or not surely so."""
        evidence = tuple(steroids.dose_evidence(case, current, self.dose))
        flags = self._flags(case, (current,))
        values = self._values(current)
        if self.dose.holds_for(per_kg) is Truth.FALSE:
            return Judgement(Status.FAIL, Reason("dose-not-above", values), evidence, flags)
        faults = steroids.faults_of((current,))
        if per_kg.high is None:
            return Judgement(Status.UNKNOWN, Reason("dose-unreadable", {"faults": faults}), evidence, flags)
        return Judgement(Status.REVIEW, Reason("dose-unclear", values), evidence, flags)

    def _not_taken_today(self, case: Case) -> Judgement:
        return self.ended(case) or self.no_steroid(case)

    def _of_run(self, case: Case, run: Run) -> Judgement:
        current = run.segments[-1]
        elapsed = run.elapsed
        values = {**self._values(current), "days": elapsed, "since": run.first, "duration": self.duration}
        evidence = tuple(steroids.dose_evidence(case, current, self.dose))
        deciding = steroids.since(run.segments, case.as_of - timedelta(days=int(self.duration.value) + 1))
        flags = set(self._flags(case, deciding)) - {Flag.LEFT_CENSORED}
        flags |= {Flag.LEFT_CENSORED} if run.open_start else set()
        flags |= {Flag.ASSUMED} if run.bridged else set()
        if elapsed in (self.duration.value, self.duration.value + 1) and not run.open_start:
            flags.add(Flag.BOUNDARY)
        return self.with_doubts(case, self._lasting(elapsed, run, values, evidence, flags), deciding)

    def _lasting(
        self, elapsed: int, run: Run, values: dict[str, Value], evidence: tuple[Evidence, ...], flags: set[Flag]
    ) -> Judgement:
        if self.duration.holds_for(Interval.exactly(elapsed)) is Truth.TRUE:
            code = "dose-sustained" if run.has_one_dose else "dose-sustained-though-changed"
            return Judgement(Status.PASS, Reason(code, values), evidence, frozenset(flags))
        if run.open_start:
            return Judgement(Status.REVIEW, Reason("duration-unclear", values), evidence, frozenset(flags))
        recheck = run.first + timedelta(days=int(self.duration.value) + 1)
        reason = Reason("dose-not-long-enough", {**values, "recheck": recheck})
        return Judgement(Status.FAIL, reason, evidence, frozenset(flags), "date", recheck)

    def _flags(self, case: Case, segments: tuple[WeighedSegment, ...] | list[WeighedSegment]) -> frozenset[Flag]:
        flags = steroids.carried_flags(segments)
        if steroids.is_near(self.dose, segments, self.boundary):
            flags.add(Flag.BOUNDARY)
        if steroids.flips_with_weight(case, self.dose, segments[-1].segment.dose) or steroids.contradictory(segments):
            flags.add(Flag.CONFLICT)
        return frozenset(flags)

    def _values(self, current: WeighedSegment) -> dict[str, Value]:
        values: dict[str, Value] = {"dose": Measure(current.segment.dose, steroids.PER_DAY), "limit": self.dose}
        if current.weight is not None:
            values["weight"] = Measure(current.weight, "kg")
        if current.per_kg is not None:
            values["per_kg"] = Measure(current.per_kg, steroids.PER_KG, self.dose)
        return values
