"""Questions that no record can answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from cds_service.clinical.evidence import Evidence, Reason
from cds_service.clinical.facts import Intervention, Problem
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Concepts, Rule, doubts_of, few, seen
from cds_service.trials.rules.parameters import Words
from cds_service.trials.rules.recent import Freshness


class Ask(Rule):
    """A question to a person. It never blocks; what the record holds of `hints` is put to the person with it."""

    reads_records: ClassVar[bool] = False

    question: Words
    hints: Concepts = ()

    def judge(self, case: Case) -> Judgement:
        listed = [p for p in case.facts.problems_of(self.hints) if p.activity != "resolved"]
        found: list[Problem | Intervention] = [*listed, *case.facts.interventions_of(self.hints)]
        if not found:
            return self._without_hint(case)
        return Judgement(Status.REVIEW, Reason("hint-recorded"), few(map(seen, found)), doubts_of(found))

    def _without_hint(self, case: Case) -> Judgement:
        """The question alone; but an entry that names a hint and cannot be read any further is one, too.

        What cannot be read at all is no hint: it leaves every criterion in doubt that needs its source.
        """
        return _asked(any(u.concepts and not u.concepts.isdisjoint(self.concepts) for u in case.facts.unread))


class AskBesideRecord(Rule):
    """A question to a person on which the record may hold something: its sources are read where they are there."""

    reads_records: ClassVar[bool] = False

    question: Words

    def asked(self, case: Case, evidence: Iterable[Evidence] = (), flags: Iterable[Flag] = ()) -> Judgement:
        """The answer where nothing that was read speaks against it.

        A missing source answers nothing, and neither does an empty one. But an entry that is there and cannot be
        read may be the very one that speaks against it: its loss must not make a candidate.
        """
        sources = (name for names in self.also_reads for name in names)
        return _asked(bool(case.unreadable(sources, self.concepts)), evidence, flags)


class KnownAllergy(AskBesideRecord):
    """No known allergy to any of the `substances`. One on record that is not over is put to a person."""

    substances: Concepts

    def judge(self, case: Case) -> Judgement:
        found = [a for a in case.facts.allergies_to(self.substances) if a.activity != "resolved"]
        if not found:
            return self.asked(case)
        return Judgement(Status.REVIEW, Reason("hint-recorded"), few(map(seen, found)), doubts_of(found))


class AskBesideExamination(Ask):
    """A question that an examination may have answered: one that `shows` a hint, within `fresh`, is put with it."""

    examination: Concepts
    shows: Concepts
    fresh: Freshness

    def judge(self, case: Case) -> Judgement:
        asked = super().judge(case)
        shown = [one for one in case.facts.examinations_showing(self.shows) if self._counts(one, case)]
        if not shown or asked.reason.code == "hint-recorded":
            return asked
        days = [one.when.last for one in shown if one.when]
        is_old = len(days) == len(shown) and max(days) < self.fresh.use.before(case.as_of)
        flags = doubts_of(shown) | (frozenset({Flag.STALE}) if is_old else frozenset())
        return Judgement(Status.REVIEW, Reason("hint-recorded"), few(map(seen, shown)), flags)

    def _counts(self, one: Problem, case: Case) -> bool:
        """True for one that is not too old, as far as anybody knows."""
        return one.when is None or one.when.last >= self.fresh.flag.before(case.as_of)


def _asked(may_be_unread: bool, evidence: Iterable[Evidence] = (), flags: Iterable[Flag] = ()) -> Judgement:
    """The question alone, or with it that an entry which may answer it cannot be read."""
    status = Status.REVIEW if may_be_unread else Status.HUMAN
    reason = Reason("entry-not-read" if may_be_unread else "ask-a-person")
    return Judgement(status, reason, tuple(evidence), frozenset(flags))
