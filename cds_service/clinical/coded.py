"""What a record means to us: the concepts of medicine it was recognised as, and how sure that is."""

from __future__ import annotations

from enum import IntEnum


class Certainty(IntEnum):
    """How a concept was recognised; the higher, the surer. Only CODED ever decides without a person."""

    TEXT = 1  # by words from a closed list
    UNVERIFIED = 2  # by a code that nobody has checked in its code system
    CODED = 3
