"""What every rule kind is made of: typed parameters from the protocol, and one method that judges a case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import Span
from cds_service.clinical.evidence import Evidence, Measure, Reason, Value
from cds_service.clinical.facts import Intervention, Problem
from cds_service.clinical.interval import Limit
from cds_service.terminology.codes import code_sets, members
from cds_service.trials.case import SOURCES, Case, Gap, Needs
from cds_service.trials.finding import Cure, Flag, Judgement, Status


def _limit(text: Any) -> Limit:
    return text if isinstance(text, Limit) else Limit.parse(str(text))


def _span(text: Any) -> Span:
    return text if isinstance(text, Span) else Span.parse(str(text))


def _share(text: Any) -> Fraction:
    """A share written as a percentage, such as "5 %"."""
    number, sign = str(text).split() if str(text).endswith(" %") else ("", "")
    if not sign:
        raise ValueError(f'expected a share such as "5 %", found {text!r}')
    return Fraction(number) / 100


def _needs(sources: Any) -> Needs:
    """Each item one source, or alternatives joined by " or "."""
    needs = tuple(tuple(str(one).split(" or ")) for one in sources)
    unknown = sorted({name for alternatives in needs for name in alternatives} - set(SOURCES))
    if unknown:
        raise ValueError(f"no source is called {', '.join(unknown)}; expected some of {', '.join(SOURCES)}")
    return needs


def _concepts(names: Any) -> tuple[str, ...]:
    known = members(names)
    unknown = [name for name in known if name not in code_sets()]
    if unknown:
        raise ValueError(f"no code set is called {', '.join(unknown)}")
    return known


Bound = Annotated[Limit, BeforeValidator(_limit)]
Length = Annotated[Span, BeforeValidator(_span)]
Share = Annotated[Fraction, BeforeValidator(_share)]
Sources = Annotated[Needs, BeforeValidator(_needs)]
Concepts = Annotated[tuple[str, ...], BeforeValidator(_concepts)]


def in_unit(limit: Limit, unit: str) -> None:
    """Raises ValueError unless the limit is written in the unit in which the rule reads values."""
    if limit.unit != unit:
        raise ValueError(f"expected a limit in {unit}, found {str(limit)!r}")


class Parameters(BaseModel):
    """A part of the protocol's YAML: every key is known, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Rule(Parameters, ABC):
    """A rule kind with the parameters that a criterion gives it.

    `needs` are the sources without which "none recorded" means nothing, `also_reads` those that are read where
    they are there, `none_recorded` is what it means that nothing was recorded in all of them.
    """

    needs: Sources = ()
    also_reads: Sources = ()
    none_recorded: Status = Status.UNKNOWN
    boundary: Share = Field(default=Fraction(0))

    @property
    def concepts(self) -> frozenset[str]:
        """Every code set, drug and analyte that the rule reads."""
        return frozenset(
            concept
            for name, field in type(self).model_fields.items()
            if any(isinstance(mark, BeforeValidator) and mark.func is _concepts for mark in field.metadata)
            for concept in getattr(self, name)
        )

    @abstractmethod
    def judge(self, case: Case) -> Judgement:
        """The answer for a case."""

    def nothing_recorded(
        self, case: Case, since: date | None = None, evidence: Iterable[Evidence] = (),
        concepts: Collection[str] | None = None, code: str = "none-recorded",
    ) -> Judgement:  # fmt: skip
        """The answer where nothing stands against it: unknown unless every needed source can vouch for that.

        A source that is only read where it is there may be missing, which is said; but an entry of it that is
        there and cannot be read is a doubt like any other.
        """
        looked_for = self.concepts if concepts is None else concepts
        gaps = case.gaps(self.needs, looked_for, since)
        gaps += case.unreadable((name for names in self.also_reads for name in names), looked_for)
        if gaps:
            return not_searched(gaps, evidence)
        unseen = case.gaps(self.also_reads, looked_for, since)
        passes = self.none_recorded is Status.PASS
        flags = frozenset({Flag.ASSUMED}) if unseen and passes else frozenset[Flag]()
        values: dict[str, Value] = {"unseen": tuple(gap.source for gap in unseen)} if unseen else {}
        reason = Reason(f"{code}-in-part" if unseen else code, values)
        return Judgement(self.none_recorded, reason, tuple(evidence), flags)


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


def at_edge(days: int, window: Span) -> bool:
    """True on the last day inside a window of so many days, and on the first outside."""
    return days in (window.days, window.days + 1)


def doubts_of(facts: Sequence[Problem | Intervention]) -> frozenset[Flag]:
    """The flags of facts that were recognised by their words alone, or whose words contradict their code."""
    flags = set[Flag]()
    if facts and all(max(fact.concepts.values()) is Certainty.TEXT for fact in facts):
        flags.add(Flag.TEXT_ONLY)
    if any(fact.contradicted for fact in facts):
        flags.add(Flag.CONFLICT)
    return frozenset(flags)


def is_coded(fact: Problem | Intervention, concepts: Collection[str]) -> bool:
    """True when a checked code says so and the words beside it do not contradict it."""
    coded = any(fact.concepts.get(concept) is Certainty.CODED for concept in concepts)
    return coded and not fact.contradicted
