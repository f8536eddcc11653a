"""Overlap syndrome: acute and chronic GVHD at the same time."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from cds_service.clinical.evidence import Reason
from cds_service.clinical.facts import Problem, is_sure
from cds_service.terminology.words import any_word, plain
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Length, Rule, doubts_of, failed, few, seen


class OverlapSyndrome(Rule):
    """No overlap recorded. Its nearest codes, and acute beside chronic GVHD, are for a person.

    Only a coded one whose own words hold all of `stated`, confirmed and recorded within `fresh`, excludes. A record
    without any of it passes and says that this is assumed: a code for chronic GVHD never rules overlap out.
    """

    overlap: Concepts
    acute: Concepts
    chronic: Concepts
    stated: tuple[str, ...]
    fresh: Length

    def judge(self, case: Case) -> Judgement:
        found = self._active(case, self.overlap)
        explicit = [p for p in found if self._is_explicit(p, case)]
        if explicit:
            return failed(Reason("overlap-stated"), few(map(seen, explicit)))
        acute, chronic = self._active(case, self.acute), self._active(case, self.chronic)
        pairs = (acute, chronic) if acute and chronic else ()
        if found or pairs:
            evidence = tuple(one for facts in (found, *pairs) for one in few(map(seen, facts)))
            reason = Reason("overlap-possible" if found else "overlap-by-pair")
            return Judgement(Status.REVIEW, reason, evidence, doubts_of([*found, *chain(*pairs)]))
        nothing = self.nothing_recorded(case)
        return replace(nothing, flags=nothing.flags | {Flag.ASSUMED}) if nothing.status is Status.PASS else nothing

    @staticmethod
    def _active(case: Case, concepts: Concepts) -> list[Problem]:
        return [p for p in case.facts.problems_of(concepts) if p.activity != "resolved"]

    def _is_explicit(self, problem: Problem, case: Case) -> bool:
        words = plain(problem.label)
        said = all(any_word((plain(word),)).search(words) for word in self.stated)
        recent = problem.recorded is not None and problem.recorded.first >= self.fresh.before(case.as_of)
        return said and recent and is_sure(problem, self.overlap)
