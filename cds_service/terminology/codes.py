"""The code sets of codesets/*.yaml and the index that recognises codes and words in a record.

A code counts only together with its system: T86.02 is one thing in ICD-10-CM and another in ICD-10-GM.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.clinical.coded import Certainty
from cds_service.strict_yaml import MalformedFile, read_yaml
from cds_service.terminology.lexicon import Lexicon
from cds_service.terminology.shape import check, check_systems
from cds_service.terminology.words import plain

_FOLDER = Path(__file__).parent / "codesets"
_ICD_10 = frozenset({"icd-10", "icd-10-cm", "icd-10-gm"})
# A code of ICD-10-GM, its cross (+), asterisk or exclamation mark, and how sure the diagnosis is.
_ICD_10_GM = re.compile(r"([A-Z]\d\d\.?[\d-]{0,2})\s*[+*†!]?\s*(?P<certainty>[GAVZ])?\s*[+*†!]?")

_KINDS = (
    "given", "support", "answers", "called", "never_called", "contradicted_by", "never_with", "beside_codes",
)  # fmt: skip

Row = Mapping[str, Any]


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
    rows: tuple[Row, ...]
    words: tuple[str, ...]
    unless: tuple[str, ...]
    kind: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What codings and texts were recognised as: concepts with certainty, and products named by code.

    `contradicted` says that codes exclude each other, or that the words beside one deny it or name what it is not.
    """

    concepts: Mapping[str, Certainty]
    products: tuple[Product, ...] = ()
    contradicted: bool = False

    @property
    def product(self) -> Product | None:
        """The product that a code names; None where the codes name two that differ in form."""
        forms = {one.form for one in self.products}
        return self.products[0] if len(forms) == 1 else None

    def __contains__(self, concept: str) -> bool:
        return concept in self.concepts


@cache
def systems() -> Mapping[str, str]:
    """Every known spelling of a code system's address -> our short name for it."""
    rows = read_yaml("systems.yaml", (_FOLDER / "systems.yaml").read_bytes())
    check_systems("systems.yaml", rows)
    return {address: alias for alias, addresses in rows.items() for address in addresses}


@cache
def system_address(alias: str) -> str:
    """The canonical address of a code system."""
    return next(address for address, name in systems().items() if name == alias)


@cache
def _documents() -> Mapping[str, Row]:
    """Every file of code sets by its name, parsed once."""
    return _parsed(_FOLDER)


def _parsed(folder: Path) -> Mapping[str, Row]:
    paths = (path for path in sorted(folder.glob("*.yaml")) if path.name != "systems.yaml")
    documents = {path.name: read_yaml(path.name, path.read_bytes()) for path in paths}
    for name, document in documents.items():
        check(name, document, set(systems().values()))
    return documents


@cache
def code_sets() -> Mapping[str, CodeSet]:
    """Every code set, drug and analyte by its id."""
    return _sets_by_id(_documents())


def _sets_by_id(documents: Mapping[str, Row]) -> Mapping[str, CodeSet]:
    """The sets of all files. Raises MalformedFile when an id is used twice or a rival is not there."""
    sets: dict[str, CodeSet] = {}
    for name, document in documents.items():
        for one in _sets_of(document):
            if one.id in sets:
                raise MalformedFile(f"{name}: the id {one.id} is used twice")
            sets[one.id] = one
    for one in sets.values():
        for key in ("contradicted_by", "never_with"):
            for rival in one.kind.get(key, ()):
                if rival not in sets:
                    raise MalformedFile(f"{one.id}, {key}: no code set is called {rival}")
    return sets


def code_set_texts() -> list[tuple[str, bytes]]:
    """Every file's name and bytes, in order: what a ruleset's hash covers."""
    return [(path.name, path.read_bytes()) for path in sorted(_FOLDER.glob("*.yaml"))]


@cache
def classes() -> Mapping[str, tuple[str, ...]]:
    """The drugs of each class of drugs, such as cgvhd-therapies."""
    documents = (one for one in _documents().values() if "drugs" in one)
    return {one["id"]: tuple(drug["id"] for drug in one["drugs"]) for one in documents}


def members(names: Iterable[str]) -> tuple[str, ...]:
    """The concepts that the names stand for: a class of drugs is all its drugs, anything else is itself."""
    return tuple(one for name in names for one in classes().get(name, (name,)))


def _sets_of(document: Row) -> Iterable[CodeSet]:
    rows = document.get("drugs") or document.get("analytes") or [document]
    for row in rows:
        yield CodeSet(
            id=row["id"],
            title=row["title"],
            rows=(*row.get("codes", ()), *row.get("products", ())),
            words=_words(row.get("words")),
            unless=_words(row.get("unless")),
            kind={key: row[key] for key in _KINDS if key in row},
        )


