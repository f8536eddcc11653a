"""A continuous need for more prednisone than the protocol allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Self

from pydantic import model_validator

from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.evidence import Measure, Reason, Value
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules import steroids
from cds_service.trials.rules.base import Bound, failed, in_unit, not_searched
from cds_service.trials.rules.parameters import Days
from cds_service.trials.rules.steroids import SteroidRule


class SteroidCeiling(SteroidRule):
    """Above `dose` on every day: for `continuous` it excludes, for `noticed` a person looks, shorter is no need."""

    dose: Bound
    noticed: Days
    continuous: Days

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        in_unit(self.dose, steroids.PER_KG)
        if self.continuous.days < self.noticed.days:
            raise ValueError(f"expected continuous to be at least noticed, which is {self.noticed}")
        return self

    def judge(self, case: Case) -> Judgement:
        gaps = self.medication_gaps(case)
        if gaps:
            return not_searched(gaps)
        recent = steroids.since(case.weighed, self.continuous.before(case.as_of))
        if all(s.segment.dose.is_zero for s in recent):
            ended = self.ended(case)
            nothing = self.no_steroid(case)
            return replace(nothing, reason=ended.reason, evidence=ended.evidence) if ended else nothing
        judged = self._judged(case, recent)
        surely = self._days(case, recent, {Truth.TRUE})
        lately = steroids.since(recent, case.as_of - timedelta(days=max(0, surely - 1)))
        return self.with_doubts(case, judged, lately)

    def _judged(self, case: Case, recent: list[WeighedSegment]) -> Judgement:
        surely = self._days(case, recent, {Truth.TRUE})
        possibly = self._days(case, recent, {Truth.TRUE, Truth.UNKNOWN})
        flags = self._flags(case, recent[-1:])
        evidence = tuple(steroids.dose_evidence(case, recent[-1], self.dose))
        values = self._values(recent[-1], surely)
        if surely >= self.continuous.days:
            return failed(Reason("dose-above-continuously", values), evidence, flags, "event")
        if surely >= self.noticed.days:
            return Judgement(Status.REVIEW, Reason("dose-above-lately", values), evidence, flags)
        if possibly >= self.noticed.days:
            return self._unclear(case, recent, flags)
        within = "dose-within" if "per_kg" in values else "dose-within-for-want-of-days"
        code = "dose-above-briefly" if surely else within
        return Judgement(Status.PASS, Reason(code, values), evidence, flags)

    def _unclear(self, case: Case, recent: list[WeighedSegment], flags: frozenset[Flag]) -> Judgement:
        evidence = tuple(steroids.dose_evidence(case, recent[-1], self.dose))
        lately = steroids.since(recent, self.noticed.before(case.as_of))
        if any(s.per_kg is None for s in lately):
            return self.without_weight(case, recent[-1])
        if any(s.segment.dose.high is None for s in lately):
            reason = Reason("dose-unreadable", {"faults": steroids.faults_of(lately)})
            return Judgement(Status.UNKNOWN, reason, evidence, flags)
        values = self._values(recent[-1], 0)
        return Judgement(Status.REVIEW, Reason("dose-unclear", values), evidence, flags)

    def _days(self, case: Case, recent: list[WeighedSegment], answers: set[Truth]) -> int:
        """How many days up to the day of screening, without a break, have one of the answers."""
        first = None
        for segment in reversed(recent):
            if steroids.holds(self.dose, segment) not in answers:
                break
            first = segment.first
        return 0 if first is None else (case.as_of - first).days + 1

    def _flags(self, case: Case, current: list[WeighedSegment]) -> frozenset[Flag]:
        flags = steroids.carried_flags(current) - {Flag.LEFT_CENSORED}
        if steroids.is_near(self.dose, current, self.boundary):
            flags.add(Flag.BOUNDARY)
        flips = steroids.flips_with_weight(case, self.dose, current[-1].segment.dose)
        if flips or steroids.contradictory(current):
            flags.add(Flag.CONFLICT)
        return frozenset(flags)

    def _values(self, current: WeighedSegment, days: int) -> dict[str, Value]:
        values: dict[str, Value] = {
            "dose": Measure(current.segment.dose, steroids.PER_DAY), "limit": self.dose, "days": days,
        }  # fmt: skip
        if current.per_kg is not None:
            values["per_kg"] = Measure(current.per_kg, steroids.PER_KG, self.dose)
        return values
