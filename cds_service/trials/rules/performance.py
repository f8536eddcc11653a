"""Performance status by ECOG, or by Karnofsky where no ECOG score is there."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from cds_service.clinical.evidence import Measure, Reason, Value
from cds_service.clinical.interval import Limit
from cds_service.clinical.quantity import Unusable
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Bound, Parameters, Rule, in_unit
from cds_service.trials.rules.parameters import Analyte
from cds_service.trials.rules.recent import (
    Freshness,
    Recent,
    as_written,
    doubted,
    none_usable,
    recent,
    result_evidence,
    unusable_since,
)


class Converted(Parameters):
    """Karnofsky scores for which all published conversions agree: these support, those speak against."""

    score: Analyte
    supports: Bound
    against: Bound


class PerformanceStatus(Rule):
    """The newest ECOG score keeps the limit; a converted Karnofsky score counts only where the conversions agree."""

    score: Analyte
    limit: Bound
    fresh: Freshness
    curable: Literal["event"]
    converted: Converted
    none_recorded: Literal[Status.UNKNOWN] = Status.UNKNOWN

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        for limit in (self.limit, self.converted.supports, self.converted.against):
            in_unit(limit, "{score}")
        return self

    def judge(self, case: Case) -> Judgement:
        score, converted = self.score[0], self.converted.score[0]
        found = recent(case, score, self.fresh)
        if off_scale := self._off_scale(case, score, found):
            return off_scale
        if found is not None:
            return doubted(case, {score: found.chosen.day}, self.needs, self._judged(found))
        karnofsky = recent(case, converted, self.fresh)
        if off_scale := self._off_scale(case, converted, karnofsky):
            return off_scale
        if karnofsky is None:
            return none_usable(case, (score, converted), self.needs, self.fresh)
        rests_on = {converted: karnofsky.chosen.day, score: self.fresh.flag.before(case.as_of)}
        return doubted(case, rests_on, self.needs, self._by_karnofsky(karnofsky))

    def _off_scale(self, case: Case, score: str, found: Recent | None) -> Judgement | None:
        """For a person: a number that its scale does not have, as new as the newest score that counts.

        It may be a score of the other scale, or a fraction: nobody can tell what was meant.
        """
        since = found.chosen.day if found else self.fresh.flag.before(case.as_of)
        slips = [r for r in unusable_since(case, score, since) if r.quantity == Unusable("implausible")]
        if not slips:
            return None
        evidence = [as_written(r) for r in slips]
        evidence += result_evidence(found.chosen) if found else []
        return Judgement(Status.REVIEW, Reason("score-off-scale"), tuple(evidence), frozenset({Flag.CONFLICT}))

    def _judged(self, found: Recent) -> Judgement:
        answer = self.limit.holds_for(found.chosen.quantity)
        flags = set(found.flags)
        if self.limit.is_near(found.chosen.quantity, self.boundary):
            flags.add(Flag.BOUNDARY)
        return self._of(answer, found, "score", self.limit, flags)

    def _by_karnofsky(self, found: Recent) -> Judgement:
        supports = self.converted.supports.holds_for(found.chosen.quantity)
        against = self.converted.against.holds_for(found.chosen.quantity)
        answer = Truth.TRUE if supports is Truth.TRUE else Truth.FALSE if against is Truth.TRUE else Truth.UNKNOWN
        return self._of(answer, found, "karnofsky", self.converted.supports, set(found.flags))

    def _of(self, answer: Truth, found: Recent, scale: str, limit: Limit, flags: set[Flag]) -> Judgement:
        values: dict[str, Value] = {
            "value": Measure(found.chosen.quantity, "{score}"), "limit": self.limit, "measured": found.chosen.day,
        }  # fmt: skip
        evidence = tuple(result_evidence(found.chosen, limit))
        status = {Truth.TRUE: Status.PASS, Truth.FALSE: Status.FAIL, Truth.UNKNOWN: Status.REVIEW}[answer]
        code = {Status.PASS: "within", Status.FAIL: "beyond", Status.REVIEW: "unclear"}[status]
        if found.is_contradicted:
            return Judgement(Status.REVIEW, Reason("score-contradicted", values), evidence, frozenset(flags))
        if status is Status.REVIEW and found.chosen.disagree:
            flags.add(Flag.CONFLICT)
        curable = self.curable if status is Status.FAIL else None
        return Judgement(status, Reason(f"{scale}-{code}", values), evidence, frozenset(flags), curable)

    @property
    def concepts(self) -> frozenset[str]:
        return frozenset({*self.score, *self.converted.score})
