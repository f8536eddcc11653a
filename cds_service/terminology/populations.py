"""The groups of people that a range of normal is meant for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from cds_service.terminology.codes import alias_of, code_sets
from cds_service.terminology.words import plain

Population = Literal["male", "female", "adult"]


def populations(codings: Iterable[tuple[str | None, str | None]], texts: Iterable[str]) -> frozenset[Population]:
    """The groups that codes (system, code) or whole words name; none where nothing is understood."""
    keys = {(alias_of(system) or "", (code or "").strip()) for system, code in codings}
    words = {plain(text) for text in texts}
    return frozenset(one for one in get_args(Population) if _names(one, keys, words))


def _names(population: Population, keys: set[tuple[str, str]], words: set[str]) -> bool:
    listed = code_sets()[f"population-{population}"]
    coded = any((row["system"], str(row["code"])) in keys for row in listed.rows)
    return coded or not words.isdisjoint(listed.words)
