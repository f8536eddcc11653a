"""What a file of code sets must hold, so that a slip of the pen is refused instead of being looked up in vain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cds_service.strict_yaml import MalformedFile, parsed

Word = Annotated[str, Field(min_length=1)]


def _checked(value: Any) -> str | Literal[False]:
    if value is False or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError(f"expected where the code was checked, or no, found {value!r}")


def _strength(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"expected a positive number, found {value!r}")
    return value


Checked = Annotated[str | bool, BeforeValidator(_checked)]
Strength = Annotated[Any, BeforeValidator(_strength)]
# "other" are the names of other European languages.
Words = Mapping[Literal["en", "zh", "other"], Annotated[tuple[Word, ...], Field(min_length=1)]]


class Part(BaseModel):
    """A part of a file: every key is known, every word is a word and not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Code(Part):
    system: Word
    code: Word
    display: Word | None = None
    checked: Checked
    and_below: bool = False
    property: Literal["mass", "molar", "mass-or-molar", "estimate"] | None = None

    @model_validator(mode="after")
    def _has_no_descriptor_of_cpt(self) -> Self:
        if self.system == "cpt" and self.display is not None:
            raise ValueError("expected no display: the descriptors of CPT may not be copied")
        return self


class Product(Code):
    form: Word
    mg: Strength | None = None
    mg_per_ml: Strength | None = None


class Answer(Part):
    """A code of a list of answers: the number that it stands for, or what it says of a test."""

    system: Word
    code: Word
    value: int | None = None
    says: Literal["positive", "negative", "equivocal"] | None = None
    checked: Checked

    @model_validator(mode="after")
    def _means_one_thing(self) -> Self:
        if (self.value is None) == (self.says is None):
            raise ValueError("expected either value, a number, or says, such as positive")
        return self


class Concept(Part):
    """What a code set, a drug and an analyte have in common."""

    id: Word
    title: Word
    codes: tuple[Code, ...] = ()
    words: Words = {}
    unless: Words = {}
    contradicted_by: tuple[Word, ...] = ()
    never_with: tuple[Word, ...] = ()
    beside_codes: bool = False

    @model_validator(mode="after")
    def _recognises_something(self) -> Self:
        if not self.rows() and not self.words:
            raise ValueError("expected codes or words by which it is recognised")
        keys = [(row.system, row.code) for row in self.rows()]
        twice = sorted({f"{system} {code}" for system, code in keys if keys.count((system, code)) > 1})
        if twice:
            raise ValueError(f"expected each code once, found {twice[0]} twice")
        return self

    def rows(self) -> tuple[Code | Answer, ...]:
        return self.codes


class Drug(Concept):
    given: Literal["infusion", "continuous"] | None = None
    support: Word | None = None
    products: tuple[Product, ...] = ()

    def rows(self) -> tuple[Code | Answer, ...]:
        return (*self.codes, *self.products)


class Analyte(Concept):
    answers: tuple[Answer, ...] = ()
    called: tuple[Word, ...] = ()
    never_called: tuple[Word, ...] = ()

    def rows(self) -> tuple[Code | Answer, ...]:
        return (*self.codes, *self.answers)


class DrugClass(Part):
    id: Word
    title: Word
    drugs: Annotated[tuple[Drug, ...], Field(min_length=1)]


class Analytes(Part):
    analytes: Annotated[tuple[Analyte, ...], Field(min_length=1)]


def check(name: str, document: Any, systems: Collection[str]) -> None:
    """Raises MalformedFile unless the document is one code set, a class of drugs or a list of analytes."""
    keys = document if isinstance(document, dict) else {}
    kind = DrugClass if "drugs" in keys else Analytes if "analytes" in keys else Concept
    for one in _concepts(parsed(kind, name, document)):
        strange = sorted({row.system for row in one.rows()} - set(systems))
        if strange:
            raise MalformedFile(f"{name}, {one.id}: expected a system of systems.yaml, found {', '.join(strange)}")


def _concepts(document: BaseModel) -> Iterator[Concept]:
    if isinstance(document, DrugClass):
        yield from document.drugs
    elif isinstance(document, Analytes):
        yield from document.analytes
    elif isinstance(document, Concept):
        yield document


def check_systems(name: str, document: Any) -> None:
    """Raises MalformedFile unless it gives each short name its addresses, and each address to one name only."""
    lists = document.values() if isinstance(document, dict) else [None]
    if not all(isinstance(one, list) and one and all(isinstance(a, str) and a for a in one) for one in lists):
        raise MalformedFile(f"{name}: expected short names of code systems, each with a list of addresses")
    addresses = [address for one in document.values() for address in one]
    twice = sorted({one for one in addresses if addresses.count(one) > 1})
    if twice:
        raise MalformedFile(f"{name}: expected each address once, found {twice[0]} twice")
