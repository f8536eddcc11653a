"""Steroid dependence: the disease came back at two attempts to taper, and the dose must be kept up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal, Self

from pydantic import model_validator

from cds_service.clinical.dates import DayRange
from cds_service.clinical.doses import DoseSegment
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import Interval
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.history import Flare
from cds_service.trials.rules import steroids
from cds_service.trials.rules.base import Bound, few, in_unit, not_searched
from cds_service.trials.rules.need import DoseNeed
from cds_service.trials.rules.parameters import Words


@dataclass(frozen=True, slots=True)
class Pair:
    """Two failed tapers, with the days between their failures and between their beginnings."""

    first: Flare
    second: Flare

    @property
    def between_failures(self) -> int:
        return (self.second.date - self.first.date).days

    @property
    def between_starts(self) -> int:
        return (self.second.taper.start - self.first.taper.start).days

    @property
    def measures(self) -> tuple[int, int]:
        return self.between_failures, self.between_starts

    @property
    def documented(self) -> bool:
        return self.first.documented and self.second.documented


class SteroidDependence(DoseNeed):
    """Two failed tapers, `apart` by both measures, each flare documented, and today's dose beyond the limit.

    Short of that a person judges, if the dose can be read for a time of `history` up to the day of screening; what is
    shorter or cannot be read shows nothing. It never fails: the doses of other hospitals are not in the record.
    """

    question: Words
    apart: Bound
    history: Bound
    equivalents: Literal["counted"]

    @model_validator(mode="after")
    def _check_units(self) -> Self:
        in_unit(self.apart, "d")
        in_unit(self.history, "d")
        return self

    def judge(self, case: Case) -> Judgement:
        gaps = self.medication_gaps(case)
        if gaps:
            return not_searched(gaps)
        if not any(not s.dose.is_zero for s in case.timeline.segments):
            return self.nothing_recorded(case, code="no-steroid", concepts=case.steroids)
        pairs = [Pair(one, other) for one, other in combinations(case.flares, 2)]
        pair = max(pairs, key=self._rank, default=None)
        if pair is None and not self._holds(self.history, readable_days(case)):
            return self._too_short(case)
        shown = (pair.first, pair.second) if pair else tuple(case.flares)
        flags = self._flags(case, pair)
        evidence = tuple(self._evidence(case, shown))
        code = self._code(case, pair)
        reason = Reason(code, self._values(case, shown, pair))
        if code != "dependence-shown":
            return Judgement(Status.REVIEW, reason, evidence, flags)
        judged = Judgement(Status.PASS, reason, evidence, flags)
        since = steroids.since(case.weighed, shown[0].taper.start)
        return self.vouched(case, self.with_doubts(case, judged, since))

    def _rank(self, pair: Pair) -> tuple[bool, bool, int]:
        """The pair that proves most, then the one that lies furthest apart."""
        return self._are_apart(pair), pair.documented, pair.between_failures

    def _are_apart(self, pair: Pair) -> bool:
        return all(self._holds(self.apart, days) for days in pair.measures)

    @staticmethod
    def _holds(limit: Bound, days: int) -> bool:
        return limit.holds_for(Interval.exactly(days)) is Truth.TRUE

    def _code(self, case: Case, pair: Pair | None) -> str:
        """What the dosing shows."""
        if pair is None:
            return "dependence-one-failed-taper" if case.flares else "dependence-no-failed-taper"
        if not self._are_apart(pair):
            one_is = any(self._holds(self.apart, days) for days in pair.measures)
            return "dependence-measures-disagree" if one_is else "dependence-too-close"
        if not pair.documented:
            return "dependence-not-documented"
        return {Truth.TRUE: "dependence-shown", Truth.FALSE: "dependence-dose-not-above"}.get(
            self.keeps(case.weighed[-1]), "dependence-dose-unclear"
        )

    def _too_short(self, case: Case) -> Judgement:
        """Unknown: too little of the history can be read."""
        current = case.weighed[-1]
        evidence = tuple(steroids.dose_evidence(case, current))
        if current.segment.dose.high is None:
            reason = Reason("dose-unreadable", {"faults": steroids.faults_of((current,))})
            return Judgement(Status.UNKNOWN, reason, evidence)
        values: dict[str, Value] = {"days": readable_days(case), "needed": self.history}
        return Judgement(Status.UNKNOWN, Reason("history-too-short", values), evidence)

    def _values(self, case: Case, shown: Sequence[Flare], pair: Pair | None) -> dict[str, Value]:
        values: dict[str, Value] = {"limit": self.dose, "per_kg": self.per_kg_of(case.weighed[-1])}
        if shown:
            values["first"] = shown[0].date
        if pair:
            values |= {"second": pair.second.date, "days": pair.between_failures,
                       "between_starts": pair.between_starts, "apart": self.apart}  # fmt: skip
            values["undocumented"] = tuple(f"{flare.date}" for flare in shown if not flare.documented)
        return values

    def _flags(self, case: Case, pair: Pair | None) -> frozenset[Flag]:
        flags = self.flags_today(case, case.weighed[-1])
        if pair is None:
            return frozenset(flags)
        flags |= steroids.carried_flags(_between(case.timeline.segments, pair.first.taper.start, pair.second.date))
        edge = self.apart.value
        if any(days in (edge, edge - 1) for days in pair.measures):
            flags.add(Flag.BOUNDARY)
        return frozenset(flags - {Flag.LEFT_CENSORED})

    def _evidence(self, case: Case, shown: Iterable[Flare]) -> Iterator[Evidence]:
        """Each raised dose, what documents its flare, and today's dose."""
        uses = {use.reference: use for use in case.steroid_uses}
        for flare in shown:
            value = Measure(flare.raised_to, steroids.PER_DAY)
            reference, *_ = flare.taper.raised_by
            yield Evidence(reference, DayRange.of(flare.date), uses[reference].label, value)
            yield from few(flare.documented_by)
        yield from steroids.dose_evidence(case, case.weighed[-1], self.dose)


def _between(segments: Iterable[DoseSegment], first: date, last: date) -> list[DoseSegment]:
    return [s for s in segments if s.last >= first and s.first <= last]


def readable_days(case: Case) -> int:
    """Days up to the day of screening, from the first recorded dose or from the last one that cannot be read."""
    since = case.as_of
    for segment in reversed(case.timeline.segments):
        if segment.dose.high is None:
            return (case.as_of - segment.last).days
        since = segment.first
    return (case.as_of - since).days
