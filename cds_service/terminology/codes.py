"""The code sets of codesets/*.yaml and the index that recognises codes and words in a record.

A code counts only together with its system: T86.02 is one thing in ICD-10-CM and another in ICD-10-GM.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cds_service.clinical.coded import Certainty

_FOLDER = Path(__file__).parent / "codesets"
_LATIN = re.compile(r"[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Product:
    """A drug product whose code tells its form and strength (mg per tablet or capsule, or per mL)."""

    drug: str
    form: str
    mg: Fraction | None
    mg_per_ml: Fraction | None


@dataclass(frozen=True, slots=True)
class CodeSet:
    """One concept: its codes by system, and the words that stand for it in free text."""

    id: str
    title: str
    rows: tuple[Mapping[str, Any], ...]
    words: tuple[str, ...]
    unless: tuple[str, ...]
    kind: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What codings and texts were recognised as: concepts with their certainty, and the product if one is named."""

    concepts: Mapping[str, Certainty]
    product: Product | None = None

    def __contains__(self, concept: str) -> bool:
        return concept in self.concepts


@cache
def systems() -> Mapping[str, str]:
    """Every known spelling of a code system's address -> our short name for it."""
    rows = yaml.safe_load((_FOLDER / "systems.yaml").read_text(encoding="utf-8"))
    return {address: alias for alias, addresses in rows.items() for address in addresses}


@cache
def system_address(alias: str) -> str:
    """The canonical address of a code system."""
    return next(address for address, name in systems().items() if name == alias)


@cache
def code_sets() -> Mapping[str, CodeSet]:
    """Every code set, drug and analyte by its id. Raises ValueError when an id is used twice."""
    sets: dict[str, CodeSet] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        if path.name != "systems.yaml":
            for one in _sets_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
                if one.id in sets:
                    raise ValueError(f"{path.name}: the id {one.id} is used twice")
                sets[one.id] = one
    return sets


def code_set_texts() -> list[tuple[str, bytes]]:
    """Every file's name and bytes, in order: what a ruleset's hash covers."""
    return [(path.name, path.read_bytes()) for path in sorted(_FOLDER.glob("*.yaml"))]


@cache
def classes() -> Mapping[str, tuple[str, ...]]:
    """The drugs of each class of drugs, such as cgvhd-therapies."""
    found = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "drugs" in document:
            found[document["id"]] = tuple(drug["id"] for drug in document["drugs"])
    return found


def members(names: Iterable[str]) -> tuple[str, ...]:
    """The concepts that the names stand for: a class of drugs is all its drugs, anything else is itself."""
    return tuple(one for name in names for one in classes().get(name, (name,)))


def _sets_of(document: Mapping[str, Any]) -> Iterable[CodeSet]:
    rows = document.get("drugs") or document.get("analytes") or [document]
    for row in rows:
        yield CodeSet(
            id=row["id"],
            title=row["title"],
            rows=(*row.get("codes", ()), *row.get("products", ())),
            words=_words(row.get("words")),
            unless=_words(row.get("unless")),
            kind={key: row[key] for key in ("given", "support", "answers") if key in row},
        )


def _words(by_language: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    return tuple(plain(word) for words in (by_language or {}).values() for word in words)


def plain(text: str) -> str:
    """The text as words are compared: compatibility characters folded, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


class ConceptIndex:
    """Recognises the codes and words of the concepts it was made for; built once, then only looked up."""

    def __init__(self, concepts: Collection[str]) -> None:
        """An index of the given code sets, drugs and analytes. Raises KeyError for one that does not exist."""
        self.concepts = frozenset(concepts)
        self.drugs = self.concepts & {drug for names in classes().values() for drug in names}
        self._exact: dict[tuple[str, str], list[tuple[str, Certainty, Mapping[str, Any]]]] = defaultdict(list)
        self._above: dict[tuple[str, str], list[tuple[str, Certainty, Mapping[str, Any]]]] = defaultdict(list)
        self._words: list[tuple[str, re.Pattern[str], re.Pattern[str] | None]] = []
        self._lengths: dict[str, set[int]] = defaultdict(set)
        for concept in sorted(self.concepts):
            self._add(code_sets()[concept])

    def _add(self, one: CodeSet) -> None:
        for row in one.rows:
            certainty = Certainty.CODED if row.get("checked", False) is not False else Certainty.UNVERIFIED
            key = (row["system"], str(row["code"]))
            self._exact[key].append((one.id, certainty, row))
            if row.get("and_below"):
                self._above[key].append((one.id, certainty, row))
                self._lengths[row["system"]].add(len(key[1]))
        if one.words:
            self._words.append((one.id, _any_word(one.words), _any_word(one.unless) if one.unless else None))

    def recognise(self, codings: Iterable[tuple[str | None, str | None]], texts: Iterable[str]) -> Recognised:
        """The concepts of some codings (system, code) and of the texts beside them.

        A text counts only where no coding was recognised: a code says more than the words around it.
        """
        found: dict[str, Certainty] = {}
        product: Product | None = None
        for system, code in codings:
            for concept, certainty, row in self._rows(systems().get(system or ""), code):
                found[concept] = max(certainty, found.get(concept, certainty))
                product = product or _product(concept, row)
        if not found:
            found = {concept: Certainty.TEXT for text in texts for concept in self.in_words(text)}
        return Recognised(found, product)

    def _rows(self, alias: str | None, code: str | None) -> Iterable[tuple[str, Certainty, Mapping[str, Any]]]:
        if alias is None or not code:
            return
        code = code.strip()
        yield from self._exact.get((alias, code), ())
        for length in self._lengths.get(alias, ()):
            if length < len(code):
                yield from self._above.get((alias, code[:length]), ())

    def in_words(self, text: str) -> list[str]:
        """The concepts whose words the text contains, unless it also contains words that cancel them."""
        folded = plain(text)
        return [
            concept
            for concept, words, unless in self._words
            if words.search(folded) and not (unless and unless.search(folded))
        ]

    def answer(self, analyte: str, codings: Iterable[tuple[str | None, str | None]]) -> Fraction | None:
        """The number that an answer code stands for, such as grade 1 of ECOG; None when not known."""
        answers = {
            (row["system"], str(row["code"])): Fraction(row["value"])
            for row in code_sets()[analyte].kind.get("answers", ())
            if row.get("checked", False) is not False
        }
        keys = ((systems().get(system or ""), code or "") for system, code in codings)
        return next((answers[key] for key in keys if key in answers), None)  # type: ignore[index]

    def properties(self, codings: Iterable[tuple[str | None, str | None]]) -> frozenset[str]:
        """The kinds of property (mass, molar) that the codes of an analyte name."""
        rows = (row for system, code in codings for _, _, row in self._rows(systems().get(system or ""), code))
        return frozenset(row["property"] for row in rows if "property" in row)


def _product(concept: str, row: Mapping[str, Any]) -> Product | None:
    if "form" not in row:
        return None
    mg, per_ml = row.get("mg"), row.get("mg_per_ml")
    return Product(concept, row["form"], None if mg is None else Fraction(str(mg)),
                   None if per_ml is None else Fraction(str(per_ml)))  # fmt: skip


def _any_word(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of whole words; Chinese has no spaces between words, so there any place will do."""
    longest_first = sorted(words, key=len, reverse=True)
    parts = [
        rf"(?<![a-z0-9]){re.escape(w)}(?![a-z0-9])" if _LATIN.search(w) else re.escape(w) for w in longest_first
    ]
    return re.compile("|".join(parts))
