"""Other immunosuppressants that have not been started, raised or stopped in the time before the first infusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from cds_service.clinical.doses import DoseSegment, Timeline, timeline_of
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.medications import DoseStep, MedicationUse, Standing
from cds_service.terminology.codes import code_sets
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Rule, not_begun, not_searched
from cds_service.trials.rules.parameters import Days, Drugs
from cds_service.trials.rules.steroids import PER_DAY, carried_flags, contradictory
from cds_service.trials.rules.washout import is_infusion

What = Literal["started", "raised", "stopped", "lowered", "unclear"]
_SOME = Interval(Fraction(0), None, low_open=True)
_REASONS: dict[What, str] = {"started": "therapy-started", "raised": "therapy-raised", "stopped": "therapy-stopped"}


@dataclass(frozen=True, slots=True)
class Turn:
    """A day on which the dose of a drug became another one, or may have."""

    drug: str
    day: date
    what: What
    before: DoseSegment
    after: DoseSegment


class TherapyStability(Rule):
    """No such drug started, raised or stopped within `window` before the infusion; on its first day it still may be.

    Lowering is not forbidden. Whatever else changed is for a person: a dose is often moved to reach a level in the
    blood. A stop shorter than `pause` is none. Single infusions count by their first one only, and what was begun or
    stopped without a dose was so, too.
    """

    window: Days
    drugs: Drugs
    pause: Days

    def judge(self, case: Case) -> Judgement:
        looked_for = self.concepts
        gaps = case.gaps(self.needs, looked_for)
        gaps += case.unreadable((name for names in self.also_reads for name in names), looked_for)
        if gaps:
            return not_searched(gaps)
        infusion = case.infusion_on or case.as_of
        opens = self.window.before(infusion)
        if waiting := not_begun(case, opens):
            return waiting
        taken = {drug: uses for drug in self.drugs if (uses := _taken(case, drug))}
        shown = {drug: self._segments(case, uses, opens) for drug, uses in taken.items()}
        shown = {drug: segments for drug, segments in shown.items() if any(not s.dose.is_zero for s in segments)}
        if not shown:
            return self.nothing_recorded(case)
        return self._judged(case, taken, shown, opens)

    def _segments(self, case: Case, uses: Sequence[MedicationUse], opens: date) -> list[DoseSegment]:
        return _timeline(case, uses).between(opens, case.as_of)

    def _judged(
        self, case: Case, taken: dict[str, list[MedicationUse]], shown: dict[str, list[DoseSegment]], opens: date
    ) -> Judgement:
        turns = [turn for drug, segments in shown.items() for turn in self._turns(drug, segments)]
        flags = carried_flags(s for segments in shown.values() for s in segments) - {
            Flag.LEFT_CENSORED,
            Flag.EQUIVALENT,
        }
        evidence = tuple(_evidence(case, taken, shown))
        titles = tuple(code_sets()[drug].title for drug in shown)
        values: dict[str, Value] = {"drugs": titles, "window": self.window}
        if contradictory(s for segments in shown.values() for s in segments):
            return Judgement(Status.REVIEW, Reason("records-contradict", values), evidence,
                             frozenset(flags | {Flag.CONFLICT}))  # fmt: skip
        forbidden = [turn for turn in turns if turn.what in ("started", "raised", "stopped")]
        if forbidden:
            return Judgement(Status.REVIEW, _changed(max(forbidden, key=_by_day)), evidence, frozenset(flags))
        doubtful = [s for drug, segments in shown.items() for s in segments if not _is_told(drug, s)]
        unreadable = {fault for s in doubtful if s.dose.high is None for fault in s.faults}
        if unreadable:
            reason = Reason("dose-unreadable", {"faults": tuple(sorted(unreadable))})
            return Judgement(Status.UNKNOWN, reason, evidence, frozenset(flags))
        if any(turn.what == "unclear" for turn in turns) or doubtful:
            return Judgement(Status.REVIEW, Reason("therapy-change-unclear", values), evidence, frozenset(flags))
        if self._turned_at_the_edge(case, taken, opens):
            flags.add(Flag.BOUNDARY)
        code = "therapy-lowered" if turns else "therapy-stable"
        return Judgement(Status.PASS, Reason(code, values), evidence, frozenset(flags))

    def _turned_at_the_edge(self, case: Case, taken: dict[str, list[MedicationUse]], opens: date) -> bool:
        """True when something changed on the last day that allows it, or the day before."""
        first = opens - timedelta(days=2)
        return any(
            turn.what != "lowered"
            for drug, uses in taken.items()
            for turn in self._turns(drug, _timeline(case, uses).between(first, opens), at_once=True)
        )

    def _turns(self, drug: str, segments: Sequence[DoseSegment], at_once: bool = False) -> Iterator[Turn]:
        """The changes of a drug's dose, oldest first; with `at_once` even a stop of a single day is one."""
        kept = segments if at_once else [s for s in segments if not self._is_pause(s, segments)]
        for before, after in pairwise(kept):
            what = _what(before, after)
            if what and not (is_infusion(drug) and what in ("stopped", "lowered")):
                yield Turn(drug, after.first, what, before, after)

    def _is_pause(self, segment: DoseSegment, segments: Sequence[DoseSegment]) -> bool:
        inside = segment is not segments[0] and segment is not segments[-1]
        return inside and segment.dose.is_zero and segment.days < self.pause.days