def _words(by_language: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    return tuple(plain(word) for words in (by_language or {}).values() for word in words)


def alias_of(system: str | None) -> str | None:
    """Our short name of a code system; None when we do not know the system."""
    return systems().get((system or "").strip())


def certainty_mark(system: str | None, code: str | None) -> str | None:
    """The letter that ICD-10-GM hangs on a code: G sure, A ruled out, V suspected, Z a state after."""
    match = _ICD_10_GM.fullmatch((code or "").strip().upper()) if alias_of(system) == "icd-10-gm" else None
    return match["certainty"] if match else None


def _spelled(alias: str, code: str) -> str:
    """The code as it is looked up: ICD-10 often comes without its dot, in Germany with marks after it."""
    code = code.strip()
    if alias not in _ICD_10:
        return code
    code = code.upper()
    match = _ICD_10_GM.fullmatch(code) if alias == "icd-10-gm" else None
    return (match[1] if match else code).replace(".", "")


class ConceptIndex:
    """Recognises the codes and words of the concepts it was made for; built once, then only looked up."""

    def __init__(self, concepts: Collection[str]) -> None:
        """An index of the given code sets, drugs and analytes. Raises KeyError for one that is not there."""
        self.concepts = frozenset(concepts)
        self.drugs = self.concepts & {drug for names in classes().values() for drug in names}
        self._in_order = sorted(self.concepts)
        self._beside_codes = [one for one in self._in_order if code_sets()[one].kind.get("beside_codes")]
        self._exact: dict[tuple[str, str], list[tuple[str, Certainty, Row]]] = defaultdict(list)
        self._above: dict[tuple[str, str], list[tuple[str, Certainty, Row]]] = defaultdict(list)
        self._lengths: dict[str, set[int]] = defaultdict(set)
        for concept in self._in_order:
            self._add(code_sets()[concept])

    def _add(self, one: CodeSet) -> None:
        for row in one.rows:
            certainty = Certainty.CODED if row.get("checked", False) is not False else Certainty.UNVERIFIED
            key = (row["system"], _spelled(row["system"], str(row["code"])))
            self._exact[key].append((one.id, certainty, row))
            if row.get("and_below"):
                self._above[key].append((one.id, certainty, row))
                self._lengths[row["system"]].add(len(key[1]))

    def recognise(self, codings: Iterable[tuple[str | None, str | None]], texts: Iterable[str]) -> Recognised:
        """The concepts of some codings (system, code) and of the texts beside them.

        A text counts only where no coding was recognised: a code says more than the words around it. The words of
        concepts that no code of another rules out (`beside_codes`) count beside it, as words.
        """
        found: dict[str, Certainty] = {}
        rows = [found_row for system, code in codings for found_row in self._rows(system, code)]
        for concept, certainty, _ in rows:
            found[concept] = max(certainty, found.get(concept, certainty))
        if not found:
            found = {concept: Certainty.TEXT for text in texts for concept in self.in_words(text)}
            return Recognised(found)
        products = tuple(dict.fromkeys(_product(concept, row) for concept, _, row in rows if "form" in row))
        official = {plain(row.get("display") or "") for _, _, row in rows}
        beside = [text for text in texts if plain(text) not in official]
        added = {concept: Certainty.TEXT for text in beside for concept in lexicon().names(self._beside_codes, text)}
        return Recognised({**added, **found}, products, self._is_contradicted(found, beside))

    def _is_contradicted(self, found: Collection[str], texts: Iterable[str]) -> bool:
        """True when codes exclude each other, or a text beside them speaks against what is coded."""
        clash = any(rival in found for one in found for rival in code_sets()[one].kind.get("never_with", ()))
        coded = [concept for concept in found if concept not in self.drugs]
        return clash or any(self._speaks_against(one, found, text) for text in texts for one in coded)

    def _speaks_against(self, concept: str, found: Collection[str], text: str) -> bool:
        """True when the text denies the concept, or names a rival that is not coded, too, instead of it."""
        words = lexicon()
        if words.names([concept], text):
            return False
        rivals = [one for one in code_sets()[concept].kind.get("contradicted_by", ()) if one not in found]
        if words.names(rivals, text) or words.denies(concept, text):
            return True
        named = [one for one in self.in_words(text) if code_sets()[one].rows]  # a mere remark names nothing
        return words.cancels(concept, text) and not named

    def _rows(self, system: str | None, code: str | None) -> Iterator[tuple[str, Certainty, Row]]:
        alias = alias_of(system)
        if alias is None or not code:
            return
        code = _spelled(alias, code)
        yield from self._exact.get((alias, code), ())
        for length in sorted(self._lengths.get(alias, ())):
            if length < len(code):
                yield from self._above.get((alias, code[:length]), ())

    def in_words(self, text: str) -> list[str]:
        """The concepts that the text names, and neither cancels nor denies."""
        return lexicon().names(self._in_order, text)

    def mentioned(self, text: str) -> frozenset[str]:
        """The concepts that the text names, if only to deny or cancel them."""
        return self.concepts & lexicon().mentions(text)

    def properties(self, codings: Iterable[tuple[str | None, str | None]]) -> frozenset[str]:
        """The kinds of property (mass, molar) that the codes of an analyte name."""
        rows = (row for system, code in codings for _, _, row in self._rows(system, code))
        return frozenset(row["property"] for row in rows if "property" in row)


def _product(concept: str, row: Row) -> Product:
    mg, per_ml = row.get("mg"), row.get("mg_per_ml")
    return Product(
        concept,
        row["form"],
        None if mg is None else Fraction(str(mg)),
        None if per_ml is None else Fraction(str(per_ml)),
    )


@cache
def every_code() -> ConceptIndex:
    """An index of all there is, whatever a protocol is interested in."""
    return ConceptIndex(code_sets())


@cache
def lexicon() -> Lexicon:
    """The words of all there is, whatever a protocol is interested in."""
    sets = code_sets()
    drugs = {drug for names in classes().values() for drug in names}
    return Lexicon({one: sets[one].words for one in sets}, {one: sets[one].unless for one in sets}, drugs)
