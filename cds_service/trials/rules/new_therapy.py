"""A therapy begun lately, of a kind that needs a time to pass first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.evidence import Evidence, Reason, Value
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.terminology.codes import code_sets
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Length, Rule, failed, seen
from cds_service.trials.rules.washout import is_infusion, last_dose


@dataclass(frozen=True, slots=True)
class Therapy:
    """One drug over all its records: its first start, its last dose, and whether they are sure."""

    drug: str
    uses: tuple[MedicationUse, ...]
    started: DayRange | None
    last_sure: date | None
    last_possible: date | None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(Evidence(use.reference, use.begins, use.label) for use in self.uses[:2])


class NewTherapy(Rule):
    """No such drug started, and no infusion of one given, within `window` days, the last of them included.

    One that was started earlier and is still taken is for a person: whether the protocol means only new starts is
    not said. Drugs that ended before the transplantation do not count. `courses` are procedures of which a new
    course may be meant.
    """

    window: Length
    drugs: Concepts
    courses: Concepts
    transplant: Concepts

    def judge(self, case: Case) -> Judgement:
        therapies = list(self._therapies(case))
        started = [t for t in therapies if self._is_new(t, case)]
        if started:
            return self._too_soon(started, case)
        doubtful = [t for t in therapies if self._is_doubtful(t, case)]
        courses = [i for i in case.facts.interventions_of(self.courses)
                   if i.when is None or i.when.last >= self.window.before(case.as_of)]  # fmt: skip
        if doubtful or courses:
            return self._for_a_person(doubtful, [seen(i) for i in courses], case)
        over = tuple(evidence for t in therapies for evidence in t.evidence)
        return self._clear(case, therapies, self.nothing_recorded(case, self.window.before(case.as_of), over[:3]))

    def _clear(self, case: Case, therapies: Sequence[Therapy], judgement: Judgement) -> Judgement:
        last = max((t.last_possible for t in therapies if t.last_possible), default=None)
        if last is None or judgement.status is not Status.PASS:
            return judgement
        days = (case.as_of - last).days
        flags = judgement.flags | ({Flag.BOUNDARY} if days == self.window.days + 1 else frozenset[Flag]())
        values: dict[str, Value] = {"last": last, "days": days, "window": self.window}
        return Judgement(judgement.status, Reason("therapy-over", values), judgement.evidence, flags)

    def _too_soon(self, started: Sequence[Therapy], case: Case) -> Judgement:
        newest = max(started, key=lambda t: (self._anchor(t, case), t.drug))
        day = self._anchor(newest, case)
        recheck = day + timedelta(days=self.window.days + 1)
        days = (case.as_of - day).days
        values: dict[str, Value] = {
            "drug": code_sets()[newest.drug].title, "started": day, "days": days,
            "window": self.window, "recheck": recheck,
        }  # fmt: skip
        evidence = [evidence for therapy in started for evidence in therapy.evidence]
        flags = {Flag.BOUNDARY} if days == self.window.days else set[Flag]()
        return failed(Reason("therapy-new", values), evidence[:4], flags, "date", recheck)

    def _for_a_person(self, therapies: Sequence[Therapy], courses: list[Evidence], case: Case) -> Judgement:
        drugs = tuple(code_sets()[t.drug].title for t in therapies)
        evidence = [*(e for t in therapies for e in t.evidence), *courses]
        ongoing = therapies and all(t.last_sure for t in therapies)
        code = "therapy-ongoing" if ongoing else "therapy-uncertain" if therapies else "therapy-course"
        words = therapies and all(u.certainty is Certainty.TEXT for t in therapies for u in t.uses)
        flags = {Flag.TEXT_ONLY} if words else set[Flag]()
        if any(self._is_at_edge(t, case) for t in therapies):
            flags.add(Flag.BOUNDARY)
        values: dict[str, Value] = {"drugs": drugs, "window": self.window}
        return Judgement(Status.REVIEW, Reason(code, values), tuple(evidence[:4]), frozenset(flags))

    def _is_at_edge(self, therapy: Therapy, case: Case) -> bool:
        """True when it started on the first day that is outside the window."""
        started = therapy.started
        return bool(started and started.is_exact and (case.as_of - started.first).days == self.window.days + 1)

    def _anchor(self, therapy: Therapy, case: Case) -> date:
        """The day from which the time counts: the last infusion, or the first start of a drug taken daily."""
        if is_infusion(therapy.drug) and therapy.last_sure:
            return therapy.last_sure
        return therapy.started.last if therapy.started else case.as_of

    def _is_new(self, therapy: Therapy, case: Case) -> bool:
        opens = self.window.before(case.as_of)
        if therapy.last_sure is None:
            return False
        if is_infusion(therapy.drug):
            return therapy.last_sure >= opens
        return therapy.started is not None and therapy.started.first >= opens

    def _is_doubtful(self, therapy: Therapy, case: Case) -> bool:
        return therapy.last_possible is not None and therapy.last_possible >= self.window.before(case.as_of)

    def _therapies(self, case: Case) -> Iterator[Therapy]:
        transplanted = self._transplanted(case)
        for drug in self.drugs:
            uses = [u for u in case.facts.uses_of((drug,)) if _counts(u)]
            therapy = _therapy(drug, uses, case.as_of)
            over_before = transplanted and therapy.last_possible and therapy.last_possible < transplanted
            if uses and not over_before:
                yield therapy

    def _transplanted(self, case: Case) -> date | None:
        """The day of the last transplantation that is dated to the day."""
        done = [i.when.first for i in case.facts.interventions_of(self.transplant) if i.when and i.when.is_exact]
        return max(done, default=None)


def _counts(use: MedicationUse) -> bool:
    return use.standing is not Standing.NOT_TAKEN and use.route != "local"


def _therapy(drug: str, uses: Sequence[MedicationUse], as_of: date) -> Therapy:
    events = [event for use in uses for event in last_dose(use, as_of)]
    starts = [use.begins for use in uses if use.begins]
    unknown_start = len(starts) < len(uses)
    first = min(starts, key=lambda s: (s.first, s.last)) if starts and not unknown_start else None
    sure = [e.when.last for e in events if e.sure and e.when]
    every = [e.when.last for e in events if e.when]
    return Therapy(drug, tuple(uses), first, max(sure, default=None), max(every, default=None))
