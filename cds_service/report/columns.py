"""Text for a terminal, on which a Chinese character takes two columns and may stand at the end of any line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

WIDTH = 100
_WIDE = "\u2e80-\ufaff\ufe30-\ufe4f\uff00-\uffe6"
_CLOSING = "，。；：？！、）】”》"
_OPENING = "（【“《"
# Blanks, and then what must stay together: a wide character, or a word, with the marks that open and close it.
_TOKEN = re.compile(
    rf"( *)([{_OPENING}]*(?:[^ {_WIDE}{_OPENING}{_CLOSING}]+|[{_WIDE}]|[{_CLOSING}])[{_CLOSING}]*|[{_OPENING}]+)"
)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, width: int) -> str:
    """The text with as many blanks behind it as the width wants."""
    return text + " " * (width - columns(text))


def wrapped(text: str, first: str = "", rest: str | None = None) -> Iterator[str]:
    """The text in lines that fit; several blanks in a row, as between columns, are kept."""
    rest = first if rest is None else rest
    line = first
    for gap, word in _TOKEN.findall(text):
        if columns(line) + len(gap) + columns(word) > WIDTH and line.strip():
            yield line
            line = rest + word
        else:
            line += gap + word
    yield line
