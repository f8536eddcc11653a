"""Which words a text may hold: a cheap look before any pattern is tried on it.

A word can only stand in a text that holds its longest run of Latin letters and digits as a run of its own, or its
first sign where it has no such run, as in Chinese. Nearly every text has neither of nearly every word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from cds_service.terminology.words import ENDINGS

_RUN = re.compile(r"[a-z0-9]+")


class Clues:
    """The words of several things, each by the id of the thing; all of them folded (`plain`)."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self._by_run: dict[str, set[str]] = defaultdict(set)
        self._by_sign: dict[str, set[str]] = defaultdict(set)
        for one, some in words.items():
            for word in some:
                for run in _runs(word):
                    self._by_run[run].add(one)
                if not _RUN.search(word):
                    self._by_sign[word[0]].add(one)

    def candidates(self, folded: str) -> set[str]:
        """The ids of all that the folded text may name, and of some that it does not."""
        found: set[str] = set()
        for run in self._by_run.keys() & set(_RUN.findall(folded)):
            found |= self._by_run[run]
        for sign in self._by_sign.keys() & set(folded):
            found |= self._by_sign[sign]
        return found


def _runs(word: str) -> Iterator[str]:
    """The longest run of a word, in every form in which a text may hold it: at the end of a word a plural counts."""
    run = max(_RUN.findall(word), key=len, default=None)
    if run is not None:
        yield run
        if word.endswith(run):
            yield from (run + ending for ending in ENDINGS)
