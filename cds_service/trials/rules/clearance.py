"""Creatinine clearance by Cockcroft and Gault against a limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Literal, Self

from pydantic import model_validator

from cds_service.clinical.dates import DayRange, completed_years
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import newest, taken_on, unit_of, usable
from cds_service.clinical.renal import body_mass_index, cockcroft_gault, ideal_weight
from cds_service.clinical.truth import Truth
from cds_service.clinical.weights import WeightOnDay
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Bound, Concepts, Parameters, Rule, few, in_unit, not_searched
from cds_service.trials.rules.parameters import Analyte, Days
from cds_service.trials.rules.recent import (
    Freshness,
    Recent,
    as_written,
    counted,
    doubted,
    none_usable,
    recent,
    result_evidence,
    unusable_since,
)

PER_MINUTE = "mL/min"
_CONTRADICTIONS = frozenset(
    {"unit-contradicts-code", "weights-contradict", "clearance-contradicted", "results-disagree"}
)


class Unsteady(Parameters):
    """A creatinine that rises this much within this time makes the formula invalid."""

    rise: Bound
    within: Days


class Wasting(Parameters):
    """A creatinine so low of a body with so little muscle overstates the clearance: a recorded diagnosis, or thin."""

    creatinine: Bound
    conditions: Concepts
    body_mass_index: Bound


class CreatinineClearance(Rule):
    """Clearance with the actual weight keeps the limit; below it a person must say whether chronic GVHD is the cause.

    `reported` is a clearance that the laboratory computed itself: it never decides, but it may contradict.
    """

    creatinine: Analyte
    limit: Bound
    fresh: Freshness
    weight: Literal["actual"]
    reported: Analyte
    unsteady: Unsteady
    dialysis: Concepts
    wasting: Wasting
    otherwise: Literal["review"]
    none_recorded: Literal[Status.UNKNOWN] = Status.UNKNOWN

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        in_unit(self.limit, PER_MINUTE)
        in_unit(self.unsteady.rise, unit_of(self.creatinine[0]))
        in_unit(self.wasting.creatinine, unit_of(self.creatinine[0]))
        in_unit(self.wasting.body_mass_index, "kg/m2")
        return self

    def judge(self, case: Case) -> Judgement:
        found = recent(case, self.creatinine[0], self.fresh)
        if found is None:
            return none_usable(case, self.creatinine, self.needs, self.fresh)
        evidence = tuple(result_evidence(found.chosen))
        if case.facts.born is None:
            return Judgement(Status.UNKNOWN, Reason("no-birth-date"), evidence)
        weight = case.weights.on(found.chosen.day)
        if weight is None:
            gaps = case.gaps((("body",),), {"weight"})
            return not_searched(gaps, evidence) if gaps else Judgement(Status.UNKNOWN, Reason("no-weight"), evidence)
        judgement = self._judged(case, case.facts.born, found, weight)
        return self._unhampered(case, found, self._doubted(case, found, weight, judgement))

    def _doubted(self, case: Case, found: Recent, weight: WeightOnDay, judgement: Judgement) -> Judgement:
        """The judgement, unless a creatinine or a weight that decides or contradicts may be what cannot be read."""
        weighed = min(weight.weight.day, case.weights.opens(found.chosen.day))
        judgement = doubted(case, {"weight": weighed}, (("body",),), judgement)
        measured = found.chosen.day - timedelta(days=self.unsteady.within.days)
        return doubted(case, {self.creatinine[0]: measured}, (("labs",),), judgement)

    def _unhampered(self, case: Case, found: Recent, judgement: Judgement) -> Judgement:
        """A passing clearance, unless what would contradict it is there and cannot be read; what was not searched
        for that is said.
        """
        if judgement.status is not Status.PASS:
            return judgement
        since = self.fresh.flag.before(case.as_of)
        unreadable = case.unreadable(("conditions", "procedures"), self.dialysis)
        unreadable += case.unreadable(("labs",), self.reported)
        if self.wasting.creatinine.holds_for(found.chosen.quantity) is Truth.TRUE:
            unreadable += case.unreadable(("conditions",), self.wasting.conditions)
        if unreadable:
            return not_searched(unreadable, judgement.evidence)
        unusable = unusable_since(case, self.reported[0], since)
        if unusable:
            evidence = (*judgement.evidence, *few(map(as_written, unusable)))
            reason = Reason("newer-result-unreadable", judgement.reason.values)
            return Judgement(Status.REVIEW, reason, evidence, judgement.flags)
        unseen = case.gaps((("conditions",), ("procedures",)), self.dialysis)
        unseen += case.gaps((("labs",),), self.reported, since)
        return replace(judgement, flags=judgement.flags | {Flag.ASSUMED}) if unseen else judgement

    def _judged(self, case: Case, born: DayRange, found: Recent, weight: WeightOnDay) -> Judgement:
        clearance = self._clearance(case, born, found, weight.weight.kilograms)
        flags = set(found.flags) | ({Flag.STALE} if weight.stale else set())
        if self.limit.is_near(clearance, self.boundary):
            flags.add(Flag.BOUNDARY)
        if self._depends_on_weight(case, born, found, weight.weight.kilograms):
            flags.add(Flag.CONFLICT)
        values: dict[str, Value] = {
            "clearance": Measure(clearance, PER_MINUTE, self.limit),
            "limit": self.limit,
            "value": Measure(found.chosen.quantity, "mg/dL"),
            "weight": Measure(weight.weight.kilograms, "kg"),
            "measured": found.chosen.day,
        }
        code, status = self._answer(case, found, weight.weight.kilograms, self.limit.holds_for(clearance))
        if code in _CONTRADICTIONS:
            flags.add(Flag.CONFLICT)
        evidence = tuple(self._evidence(found, clearance, weight))
        return Judgement(status, Reason(code, values), evidence, frozenset(flags))

    def _answer(self, case: Case, found: Recent, kilograms: Interval, answer: Truth) -> tuple[str, Status]:
        doubts = {
            "unit-contradicts-code": found.is_contradicted,
            "weights-contradict": case.weights.contradict(found.chosen.day),
            "results-disagree": answer is Truth.UNKNOWN and found.chosen.disagree,
            "creatinine-not-steady": self._is_unsteady(case, found) or self._on_dialysis(case),
            "clearance-contradicted": self._is_contradicted(case, answer),
            "creatinine-low-in-wasting": answer is Truth.TRUE and self._lacks_muscle(case, found, kilograms),
        }
        for code, holds in doubts.items():
            if holds:
                return code, Status.REVIEW
        if answer is Truth.TRUE:
            return "clearance-within", Status.PASS
        if answer is Truth.FALSE:
            return "clearance-beyond-may-be-excused", Status.REVIEW
        return "clearance-unclear", Status.REVIEW

    def _clearance(self, case: Case, born: DayRange, found: Recent, kilograms: Interval) -> Interval:
        age = completed_years(born, found.chosen.day)
        return cockcroft_gault(age, case.facts.sex, kilograms, found.chosen.quantity)

    def _depends_on_weight(self, case: Case, born: DayRange, found: Recent, actual: Interval) -> bool:
        """True when the ideal weight, or another weight of the last 90 days, turns the answer round.

        An adjusted weight lies between the actual and the ideal one: it turns nothing that the ideal one does not.
        """
        recent = (weight.kilograms for weight in case.weights.recent(found.chosen.day))
        clearances = [self._clearance(case, born, found, one) for one in (actual, *recent, *self._ideal_weight(case))]
        return {Truth.TRUE, Truth.FALSE} <= {self.limit.holds_for(one) for one in clearances}

    @staticmethod
    def _ideal_weight(case: Case) -> Iterator[Interval]:
        height = newest(case.facts.results, "height")
        if height and (ideal := ideal_weight(case.facts.sex, height.quantity)):
            yield ideal

    def _is_unsteady(self, case: Case, found: Recent) -> bool:
        """True when creatinine rose in the days before the sample, or differs as much within one day."""
        opens = found.chosen.day - timedelta(days=self.unsteady.within.days)
        dated = (r for r in case.facts.results if r.when and opens <= r.when.last and taken_on(r) <= found.chosen.day)
        lately = [
            (taken_on(r), r.quantity.low) for r in usable(dated, self.creatinine[0]) if isinstance(r.quantity, Interval)
        ]
        rises = [high - low for later, high in lately for earlier, low in lately if earlier <= later]
        return any(self.unsteady.rise.holds_for(Interval.exactly(rise)) is Truth.TRUE for rise in rises)

    def _on_dialysis(self, case: Case) -> bool:
        """True where dialysis goes on, was done lately, or nobody wrote when."""
        active = [p for p in case.facts.problems_of(self.dialysis) if p.activity != "resolved"]
        lately = self.fresh.flag.before(case.as_of)
        done = case.facts.interventions_of(self.dialysis)
        return bool(active) or any(i.goes_on or i.when is None or i.when.last >= lately for i in done)

    def _lacks_muscle(self, case: Case, found: Recent, kilograms: Interval) -> bool:
        """True for a low creatinine of a wasted body, which makes any kidney look good."""
        if self.wasting.creatinine.holds_for(found.chosen.quantity) is not Truth.TRUE:
            return False
        height = newest(case.facts.results, "height")
        index = body_mass_index(kilograms, height.quantity) if height else None
        thin = index is not None and self.wasting.body_mass_index.holds_for(index) is Truth.TRUE
        return thin or any(p.activity != "resolved" for p in case.facts.problems_of(self.wasting.conditions))

    def _is_contradicted(self, case: Case, answer: Truth) -> bool:
        other = newest(case.facts.results, self.reported[0])
        if other is None or counted(case, other, self.fresh) is None:
            return False
        return {answer, self.limit.holds_for(other.quantity)} == {Truth.TRUE, Truth.FALSE}

    def _evidence(self, found: Recent, clearance: Interval, weight: WeightOnDay) -> Iterator[Evidence]:
        value = Measure(clearance, PER_MINUTE, self.limit)
        for result in found.chosen.results:
            yield Evidence(result.reference, result.when, result.label, value, self.limit)
        day = DayRange.of(weight.weight.day)
        yield Evidence(weight.weight.reference, day, "weight", Measure(weight.weight.kilograms, "kg"))

    @property
    def concepts(self) -> frozenset[str]:
        return frozenset(
            {*self.creatinine, *self.reported, *self.dialysis, *self.wasting.conditions, "weight", "height"}
        )
