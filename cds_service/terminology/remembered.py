"""An index that remembers, for the reading of one record: the same codes and words stand in it again and again.

It lives no longer than that record's reading: nothing that was written of one patient is kept for the next.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.terminology.codes import ConceptIndex, Recognised

_Codings = tuple[tuple[str | None, str | None], ...]


class Remembered(ConceptIndex):
    """Another index, asked about everything once."""

    def __init__(self, index: ConceptIndex) -> None:
        self.__dict__.update(index.__dict__)
        self._recognised: dict[tuple[_Codings, tuple[str, ...]], Recognised] = {}
        self._named: dict[str, list[str]] = {}
        self._properties: dict[_Codings, frozenset[str]] = {}

    def recognise(self, codings: Iterable[tuple[str | None, str | None]], texts: Iterable[str]) -> Recognised:
        asked = tuple(codings), tuple(texts)
        if (found := self._recognised.get(asked)) is None:
            found = self._recognised[asked] = super().recognise(*asked)
        return found

    def in_words(self, text: str) -> list[str]:
        if (found := self._named.get(text)) is None:
            found = self._named[text] = super().in_words(text)
        return found

    def properties(self, codings: Iterable[tuple[str | None, str | None]]) -> frozenset[str]:
        asked = tuple(codings)
        if (found := self._properties.get(asked)) is None:
            found = self._properties[asked] = super().properties(asked)
        return found
