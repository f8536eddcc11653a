"""The words of code sets, and what a text says with them: what it names, what it denies.

A denial stands right beside the name: "no chronic GVHD", "CHF excluded", "DLI declined", 目前无cGVHD. "Chronic GVHD,
no lung involvement" denies no GVHD. Words that cancel a name (`unless`) do so wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from cds_service.terminology.clues import Clues
from cds_service.terminology.words import any_word, plain

Span = tuple[int, int]

_PAST = frozenset({"history of", "病史"})

_BEFORE = re.compile(
    r"(?:(?<![a-z0-9])(?:no|not|without|denies|ruled out|excluded)(?: known| prior| previous)?"
    r"(?: (?:history|evidence|signs?) of)?(?: acute (?:or|and|and/or))? "
    r"|(?:无|未见|否认|没有|排除|除外)(?:明显|明确)?)$"
)
_AFTER = re.compile(
    r"\s?[:,-]?\s?(?:(?:was|were|is|are|has been|have been) )?(?:ruled out|excluded|absent|declined|denied|refused"
    r"|cancell?ed|not (?:present|found|seen|detected|done|given|performed))(?![a-z0-9])"
    r"|\s?[:,-]?(?:已|被|予)?(?:排除|除外)"
)
# What must follow a name after "no": "no DLI toxicity" and 未见慢性移植物抗宿主病加重 deny something else.
_ENDS = re.compile(
    r"\s?(?:$|[^\w\s-]|(?:of|or|and|but|at|in|on|since|to|by|yet|today|now|currently|present|evidence|history|seen|found"
    r"|noted|given|done|recorded|documented)(?![a-z0-9])|证据|病史|史|表现|征象|依据|及|和|或)"
)
_MAY_DENY = re.compile(
    r"\b(?:no|not|without|denies|ruled out|excluded|absent|declined|denied|refused|cancell?ed)\b"
    r"|无|未见|否认|没有|排除|除外"
)  # fmt: skip


class Lexicon:
    """The words of code sets and drugs, and those that cancel them, by the id of each."""

    def __init__(
        self, words: Mapping[str, Sequence[str]], unless: Mapping[str, Sequence[str]], drugs: Collection[str]
    ) -> None:
        self._clues = Clues(words)
        self._words = {one: any_word(some) for one, some in words.items() if some}
        self._unless = {one: any_word(some) for one, some in unless.items() if some}
        denials = {one: [word for word in some if word not in _PAST] for one, some in unless.items()}
        self._cancelling = {one: any_word(some) for one, some in denials.items() if some}
        self._drugs = frozenset(drugs)

    def names(self, concepts: Iterable[str], text: str) -> list[str]:
        """Those of the concepts that the text names, and neither cancels nor denies."""
        folded = plain(text)
        candidates = self._clues.candidates(folded)
        if not candidates:
            return []
        named = (one for one in concepts if one in candidates)
        found = [one for one in named if self._spans(one, folded) and not self._is_cancelled(one, folded)]
        denied = self._denied(folded, candidates) if found else []
        return [one for one in found if self._counts(one, folded, denied, candidates)]

    def mentions(self, text: str) -> frozenset[str]:
        """Everything whose name stands in the text, whatever is said of it."""
        folded = plain(text)
        return frozenset(one for one in self._clues.candidates(folded) if self._spans(one, folded))

    def denies(self, concept: str, text: str) -> bool:
        """True when the text names the concept only to deny it."""
        folded = plain(text)
        spans = self._spans(concept, folded)
        return bool(spans) and not _stands_outside(spans, self._denied(folded, self._clues.candidates(folded)))

    def cancels(self, concept: str, text: str) -> bool:
        """True when the text holds a word that cancels the concept, whether it names it or not.

        A history of something, which many a code is itself, denies nothing.
        """
        pattern = self._cancelling.get(concept)
        return bool(pattern and pattern.search(plain(text)))

    def _spans(self, concept: str, folded: str) -> list[Span]:
        pattern = self._words.get(concept)
        return [match.span() for match in pattern.finditer(folded)] if pattern else []

    def _is_cancelled(self, concept: str, folded: str) -> bool:
        pattern = self._unless.get(concept)
        return bool(pattern and pattern.search(folded))

    def _counts(self, concept: str, folded: str, denied: list[Span], candidates: Collection[str]) -> bool:
        """True when the concept is named outside what is denied; a drug outside the longer names of other drugs.

        甲泼尼松龙 is not 甲泼尼松.
        """
        spans = self._spans(concept, folded)
        if concept not in self._drugs:
            return _stands_outside(spans, denied)
        drugs = (one for one in candidates if one in self._drugs and one != concept)
        others = [span for drug in drugs for span in self._spans(drug, folded)]
        return any(_stands_outside([one], [o for o in others if _length(o) > _length(one)]) for one in spans)

    def _denied(self, folded: str, candidates: Iterable[str]) -> list[Span]:
        """Where the text names something that is no drug only to deny it."""
        if not _MAY_DENY.search(folded):
            return []
        spans = (span for one in candidates if one not in self._drugs for span in self._spans(one, folded))
        return [(a, b) for a, b in spans if _is_denied(folded, a, b)]


def _is_denied(folded: str, start: int, end: int) -> bool:
    before = _BEFORE.search(folded[:start]) and _ENDS.match(folded, end)
    return bool(before or _AFTER.match(folded, end))


def _stands_outside(spans: Iterable[Span], others: Collection[Span]) -> bool:
    """True when one of the spans lies in none of the others."""
    return any(not any(a <= start and end <= b for a, b in others) for start, end in spans)


def _length(span: Span) -> int:
    return span[1] - span[0]
