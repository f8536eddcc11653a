"""A therapy begun lately, of a kind that needs a time to pass first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.clinical.dates import DayRange
from cds_service.clinical.evidence import Evidence, Reason, Value
from cds_service.clinical.facts import Intervention, is_coded
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.terminology.codes import code_sets
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Rule, at_edge, doubts_of, failed, few, seen
from cds_service.trials.rules.parameters import Days, Drugs
from cds_service.trials.rules.washout import doubts_of_use, doubts_together, is_infusion, last_dose


@dataclass(frozen=True, slots=True)
class Therapy:
    """One drug over all its records: its first start (None where one states none), its last dose.

    `last_sure` is the last day on which it was surely given, `last_possible` on which it may have been.
    """

    drug: str
    uses: tuple[MedicationUse, ...]
    started: DayRange | None
    last_sure: date | None
    last_possible: date | None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The first records of a drug that is taken daily, the last ones of an infusion: what the time counts from."""
        shown = reversed(self.uses) if is_infusion(self.drug) else self.uses
        return few(Evidence(use.reference, use.begins, use.label) for use in shown)

    @property
    def title(self) -> str:
        return code_sets()[self.drug].title


class NewTherapy(Rule):
    """No such drug started, and no infusion of one given, within `window` days, the last of them included.

    One that was started earlier and is still taken is for a person: whether the protocol means only new starts is
    not said. Records that ended before the transplantation do not count. `courses` are procedures of which a new
    course may be meant.
    """

    window: Days
    drugs: Drugs
    courses: Concepts
    transplant: Concepts

    def judge(self, case: Case) -> Judgement:
        therapies = list(self._therapies(case))
        whole = not case.gaps(self.needs, self.drugs)
        started = [t for t in therapies if self._is_new(t, case, whole) and not self._may_not_count(t, case)]
        if started:
            return self._too_soon(started, case)
        opens = self.window.before(case.as_of)
        doubtful = [t for t in therapies if t.last_possible is not None and t.last_possible >= opens]
        courses = [i for i in case.facts.interventions_of(self.courses) if i.when is None or i.when.last >= opens]
        if doubtful:
            return self._for_a_person(doubtful, few(map(seen, courses)), case)
        if courses:
            reason = Reason("therapy-course", {"window": self.window})
            return Judgement(Status.REVIEW, reason, few(map(seen, courses)), doubts_of(courses))
        return self._clear(case, therapies)

    def _clear(self, case: Case, therapies: Sequence[Therapy]) -> Judgement:
        over = few(evidence for t in therapies for evidence in t.evidence)
        looked_for = (*self.drugs, *self.courses)
        judgement = self.nothing_recorded(case, evidence=over, concepts=looked_for)
        last = max((t.last_possible for t in therapies if t.last_possible), default=None)
        if last is None or judgement.status is not Status.PASS:
            return judgement
        days = (case.as_of - last).days
        flags = judgement.flags | ({Flag.BOUNDARY} if at_edge(days, self.window) else frozenset[Flag]())
        values: dict[str, Value] = {"last": last, "days": days, "window": self.window}
        return Judgement(judgement.status, Reason("therapy-over", values), judgement.evidence, flags)

    def _too_soon(self, started: Sequence[Therapy], case: Case) -> Judgement:
        newest = max(started, key=lambda t: (self._anchor(t, case), t.drug))
        day = self._anchor(newest, case)
        recheck = day + timedelta(days=self.window.days + 1)
        days = (case.as_of - day).days
        values: dict[str, Value] = {
            "drug": newest.title, "started": day, "days": days, "window": self.window, "recheck": recheck,
        }  # fmt: skip
        evidence = [evidence for therapy in started for evidence in therapy.evidence]
        flags = {Flag.BOUNDARY} if at_edge(days, self.window) else set[Flag]()
        return failed(Reason("therapy-new", values), evidence, flags, "date", recheck)

    def _for_a_person(self, therapies: Sequence[Therapy], courses: Sequence[Evidence], case: Case) -> Judgement:
        evidence = [*(e for t in therapies for e in t.evidence), *courses]
        opens = self.window.before(case.as_of)
        ongoing = all(t.last_sure and t.last_sure >= opens and not self._may_not_count(t, case) for t in therapies)
        flags = set(doubts_together(doubts_of_use(u) for t in therapies for u in t.uses))
        if any(t.started and at_edge((case.as_of - t.started.first).days, self.window) for t in therapies):
            flags.add(Flag.BOUNDARY)
        values: dict[str, Value] = {"drugs": tuple(t.title for t in therapies), "window": self.window}
        code = "therapy-ongoing" if ongoing else "therapy-uncertain"
        return Judgement(Status.REVIEW, Reason(code, values), tuple(evidence), frozenset(flags))

    def _anchor(self, therapy: Therapy, case: Case) -> date:
        """The day from which the time counts: the last infusion, or the first start of a drug taken daily."""
        if is_infusion(therapy.drug) and therapy.last_sure:
            return therapy.last_sure
        return min(therapy.started.last, case.as_of) if therapy.started else case.as_of

    def _is_new(self, therapy: Therapy, case: Case, whole: bool) -> bool:
        """True when it surely began, or was surely infused, inside the window.

        Where parts of the medication list are missing, an earlier start may be among them.
        """
        opens = self.window.before(case.as_of)
        if therapy.last_sure is None:
            return False
        if is_infusion(therapy.drug):
            return therapy.last_sure >= opens
        return whole and therapy.started is not None and therapy.started.first >= opens

    def _may_not_count(self, therapy: Therapy, case: Case) -> bool:
        """True where it is over and a transplantation that came later may be what is missing or uncertain."""
        last = therapy.last_possible
        if last is None or last >= case.as_of:
            return False
        done = case.facts.interventions_of(self.transplant)
        later = [i for i in done if not self._is_certain(i) and (i.when is None or i.when.last > last)]
        return bool(later or case.gaps((("procedures",),), self.transplant))

    def _therapies(self, case: Case) -> Iterator[Therapy]:
        transplanted = self._transplanted(case)
        for drug in self.drugs:
            uses = [u for u in case.facts.uses_of((drug,)) if _counts(u)]
            after = [u for u in uses if not _ended_before(u, transplanted, case.as_of)]
            if after:
                yield therapy_of(drug, after, case.as_of)

    def _transplanted(self, case: Case) -> date | None:
        """The day of the last transplantation that is certain, and dated to the day."""
        done = case.facts.interventions_of(self.transplant)
        return max((i.when.first for i in done if i.when and self._is_certain(i)), default=None)

    def _is_certain(self, done: Intervention) -> bool:
        return done.surely_done and is_coded(done, self.transplant) and done.when is not None and done.when.is_exact


def _counts(use: MedicationUse) -> bool:
    return use.standing is not Standing.NOT_TAKEN and use.route != "local"


def _ended_before(use: MedicationUse, day: date | None, as_of: date) -> bool:
    last = therapy_of(use.drug, [use], as_of).last_possible
    return day is not None and last is not None and last < day


def therapy_of(drug: str, uses: Sequence[MedicationUse], as_of: date) -> Therapy:
    """What all records of a drug say together."""
    events = [event for use in uses for event in last_dose(use, as_of)]
    starts = [use.begins for use in uses if use.begins]
    first = min(starts, key=lambda s: (s.first, s.last)) if len(starts) == len(uses) else None
    sure = [e.when.last for e in events if e.sure and e.when]
    every = [e.when.last for e in events if e.when]
    return Therapy(drug, tuple(uses), first, max(sure, default=None), max(every, default=None))
