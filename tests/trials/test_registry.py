"""The protocol beside the registry's own text: every sentence is quoted, no quotation is invented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.trials.protocol import Criterion, load_protocol

REGISTRY = Path(__file__).parents[3] / "shared" / "trial" / "NCT06920199.txt"
PROTOCOL = load_protocol("nct06920199")
# Words of the eligibility section that are headings or say nothing about a patient.
HEADINGS = {"inclusion criteria", "exclusion criteria", "and", "no"}  # "No": healthy volunteers, folded into I02
AMBIGUOUS = (
    "AGE", "I02.sev", "I02a", "I02b", "I03a", "I03b", "I03c", "I04", "I06a", "I06b", "I06c", "I06d.bil", "I06d.alt",
    "I06d.ast", "I07a", "I07b", "D01", "D03", "D04", "D08", "E01", "E02", "E04", "E05c", "E05d", "E05f", "E06", "E07",
    "E08", "E09", "E10", "E11", "E12", "E13",
)  # fmt: skip


def words_of(text: str) -> list[str]:
    """The words and signs of a text without list numbers, bullets and punctuation."""
    text = re.sub(r"(?m)^\s*(\*|\d\.)\s", " ", text).replace("(15)", " ").replace("\\", "")
    return re.findall(r"[a-z]+|\d+(?:\.\d+)?|[<>≤≥%^×]", text.lower())


def section() -> str:
    if not REGISTRY.exists():
        pytest.skip(f"no copy of the registry entry at {REGISTRY.parent.name}/{REGISTRY.name}")
    text = REGISTRY.read_text(encoding="utf-8")
    return text[text.index("Inclusion Criteria\n") : text.index("Sponsors\n")]


def quotations() -> list[tuple[str, list[str]]]:
    """Each stretch of words that a criterion quotes, between its marks of omission."""
    return [(c.id, words_of(part)) for c in PROTOCOL.criteria for part in c.text.split("…") if words_of(part)]


def places(quoted: list[str], said: list[str]) -> list[int]:
    return [n for n in range(len(said) - len(quoted) + 1) if said[n : n + len(quoted)] == quoted]


def test_every_quotation_stands_in_the_registry() -> None:
    said = words_of(section())
    invented = [(name, " ".join(q)) for name, q in quotations() if not places(q, said)]
    assert invented == [("AGE", "18 years to 70 years")]  # two fields of the registry, joined


def test_every_sentence_of_the_registry_is_quoted_by_some_criterion() -> None:
    said = words_of(section())
    covered = [False] * len(said)
    for _, quoted in [*quotations(), ("AGE", ["18", "years"]), ("AGE", ["70", "years"])]:
        for n in places(quoted, said):
            covered[n : n + len(quoted)] = [True] * len(quoted)
    left = re.sub(r"\s{2,}", "|", " ".join(w if not done else " " for w, done in zip(said, covered, strict=True)))
    assert not [part.strip() for part in left.split("|") if part.strip() and part.strip() not in HEADINGS]


def test_a_criterion_that_has_a_reading_says_the_other_one_too() -> None:
    assert [c.id for c in PROTOCOL.criteria if bool(c.reading) != bool(c.alternative)] == []


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_a_sponsor_would_have_to_be_asked_has_two_readings(name: str) -> None:
    criterion = next(c for c in PROTOCOL.criteria if c.id == name)
    assert criterion.reading
    assert criterion.alternative


@pytest.mark.parametrize("criterion", PROTOCOL.criteria, ids=lambda c: c.id)
def test_readings_are_parts_of_a_sentence_without_a_stop(criterion: Criterion) -> None:
    """They are put into one: "Read as: ...; it could also mean: ...."."""
    for part in (criterion.reading, criterion.alternative):
        assert part is None or not part.rstrip().endswith((".", ";", ","))
