"""A measured value against a limit: counts, ejection fraction, lung function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cds_service.clinical.evidence import Measure, Reason, Value
from cds_service.clinical.labs import Chosen, Result, newest, unit_of
from cds_service.clinical.truth import Truth
from cds_service.clinical.worked_out import computed, proportion
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules.base import Bound, Parameters, Rule, few, in_unit, not_searched
from cds_service.trials.rules.parameters import Analyte, Analytes
from cds_service.trials.rules.recent import Freshness, Recent, counted, doubted, none_usable, result_evidence
from cds_service.trials.rules.support import Support, edge_of_support, given_since, supporting

_MEANS = {True: (Status.REVIEW, "similar-measure-only"), False: (Status.UNKNOWN, "other-measure-only")}


class Shares(Parameters):
    """A count worked out from others of the same sample: a total and its percentages, or counts that add up to it."""

    total: Analyte
    percentages: Annotated[tuple[Analytes, ...], Field(min_length=1)]
    counts: tuple[Analytes, ...] = ()

    def of(self, results: Sequence[Result]) -> Chosen | None:
        return computed(results, self.total[0], self.percentages, self.counts)

    @property
    def analytes(self) -> tuple[str, ...]:
        return (*self.total, *(name for names in (*self.percentages, *self.counts) for name in names))


class Proportion(Parameters):
    """A percentage worked out from what was measured and what is expected of such a person."""

    measured: Analyte
    expected: Analyte

    def of(self, results: Sequence[Result]) -> Chosen | None:
        return proportion(results, self.measured[0], self.expected[0])

    @property
    def analytes(self) -> tuple[str, ...]:
        return (*self.measured, *self.expected)


class LabLimit(Rule):
    """The newest result keeps the limit.

    `otherwise` is what a result beyond it means: fail, or review where the protocol allows an exception. A passing
    count that was supported by treatment is for a person. `instead` are analytes that do not answer the question
    although they look like it, `resembles` such that let a person answer it; `in_words` is what a result means that
    is only words, such as "normal".
    """

    lab: Analyte
    limit: Bound
    fresh: Freshness
    otherwise: Literal["fail", "review"] = "fail"
    in_words: Literal["unknown", "review"] = "unknown"
    curable: Literal["event"] | None = None
    supported_by: tuple[Support, ...] = ()
    computed_from: Shares | Proportion | None = None
    instead: Analytes = ()
    resembles: Analytes = ()
    none_recorded: Literal[Status.UNKNOWN] = Status.UNKNOWN

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        in_unit(self.limit, unit_of(self.lab[0]))
        return self

    def judge(self, case: Case) -> Judgement:
        chosen = self._newest(case)
        found = chosen and counted(case, chosen, self.fresh)
        if not found:
            return self._only_instead(case) or self._none_usable(case)
        judgement = doubted(case, self._rests_on(found), self.needs, self._judged(found))
        return self._supported(case, found, judgement) if judgement.status is Status.PASS else judgement

    def next_result(self, case: Case, since: date) -> Judgement | None:
        """For a person, where treatment from `since` on will lift a count that is taken soon after it."""
        lifting = {kind: tuple(given_since(kind, case, since)) for kind in self.supported_by}
        evidence = tuple(one for several in lifting.values() for one in several)
        if not evidence:
            return None
        longest = max((kind.within for kind, several in lifting.items() if several), key=lambda span: span.days)
        return Judgement(Status.REVIEW, Reason("next-result-lifted", {"within": longest}), evidence)

    def _judged(self, found: Recent) -> Judgement:
        quantity, analyte = found.chosen.quantity, self.lab[0]
        answer = self.limit.holds_for(quantity)
        flags = set(found.flags)
        if self.limit.is_near(quantity, self.boundary):
            flags.add(Flag.BOUNDARY)
        values: dict[str, Value] = {
            "value": Measure(quantity, unit_of(analyte), self.limit),
            "limit": self.limit,
            "measured": found.chosen.day,
        }
        status, code = self._answer(found, answer)
        if code == "results-disagree":
            flags.add(Flag.CONFLICT)
        curable = self.curable if status is Status.FAIL else None
        evidence = tuple(result_evidence(found.chosen, self.limit, analyte))
        return Judgement(status, Reason(code, values), evidence, frozenset(flags), curable)

    def _answer(self, found: Recent, answer: Truth) -> tuple[Status, str]:
        if found.is_contradicted:
            return Status.REVIEW, "unit-contradicts-code"
        if answer is Truth.TRUE:
            return Status.PASS, "result-within"
        if answer is Truth.UNKNOWN:
            return Status.REVIEW, "results-disagree" if found.chosen.disagree else "result-unclear"
        if any(r.estimated for r in found.chosen.results):
            return Status.REVIEW, "result-estimated"
        if self.otherwise == "review":
            return Status.REVIEW, "result-beyond-may-be-excused"
        return Status.FAIL, "result-beyond"

    def _newest(self, case: Case) -> Chosen | None:
        """The newest measured or, where that is newer, computed result."""
        measured = newest(case.facts.results, self.lab[0])
        worked_out = self.computed_from.of(case.facts.results) if self.computed_from else None
        if worked_out is None or (measured and measured.day >= worked_out.day):
            return measured
        return worked_out

    def _rests_on(self, found: Recent) -> dict[str, date]:
        return dict.fromkeys((*self.lab, *self.instead, *self._parts), found.chosen.day)

    def _supported(self, case: Case, found: Recent, judgement: Judgement) -> Judgement:
        """A passing count, unless treatment may have lifted it; what was not searched is said."""
        sampled = found.chosen.day
        support = list(supporting(self.supported_by, case, sampled))
        flags = judgement.flags | edge_of_support(self.supported_by, case, sampled)
        if support:
            evidence = (*judgement.evidence, *few(support))
            reason = Reason("result-supported", judgement.reason.values)
            return Judgement(Status.REVIEW, reason, evidence, flags | {Flag.SUPPORTED})
        helping = frozenset(c for kind in self.supported_by for c in (*kind.drugs, *kind.procedures))
        unreadable = case.unreadable((name for names in self.also_reads for name in names), helping)
        if unreadable:
            return not_searched(unreadable, judgement.evidence)
        if case.gaps(self.also_reads, helping):
            flags |= {Flag.ASSUMED}
        return Judgement(judgement.status, judgement.reason, judgement.evidence, flags)

    def _only_instead(self, case: Case) -> Judgement | None:
        """What was measured does not answer the question: unknown, or for a person where it comes near."""
        for analyte in (*self.resembles, *self.instead):
            other = newest(case.facts.results, analyte)
            if other and counted(case, other, self.fresh):
                status, code = _MEANS[analyte in self.resembles]
                measured = Measure(other.quantity, unit_of(analyte))
                reason = Reason(code, {"value": measured, "measured": other.day})
                return Judgement(status, reason, tuple(result_evidence(other)))
        return None

    def _none_usable(self, case: Case) -> Judgement:
        judgement = none_usable(case, self.lab, self.needs, self.fresh)
        words = judgement.reason.values.get("faults") == ("not-a-number",)
        if self.in_words == "review" and words:
            return Judgement(Status.REVIEW, Reason("result-in-words"), judgement.evidence)
        return judgement

    @property
    def _parts(self) -> Analytes:
        return self.computed_from.analytes if self.computed_from else ()

    @property
    def concepts(self) -> frozenset[str]:
        support = {c for kind in self.supported_by for c in (*kind.drugs, *kind.procedures)}
        return frozenset({*self.lab, *self.instead, *self.resembles, *support, *self._parts})
