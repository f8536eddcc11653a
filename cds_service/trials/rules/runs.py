"""Unbroken runs of days on which a dose keeps a limit, with few unclear days looked through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.truth import Truth
from cds_service.trials.finding import Flag
from cds_service.trials.rules import steroids

Keeps = Callable[[WeighedSegment], Truth]


@dataclass(frozen=True, slots=True)
class Run:
    """Unbroken days on which the limit is kept, the first and the last of them for certain.

    `open_start` says that what came before could not be told; `bridged` that a few unclear days lie inside.
    """

    segments: tuple[WeighedSegment, ...]
    open_start: bool
    bridged: bool

    @property
    def first(self) -> date:
        return self.segments[0].first

    @property
    def last(self) -> date:
        return self.segments[-1].last

    @property
    def elapsed(self) -> int:
        """Days from the first to the last."""
        return (self.last - self.first).days

    @property
    def has_one_dose(self) -> bool:
        """True when the dose of the last day was that of every day."""
        return len({one.segment.dose for one in self.segments}) == 1


def runs(weighed: Sequence[WeighedSegment], keeps: Keeps, unclear_days: int) -> Iterator[Run]:
    """Every run, newest first. Up to so many unclear days in all do not break one."""
    end = len(weighed)
    while end > 0:
        if keeps(weighed[end - 1]) is Truth.TRUE:
            run, end = _run_until(weighed[:end], keeps, unclear_days)
            yield run
        else:
            end -= 1


def _run_until(weighed: Sequence[WeighedSegment], keeps: Keeps, unclear_days: int) -> tuple[Run, int]:
    """The run that ends with the last of the segments, and how many of them lie before it."""
    run: list[WeighedSegment] = []
    unclear: list[WeighedSegment] = []
    bridged, before = 0, len(weighed)
    for place in range(len(weighed) - 1, -1, -1):
        segment = weighed[place]
        answer = keeps(segment)
        if answer is Truth.FALSE:
            return Run(tuple(reversed(run)), open_start=bool(unclear), bridged=bridged > 0), before
        if answer is Truth.UNKNOWN:
            unclear.append(segment)
            if segment.per_kg is None or bridged + _days(unclear) > unclear_days:
                return Run(tuple(reversed(run)), open_start=True, bridged=bridged > 0), before
            continue
        bridged += _days(unclear)
        run += [*unclear, segment]
        unclear, before = [], place
    started = Flag.LEFT_CENSORED in steroids.carried_flags(run[-1:])
    return Run(tuple(reversed(run)), open_start=started or bool(unclear), bridged=bridged > 0), before


def _days(segments: Sequence[WeighedSegment]) -> int:
    return sum((segment.last - segment.first).days + 1 for segment in segments)
