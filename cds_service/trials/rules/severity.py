"""The severity of chronic GVHD, as graded by somebody; nothing here grades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from cds_service.clinical.coded import Certainty
from cds_service.clinical.evidence import Evidence, Measure, Reason
from cds_service.clinical.facts import Problem
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import newest, unit_of
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Bound, Concepts, Length, Parameters, Rule, failed, seen

_ENOUGH = frozenset({"moderate", "severe"})


@dataclass(frozen=True, slots=True)
class Grade:
    """One recorded grade; `sure` when its code or words name the NIH scale."""

    grade: str
    sure: bool
    recorded: date | None
    problem: Problem


class Lung(Parameters):
    """Lung function that by itself means severe disease, where the lung is affected."""

    diagnosis: Concepts
    analyte: Concepts
    limit: Bound


class SeverityGrade(Rule):
    """At least moderate on the NIH scale, graded lately.

    A grade older than `fresh` and a grade on another scale are for a person; mild fails until it is graded anew.
    """

    diagnosis: Concepts
    mild: Concepts
    moderate: Concepts
    severe: Concepts
    fresh: Length
    lung: Lung | None = None

    def judge(self, case: Case) -> Judgement:
        grades = self._newest(list(self._grades(case)))
        if not grades:
            return self._by_lung_function(case) or self.nothing_recorded(case)
        evidence = tuple(seen(g.problem, g.grade) for g in grades)
        enough = {g.grade in _ENOUGH for g in grades}
        if len(enough) > 1:
            return Judgement(Status.REVIEW, Reason("severity-contradictory"), evidence, frozenset({Flag.CONFLICT}))
        return self._of(grades, evidence, case)

    def _of(self, grades: list[Grade], evidence: tuple[Evidence, ...], case: Case) -> Judgement:
        values = {"grade": grades[0].grade}
        recorded = grades[0].recorded
        if recorded and recorded < self.fresh.before(case.as_of):
            reason = Reason("severity-old", {**values, "recorded": recorded, "fresh": self.fresh})
            return Judgement(Status.REVIEW, reason, evidence, frozenset({Flag.STALE}))
        if not any(g.sure for g in grades):
            return Judgement(Status.REVIEW, Reason("severity-scale-not-stated", values), evidence)
        flags = frozenset[Flag]() if recorded else frozenset({Flag.ASSUMED})
        if grades[0].grade in _ENOUGH:
            return Judgement(Status.PASS, Reason("severity-enough", values), evidence, flags)
        return failed(Reason("severity-mild", values), evidence, flags, curable="event")

    def _grades(self, case: Case) -> Iterator[Grade]:
        coded = {"mild": self.mild, "moderate": self.moderate, "severe": self.severe}
        for problem in case.facts.problems_of(self.diagnosis):
            if problem.activity == "resolved" or problem.verification == "suspected":
                continue
            recorded = problem.recorded.last if problem.recorded else None
            for grade, concepts in coded.items():
                sureness = [problem.concepts[c] for c in concepts if c in problem.concepts]
                if sureness:
                    yield Grade(grade, max(sureness) is Certainty.CODED, recorded, problem)
            for grade, certainty in problem.severity.items():
                yield Grade(grade, certainty is Certainty.CODED, recorded, problem)

    @staticmethod
    def _newest(grades: list[Grade]) -> list[Grade]:
        """The sure grades before the others; of those the undated, which may be today's, and the newest dated."""
        best = [g for g in grades if g.sure] or grades
        latest = max((g.recorded for g in best if g.recorded), default=None)
        return sorted(
            (g for g in best if g.recorded in (None, latest)), key=lambda g: (g.recorded is None, g.grade)
        )

    def _by_lung_function(self, case: Case) -> Judgement | None:
        if self.lung is None:
            return None
        affected = [p for p in case.facts.problems_of(self.lung.diagnosis) if p.activity != "resolved"]
        measured = newest(case.facts.results, self.lung.analyte[0])
        if not affected or measured is None or self.lung.limit.holds_for(measured.quantity) is not Truth.TRUE:
            return None
        value = Measure(measured.quantity, unit_of(self.lung.analyte[0]), self.lung.limit)
        evidence = [seen(affected[0]), *(
            Evidence(r.reference, r.when, r.label, value, self.lung.limit) for r in measured.results
            if isinstance(r.quantity, Interval)
        )]  # fmt: skip
        return Judgement(Status.REVIEW, Reason("severity-by-lung", {"fev1": value}), tuple(evidence))

    @property
    def concepts(self) -> frozenset[str]:
        lung = {*self.lung.diagnosis, *self.lung.analyte} if self.lung else set()
        return frozenset({*self.diagnosis, *self.mild, *self.moderate, *self.severe, *lung})
