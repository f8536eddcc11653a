"""A measured value against a limit: counts, ejection fraction, lung function."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.exposure import stretches
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Chosen, Result, newest, unit_of, usable
from cds_service.clinical.medications import Standing
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Cure, Flag, Judgement, Status
from cds_service.trials.rules.base import Bound, Concepts, Length, Parameters, Rule, days_ago
from cds_service.trials.rules.recent import Freshness, Recent, counted, doubted, none_usable, result_evidence


class Support(Parameters):
    """Treatment that lifts a count: within so many days before the sample, both ends included."""

    within: Length
    drugs: Concepts = ()
    procedures: Concepts = ()


class Shares(Parameters):
    """A count worked out from a total and the percentages of one differential, all of the same specimen."""

    total: Concepts
    percentages: tuple[Concepts, ...]


class LabLimit(Rule):
    """The newest result keeps the limit.

    `otherwise` is what a result beyond it means: fail, or review where the protocol allows an exception. A passing
    count that was supported by treatment is for a person. `instead` are analytes that do not answer the question
    although they look like it.
    """

    lab: Concepts
    limit: Bound
    fresh: Freshness
    otherwise: Literal["fail", "review"] = "fail"
    curable: Cure | None = None
    supported_by: tuple[Support, ...] = ()
    computed_from: Shares | None = None
    instead: Concepts = ()

    def judge(self, case: Case) -> Judgement:
        analyte = self.lab[0]
        chosen = self._newest(case)
        found = chosen and counted(case, chosen, self.fresh)
        if not found:
            return self._only_instead(case) or none_usable(case, self.lab, self.needs, self.fresh)
        judgement = self._judged(found, analyte)
        if judgement.status is Status.PASS:
            judgement = self._supported(case, found, judgement)
        return doubted(case, analyte, found.chosen, judgement)

    def _judged(self, found: Recent, analyte: str) -> Judgement:
        quantity = found.chosen.quantity
        answer = self.limit.holds_for(quantity)
        flags = found.flags | (
            {Flag.BOUNDARY} if self.limit.is_near(quantity, self.boundary) else frozenset[Flag]()
        )
        values: dict[str, Value] = {
            "value": Measure(quantity, unit_of(analyte), self.limit), "limit": self.limit, "measured": found.chosen.day,
        }  # fmt: skip
        evidence = tuple(result_evidence(found.chosen, self.limit))
        if found.is_doubtful or answer is Truth.UNKNOWN:
            code = "results-disagree" if found.is_doubtful else "result-unclear"
            return Judgement(Status.REVIEW, Reason(code, values), evidence, flags)
        if answer is Truth.TRUE:
            return Judgement(Status.PASS, Reason("result-within", values), evidence, flags)
        if self.otherwise == "review":
            return Judgement(Status.REVIEW, Reason("result-beyond-may-be-excused", values), evidence, flags)
        return Judgement(Status.FAIL, Reason("result-beyond", values), evidence, flags, self.curable)

    def _newest(self, case: Case) -> Chosen | None:
        """The newest measured or, where that is newer, computed result."""
        measured = newest(case.facts.results, self.lab[0])
        computed = self._computed(case)
        if computed is None or (measured and measured.day >= computed.day):
            return measured
        return computed

    def _computed(self, case: Case) -> Chosen | None:
        if self.computed_from is None:
            return None
        total, *_ = self.computed_from.total
        for whole in usable(case.facts.results, total):
            for names in self.computed_from.percentages:
                parts = [_of_same_specimen(case, whole, name) for name in names]
                if all(parts):
                    return _product(whole, [part for part in parts if part], self.lab[0])
        return None

    def _supported(self, case: Case, found: Recent, judgement: Judgement) -> Judgement:
        support = list(self._support(case, found.chosen.day))
        if not support:
            return judgement
        reason = Reason("result-supported", judgement.reason.values)
        evidence = (*judgement.evidence, *support[:3])
        return Judgement(Status.REVIEW, reason, evidence, judgement.flags | {Flag.SUPPORTED})

    def _support(self, case: Case, sampled: date) -> Iterator[Evidence]:
        for kind in self.supported_by:
            opens = sampled - timedelta(days=kind.within.days)
            for use in case.facts.uses_of(kind.drugs):
                taken = use.standing is not Standing.NOT_TAKEN and stretches(use, sampled)
                if taken and any(s.last >= opens and s.first <= sampled for s in taken):
                    yield Evidence(use.reference, use.begins, use.label)
            for done in case.facts.interventions_of(kind.procedures):
                if done.when is None or 0 <= days_ago(done.when, sampled) <= kind.within.days >= 0 and (
                    done.when.first <= sampled
                ):
                    yield Evidence(done.reference, done.when, done.label)

    def _only_instead(self, case: Case) -> Judgement | None:
        """Unknown: what was measured does not answer the question."""
        for analyte in self.instead:
            other = newest(case.facts.results, analyte)
            if other and counted(case, other, self.fresh):
                value = Measure(other.quantity, unit_of(analyte))
                return Judgement(Status.UNKNOWN, Reason("other-measure-only", {"value": value, "measured": other.day}),
                                 tuple(result_evidence(other)))  # fmt: skip
        return None

    @property
    def concepts(self) -> frozenset[str]:
        support = {c for kind in self.supported_by for c in (*kind.drugs, *kind.procedures)}
        parts = self.computed_from
        shares = {*parts.total, *(c for names in parts.percentages for c in names)} if parts else set()
        return frozenset({*self.lab, *self.instead, *support, *shares})


def _of_same_specimen(case: Case, whole: Result, analyte: str) -> Result | None:
    return next((r for r in usable(case.facts.results, analyte) if r.specimen & whole.specimen), None)


def _product(whole: Result, parts: list[Result], analyte: str) -> Chosen:
    """The total times the sum of the percentages, shown on every result that it was worked out from."""
    assert isinstance(whole.quantity, Interval) and whole.when is not None
    percent = Interval.exactly(0)
    for part in parts:
        assert isinstance(part.quantity, Interval)
        percent = percent + part.quantity
    quantity = whole.quantity.times(percent).scaled(1).over(Interval.exactly(100))
    return Chosen((whole, *parts), quantity, whole.when.first, disagree=False)
