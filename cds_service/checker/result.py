"""What a check saw, and what follows for the requirement. A check that could not be made is never a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cds_service.checker.requirement import Requirement

_MOST = 3  # that one line repeats
_LONGEST = 60  # characters of the service's own JSON in one quotation


class Outcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation."""

    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True)
class Result:
    """A requirement, and what came of it."""

    requirement: Requirement
    outcome: Outcome
    seen: str

    @property
    def is_violation(self) -> bool:
        return self.outcome is Outcome.FAIL and self.requirement.level == "SHALL"


def fine(words: str) -> Seen:
    return Seen(Outcome.PASS, words)


def fault(words: str) -> Seen:
    return Seen(Outcome.FAIL, words)


def unseen(words: str) -> Seen:
    """Nothing could be told, for this reason."""
    return Seen(Outcome.SKIPPED, words)


def judged(good: bool, words: str) -> Seen:
    return fine(words) if good else fault(words)


def faults_or(words: str, faults: Iterable[str]) -> Iterator[Seen]:
    """The faults, or if there are none that all is fine."""
    found = [fault(one) for one in faults]
    yield from found or [fine(words)]


def concluded(requirement: Requirement, seen: Iterable[Seen]) -> Result:
    """One fault is a failure; without one, one good observation is a pass; without any the check was skipped."""
    observations = list(dict.fromkeys(seen))
    for outcome in (Outcome.FAIL, Outcome.PASS, Outcome.SKIPPED):
        words = [one.words for one in observations if one.outcome is outcome]
        if outcome is Outcome.SKIPPED:
            words = words[:1]  # the first reason says most; those behind it are for when there is none
        if words:
            more = f"; and {len(words) - _MOST} more" if len(words) > _MOST else ""
            return Result(requirement, outcome, "; ".join(words[:_MOST]) + more)
    return Result(requirement, Outcome.SKIPPED, "nothing to look at came back")


def quoted(value: object) -> str:
    """A short piece of the service's own JSON, on one line and without control characters."""
    text = ascii(value) if not isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
