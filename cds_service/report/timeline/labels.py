"""Words in the picture, none of which lies over another."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Anchor = Literal["start", "middle", "end"]
SIZE = 12.0
# How wide letters are, in parts of their height: generous, since fonts differ.
_LATIN = 0.56
_WIDE = 1.02
# What is kept free on both sides of a label.
_MARGIN = 3.0


def width(text: str, size: float = SIZE) -> float:
    """About how wide the text becomes."""
    return sum(size * (_WIDE if unicodedata.east_asian_width(c) in "WF" else _LATIN) for c in text)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not apart and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: Box) -> bool:
        inside = self.left <= other.left and other.right <= self.right
        return inside and self.top <= other.top and other.bottom <= self.bottom


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; `y` is its base line."""

    x: float
    y: float
    text: str
    anchor: Anchor = "middle"
    size: float = SIZE

    @property
    def box(self) -> Box:
        wide = width(self.text, self.size)
        left = self.x - {"start": 0.0, "middle": wide / 2, "end": wide}[self.anchor]
        return Box(left - _MARGIN, self.y - self.size, left + wide + _MARGIN, self.y + self.size / 4)


class Sheet:
    """The labels that found room. What finds none is left out: the table has every number."""

    def __init__(self, frame: Box) -> None:
        self._frame = frame
        self._taken: list[Box] = []
        self.labels: list[Label] = []

    def block(self, box: Box) -> None:
        """Keeps labels off a part of the picture."""
        self._taken.append(box)

    def place(self, candidates: Iterable[Label]) -> bool:
        """Puts the first candidate that has room; False when none has."""
        for label in candidates:
            if label.text and self._frame.holds(label.box) and not any(label.box.overlaps(one) for one in self._taken):
                self.labels.append(label)
                self._taken.append(label.box)
                return True
        return False
