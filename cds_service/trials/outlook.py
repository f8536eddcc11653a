"""What draft orders would change: the difference between screenings without and with them, today and later.

There is no second rule set: every criterion is judged by its own rule, of the facts as they stand and of the facts with
the drafts signed. What a signed order means before anything was given or measured, the criterion's `ordered` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from cds_service.clinical.evidence import Evidence, Reason
from cds_service.clinical.facts import Skipped
from cds_service.trials.case import MEDICATION_SOURCES, Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.orders import Order, Signing, Unreadable
from cds_service.trials.protocol import Criterion, Protocol

# From what never stands in the way to what does.
_RANK = {Status.PASS: 0, Status.HUMAN: 0, Status.UNKNOWN: 1, Status.REVIEW: 2, Status.FAIL: 3}
# Why it cannot be told what an order changes.
_UNTOLD = frozenset({"not-searched", "dose-unreadable"})
_ORDERED_FROM = frozenset({*MEDICATION_SOURCES, "procedures"})


@dataclass(frozen=True, slots=True)
class Occasion:
    """One day, seen as the record stands, with the drafts signed, and with single doses of them given, too."""

    standing: Case
    signed: Case
    given: Case

    @property
    def day(self) -> date:
        return self.standing.as_of


@dataclass(frozen=True, slots=True)
class Effect:
    """A criterion that drafts, by their names, make worse.

    `before` and `after` are its judgements on the first day on which that shows; `later` says that this is not yet the
    day of the signature. `until` is the first day on which it no longer stands in the way, where that is known.
    `untold` says that nobody can tell what the drafts change.
    """

    criterion: Criterion
    before: Judgement
    after: Judgement
    drafts: tuple[str, ...]
    later: bool = False
    until: date | None = None
    untold: bool = False


# A judgement as the record stands, and one with the drafts.
Pair = tuple[Judgement, Judgement]


@dataclass(frozen=True)
class Outlook:
    """What signing means on each of some days, the day of the signature first.

    `orders` are the drafts that can be read, `unread` those that cannot, `skipped` those that were left out.
    """

    protocol: Protocol
    occasions: tuple[Occasion, ...]
    signing: Signing
    orders: tuple[Order, ...]
    unread: tuple[Unreadable, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """Every criterion that gets worse with a draft in its evidence, in protocol order."""
        return tuple(effect for criterion in self._looked_at for effect in self._effects_on(criterion))

    @cached_property
    def evidence_references(self) -> frozenset[str]:
        """Everything that some judgement rests on."""
        judged = [one for pairs in self._pairs.values() for pair in pairs for one in pair]
        return frozenset(evidence.reference for one in judged for evidence in one.evidence)

    @cached_property
    def _looked_at(self) -> tuple[Criterion, ...]:
        """The criteria that read drugs or procedures: no order can stand in the evidence of any other.

        None of them where no draft is of interest.
        """
        if not (self.orders or self.unread):
            return ()
        return tuple(one for one in self.protocol.criteria if one.subject == "patient" and _reads_orders(one))

    @cached_property
    def _pairs(self) -> dict[str, list[Pair]]:
        return {one.id: [_judged(one, occasion) for occasion in self.occasions] for one in self._looked_at}

    def _effects_on(self, criterion: Criterion) -> Iterator[Effect]:
        if criterion.rule.ordered == "lifts-next-result":
            found = self._on_next_result(criterion)
        else:
            found = self._worsened(criterion) or self._untold(criterion)
        yield from [found] if found else []
        yield from self._of_unread(criterion) if criterion.rule.ordered else ()

    def _worsened(self, criterion: Criterion) -> Effect | None:
        pairs = self._pairs[criterion.id]
        drafts = [self._named(after.evidence) for _, after in pairs]
        worse = [at for at, pair in enumerate(pairs) if drafts[at] and _is_worse(criterion, *pair)]
        if not worse:
            return None
        before, after = pairs[worse[0]]
        days = [day for at in worse if (day := criterion.rule.settled_on(pairs[at][1]))]
        named = tuple(dict.fromkeys(name for at in worse for name in drafts[at]))
        return Effect(criterion, before, after, named, worse[0] > 0, max(days, default=None))

    def _untold(self, criterion: Criterion) -> Effect | None:
        """Drafts that a criterion reads where it cannot be told what they change.

        The same order may stand in what was not searched: then no difference is claimed, and nothing kept silent.
        """
        if criterion.rule.ordered is None:
            return None
        for at, (occasion, pair) in enumerate(zip(self.occasions, self._pairs[criterion.id], strict=True)):
            drafts = tuple(dict.fromkeys(self._hidden(criterion, occasion, *pair)))
            if drafts:
                return Effect(criterion, *pair, drafts, at > 0, untold=True)
        return None

    def _hidden(self, criterion: Criterion, occasion: Occasion, before: Judgement, after: Judgement) -> Iterator[str]:
        """The drafts of which a criterion cannot tell, or which a gap keeps from being told."""
        rule = criterion.rule
        if after.status is Status.UNKNOWN and after.reason.code in _UNTOLD:
            yield from (one.name for one in self.orders if rule.reads(occasion.signed, one.concepts))
        elif (
            _RANK[after.status] and after.reason != before.reason and occasion.standing.gaps(rule.needs, rule.concepts)
        ):
            yield from self._named(after.evidence)

    def _on_next_result(self, criterion: Criterion) -> Effect | None:
        """The last day shows everything that is given until then; what is lifted anyhow, no draft changes."""
        last = self.occasions[-1]
        after = criterion.rule.next_result(last.given, self.signing.on)
        drafts = self._named(after.evidence) if after else ()
        if after is None or not drafts or criterion.rule.next_result(last.standing, self.signing.on):
            return None
        return Effect(criterion, self._pairs[criterion.id][0][0], after, drafts)

    def _of_unread(self, criterion: Criterion) -> Iterator[Effect]:
        """Drafts that cannot be read and are of what the criterion reads, or may be of a corticosteroid."""
        case, before = self.occasions[0].signed, self._pairs[criterion.id][0][0]
        anything = criterion.rule.ordered == "never-silent"
        about = [one for one in self.unread if anything and one.concepts is None]
        about += [one for one in self.unread if one.concepts and criterion.rule.reads(case, one.concepts)]
        names = tuple(dict.fromkeys(one.name for one in about))
        if names:
            after = Judgement(Status.UNKNOWN, Reason("order-not-read"))
            yield Effect(criterion, before, after, names, untold=True)

    def _named(self, evidence: Sequence[Evidence]) -> tuple[str, ...]:
        """The names of the drafts among the evidence; an order that is ended stands there as it was recorded."""
        names = {**self.signing.ended, **self.signing.entries}
        return tuple(dict.fromkeys(names[one.reference] for one in evidence if one.reference in names))


def _reads_orders(criterion: Criterion) -> bool:
    read = {name for names in (*criterion.rule.needs, *criterion.rule.also_reads) for name in names}
    return not read.isdisjoint(_ORDERED_FROM)


def _judged(criterion: Criterion, occasion: Occasion) -> Pair:
    counts = criterion.rule.ordered not in (None, "never-silent")
    after = occasion.given if counts else occasion.signed
    return criterion.rule.judge(occasion.standing), criterion.rule.judge(after)


def _is_worse(criterion: Criterion, before: Judgement, after: Judgement) -> bool:
    """True for a status that stands more in the way, or the same for longer."""
    if _RANK[before.status] != _RANK[after.status]:
        return _RANK[before.status] < _RANK[after.status]
    until, longer = criterion.rule.settled_on(before), criterion.rule.settled_on(after)
    return until is not None and (longer is None or longer > until)
