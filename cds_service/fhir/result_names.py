"""Whether the words beside the code of a result name another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from cds_service.terminology.codes import code_sets
from cds_service.terminology.words import any_word, plain


def names_another(analyte: str, texts: Iterable[str]) -> bool:
    """True when a text names another analyte and not this one, or a kind of it that it is not.

    An analyte whose own name we do not know is never contradicted.
    """
    called, never = _called(), _never_called().get(analyte)
    own = called.get(analyte)
    folded = [plain(text) for text in texts]
    if never and any(never.search(text) for text in folded):
        return True
    others = [words for one, words in called.items() if one != analyte]
    return own is not None and any(
        not own.search(text) and any(words.search(text) for words in others) for text in folded
    )


@cache
def _called() -> Mapping[str, re.Pattern[str]]:
    return _patterns("called")


@cache
def _never_called() -> Mapping[str, re.Pattern[str]]:
    return _patterns("never_called")


def _patterns(key: str) -> Mapping[str, re.Pattern[str]]:
    return {
        name: any_word(plain(word) for word in one.kind[key]) for name, one in code_sets().items() if one.kind.get(key)
    }
