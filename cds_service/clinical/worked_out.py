"""Values worked out from others of the same sample: a count from a total and its percentages or from the kinds of cells
that it sums up, and a percentage from a measured and a predicted volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from cds_service.clinical.interval import ZERO, Interval
from cds_service.clinical.labs import Chosen, Result, hull, taken_on, usable


@dataclass(frozen=True, slots=True)
class _Computed:
    """A value and the results that it was worked out from; the first of them dates it."""

    parts: tuple[Result, ...]
    quantity: Interval

    @property
    def is_second_rate(self) -> bool:
        return any(part.is_second_rate for part in self.parts)


def computed(
    results: Sequence[Result], total: str, percentages: Iterable[Sequence[str]], counts: Iterable[Sequence[str]]
) -> Chosen | None:
    """The newest count that can be worked out, in every way that the results of its day allow; None without any.

    Two totals or two differentials of one sample leave open which belong together: `quantity` spans what comes
    out of each pair, and `disagree` says that it differs. Final results go before preliminary ones.
    """
    return _newest([*_shares(results, total, percentages), *_sums(results, counts)])


def proportion(results: Sequence[Result], measured: str, expected: str) -> Chosen | None:
    """The newest measured value in per cent of the expected one of the same sample; None without any."""
    hundred = Interval.exactly(100)
    return _newest([
        _Computed((one, other), _sum([one]).over(_sum([other])).times(hundred))
        for one, other in _together(results, (measured, expected))
    ])  # fmt: skip


def _newest(found: Sequence[_Computed]) -> Chosen | None:
    if not found:
        return None
    day = max(taken_on(one.parts[0]) for one in found)
    of_day = [one for one in found if taken_on(one.parts[0]) == day]
    best = [one for one in of_day if not one.is_second_rate] or of_day
    spans = {one.quantity for one in best}
    parts = tuple(dict.fromkeys(part for one in best for part in one.parts))
    return Chosen(parts, hull(spans), day, disagree=len(spans) > 1)


def _shares(results: Sequence[Result], total: str, percentages: Iterable[Sequence[str]]) -> Iterator[_Computed]:
    for names in percentages:
        for whole, *parts in _together(results, (total, *names)):
            share = _sum(parts)
            if share.low <= 100:
                yield _Computed((whole, *parts), _sum([whole]).times(share).over(Interval.exactly(100)))


def _sums(results: Sequence[Result], counts: Iterable[Sequence[str]]) -> Iterator[_Computed]:
    for names in counts:
        yield from (_Computed(parts, _sum(parts)) for parts in _together(results, names))


def _together(results: Sequence[Result], names: Sequence[str]) -> Iterator[tuple[Result, ...]]:
    """One result of each analyte, all of the sample of the first, in every way."""
    first, *others = names
    beside = [usable(results, name) for name in others]
    if not all(beside):  # no sample has them all, and none needs to be looked at
        return
    by_sample = [_BySample(found) for found in beside]
    for one in usable(results, first):
        yield from product([one], *(found.sample_of(one) for found in by_sample))


class _BySample:
    """The results of one analyte by what marks their samples, so that nobody compares each with each."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._results = results
        self._places: dict[str | tuple[str], list[int]] = defaultdict(list)
        for place, one in enumerate(results):
            for mark in _marks(one):
                self._places[mark].append(place)

    def sample_of(self, one: Result) -> list[Result]:
        """Those of the same sample, in their order."""
        places = {place for mark in _marks(one) for place in self._places.get(mark, ())}
        return [other for place in sorted(places) if same_sample(one, other := self._results[place])]


def _marks(one: Result) -> Iterator[str | tuple[str]]:
    """What two results of one sample may share; a specimen is told from everything else by being in a tuple."""
    yield from one.tied
    if one.specimen:
        yield (one.specimen,)


def same_sample(one: Result, other: Result) -> bool:
    """True for results of one specimen, one report or one collection time; never for two specimens."""
    if one.specimen and other.specimen and one.specimen != other.specimen:
        return False
    return one.specimen == other.specimen is not None or bool(one.tied & other.tied)


def _sum(parts: Iterable[Result]) -> Interval:
    return sum((part.quantity for part in parts if isinstance(part.quantity, Interval)), ZERO)
