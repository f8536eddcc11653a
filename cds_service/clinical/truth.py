"""Three-valued truth: a comparison holds, fails, or cannot be told."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """The answer to a question put to uncertain facts.

    It refuses ``bool()``: code that asks ``if answer:`` would take "cannot be told" for yes or no.
    Compare with ``is`` instead.
    """

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("a Truth has three values: compare it with `is Truth.TRUE` or `is Truth.FALSE`")

    def __invert__(self) -> Truth:
        return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(self, Truth.UNKNOWN)


def every(answers: Iterable[Truth]) -> Truth:
    """TRUE when all are, FALSE when one is, else UNKNOWN (Kleene's strong "and")."""
    seen = set(answers)
    if Truth.FALSE in seen:
        return Truth.FALSE
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.TRUE
