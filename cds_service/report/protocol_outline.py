"""A protocol as it is proofread: every criterion with all that it states, free of any language.

Whatever a rule kind has as parameters is listed, so that a new kind needs nothing here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.clinical.tables import every_table
from cds_service.terminology.codes import Row, classes, code_sets, system_address
from cds_service.trials.case import Needs
from cds_service.trials.finding import Status, Test
from cds_service.trials.protocol import ALWAYS_READ, Criterion, Kind, Protocol, Subject, Trial
from cds_service.trials.rules import RULES
from cds_service.trials.rules.base import Rule
from cds_service.trials.rules.parameters import Parameters, Stated, concepts_in, stated

# Where a parameter stands: its key, after the keys of the parts around it; a number counts parts of a list.
Path = tuple[str | int, ...]
_OF_EVERY_RULE = ("needs", "also_reads", "none_recorded", "question")
_SHOWN_APART = frozenset({"system", "code", "display", "checked", "and_below"})


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A code; `checked` is None where nobody could verify it. `remarks` are a product's form, an answer's number."""

    system: str
    address: str
    code: str
    display: str | None
    checked: str | None
    and_below: bool
    remarks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Concept:
    """A code set, drug or analyte with every code, and the words that hint at it where no code does."""

    id: str
    title: str
    codes: tuple[CodeLine, ...]
    words: tuple[str, ...]
    unless: tuple[str, ...]
    remarks: Mapping[str, Any]

    @property
    def unverified(self) -> int:
        return sum(line.checked is None for line in self.codes)


@dataclass(frozen=True, slots=True)
class Statement:
    """A parameter that is a number, a limit, a time or a word."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A parameter that names concepts; `named` are the titles under which they are, a class of drugs as one."""

    path: Path
    named: tuple[str, ...]
    concepts: tuple[Concept, ...]


@dataclass(frozen=True, slots=True)
class CriterionOutline:
    """A criterion and everything that decides it. `none_recorded` is None where no source is needed."""

    id: str
    name: str
    kind: Kind
    subject: Subject
    text: str
    reading: str | None
    alternative: str | None
    question: str | None
    test: Test | None
    rule: str
    how: tuple[str, ...]
    needs: Needs
    also_reads: Needs
    none_recorded: Status | None
    statements: tuple[Statement, ...]
    tables: tuple[CodeTable, ...]


@dataclass(frozen=True, slots=True)
class GeneralTable:
    """A table that belongs to no trial, with its source."""

    name: str
    source: str
    rows: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ProtocolOutline:
    """The whole: the trial, its criteria in protocol order, its readings, and the tables that all trials share."""

    trial: Trial
    ruleset: str
    package: str
    criteria: tuple[CriterionOutline, ...]
    readings: tuple[Statement, ...]
    reading_tables: tuple[CodeTable, ...]
    always_read: CodeTable
    general: tuple[GeneralTable, ...]


def outline(protocol: Protocol, package: str) -> ProtocolOutline:
    """The protocol laid out for a reader; `package` is the version of this program."""
    return ProtocolOutline(
        protocol.trial, protocol.ruleset, package,
        tuple(_criterion(criterion) for criterion in protocol.criteria),
        tuple(_statements(protocol.readings)), tuple(_tables(protocol.readings)),
        _table(("always_read",), sorted(ALWAYS_READ)),
        tuple(_general(name, table) for name, table in every_table().items()),
    )  # fmt: skip


def _criterion(criterion: Criterion) -> CriterionOutline:
    rule = criterion.rule
    kinds = [name for name, kind in RULES.items() if type(rule) is kind]
    others = rule.concepts - concepts_in(rule)
    tables = [*_tables(rule), *([_table(("reads_too",), sorted(others))] if others else [])]
    return CriterionOutline(
        criterion.id, criterion.name, criterion.kind, criterion.subject, criterion.text,
        criterion.reading, criterion.alternative, criterion.question, criterion.test,
        next(iter(kinds), type(rule).__name__), _how(rule), rule.needs, rule.also_reads,
        rule.none_recorded if rule.needs else None,
        tuple(one for one in _statements(rule) if one.path[0] not in _OF_EVERY_RULE), tuple(tables),
    )  # fmt: skip


def _how(rule: Rule) -> tuple[str, ...]:
    """What the rule kind says of itself, paragraph by paragraph, with its parameters in backticks."""
    described = inspect.cleandoc(type(rule).__doc__ or "")
    return tuple(" ".join(paragraph.split()) for paragraph in described.split("\n\n") if paragraph.strip())


def _leaves(part: Parameters, path: Path = ()) -> Iterator[tuple[Path, Stated]]:
    """Every parameter that is no part itself; a default only where it says something."""
    for one in stated(part):
        yield from _leaf(one, (*path, one.key))


def _leaf(one: Stated, path: Path) -> Iterator[tuple[Path, Stated]]:
    value = one.value
    if isinstance(value, Parameters):
        yield from _leaves(value, path)
    elif isinstance(value, tuple) and any(isinstance(inner, Parameters) for inner in value):
        for number, inner in enumerate(value, 1):
            yield from _leaves(inner, (*path, number) if len(value) > 1 else path)
    elif isinstance(value, tuple) and one.names_concepts and any(isinstance(inner, tuple) for inner in value):
        for number, inner in enumerate(value, 1):
            yield (*path, number), Stated(one.key, inner, True, one.is_written)
    elif one.is_written or value:
        yield path, one


def _statements(part: Parameters) -> Iterator[Statement]:
    return (Statement(path, one.value) for path, one in _leaves(part) if not one.names_concepts)


def _tables(part: Parameters) -> Iterator[CodeTable]:
    return (_table(path, one.value) for path, one in _leaves(part) if one.names_concepts and one.value)


def _table(path: Path, names: Iterable[str]) -> CodeTable:
    names = tuple(names)
    whole = {name: drugs for name, drugs in classes().items() if drugs and set(drugs) <= set(names)}
    inside = {drug for drugs in whole.values() for drug in drugs}
    titles = (*whole, *(code_sets()[name].title for name in names if name not in inside))
    return CodeTable(path, titles, tuple(_concept(name) for name in names))


def _concept(name: str) -> Concept:
    one = code_sets()[name]
    answers = one.kind.get("answers", ())
    remarks = {key: value for key, value in one.kind.items() if key != "answers"}
    return Concept(name, one.title, tuple(_line(row) for row in (*one.rows, *answers)), one.words, one.unless, remarks)


def _line(row: Row) -> CodeLine:
    return CodeLine(
        system=row["system"],
        address=system_address(row["system"]),
        code=str(row["code"]),
        display=row.get("display"),
        checked=row["checked"] or None,
        and_below=bool(row.get("and_below")),
        remarks={key: value for key, value in row.items() if key not in _SHOWN_APART},
    )


def _general(name: str, table: Mapping[str, Any]) -> GeneralTable:
    # `shared` only holds what the rows below repeat.
    rows = {key: value for key, value in table.items() if key not in ("source", "shared")}
    return GeneralTable(name, table["source"], tuple(_rows(rows)))


def _rows(rows: Mapping[str, Any], path: Path = ()) -> Iterator[Statement]:
    """A row for each value; a map deep inside, such as that of all spellings of a unit, is one row."""
    for key, value in rows.items():
        here = (*path, str(key))
        parts = isinstance(value, Mapping) and any(isinstance(inner, Mapping | list) for inner in value.values())
        if isinstance(value, Mapping) and (parts or not path):
            yield from _rows(value, here)
        else:
            yield Statement(here, value)
