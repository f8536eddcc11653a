"""Steroid resistance: no improvement on a sufficient first-line dose, kept for long enough."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Literal, Self

from pydantic import model_validator

from cds_service.clinical.dates import DayRange
from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.facts import Problem, is_sure
from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import MedicationUse, Standing, StatedReason
from cds_service.clinical.truth import Truth
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.history import (
    FlareSigns,
    disease_began,
    lies_within,
    new_treatments,
    remarks_on_the_disease,
)
from cds_service.trials.rules import steroids
from cds_service.trials.rules.base import Bound, Concepts, Parameters, few, in_unit, not_searched
from cds_service.trials.rules.need import DoseNeed
from cds_service.trials.rules.parameters import Days, Words
from cds_service.trials.rules.runs import Run, runs


class Progression(Parameters):
    """A dose and a time after which progression is resistance too, by a definition that the protocol leaves out."""

    dose: Bound
    duration: Bound

    @model_validator(mode="after")
    def _check_units(self) -> Self:
        in_unit(self.dose, steroids.PER_KG)
        in_unit(self.duration, "d")
        return self


class SteroidResistance(DoseNeed):
    """A run of days beyond the dose for a time of `duration`, during which no response is documented.

    The dose alone is for a person: it does not tell how the disease went. So is a course that other drugs came
    before. It never fails.
    """

    question: Words
    duration: Bound
    unclear_days: Days
    no_response: Concepts
    progression: Progression
    equivalents: Literal["counted"]

    @model_validator(mode="after")
    def _check_duration(self) -> Self:
        in_unit(self.duration, "d")
        return self

    @property
    def concepts(self) -> frozenset[str]:
        return frozenset({"weight", *self.no_response})

    def judge(self, case: Case) -> Judgement:
        gaps = self.medication_gaps(case)
        if gaps:
            return not_searched(gaps)
        if all(s.segment.dose.is_zero for s in case.weighed):
            return self.no_steroid(case)
        long_enough = [run for run in self._runs(case) if self._lasted(run)]
        if not long_enough:
            return self._not_shown(case)
        if case.history is None:
            return self._of_run(case, long_enough[0], "resistance-dose-alone", ())
        return self._by_documents(case, long_enough, case.history.signs)

    def _by_documents(self, case: Case, long_enough: Sequence[Run], signs: FlareSigns) -> Judgement:
        """What the record says of how the disease went in the runs, the newest of them first."""
        documented = [(run, said) for run in long_enough if (said := tuple(self._no_response(case, run, signs)))]
        for run, said in documented:
            if not _other_drugs_before(case, run, signs):
                judged = self._of_run(case, run, "resistance-shown", said)
                return self.vouched(case, self.with_doubts(case, judged, run.segments))
        if documented:
            return self._of_run(case, documented[0][0], "resistance-not-first-line", documented[0][1])
        return self._of_run(case, long_enough[0], "resistance-dose-alone", ())

    def _runs(self, case: Case) -> list[Run]:
        """The runs, newest first; those that were over before the disease began were not for it."""
        began = disease_began(case.facts, case.history.signs) if case.history else None
        found = runs(case.weighed, self.keeps, self.unclear_days.days)
        return [run for run in found if began is None or run.last >= began]

    def _lasted(self, run: Run) -> bool:
        return self.duration.holds_for(Interval.exactly(run.elapsed)) is Truth.TRUE

    def _of_run(self, case: Case, run: Run, code: str, said: tuple[Evidence, ...]) -> Judgement:
        status = Status.PASS if code == "resistance-shown" else Status.REVIEW
        last = run.segments[-1]
        values: dict[str, Value] = {
            "dose": Measure(last.segment.dose, steroids.PER_DAY), "limit": self.dose, "since": run.first,
            "days": run.elapsed, "until": run.last, "per_kg": self.per_kg_of(last),
        }  # fmt: skip
        evidence = (*steroids.dose_evidence(case, last, self.dose), *few(said))
        return Judgement(status, Reason(code, values), evidence, self._flags(run.segments, run))

    def _flags(self, segments: Sequence[WeighedSegment], run: Run | None) -> frozenset[Flag]:
        flags = steroids.carried_flags(segments) - {Flag.LEFT_CENSORED}
        if run and run.open_start:
            flags.add(Flag.LEFT_CENSORED)
        edge = self.duration.value
        at_edge = run is not None and not run.open_start and run.elapsed in (edge, edge - 1)
        if at_edge or any(self.is_near(segment) for segment in segments):
            flags.add(Flag.BOUNDARY)
        if steroids.contradictory(segments):
            flags.add(Flag.CONFLICT)
        return frozenset(flags)

    def _not_shown(self, case: Case) -> Judgement:
        """The dosing does not show it: for a person, where there is a timeline to look at."""
        shown = next(s for s in reversed(case.weighed) if not s.segment.dose.is_zero)
        if all(s.per_kg is None for s in case.weighed if not s.segment.dose.is_zero):
            return self.without_weight(case, shown)
        if shown.last == case.as_of and shown.segment.dose.high is None:
            evidence = tuple(steroids.dose_evidence(case, shown))
            reason = Reason("dose-unreadable", {"faults": steroids.faults_of((shown,))})
            return Judgement(Status.UNKNOWN, reason, evidence)
        longest = max(self._runs(case), key=lambda run: run.elapsed, default=None)
        if longest:
            by_progression = any(self._is_progression(run) for run in self._runs_of_progression(case))
            code = "resistance-by-progression-only" if by_progression else "resistance-not-long-enough"
            return self._of_run(case, longest, code, ())
        values: dict[str, Value] = {"dose": Measure(shown.segment.dose, steroids.PER_DAY), "limit": self.dose,
                                    "per_kg": self.per_kg_of(shown)}  # fmt: skip
        evidence = tuple(steroids.dose_evidence(case, shown, self.dose))
        flags = self._flags((shown,), None)
        return Judgement(Status.REVIEW, Reason("resistance-dose-not-shown", values), evidence, flags)

    def _runs_of_progression(self, case: Case) -> Iterator[Run]:
        limit = self.progression.dose
        return runs(case.weighed, lambda segment: steroids.holds(limit, segment), self.unclear_days.days)

    def _is_progression(self, run: Run) -> bool:
        return self.progression.duration.holds_for(Interval.exactly(run.elapsed)) is Truth.TRUE

    def _no_response(self, case: Case, run: Run, signs: FlareSigns) -> Iterator[Evidence]:
        """What says, within the run, that the disease did not improve."""
        within = DayRange(run.first, run.last)
        yield from _came_back(case.facts.problems_of(signs.diagnosis), signs.diagnosis, within)
        treated = case.facts.uses_of(signs.therapies)
        for use in (*case.steroid_uses, *treated):
            for reason in use.reasons:
                if _spoken_within(use, reason, within) and self._says_no_response(reason, signs, within):
                    yield Evidence(use.reference, reason.when or use.begins, "reason-no-response")
        for problem, remark in remarks_on_the_disease(case.facts, signs):
            dated = remark.when is not None and lies_within(remark.when, within)
            if dated and self._says_no_response(remark, signs, within):
                yield Evidence(problem.reference, remark.when, "reason-no-response")
        since = run.first + timedelta(days=int(self.duration.value))  # the run has lasted that long
        yield from new_treatments(case.facts, signs, DayRange(since, run.last))

    def _says_no_response(self, reason: StatedReason, signs: FlareSigns, within: DayRange) -> bool:
        """True for a remark that the disease did not improve, or, dated after the first day, that it got worse.

        What got worse on the first day, or nobody knows when, is why the drug was begun.
        """
        later = reason.when is not None and reason.when.first > within.first
        alone = signs.may_be_meant(reason.clauses)
        return any(
            signs.says(clause, self.no_response, alone) or (later and signs.says(clause, signs.worsening, alone=False))
            for clause in reason.clauses
        )


def _other_drugs_before(case: Case, run: Run, signs: FlareSigns) -> bool:
    """True where another drug against the disease was begun before the run, so that it is not first-line."""
    began = disease_began(case.facts, signs)
    return any(
        use.begins is None or use.begins.first < run.first
        for use in case.facts.uses_of(signs.therapies)
        if use.standing is not Standing.NOT_TAKEN and use.route != "local"
        if not (began and use.ends and use.ends.last < began)
    )


def _came_back(problems: Sequence[Problem], diagnosis: Collection[str], within: DayRange) -> Iterator[Evidence]:
    """Diagnoses in recurrence, or recorded anew beside an earlier one, within the run."""
    certain = [p for p in problems if is_sure(p, diagnosis)]
    earlier = [p for p in certain if p.when and p.when.last < within.first]
    for problem in certain:
        dated = any(when and lies_within(when, within) for when in (problem.onset, problem.recorded))
        anew = bool(earlier) and problem not in earlier
        if dated and (problem.recurs or anew):
            yield Evidence(problem.reference, problem.when, problem.label)


def _spoken_within(use: MedicationUse, reason: StatedReason, within: DayRange) -> bool:
    """True for words that are dated in the run, or that stand undated in a record of that time.

    A record that was over on the first day of the run speaks of the time before.
    """
    if reason.when:
        return lies_within(reason.when, within)
    begins, ends = use.begins, use.ends.last if use.ends else use.written
    return bool(begins and begins.first <= within.last and (ends is None or ends > within.first))
