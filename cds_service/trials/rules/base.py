"""What every rule kind is made of: typed parameters from the protocol, and one method that judges a case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from fractions import Fraction
from functools import cached_property, partial
from itertools import islice
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import Span
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.facts import Intervention, Problem
from cds_service.trials.case import Case, Gap
from cds_service.trials.finding import Cure, Flag, Judgement, Status
from cds_service.trials.rules.parameters import (
    Bound,
    Concepts,
    Length,
    Parameters,
    Share,
    Sources,
    concepts_in,
    in_unit,
)

__all__ = [
    "Bound", "Concepts", "Length", "Parameters", "Rule", "Share", "Sources", "at_edge", "doubts_of", "failed",
    "few", "in_unit", "not_begun", "not_searched", "seen",
]  # fmt: skip


# How many records of a kind an answer shows: a chart may hold hundreds.
_SHOWN = 3
# What a signed order means for a criterion although nothing of it was given or measured yet.
Ordered = Literal["given", "lifts-next-result", "open-for-window", "never-silent"]


class Rule(Parameters, ABC):
    """A rule kind with the parameters that a criterion gives it.

    `needs` are the sources without which "none recorded" means nothing, `also_reads` those that are read where
    they are there, `none_recorded` is what it means that nothing was recorded in all of them.

    `ordered` is what the order guard takes a draft order for: `given` on its first day, though an order proves no dose;
    the same, and `open-for-window`, that is for a person until the criterion's window is over, or `lifts-next-result`,
    which will not count; `never-silent`, named also where the order itself cannot be read.
    """

    # False for kinds that need no source: they look at no record, or only for hints.
    reads_records: ClassVar[bool] = True

    needs: Sources = ()
    also_reads: Sources = ()
    none_recorded: Status = Status.UNKNOWN
    boundary: Share = Field(default=Fraction(0))
    ordered: Ordered | None = None

    @cached_property
    def stated_concepts(self) -> frozenset[str]:
        """Every code set, drug and analyte that the YAML names; worked out once, not for every request."""
        return concepts_in(self)

    @property
    def concepts(self) -> frozenset[str]:
        """Every code set, drug and analyte that the rule reads."""
        return self.stated_concepts

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Self:
        if self.reads_records and not self.needs:
            raise ValueError("expected needs: without a source that was searched, nothing recorded means nothing")
        return self

    @abstractmethod
    def judge(self, case: Case) -> Judgement:
        """The answer for a case."""

    def reads(self, case: Case, concepts: Collection[str]) -> bool:
        """True when a record of one of the concepts is looked at."""
        return not self.concepts.isdisjoint(concepts)

    def next_result(self, case: Case, since: date) -> Judgement | None:
        """What will be said of the next result; None where nothing of it can be told ahead."""
        return None

    def settled_on(self, judgement: Judgement) -> date | None:
        """The first day on which a judgement no longer stands in the way if nothing else changes; None if unknown."""
        changed, window = judgement.reason.values.get("changed"), getattr(self, "window", None)
        if self.ordered == "open-for-window" and isinstance(changed, date) and isinstance(window, Span):
            return window.after(changed)
        return judgement.recheck_on

    def nothing_recorded(
        self, case: Case, since: date | None = None, evidence: Iterable[Evidence] = (),
        concepts: Collection[str] | None = None, code: str = "none-recorded",
    ) -> Judgement:  # fmt: skip
        """The answer where nothing stands against it: unknown unless every needed source can vouch for that.

        A source that is only read where it is there may be missing, which is said; but an entry of it that is
        there and cannot be read is a doubt like any other. `since` is for results alone: of every other source that
        was cut short nobody knows how far back it reaches.
        """
        looked_for = self.concepts if concepts is None else concepts
        gaps_of = partial(case.gaps, concepts=looked_for, since=since)
        gaps = gaps_of(self.needs)
        gaps += case.unreadable((name for names in self.also_reads for name in names), looked_for)
        if gaps:
            return not_searched(gaps, evidence)
        unseen = gaps_of(self.also_reads)
        passes = self.none_recorded is Status.PASS
        flags = frozenset({Flag.ASSUMED}) if unseen and passes else frozenset[Flag]()
        values: dict[str, Value] = {"unseen": tuple(gap.source for gap in unseen)} if unseen else {}
        reason = Reason(f"{code}-in-part" if unseen else code, values)
        return Judgement(self.none_recorded, reason, tuple(evidence), flags)


def not_begun(case: Case, opens: date) -> Judgement | None:
    """Met for now where the time that counts before a planned infusion begins after the day of screening."""
    if case.infusion_on is None or opens < case.as_of:
        return None
    reason = Reason("window-not-begun", {"opens": opens})
    return Judgement(Status.PASS, reason, (), frozenset({Flag.ASSUMED}))


def not_searched(gaps: Iterable[Gap], evidence: Iterable[Evidence] = ()) -> Judgement:
    """Unknown, because sources are missing, failed, cut short or unreadable."""
    listed = tuple(dict.fromkeys(f"{gap.source}:{gap.what}" for gap in gaps))
    return Judgement(Status.UNKNOWN, Reason("not-searched", {"gaps": listed}), tuple(evidence))


def failed(
    reason: Reason, evidence: Iterable[Evidence], flags: Iterable[Flag] = (),
    curable: Cure | None = None, recheck_on: date | None = None,
) -> Judgement:  # fmt: skip
    """A failure, and what would cure it."""
    return Judgement(Status.FAIL, reason, tuple(evidence), frozenset(flags), curable, recheck_on)


def seen(fact: Problem | Intervention, value: Measure | str | None = None) -> Evidence:
    """A problem or procedure as evidence."""
    return Evidence(fact.reference, fact.when, fact.label, value)


def few(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The first of them, enough for a person to see what an answer rests on."""
    return tuple(islice(evidence, _SHOWN))


def at_edge(days: int, window: Span) -> bool:
    """True on the last day inside a window of so many days, and on the first outside."""
    return days in (window.days, window.days + 1)


def doubts_of(facts: Sequence[Problem | Intervention]) -> frozenset[Flag]:
    """The flags of facts that were recognised by their words alone, or whose words contradict their code."""
    flags = set[Flag]()
    if facts and all(set(fact.concepts.values()) == {Certainty.TEXT} for fact in facts):
        flags.add(Flag.TEXT_ONLY)
    if any(fact.contradicted for fact in facts):
        flags.add(Flag.CONFLICT)
    return frozenset(flags)
