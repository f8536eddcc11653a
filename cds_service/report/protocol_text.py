"""A protocol's outline for a terminal, to be proofread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.report.columns import WIDTH, padded, wrapped
from cds_service.report.protocol_outline import CodeTable, Concept, CriterionOutline, GeneralTable, ProtocolOutline
from cds_service.report.protocol_words import ProtocolWords


def protocol_text(outline: ProtocolOutline, said: ProtocolWords) -> str:
    """The whole protocol as plain text, at most a hundred columns wide; a Chinese character takes two."""
    lines = [*_head(outline, said)]
    for criterion in outline.criteria:
        lines += ["", *_criterion(criterion, said)]
    lines += ["", *_readings(outline, said)]
    for table in outline.general:
        lines += ["", *_general(table, said)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(outline: ProtocolOutline, said: ProtocolWords) -> Iterator[str]:
    trial = outline.trial
    yield from wrapped(said.phrase("title", trial=trial.id))
    yield from wrapped(trial.title)
    yield ""
    yield from wrapped(said.term("intro"))
    yield ""
    for key, value in (
        ("version", trial.version.isoformat()), ("ends", trial.ends.isoformat()), ("sponsor", trial.sponsor),
        ("registry", trial.url), ("package", outline.package), ("ruleset", outline.ruleset),
    ):  # fmt: skip
        yield from _entry(said.term(key), value)
    yield from wrapped(said.term("ruleset_note"), "  ")


def _criterion(criterion: CriterionOutline, said: ProtocolWords) -> Iterator[str]:
    yield from _heading(f"{criterion.id}  {criterion.name}")
    yield from wrapped(said.kind(criterion), "  ")
    yield from _entry(said.term("text"), f"“{criterion.text}”")
    for key, value in said.facts(criterion):
        yield from _entry(said.term(key), value)
    yield from _rows(said.rows(criterion.statements))
    for table in criterion.tables:
        yield from _codes(table, said)


def _readings(outline: ProtocolOutline, said: ProtocolWords) -> Iterator[str]:
    yield from _heading(said.term("readings"))
    yield from _rows(said.rows(outline.readings))
    for table in (*outline.reading_tables, outline.always_read):
        yield from _codes(table, said)


def _general(table: GeneralTable, said: ProtocolWords) -> Iterator[str]:
    yield from _heading(said.named("tables", table.name))
    yield from _entry(said.term("source"), table.source)
    yield from _rows(said.general_rows(table))


def _codes(table: CodeTable, said: ProtocolWords) -> Iterator[str]:
    yield ""
    yield from wrapped(said.caption(table), "  ")
    for concept in table.concepts:
        yield from _concept(concept, said)


def _concept(concept: Concept, said: ProtocolWords) -> Iterator[str]:
    yield from wrapped(said.concept(concept), "    ")
    for line in concept.codes:
        mark = "?" if line.checked is None else " "
        parts = [
            f"{mark} {padded(said.system(line), 12)} {line.code:<14}",
            said.meaning(line),
            f"[{said.checked(line)}]",
        ]
        yield from wrapped(" ".join(part for part in parts if part), "      ", " " * 10)
    if not concept.codes:
        yield from wrapped(said.term("no_codes"), "        ")
    if concept.words:
        yield from wrapped(f"{said.term('words')}: {said.hints(concept)}", "        ", " " * 10)


def _heading(text: str) -> Iterator[str]:
    yield "-" * WIDTH
    yield from wrapped(text)


def _rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for label, value in rows:
        yield from _entry(label, value)


def _entry(label: str, value: str) -> Iterator[str]:
    return wrapped(f"{label}: {value}", "  ", "      ")
