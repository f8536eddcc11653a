"""Words of records as they are compared: folded, whole, in the plural too."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
# Accents that stand on a letter of their own; those of Japanese and Korean are part of it.
_ACCENTS = re.compile("[\u0300-\u036f]")
_LATIN = re.compile(r"[a-z0-9]")
# What may follow a word that is still the same: "grafts", "transplantation" for "transplant".
ENDINGS = ("s", "ation", "ations")


def plain(text: str) -> str:
    """The text as words are compared: lower case, single spaces, one dash, no accents, characters folded (NFKC)."""
    if text.isascii():  # as nearly every text is: nothing to fold
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES).lower()
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)))
    return " ".join(folded.split())


def any_word(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of whole words, also in the plural and as "transplantation" for "transplant".

    Chinese has no spaces between words, so there any place will do.
    """
    longest_first = sorted(words, key=len, reverse=True)
    parts = [
        rf"(?<![a-z0-9]){re.escape(w)}(?:{'|'.join(ENDINGS)})?(?![a-z0-9])" if _LATIN.search(w) else re.escape(w)
        for w in longest_first
    ]
    return re.compile("|".join(parts))
