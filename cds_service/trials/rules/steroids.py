"""What the three steroid criteria share: doubts about the timeline, and segments of it as evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction

from cds_service.clinical.dates import DayRange
from cds_service.clinical.doses import DoseSegment, WeighedSegment
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import Interval, Limit
from cds_service.clinical.truth import Truth
from cds_service.trials.case import MEDICATION_SOURCES, Case, Gap, Needs
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Rule, not_searched
from cds_service.trials.rules.recent import doubted

PER_KG = "mg/kg/d"
PER_DAY = "mg/d"
_CARRIED = {"text-only": Flag.TEXT_ONLY, "assumed": Flag.ASSUMED, "equivalent": Flag.EQUIVALENT,
            "left-censored": Flag.LEFT_CENSORED}  # fmt: skip


class SteroidRule(Rule):
    """A criterion that is read off the dose timeline."""

    @property
    def concepts(self) -> frozenset[str]:
        return frozenset({"weight"})

    def reads(self, case: Case, concepts: Collection[str]) -> bool:
        return not set(case.steroids).isdisjoint(concepts) or super().reads(case, concepts)

    def medication_gaps(self, case: Case) -> list[Gap]:
        """Why the medication sources cannot vouch for the timeline."""
        needs: Needs = tuple(one for one in self.needs if set(one) & set(MEDICATION_SOURCES))
        gaps = case.gaps(needs, case.steroids) + case.unreadable(MEDICATION_SOURCES, case.steroids)
        return list(dict.fromkeys(gaps))

    def without_weight(self, case: Case, segment: WeighedSegment) -> Judgement:
        """Unknown: there is a dose, and no weight to divide it by."""
        evidence = tuple(dose_evidence(case, segment))
        gaps = case.gaps((("body",),), {"weight"})
        if gaps:
            return not_searched(gaps, evidence)
        return Judgement(Status.UNKNOWN, Reason("no-weight"), evidence)

    def ended(self, case: Case) -> Judgement | None:
        """A failure for want of a dose today, with the last one; None when there never was one."""
        last = next((s for s in reversed(case.weighed) if not s.segment.dose.is_zero), None)
        if last is None:
            return None
        values: dict[str, Value] = {"dose": Measure(last.segment.dose, PER_DAY), "until": last.last}
        return Judgement(Status.FAIL, Reason("steroid-ended", values), tuple(dose_evidence(case, last)))

    def with_doubts(self, case: Case, judged: Judgement, segments: Iterable[WeighedSegment]) -> Judgement:
        """A judgement of doses per kg, given to a person where records contradict each other.

        `segments` are those that it rests on. A weight that cannot be read may be the newest one, or contradict it.
        """
        if judged.status not in (Status.PASS, Status.FAIL):
            return judged
        if case.weights.contradict(case.as_of):
            return for_a_person("weights-contradict", judged)
        if contradictory(segments):
            return for_a_person("records-contradict", judged)
        weighed = case.weights.opens(case.as_of)
        return doubted(case, {"weight": weighed}, (("body",),), judged) if case.weights.on(case.as_of) else judged


def dose_evidence(case: Case, weighed: WeighedSegment, limit: Limit | None = None) -> Iterator[Evidence]:
    """The records behind a segment, with the dose they come to, then the weight it was divided by."""
    per_kg = None if weighed.per_kg is None else Measure(weighed.per_kg, PER_KG, limit)
    per_day = Measure(weighed.segment.dose, PER_DAY)
    uses = {use.reference: use for use in case.steroid_uses}
    for reference in weighed.segment.sources:
        use = uses[reference]
        yield Evidence(reference, use.begins, use.label, per_kg or per_day, limit if per_kg else None)
    if found := case.weights.on(weighed.first):
        weight = found.weight
        yield Evidence(weight.reference, DayRange.of(weight.day), "weight", Measure(weight.kilograms, "kg"))


def carried_flags(segments: Iterable[WeighedSegment | DoseSegment]) -> set[Flag]:
    """The flags that segments hand on to a finding that rests on them."""
    found: set[Flag] = set()
    for one in segments:
        segment = one.segment if isinstance(one, WeighedSegment) else one
        found |= {_CARRIED[name] for name in segment.flags if name in _CARRIED}
        if isinstance(one, WeighedSegment) and one.stale_weight:
            found.add(Flag.STALE)
    return found


def contradictory(segments: Iterable[WeighedSegment | DoseSegment]) -> bool:
    """True when a record behind the segments contradicts itself."""
    return any("conflict" in (s.segment if isinstance(s, WeighedSegment) else s).flags for s in segments)


def for_a_person(code: str, judged: Judgement) -> Judgement:
    """The same judgement, for a person to look at contradictory records."""
    flags = judged.flags | {Flag.CONFLICT}
    return Judgement(Status.REVIEW, Reason(code, judged.reason.values), judged.evidence, flags)


def holds(limit: Limit, weighed: WeighedSegment) -> Truth:
    """Whether the segment's dose keeps the limit; without a weight it cannot be told."""
    return Truth.UNKNOWN if weighed.per_kg is None else limit.holds_for(weighed.per_kg)


def is_near(limit: Limit, segments: Iterable[WeighedSegment], band: Fraction) -> bool:
    return any(s.per_kg is not None and limit.is_near(s.per_kg, band) for s in segments)


def since(segments: Sequence[WeighedSegment], first: date) -> list[WeighedSegment]:
    """The segments that touch the days from `first` on."""
    return [s for s in segments if s.last >= first]


def flips_with_weight(case: Case, limit: Limit, dose: Interval) -> bool:
    """True when another weight of the last 90 days would turn the answer round."""
    answers = {limit.holds_for(dose.over(w.kilograms)) for w in case.weights.recent(case.as_of)}
    return {Truth.TRUE, Truth.FALSE} <= answers


def faults_of(segments: Iterable[WeighedSegment]) -> tuple[str, ...]:
    return tuple(sorted({fault for s in segments for fault in s.segment.faults}))
