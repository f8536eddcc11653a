"""A prednisone dose that has not changed in the time before the first infusion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from cds_service.clinical.doses import DoseSegment, are_divided_otherwise
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules import steroids
from cds_service.trials.rules.base import Length, Share, not_begun, not_searched
from cds_service.trials.rules.recent import doubted
from cds_service.trials.rules.steroids import PER_DAY, SteroidRule


@dataclass(frozen=True, slots=True)
class Change:
    """A change from one certain dose to another; `day` is the first on which it may have been in force."""

    day: date
    before: DoseSegment
    after: DoseSegment

    def exceeds(self, share: Share) -> bool:
        """True for a change of the mean dose by more than `share` of what it was."""
        return abs(self.after.dose.low - self.before.dose.low) > share * self.before.dose.low


class SteroidStability(SteroidRule):
    """No change within `window` before the infusion; a change on its first day is still allowed.

    A change up to `tolerance`, or the same dose taken otherwise, is for a person. Without a planned infusion the
    day of screening stands for it, so that the answer only says "so far".
    """

    window: Length
    tolerance: Share

    def judge(self, case: Case) -> Judgement:
        gaps = self.medication_gaps(case)
        if gaps:
            return not_searched(gaps)
        infusion = case.infusion_on or case.as_of
        opens = self.window.before(infusion)
        if waiting := not_begun(case, opens):
            return waiting
        segments = case.timeline.between(opens, case.as_of)
        if all(s.dose.is_zero for s in segments):
            return self.no_steroid(case)
        judged = self._judged(case, segments, infusion)
        if not any(step.per_kilogram for use in case.steroid_uses for step in use.steps):
            return judged
        return doubted(case, {"weight": case.weights.opens(opens)}, (("body",),), judged)

    def _judged(self, case: Case, segments: list[DoseSegment], infusion: date) -> Judgement:
        changes = _changes(segments)
        evidence = tuple(_evidence(case, segments))
        flags = frozenset(steroids.carried_flags(segments) - {Flag.LEFT_CENSORED})
        major = [change for change in changes if change.exceeds(self.tolerance)]
        if steroids.contradictory(segments):
            flags |= {Flag.CONFLICT}
            return Judgement(Status.REVIEW, Reason("records-contradict", _now(segments)), evidence, flags)
        if major:
            return self._changed(major[-1], evidence, flags)
        unreadable = [s for s in segments if s.dose.high is None]
        if unreadable:
            faults = tuple(sorted({fault for s in unreadable for fault in s.faults}))
            return Judgement(Status.UNKNOWN, Reason("dose-unreadable", {"faults": faults}), evidence, flags)
        return self._small_or_none(case, segments, changes, evidence, flags, infusion)

    def _changed(self, change: Change, evidence: tuple[Evidence, ...], flags: frozenset[Flag]) -> Judgement:
        recheck = self.window.after(change.day)
        values = {**_values(change), "recheck": recheck, "window": self.window}
        return Judgement(Status.FAIL, Reason("dose-changed", values), evidence, flags, "date", recheck)

    def _small_or_none(
        self, case: Case, segments: list[DoseSegment], changes: list[Change],
        evidence: tuple[Evidence, ...], flags: frozenset[Flag], infusion: date,
    ) -> Judgement:  # fmt: skip
        if changes:
            reason = Reason("dose-changed-slightly", _values(changes[-1]))
            return Judgement(Status.REVIEW, reason, evidence, flags)
        if not all(s.dose.is_exact for s in segments) and not _is_one_stated_dose(case, segments):
            return Judgement(Status.REVIEW, Reason("dose-unclear-in-window", _now(segments)), evidence, flags)
        if self._changed_at_the_edge(case, infusion):
            flags |= {Flag.BOUNDARY}
        values = {**_now(segments), "window": self.window}
        return Judgement(Status.PASS, Reason("dose-stable", values), evidence, flags)

    def _changed_at_the_edge(self, case: Case, infusion: date) -> bool:
        """True when the dose changed on the last day that allows it, or the day before."""
        opens = self.window.before(infusion)
        first = opens - timedelta(days=2)
        edge = case.timeline.between(first, opens)
        return any(change.exceeds(self.tolerance) for change in _changes(edge))


def _changes(segments: list[DoseSegment]) -> list[Change]:
    """The changes between certain doses; an unclear stretch between two of them counts from its first day."""
    certain = [s for s in segments if s.dose.is_exact]
    return [
        Change(before.last + timedelta(days=1), before, after)
        for before, after in pairwise(certain)
        if (before.dose, before.pattern) != (after.dose, after.pattern) or are_divided_otherwise(before, after)
    ]


def _is_one_stated_dose(case: Case, segments: list[DoseSegment]) -> bool:
    """True for one exact dose of one record all the time, which is a range only as an equivalent of prednisone."""
    if len(segments) > 1 or segments[0].dose.low == 0:
        return False
    steps = [step for use in case.steroid_uses if use.reference in segments[0].sources for step in use.steps]
    return len(steps) == 1 and steps[0].daily.is_exact


def _evidence(case: Case, segments: list[DoseSegment]) -> list[Evidence]:
    uses = {use.reference: use for use in case.steroid_uses}
    return [
        Evidence(reference, uses[reference].begins, uses[reference].label, Measure(segment.dose, PER_DAY))
        for segment in segments
        for reference in segment.sources
    ]


def _values(change: Change) -> dict[str, Value]:
    before, after = Measure(change.before.dose, PER_DAY), Measure(change.after.dose, PER_DAY)
    return {"before": before, "after": after, "changed": change.day}


def _now(segments: list[DoseSegment]) -> dict[str, Value]:
    return {"dose": Measure(segments[-1].dose, PER_DAY)}
