"""The severity of chronic GVHD, as graded by somebody; nothing here grades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Self

from pydantic import model_validator

from cds_service.clinical.coded import Certainty
from cds_service.clinical.evidence import Evidence, Measure, Reason
from cds_service.clinical.facts import Problem, is_coded, is_sure
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import newest, unit_of
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import (
    Bound,
    Concepts,
    Length,
    Parameters,
    Rule,
    doubts_of,
    failed,
    in_unit,
    not_searched,
    seen,
)
from cds_service.trials.rules.parameters import Analyte

_ENOUGH = frozenset({"moderate", "severe"})


@dataclass(frozen=True, slots=True)
class Grade:
    """One recorded grade; `sure` when its code or words name the NIH scale."""

    grade: str
    sure: bool
    recorded: date | None
    problem: Problem

    @property
    def is_confirmed(self) -> bool:
        return self.problem.verification == "confirmed"

    @property
    def is_enough(self) -> bool:
        return self.grade in _ENOUGH


class Lung(Parameters):
    """Lung function that by itself means severe disease, where the lung is affected."""

    diagnosis: Concepts
    analyte: Analyte
    limit: Bound

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        in_unit(self.limit, unit_of(self.analyte[0]))
        return self


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
        if len({g.is_enough for g in grades}) > 1:
            reason = Reason("severity-contradictory")
            return Judgement(Status.REVIEW, reason, evidence, frozenset({Flag.CONFLICT}))
        judged = self._of(grades, evidence, case)
        gaps = case.gaps(self.needs, self.graded)  # a newer grade may be among what is missing
        return not_searched(gaps, evidence) if gaps and judged.status is not Status.REVIEW else judged

    def _of(self, grades: list[Grade], evidence: tuple[Evidence, ...], case: Case) -> Judgement:
        values = {"grade": grades[0].grade}
        recorded = grades[0].recorded
        if recorded and recorded < self.fresh.before(case.as_of):
            reason = Reason("severity-old", {**values, "recorded": recorded, "fresh": self.fresh})
            return Judgement(Status.REVIEW, reason, evidence, frozenset({Flag.STALE}))
        if not any(g.sure for g in grades):
            code = "severity-scale-not-stated" if any(g.is_confirmed for g in grades) else "severity-suspected"
            written = doubts_of([g.problem for g in grades])
            return Judgement(Status.REVIEW, Reason(code, values), evidence, written)
        flags = frozenset[Flag]() if recorded else frozenset({Flag.ASSUMED})
        if grades[0].is_enough:
            return Judgement(Status.PASS, Reason("severity-enough", values), evidence, flags)
        return failed(Reason("severity-mild", values), evidence, flags, curable="event")

    def _grades(self, case: Case) -> Iterator[Grade]:
        coded = {"mild": self.mild, "moderate": self.moderate, "severe": self.severe}
        for problem in case.facts.problems_of(self.diagnosis):
            if problem.activity == "resolved":
                continue
            recorded = problem.recorded.last if problem.recorded else None
            is_known = is_sure(problem, self.diagnosis)
            for grade, concepts in coded.items():
                if not problem.concepts.keys().isdisjoint(concepts):
                    yield Grade(grade, is_known and is_coded(problem, concepts), recorded, problem)
            for grade, certainty in problem.severity.items():
                yield Grade(grade, is_known and certainty is Certainty.CODED, recorded, problem)

    @staticmethod
    def _newest(grades: list[Grade]) -> list[Grade]:
        """The sure grades before the others; of those the undated, which may be today's, and the newest dated.

        Beside them those of a diagnosis that is not confirmed and no older: nobody knows which of them holds.
        """
        best = [g for g in grades if g.sure] or grades
        latest = max((g.recorded for g in best if g.recorded), default=date.min)
        newest = [g for g in best if g.recorded in (None, latest)]
        suspected = [g for g in grades if g not in best and not g.is_confirmed and (g.recorded or date.max) >= latest]
        return sorted((*newest, *suspected), key=lambda g: (not g.sure, g.recorded is None, g.grade))

    def _by_lung_function(self, case: Case) -> Judgement | None:
        if self.lung is None:
            return None
        affected = [p for p in case.facts.problems_of(self.lung.diagnosis) if p.activity != "resolved"]
        measured = newest(case.facts.results, self.lung.analyte[0])
        if not affected or measured is None or measured.day < self.fresh.before(case.as_of):
            return None
        if self.lung.limit.holds_for(measured.quantity) is not Truth.TRUE:
            return None
        value = Measure(measured.quantity, unit_of(self.lung.analyte[0]), self.lung.limit)
        evidence = [seen(affected[0]), *(
            Evidence(r.reference, r.when, r.label, value, self.lung.limit) for r in measured.results
            if isinstance(r.quantity, Interval)
        )]  # fmt: skip
        return Judgement(Status.REVIEW, Reason("severity-by-lung", {"fev1": value}), tuple(evidence))

    @property
    def graded(self) -> frozenset[str]:
        """The concepts whose records may hold a grade."""
        return frozenset({*self.diagnosis, *self.mild, *self.moderate, *self.severe})

    @property
    def concepts(self) -> frozenset[str]:
        lung = {*self.lung.diagnosis, *self.lung.analyte} if self.lung else set()
        return self.graded | lung