def _what(before: DoseSegment, after: DoseSegment) -> What | None:
    """How the dose changed; None where it did not."""
    if before.dose == after.dose:
        return None
    if after.dose.is_zero:
        return "unclear" if before.dose.begins_at_zero else "stopped"
    if before.dose.is_zero:
        return "unclear" if after.dose.begins_at_zero else "started"
    if before.dose.high is not None and after.dose.low > before.dose.high:
        return "raised"
    if after.dose.high is not None and after.dose.high < before.dose.low:
        return "lowered"  # where it may be nothing, the range is for a person anyway
    return "unclear"


def _taken(case: Case, drug: str) -> list[MedicationUse]:
    return [use for use in case.facts.uses_of((drug,)) if use.standing is not Standing.NOT_TAKEN]


def _timeline(case: Case, uses: Sequence[MedicationUse]) -> Timeline:
    return timeline_of([_given(use) for use in uses], case.as_of, case.weights)


def _given(use: MedicationUse) -> MedicationUse:
    """The record of something that is taken or was given, of which that is some, though nobody wrote down how much.

    Of an infusion only the administration says so, and what is taken as needed may be nothing.
    """
    proves = use.standing in (Standing.TAKEN, Standing.ENDED)
    if not proves or (is_infusion(use.drug) and use.kind != "administration"):
        return use
    return replace(use, steps=tuple(replace(step, daily=_SOME) if _is_untold(step) else step for step in use.steps))


def _is_untold(step: DoseStep) -> bool:
    return step.daily == ANYTHING and step.pattern != "as-needed"


def _by_day(turn: Turn) -> tuple[date, str]:
    return turn.day, turn.drug


def _changed(turn: Turn) -> Reason:
    values: dict[str, Value] = {
        "drug": code_sets()[turn.drug].title, "changed": turn.day,
        "before": Measure(turn.before.dose, PER_DAY), "after": Measure(turn.after.dose, PER_DAY),
    }  # fmt: skip
    untold = turn.what == "started" and turn.after.dose.high is None
    return Reason("therapy-started-untold" if untold else _REASONS[turn.what], values)


def _is_told(drug: str, segment: DoseSegment) -> bool:
    """True for an exact dose, and for an infusion: how much it was of says nothing of a change."""
    return segment.dose.is_exact or (is_infusion(drug) and segment.dose == _SOME)


def _evidence(
    case: Case, taken: dict[str, list[MedicationUse]], shown: dict[str, list[DoseSegment]]
) -> Iterator[Evidence]:
    for drug, segments in shown.items():
        uses = {use.reference: use for use in taken[drug]}
        for reference in dict.fromkeys(source for segment in segments for source in segment.sources):
            use = uses[reference]
            dose = next(s.dose for s in reversed(segments) if reference in s.sources)
            yield Evidence(reference, use.begins, use.label, Measure(dose, PER_DAY))
