"""Pregnancy and lactation, by diagnosis and by a recent test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal, Self

from pydantic import model_validator

from cds_service.clinical.dates import completed_years
from cds_service.clinical.evidence import Evidence, Measure, Reason
from cds_service.clinical.facts import Problem, is_sure
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result, unit_of
from cds_service.clinical.truth import Truth
from cds_service.trials.case import RESULT_SOURCES, Case, Needs
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import (
    Bound,
    Concepts,
    Length,
    Rule,
    doubts_of,
    failed,
    few,
    in_unit,
    not_searched,
    seen,
)
from cds_service.trials.rules.parameters import Analyte, Words, Years

Answer = Literal["positive", "negative", "equivocal", "unreadable"]


class Pregnancy(Rule):
    """Not pregnant and not lactating; between two ages a test within `fresh` must say so.

    A test below `negative` is negative and beyond `positive` is positive, whatever lies between is for a person; it
    says nothing of lactation. Who is not known to be male may be a woman. What was recorded longer than `lasts` ago
    may only never have been closed.
    """

    question: Words
    diagnosis: Concepts
    lactation: Concepts
    measured: Analyte
    negative: Bound
    positive: Bound
    fresh: Length
    lasts: Length
    at_least: Years
    at_most: Years
    curable: Literal["event"]

    @model_validator(mode="after")
    def _check_units(self) -> Self:
        in_unit(self.negative, unit_of(self.measured[0]))
        in_unit(self.positive, unit_of(self.measured[0]))
        return self

    @property
    def _states(self) -> Concepts:
        return (*self.diagnosis, *self.lactation)

    def judge(self, case: Case) -> Judgement:
        if case.facts.sex == "male":
            return Judgement(Status.PASS, Reason("pregnancy-not-possible"))
        tests = self._tests(case)
        judgement = self._judged(case, tests)
        preliminary = any(test.preliminary for test in tests)
        return replace(judgement, flags=judgement.flags | {Flag.ASSUMED}) if preliminary else judgement

    def _judged(self, case: Case, tests: Sequence[Result]) -> Judgement:
        listed = [p for p in case.facts.problems_of(self._states) if p.activity != "resolved"]
        answers = {self._answer(test) for test in tests}
        evidence = (*few(map(seen, listed)), *few(map(_shown, tests)))
        sure = [p for p in listed if self._is_current(p, case)]
        nurses = any(is_sure(p, self.lactation) for p in sure)
        if sure and not nurses and "negative" in answers:
            return Judgement(Status.REVIEW, Reason("pregnancy-contradicted"), evidence, frozenset({Flag.CONFLICT}))
        excluding = bool(sure) or answers == {"positive"}
        if nurses or (excluding and not self._may_be_newer(case)):
            return failed(
                Reason("pregnancy-recorded" if sure else "pregnancy-test-positive"), evidence, (), self.curable
            )
        if excluding or listed or answers - {"negative"}:
            return Judgement(Status.REVIEW, Reason("pregnancy-unclear"), evidence, doubts_of(listed))
        return self._none(case, evidence, "pregnancy-test-negative") if tests else self._untested(case)

    def _tests(self, case: Case) -> list[Result]:
        """The tests of the newest day that has any within the time."""
        opens = self.fresh.before(case.as_of)
        found = [r for r in case.facts.results if r.analyte in self.measured and r.when and r.when.first >= opens]
        newest = max((r.when.first for r in found if r.when), default=None)
        return sorted((r for r in found if r.when and r.when.first == newest), key=lambda r: r.reference)

    def _may_be_newer(self, case: Case) -> bool:
        """True where a test that says otherwise may be among what is missing or cannot be read."""
        if any(self._answer(test) == "unreadable" for test in self._tests(case)):
            return True
        needs: Needs = tuple(one for one in self.needs if set(one) & set(RESULT_SOURCES))
        return bool(case.gaps(needs, self.measured, self.fresh.before(case.as_of)))

    def _answer(self, test: Result) -> Answer:
        if test.contradicted:
            return "unreadable"
        if isinstance(test.quantity, Interval):
            if self.negative.holds_for(test.quantity) is Truth.TRUE:
                return "negative"
            return "positive" if self.positive.holds_for(test.quantity) is Truth.TRUE else "equivocal"
        return test.answer or "unreadable"

    def _is_current(self, problem: Problem, case: Case) -> bool:
        recent = problem.when is None or problem.when.last >= self.lasts.before(case.as_of)
        return recent and problem.activity == "active" and is_sure(problem, self._states)

    def _untested(self, case: Case) -> Judgement:
        """Unknown between the ages at which a test is needed, by the age in completed years."""
        born = case.facts.born
        years = completed_years(born, case.as_of) if born else None
        too_old = years is not None and years.low > Fraction(self.at_most.count)
        too_young = years is not None and years.high is not None and years.high < Fraction(self.at_least.count)
        if too_old or too_young:
            return self._none(case, ())
        gaps = case.gaps(self.needs, self.concepts, self.fresh.before(case.as_of))
        if gaps:
            return not_searched(gaps)
        return Judgement(Status.UNKNOWN, Reason("pregnancy-not-tested", {"fresh": self.fresh}))

    def _none(self, case: Case, evidence: tuple[Evidence, ...], code: str = "none-recorded") -> Judgement:
        return self.nothing_recorded(case, self.fresh.before(case.as_of), evidence, code=code)


def _shown(test: Result) -> Evidence:
    """A test with its number, else in the record's own words."""
    quantity = test.quantity
    value = Measure(quantity, unit_of(test.analyte)) if isinstance(quantity, Interval) else test.written
    return Evidence(test.reference, test.when, test.label, value)
