"""A time that must have passed since an event: a drug's last dose, an infusion of cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.evidence import Evidence, Reason, Value
from cds_service.clinical.exposure import Stretch, stretches
from cds_service.clinical.facts import Problem, is_coded
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.terminology.codes import code_sets
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Rule, doubts_of, failed, few, seen
from cds_service.trials.rules.parameters import Days, Drugs


@dataclass(frozen=True, slots=True)
class Event:
    """Something that starts the time anew. `when` None is undated; not `sure` is for a person to confirm.

    `doubts` are those of its record: words alone, or words that contradict its code.
    """

    when: DayRange | None
    sure: bool
    evidence: Evidence
    doubts: frozenset[Flag] = frozenset()

    def days_before(self, day: date) -> tuple[int, int] | None:
        """The fewest and the most days that it may lie back."""
        return None if self.when is None else ((day - self.when.last).days, (day - self.when.first).days)


class Washout(Rule):
    """No event within `window` days before screening, the last of them included.

    `similar` are events of which a person must say whether they count; `history` says only that one happened once.
    """

    window: Days
    drugs: Drugs = ()
    procedures: Concepts = ()
    similar: Concepts = ()
    history: Concepts = ()

    def judge(self, case: Case) -> Judgement:
        events = list(self._events(case))
        inside = [e for e in events if e.sure and self._is_inside(e, case)]
        if inside:
            return self._too_soon(inside, case)
        perhaps = [e for e in events if self._may_be_inside(e, case)]
        if not any(e.when for e in events):
            perhaps += [_history(p) for p in case.facts.problems_of(self.history)]
        if perhaps:
            return self._for_a_person(perhaps)
        return self._clear(case, events, self.nothing_recorded(case, evidence=self._shown(events)))

    def _clear(self, case: Case, events: list[Event], judgement: Judgement) -> Judgement:
        """Nothing inside the window; what lies just outside is shown and marked."""
        last = max((e.when.last for e in events if e.when), default=None)
        if last is None or judgement.status is not Status.PASS:
            return judgement
        flags = judgement.flags
        if (case.as_of - last).days == self.window.days + 1:
            flags |= {Flag.BOUNDARY}
        values: dict[str, Value] = {"last": last, "days": (case.as_of - last).days, "window": self.window}
        return Judgement(judgement.status, Reason("washout-over", values), judgement.evidence, flags)

    def _too_soon(self, inside: list[Event], case: Case) -> Judgement:
        last = min(case.as_of, max(e.when.last for e in inside if e.when))
        recheck = last + timedelta(days=self.window.days + 1)
        days = (case.as_of - last).days
        values: dict[str, Value] = {"last": last, "days": days, "window": self.window, "recheck": recheck}
        flags = {Flag.BOUNDARY} if days == self.window.days else set[Flag]()
        return failed(Reason("washout-not-over", values), self._shown(inside), flags, "date", recheck)

    def _for_a_person(self, events: list[Event]) -> Judgement:
        """Review; but unknown where all that is missing is a date."""
        undated = all(e.when is None for e in events)
        flags = doubts_together(e.doubts for e in events)
        reason = Reason("washout-undated" if undated else "washout-uncertain", {"window": self.window})
        status = Status.UNKNOWN if undated and all(e.sure for e in events) else Status.REVIEW
        return Judgement(status, reason, self._shown(events), flags)

    def _is_inside(self, event: Event, case: Case) -> bool:
        days = event.days_before(case.as_of)
        return days is not None and days[1] <= self.window.days

    def _may_be_inside(self, event: Event, case: Case) -> bool:
        days = event.days_before(case.as_of)
        return days is None or days[0] <= self.window.days

    @staticmethod
    def _shown(events: list[Event]) -> tuple[Evidence, ...]:
        newest_first = sorted(events, key=lambda e: e.when.last if e.when else date.max, reverse=True)
        return few(e.evidence for e in newest_first)

    def _events(self, case: Case) -> Iterator[Event]:
        for done in case.facts.interventions_of((*self.procedures, *self.similar)):
            sure = done.surely_done and is_coded(done, self.procedures)
            yield Event(done.last_done, sure, seen(done), doubts_of([done]))
        for use in case.facts.uses_of(self.drugs):
            yield from last_dose(use, case.as_of)


def _history(problem: Problem) -> Event:
    return Event(None, False, seen(problem), doubts_of([problem]))


def doubts_together(doubts: Iterable[frozenset[Flag]]) -> frozenset[Flag]:
    """The flags of several records: a conflict in one of them is one of all, words alone only where all are words."""
    every = list(doubts)
    conflict = {Flag.CONFLICT} if any(Flag.CONFLICT in one for one in every) else set[Flag]()
    by_words = {Flag.TEXT_ONLY} if every and all(Flag.TEXT_ONLY in one for one in every) else set[Flag]()
    return frozenset(conflict | by_words)


def is_infusion(drug: str) -> bool:
    """True for a drug given as single infusions: an order for it proves no dose."""
    return code_sets()[drug].kind.get("given") == "infusion"


def doubts_of_use(use: MedicationUse) -> frozenset[Flag]:
    """The flags of a drug that was recognised by its words alone, or whose words contradict its code."""
    by_words = {Flag.TEXT_ONLY} if use.certainty is Certainty.TEXT else set[Flag]()
    return frozenset(by_words | ({Flag.CONFLICT} if use.misnamed else set[Flag]()))


def last_dose(use: MedicationUse, as_of: date) -> Iterator[Event]:
    """The last day on which the drug was surely taken, and the last on which it may have been, up to `as_of`."""
    if use.standing is Standing.NOT_TAKEN or use.route == "local":
        return
    evidence = Evidence(use.reference, use.begins, use.label)
    doubts = doubts_of_use(use)
    certain = use.certainty is Certainty.CODED and not use.misnamed
    certain = certain and not (use.kind in ("request", "dispense") and is_infusion(use.drug))
    taken = [s for s in stretches(use, as_of) if s.first <= as_of]
    sure_days = [_surely_until(use, s) for s in taken if s.sure and certain]
    possible_days = [s.last for s in taken]
    if until := _given_until(use, as_of):
        given = certain and until.is_exact and use.standing is Standing.TAKEN and use.route == "systemic"
        sure_days += [until.first] if given else []
        possible_days.append(until.last)
    surely, possibly = max(sure_days, default=None), max(possible_days, default=None)
    if surely:
        yield Event(DayRange.of(surely), True, evidence)
    if possibly and possibly != surely:
        yield Event(DayRange.of(possibly), False, evidence, doubts)


def _given_until(use: MedicationUse, as_of: date) -> DayRange | None:
    """The end of what was given over a time, on or before `as_of`: the last day of it counts, as does its first."""
    over = use.kind == "administration" and use.ends is not None and use.ends.last <= as_of
    return use.ends if over else None


def _surely_until(use: MedicationUse, stretch: Stretch) -> date:
    """The last sure day. Of a drug reported as over on an unknown day only the first dose is sure."""
    over = use.kind == "statement" and use.standing is Standing.ENDED
    ends = use.ends or all(step.last or step.length_days for step in use.steps)
    return stretch.first if over and not ends else stretch.last
