"""Acute GVHD that persists, comes back or begins late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds_service.clinical.coded import Certainty
from cds_service.clinical.evidence import Reason
from cds_service.clinical.facts import Intervention, Problem, is_coded, is_sure
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Length, Rule, at_edge, doubts_of, failed, few, seen
from cds_service.trials.rules.parameters import Days


class AcuteGvhd(Rule):
    """No active acute GVHD of a late kind, or that began more than `after` days after the transplantation.

    One that began earlier and was never closed is for a person; so is one whose record is older than `stale`, one
    that followed an infusion of `donor_cells`, one that is coded as `chronic`, too, and whatever is unspecific,
    suspected or only written.
    """

    late: Concepts
    acute: Concepts
    chronic: Concepts
    unspecific: Concepts
    transplant: Concepts
    donor_cells: Concepts
    after: Days
    stale: Length

    def judge(self, case: Case) -> Judgement:
        active = [p for p in case.facts.problems_of((*self.late, *self.acute)) if p.activity != "resolved"]
        excluding = [p for p in active if self._excludes(p, case)]
        if excluding:
            # Of several the surest decides: what lies at the edge takes nothing from what does not.
            flags = frozenset.intersection(*(self._edge([one], case) for one in excluding))
            return failed(Reason("acute-gvhd-late"), few(map(seen, excluding)), flags)
        doubtful = active + [p for p in self._of_no_known_kind(case) if p not in active]
        if doubtful:
            assumed = {Flag.ASSUMED} if all(p.activity == "not-stated" for p in doubtful) else set[Flag]()
            conflict = {Flag.CONFLICT} if any(self._is_both(p) for p in doubtful) else set[Flag]()
            flags = doubts_of(doubtful) | self._edge(doubtful, case) | assumed | conflict
            return Judgement(Status.REVIEW, Reason("acute-gvhd-open"), few(map(seen, doubtful)), flags)
        return self.nothing_recorded(case)

    def _of_no_known_kind(self, case: Case) -> list[Problem]:
        """Open GVHD, acute or chronic not told, or told in two ways: a general code beside one for chronic tells it."""
        found = case.facts.problems_of((*self.unspecific, *self.chronic))
        return [p for p in found if p.activity != "resolved" and (p.contradicted or not self._is_chronic(p))]

    def _is_chronic(self, problem: Problem) -> bool:
        return any(concept in problem.concepts for concept in self.chronic)

    def _excludes(self, problem: Problem, case: Case) -> bool:
        if problem.activity != "active" or self._is_stale(problem, case) or self._is_both(problem):
            return False
        if is_sure(problem, self.late):
            return True
        day = self._day_after_transplant(problem, case)
        return (
            is_sure(problem, self.acute)
            and day is not None
            and day > self.after.days
            and not self._after_cells(problem, case)
            and not self._may_be_transplanted_later(case)
            and not case.gaps(self.also_reads, (*self.transplant, *self.donor_cells))  # either may be what is missing
        )

    def _is_both(self, problem: Problem) -> bool:
        """True for one diagnosis that is coded as acute and as chronic: a clash, or overlap, and no proof of either."""
        coded = {concept for concept, certainty in problem.concepts.items() if certainty is not Certainty.TEXT}
        return not (coded.isdisjoint((*self.late, *self.acute)) or coded.isdisjoint(self.chronic))

    def _is_stale(self, problem: Problem, case: Case) -> bool:
        """True for a problem that nobody has written about for long: it may only never have been closed."""
        written = [when.last for when in (problem.onset, problem.recorded) if when]
        return bool(written) and max(written) < self.stale.before(case.as_of)

    def _day_after_transplant(self, problem: Problem, case: Case) -> int | None:
        """The fewest days between the last certain transplantation and its beginning; negative when it came before."""
        transplanted = self._transplanted(case)
        if problem.when is None or transplanted is None:
            return None
        return (problem.when.first - transplanted).days

    def _transplanted(self, case: Case) -> date | None:
        done = case.facts.interventions_of(self.transplant)
        return max((i.when.last for i in done if i.when and self._is_certain(i)), default=None)

    def _may_be_transplanted_later(self, case: Case) -> bool:
        """True where a transplantation that is not certain may be the last one."""
        last = self._transplanted(case)
        doubtful = [i for i in case.facts.interventions_of(self.transplant) if not self._is_certain(i)]
        return any(i.when is None or last is None or i.when.last > last for i in doubtful)

    def _is_certain(self, done: Intervention) -> bool:
        return done.surely_done and is_coded(done, self.transplant) and done.when is not None

    def _after_cells(self, problem: Problem, case: Case) -> bool:
        """True where donor cells were, or may have been, given before it began."""
        given = case.facts.interventions_of(self.donor_cells)
        return any(i.when is None or problem.when is None or i.when.first <= problem.when.last for i in given)

    def _edge(self, problems: Sequence[Problem], case: Case) -> frozenset[Flag]:
        days = [self._day_after_transplant(p, case) for p in problems if is_sure(p, self.acute)]
        near = any(day is not None and at_edge(day, self.after) for day in days)
        return frozenset({Flag.BOUNDARY}) if near else frozenset()
