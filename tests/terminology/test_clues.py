"""The cheap look for words misses none that the patterns would find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.terminology.clues import Clues
from cds_service.terminology.codes import code_sets
from cds_service.terminology.words import any_word, plain

WORDS = {one.id: one.words for one in code_sets().values() if one.words}
CLUES = Clues(WORDS)
PATTERNS = {one: any_word(words) for one, words in WORDS.items()}
EVERY_WORD = sorted({word for words in WORDS.values() for word in words})
BESIDE = st.sampled_from(["", " ", "s", "ation", "ations", "x", "-", "（", "无", "no ", "1", ".", "é"])
TEXTS = st.lists(st.tuples(BESIDE, st.sampled_from(EVERY_WORD), BESIDE), max_size=3).map(
    lambda parts: "".join("".join(part) for part in parts)
)


@given(TEXTS)
def test_whatever_a_pattern_finds_is_a_candidate(text: str) -> None:
    folded = plain(text)
    found = {one for one, pattern in PATTERNS.items() if pattern.search(folded)}
    assert found <= CLUES.candidates(folded)


@pytest.mark.parametrize("ending", ["", "s", "ation", "ations"])
def test_every_word_leads_to_what_it_names(ending: str) -> None:
    for one, words in WORDS.items():
        for word in words:
            assert one in CLUES.candidates(f"he had {word}{ending}, since")


@pytest.mark.parametrize(
    "text",
    ["", "Leukocytes [#/volume] in Blood by Automated count", "Essential hypertensive", "lisinopril 10 mg oral tablet"],
)
def test_a_text_without_any_word_has_few_candidates(text: str) -> None:
    """Nearly every text of nearly every record is such a one: no pattern, or a handful, is tried on it."""
    assert len(CLUES.candidates(plain(text))) < 10
