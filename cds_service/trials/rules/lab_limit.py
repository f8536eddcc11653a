"""A measured value against a limit: counts, ejection fraction, lung function."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cds_service.clinical.evidence import Measure, Reason, Value
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Chosen, Result, newest, unit_of, usable
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Bound, Parameters, Rule, in_unit, not_searched
from cds_service.trials.rules.parameters import Analyte, Analytes
from cds_service.trials.rules.recent import Freshness, Recent, counted, doubted, none_usable, result_evidence
from cds_service.trials.rules.support import Support, edge_of_support, supporting


class Shares(Parameters):
    """A count worked out from a total and the percentages of one differential, all of the same specimen."""

    total: Analyte
    percentages: Annotated[tuple[Analytes, ...], Field(min_length=1)]


class LabLimit(Rule):
    """The newest result keeps the limit.

    `otherwise` is what a result beyond it means: fail, or review where the protocol allows an exception. A passing
    count that was supported by treatment is for a person. `instead` are analytes that do not answer the question
    although they look like it; `in_words` is what a result means that is only words, such as "normal".
    """

    lab: Analyte
    limit: Bound
    fresh: Freshness
    otherwise: Literal["fail", "review"] = "fail"
    in_words: Literal["unknown", "review"] = "unknown"
    curable: Literal["event"] | None = None
    supported_by: tuple[Support, ...] = ()
    computed_from: Shares | None = None
    instead: Analytes = ()
    none_recorded: Literal[Status.UNKNOWN] = Status.UNKNOWN

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        in_unit(self.limit, unit_of(self.lab[0]))
        return self

    def judge(self, case: Case) -> Judgement:
        chosen = self._newest(case)
        found = chosen and counted(case, chosen, self.fresh)
        if not found:
            return self._only_instead(case) or self._none_usable(case)
        judgement = doubted(case, self._rests_on(found), self.needs, self._judged(found))
        return self._supported(case, found, judgement) if judgement.status is Status.PASS else judgement

    def _judged(self, found: Recent) -> Judgement:
        quantity, analyte = found.chosen.quantity, self.lab[0]
        answer = self.limit.holds_for(quantity)
        flags = set(found.flags)
        if self.limit.is_near(quantity, self.boundary):
            flags.add(Flag.BOUNDARY)
        values: dict[str, Value] = {
            "value": Measure(quantity, unit_of(analyte), self.limit),
            "limit": self.limit,
            "measured": found.chosen.day,
        }
        status, code = self._answer(found, answer)
        if code == "results-disagree":
            flags.add(Flag.CONFLICT)
        curable = self.curable if status is Status.FAIL else None
        evidence = tuple(result_evidence(found.chosen, self.limit))
        return Judgement(status, Reason(code, values), evidence, frozenset(flags), curable)

    def _answer(self, found: Recent, answer: Truth) -> tuple[Status, str]:
        if found.unit_contradicts:
            return Status.REVIEW, "unit-contradicts-code"
        if answer is Truth.TRUE:
            return Status.PASS, "result-within"
        if answer is Truth.UNKNOWN:
            return Status.REVIEW, "results-disagree" if found.chosen.disagree else "result-unclear"
        if self.otherwise == "review":
            return Status.REVIEW, "result-beyond-may-be-excused"
        return Status.FAIL, "result-beyond"

    def _newest(self, case: Case) -> Chosen | None:
        """The newest measured or, where that is newer, computed result."""
        measured = newest(case.facts.results, self.lab[0])
        computed = self._computed(case)
        if computed is None or (measured and measured.day >= computed.day):
            return measured
        return computed

    def _rests_on(self, found: Recent) -> dict[str, date]:
        parts = self.computed_from
        shares = [c for names in parts.percentages for c in names] if parts else []
        return dict.fromkeys((*self.lab, *self.instead, *(parts.total if parts else ()), *shares), found.chosen.day)

    def _computed(self, case: Case) -> Chosen | None:
        if self.computed_from is None:
            return None
        total, *_ = self.computed_from.total
        for whole in usable(case.facts.results, total):
            for names in self.computed_from.percentages:
                parts = [_of_same_specimen(case, whole, name) for name in names]
                if all(parts):
                    return _product(whole, [part for part in parts if part])
        return None

    def _supported(self, case: Case, found: Recent, judgement: Judgement) -> Judgement:
        """A passing count, unless treatment may have lifted it; what was not searched is said."""
        sampled = found.chosen.day
        support = list(supporting(self.supported_by, case, sampled))
        flags = judgement.flags | edge_of_support(self.supported_by, case, sampled)
        if support:
            evidence = (*judgement.evidence, *support[:3])
            reason = Reason("result-supported", judgement.reason.values)
            return Judgement(Status.REVIEW, reason, evidence, flags | {Flag.SUPPORTED})
        helping = frozenset(c for kind in self.supported_by for c in (*kind.drugs, *kind.procedures))
        unreadable = case.unreadable((name for names in self.also_reads for name in names), helping)
        if unreadable:
            return not_searched(unreadable, judgement.evidence)
        if case.gaps(self.also_reads, helping, sampled):
            flags |= {Flag.ASSUMED}
        return Judgement(judgement.status, judgement.reason, judgement.evidence, flags)

    def _only_instead(self, case: Case) -> Judgement | None:
        """Unknown: what was measured does not answer the question."""
        for analyte in self.instead:
            other = newest(case.facts.results, analyte)
            if other and counted(case, other, self.fresh):
                measured = Measure(other.quantity, unit_of(analyte))
                reason = Reason("other-measure-only", {"value": measured, "measured": other.day})
                return Judgement(Status.UNKNOWN, reason, tuple(result_evidence(other)))
        return None

    def _none_usable(self, case: Case) -> Judgement:
        judgement = none_usable(case, self.lab, self.needs, self.fresh)
        words = judgement.reason.values.get("faults") == ("not-a-number",)
        if self.in_words == "review" and words:
            return Judgement(Status.REVIEW, Reason("result-in-words"), judgement.evidence)
        return judgement

    @property
    def concepts(self) -> frozenset[str]:
        support = {c for kind in self.supported_by for c in (*kind.drugs, *kind.procedures)}
        parts = self.computed_from
        shares = {*parts.total, *(c for names in parts.percentages for c in names)} if parts else set()
        return frozenset({*self.lab, *self.instead, *support, *shares})


def _of_same_specimen(case: Case, whole: Result, analyte: str) -> Result | None:
    return next((r for r in usable(case.facts.results, analyte) if r.specimen & whole.specimen), None)


def _product(whole: Result, parts: list[Result]) -> Chosen:
    """The total times the sum of the percentages, shown on every result that it was worked out from."""
    assert isinstance(whole.quantity, Interval) and whole.when is not None
    percent = Interval.exactly(0)
    for part in parts:
        assert isinstance(part.quantity, Interval)
        percent = percent + part.quantity
    quantity = whole.quantity.times(percent).over(Interval.exactly(100))
    return Chosen((whole, *parts), quantity, whole.when.first, disagree=False)
