"""Events of a disease that must lie further back than a time in calendar months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.clinical.dates import DayRange
from cds_service.clinical.evidence import Evidence, Reason, Value
from cds_service.clinical.facts import Intervention, Problem, is_coded, is_sure
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Length, Rule, doubts_of, failed, few, seen


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event: the days on which it may have been (None: undated), and whether all of that is certain.

    `sure` is a confirmed, coded event of the kind that excludes; `dated` says that the day is that of the event and
    not of its record, which may have come later.
    """

    fact: Problem | Intervention
    when: DayRange | None
    sure: bool
    dated: bool


class RecentEvent(Rule):
    """No event within `window` before screening, the first day of it included.

    `related` events are for a person, and so is what is suspected or only written; `history` are codes that never tell
    when. What was recorded before the window had happened before it; but where events are `lasting`, one that ended
    inside the window is for a person.
    """

    window: Length
    events: Concepts
    related: Concepts = ()
    history: Concepts = ()
    lasting: bool = False

    def judge(self, case: Case) -> Judgement:
        found = list(self._occurrences(case))
        inside = [one for one in found if one.sure and one.dated and self._is_inside(one, case)]
        if inside:
            return self._too_recent(inside, case)
        perhaps = [one for one in found if self._may_be_inside(one, case)]
        if perhaps:
            return self._for_a_person(perhaps, case)
        return self._none(found, case)

    def _for_a_person(self, perhaps: Sequence[Occurrence], case: Case) -> Judgement:
        """Review; but unknown where all that is missing is a date."""
        undated = all(one.when is None for one in perhaps)
        reason = Reason("event-undated" if undated else "event-uncertain", {"window": self.window})
        flags = doubts_of([one.fact for one in perhaps]) | self._edge(perhaps, case)
        status = Status.UNKNOWN if undated and all(one.sure for one in perhaps) else Status.REVIEW
        return Judgement(status, reason, _seen(perhaps), flags)

    def _occurrences(self, case: Case) -> Iterator[Occurrence]:
        asked = (*self.events, *self.related, *self.history)
        for problem in case.facts.problems_of(asked):
            sure = is_sure(problem, self.events)
            tells_when = any(concept in problem.concepts for concept in (*self.events, *self.related))
            yield Occurrence(problem, problem.when if tells_when else None, sure, dated=problem.onset is not None)
        for done in case.facts.interventions_of(asked):
            yield Occurrence(done, done.last_done, done.surely_done and is_coded(done, self.events), dated=True)

    def _is_inside(self, one: Occurrence, case: Case) -> bool:
        return one.when is not None and one.when.first >= self.window.before(case.as_of)

    def _may_be_inside(self, one: Occurrence, case: Case) -> bool:
        opens = self.window.before(case.as_of)
        over_on = one.fact.over_on if self.lasting and isinstance(one.fact, Problem) else None
        return one.when is None or one.when.last >= opens or (over_on is not None and over_on.last >= opens)

    def _too_recent(self, inside: Sequence[Occurrence], case: Case) -> Judgement:
        last = max(min(one.when.last, case.as_of) for one in inside if one.when)
        recheck = self._outside_from(last)
        values: dict[str, Value] = {"last": last, "window": self.window, "recheck": recheck}
        return failed(Reason("event-recent", values), _seen(inside), self._edge(inside, case), "date", recheck)

    def _outside_from(self, day: date) -> date:
        """The first day on which an event of `day` lies outside the window; months differ in length."""
        later = self.window.after(day)
        while self.window.before(later) <= day:
            later += timedelta(days=1)
        return later

    def _edge(self, found: Sequence[Occurrence], case: Case) -> frozenset[Flag]:
        """The boundary flag when the newest dated event lies within one day of the window's first day."""
        days = [one.when.last for one in found if one.when and one.dated]
        edge = self.window.before(case.as_of)
        near = bool(days) and abs((max(days) - edge).days) <= 1
        return frozenset({Flag.BOUNDARY}) if near else frozenset()

    def _none(self, past: Sequence[Occurrence], case: Case) -> Judgement:
        judgement = self.nothing_recorded(case, evidence=_seen(past))
        if not past or judgement.status is not Status.PASS:
            return judgement
        flags = judgement.flags | self._edge(past, case)
        return Judgement(Status.PASS, Reason("event-past", {"window": self.window}), judgement.evidence, flags)


def _seen(found: Sequence[Occurrence]) -> tuple[Evidence, ...]:
    return few(seen(one.fact) for one in found)
