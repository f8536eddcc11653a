"""A measured value against a multiple of the laboratory's upper limit of normal."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result, default_upper_limit, unit_of
from cds_service.clinical.truth import Truth, every
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Bound, Rule, in_unit
from cds_service.trials.rules.parameters import Analyte
from cds_service.trials.rules.recent import Freshness, Recent, doubted, none_usable, recent


class LabRatio(Rule):
    """The newest result is within so many times the upper limit of normal of the same report.

    Where the report states no limit, the range in which such limits lie decides if it can. A result beyond is for
    a person, since the protocol allows an exception.
    """

    lab: Analyte
    limit: Bound
    fresh: Freshness
    otherwise: Literal["review"]
    none_recorded: Literal[Status.UNKNOWN] = Status.UNKNOWN

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        in_unit(self.limit, "{ULN}")
        if default_upper_limit(self.lab[0]) is None:
            raise ValueError(f"no usual range is known for {self.lab[0]}")
        return self

    def judge(self, case: Case) -> Judgement:
        found = recent(case, self.lab[0], self.fresh)
        if found is None:
            return none_usable(case, self.lab, self.needs, self.fresh)
        return doubted(case, {self.lab[0]: found.chosen.day}, self.needs, self._judged(found))

    def _judged(self, found: Recent) -> Judgement:
        ratios = self._ratios(found)
        stated = all(r.upper_limit for r in found.chosen.results)
        answers = [self.limit.holds_for(ratio) for _, ratio in ratios]
        flags = found.flags
        if any(r.limit_doubted for r in found.chosen.results):
            flags |= {Flag.CONFLICT}
        if any(r.upper_limit and self.limit.is_near(ratio, self.boundary) for r, ratio in ratios):
            flags |= {Flag.BOUNDARY}
        values, evidence = self._values(found, ratios), tuple(self._evidence(ratios))
        if found.is_contradicted:
            return Judgement(Status.REVIEW, Reason("unit-contradicts-code", values), evidence, flags)
        return self._of(every(answers), answers, stated, values, evidence, flags)

    def _of(self, answer: Truth, answers: list[Truth], stated: bool, values: dict[str, Value],
            evidence: tuple[Evidence, ...], flags: frozenset[Flag]) -> Judgement:  # fmt: skip
        if answer is Truth.TRUE:
            code = "ratio-within" if stated else "ratio-within-any-range"
            return Judgement(Status.PASS, Reason(code, values), evidence, flags)
        if len(set(answers)) > 1:
            return Judgement(Status.REVIEW, Reason("results-disagree", values), evidence, flags | {Flag.CONFLICT})
        if answer is Truth.UNKNOWN and not stated:
            return Judgement(Status.UNKNOWN, Reason("upper-limit-missing", values), evidence, flags)
        code = "ratio-unclear" if answer is Truth.UNKNOWN else "ratio-beyond-may-be-excused"
        return Judgement(Status.REVIEW, Reason(code, values), evidence, flags)

    def _ratios(self, found: Recent) -> list[tuple[Result, Interval]]:
        """Each result of the day that counts with its multiple of the upper limit."""
        return [(r, r.quantity.over(self._upper(r))) for r in found.chosen.results if isinstance(r.quantity, Interval)]

    def _upper(self, result: Result) -> Interval:
        """The upper limit that the report states; else the range in which those of its unit lie."""
        upper = result.upper_limit or default_upper_limit(self.lab[0], result.written_in)
        assert upper is not None  # a protocol that reads an analyte without a row is refused at start
        return upper

    def _values(self, found: Recent, ratios: list[tuple[Result, Interval]]) -> dict[str, Value]:
        return {
            "value": Measure(found.chosen.quantity, unit_of(self.lab[0])),
            "ratio": Measure(ratios[0][1], self.limit.unit, self.limit),
            "limit": self.limit,
            "measured": found.chosen.day,
            "upper": Measure(self._upper(found.chosen.results[0]), unit_of(self.lab[0])),
        }

    def _evidence(self, ratios: list[tuple[Result, Interval]]) -> list[Evidence]:
        return [
            Evidence(r.reference, r.when, r.label, Measure(ratio, self.limit.unit, self.limit), self.limit)
            for r, ratio in ratios
        ]
