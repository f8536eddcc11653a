"""Whether the words of a diagnosis call it a suspicion."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from cds_service.strict_yaml import read_yaml
from cds_service.terminology.words import plain

_WORDS = Path(__file__).parent / "suspicions.yaml"


def is_suspected_in_words(texts: Iterable[str]) -> bool:
    """True when one of the texts begins or ends with a word of doubt."""
    return any(_doubtful().search(plain(text)) for text in texts)


@cache
def _doubtful() -> re.Pattern[str]:
    """Doubt at the start or at the end of a text, also in brackets; a Latin word whole."""
    words = read_yaml(_WORDS.name, _WORDS.read_bytes())
    before, after = (_any([word for some in words[place].values() for word in some]) for place in ("before", "after"))
    return re.compile(rf"^\W*{before}|{after}[\s)\]]*$")


def _any(words: list[str]) -> str:
    """Any of the words; one of Latin letters not inside a longer one."""
    edged = (rf"(?<![a-z0-9]){re.escape(w)}(?![a-z0-9])" if w[0].isascii() and w[0].isalpha() else re.escape(w)
             for w in map(plain, words))  # fmt: skip
    return f"(?:{'|'.join(edged)})"
