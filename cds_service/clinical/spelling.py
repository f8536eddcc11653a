"""Units in one spelling: what EHRs type differently although they mean the same, and nothing beyond that.

Folded are letters' case, blanks, the micro sign, superscripts, the ways to write a power of ten, a cubic millimetre,
a litre, and the word "cells". What a folded unit means is decided by the table alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
# A lone G is giga and g a gram, a lone M mega and m milli: of these the case is the meaning.
_LONE_PREFIX = re.compile(r"[GM](?=/)")
_SIGNS = str.maketrans({"μ": "u", "×": "x", "✕": "x", "\\": None})
_FOLDS = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"^[x*](?=10)", ""),
        (r"^10(?:\*\*|\*|\^|e\+?|\()0*(\d+)\)?", r"10*\1"),
        (r"^1000(?=/)", "10*3"),
        (r"\{?(?:cells?|#|个)\}?(?=/)", ""),
        (r"mc(?=l$|mol|kat)|micro(?=l$|mol|kat)", "u"),
        (r"(?:mm[\^*]3|cu\.?mm|cmm)$", "mm3"),
        (r"(?:lit(?:er|re)|升)$", "l"),
    )
)


@lru_cache(maxsize=4096)
def folded(unit: str) -> str:
    """The unit in the one spelling that stands for all that differ from it only in how they are typed."""
    text = _RAISED.sub(lambda found: "^" + found[0].translate(_SUPERSCRIPTS), unit)
    text = "".join(unicodedata.normalize("NFKC", text).translate(_SIGNS).split())
    lone = _LONE_PREFIX.match(text)
    text = text[:1] + text[1:].lower() if lone else text.lower()
    for pattern, to in _FOLDS:
        text = pattern.sub(to, text)
    return text
