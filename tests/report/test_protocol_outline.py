"""The protocol laid out to be proofread: nothing that decides is left out, in text as on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.report.columns import columns
from cds_service.report.protocol_outline import CriterionOutline, outline
from cds_service.report.protocol_text import protocol_text
from cds_service.report.protocol_words import ProtocolWords
from cds_service.report.wording import LANGUAGES, wording
from cds_service.terminology.codes import code_sets
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement, Status
from cds_service.trials.protocol import Criterion, load_protocol
from cds_service.trials.rules.base import Rule
from cds_service.trials.rules.parameters import Analyte, Bound, Concepts, Days, Parameters
from tests.synthetic import ROOT

PROTOCOL = load_protocol("nct06920199")
OUTLINE = outline(PROTOCOL, "9.9")
SAID = ProtocolWords(wording("en"))
TEXT = protocol_text(OUTLINE, SAID)
FLAT = " ".join(TEXT.split())
CRITERIA = pytest.mark.parametrize("criterion", OUTLINE.criteria, ids=lambda c: c.id)


def section(name: str) -> str:
    """The criterion's part of the text, its lines joined."""
    parts = TEXT.split("-" * 100 + "\n")
    return next(" ".join(part.split()) for part in parts if part.startswith(f"{name}  "))


def test_criteria_stand_in_protocol_order() -> None:
    assert [c.id for c in OUTLINE.criteria] == [c.id for c in PROTOCOL.criteria]
    headings = re.findall(r"(?m)^-{100}\n(\S+)  ", TEXT)
    assert headings == [c.id for c in PROTOCOL.criteria]


def test_no_line_is_wider_than_a_hundred_columns() -> None:
    assert max(columns(line) for line in TEXT.splitlines()) <= 100


def test_a_chinese_character_takes_two_columns() -> None:
    assert columns("泼尼松 a") == 8


@CRITERIA
def test_the_registry_is_quoted_and_both_readings_and_the_question_are_said(criterion: CriterionOutline) -> None:
    part = section(criterion.id)
    for words in (criterion.text, criterion.reading, criterion.alternative, criterion.question):
        assert words is None or " ".join(words.split()) in part


@CRITERIA
def test_every_code_that_the_rule_reads_stands_in_the_criterion(criterion: CriterionOutline) -> None:
    rule = next(c.rule for c in PROTOCOL.criteria if c.id == criterion.id)
    shown = {(line.system, line.code) for t in criterion.tables for c in t.concepts for line in c.codes}
    read = {(row["system"], str(row["code"])) for name in rule.concepts for row in code_sets()[name].rows}
    assert read <= shown
    part = section(criterion.id)
    assert all(code in part for _, code in read)


def limits_in(value: Any) -> Iterator[str]:
    """Every number that the YAML of a rule states, as it is dumped."""
    if isinstance(value, dict):
        for one in value.values():
            yield from limits_in(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from limits_in(one)
    elif type(value).__name__ in ("Limit", "Span"):
        yield str(value)


@CRITERIA
def test_every_limit_and_every_time_stands_in_the_criterion_as_it_is_written(criterion: CriterionOutline) -> None:
    rule = next(c.rule for c in PROTOCOL.criteria if c.id == criterion.id)
    part = section(criterion.id)
    written = {name: getattr(rule, name) for name in type(rule).model_fields}
    for value in written.values():
        parts = [value] if not isinstance(value, Parameters) else [getattr(value, n) for n in type(value).model_fields]
        assert all(f"(written: {number})" in part for number in limits_in(parts))


@pytest.mark.parametrize("name", ["E10", "I07a", "E02"])
def test_what_none_recorded_means_is_said(name: str) -> None:
    assert "Where nothing is recorded:" in section(name)


def test_a_criterion_that_people_answer_needs_no_source() -> None:
    assert "Where nothing is recorded" not in section("I05")
    assert "Sources that are needed: none" in section("I05")


def test_codes_have_no_descriptor_of_cpt_and_say_where_they_were_checked() -> None:
    assert "CPT 38242 [OHDSI PhenotypeLibrary cohort 1010]" in section("E10")


def test_a_code_that_nobody_could_verify_is_marked() -> None:
    unverified = [row for row in code_sets()["tma"].rows if row["checked"] is False]
    assert unverified
    for row in unverified:
        assert re.search(rf"\? ICD-10-GM {re.escape(row['code'])} .{{0,80}}\[not verified", section("E13"))


def test_words_are_said_to_be_hints_and_what_cancels_them() -> None:
    assert re.search(r"text-only hint: donor lymphocyte infusion.*unless beside: planned", section("E10"))


def test_the_readings_the_tables_and_the_ruleset_are_printed() -> None:
    assert PROTOCOL.ruleset in TEXT
    assert "one of these criteria is enough (either): I02a or I02b" in FLAT
    assert "Cockcroft and Gault, Nephron 1976" in FLAT
    for table in ("Prednisone equivalents", "Units of results", "Which body weight counts"):
        assert table in TEXT
    assert "equivalents, methylprednisolone: 4" in FLAT
    assert "[lb_av] = 0.45359237" in FLAT


def test_every_table_has_its_source() -> None:
    assert all(table.source and " ".join(table.source.split()) in FLAT for table in OUTLINE.general)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_can_be_said_in_every_language(language: str) -> None:
    assert protocol_text(OUTLINE, ProtocolWords(wording(language)))


class Part(Parameters):
    analyte: Analyte
    above: Bound


class Novel(Rule):
    """Nobody wrote a word for `strange_span`."""

    strange_span: Days
    choice: Literal["never_named"]
    parts: tuple[Part, ...]
    groups: tuple[Concepts, ...] = ()
    maybe: Concepts | None = None
    count: int = 0

    def judge(self, case: Case) -> Judgement:
        raise NotImplementedError


def test_a_rule_kind_that_nobody_knows_is_listed_with_all_that_it_states() -> None:
    rule = Novel.model_validate({
        "needs": ["labs or body"], "strange_span": "9 d", "choice": "never_named", "count": 7,
        "parts": [{"analyte": ["alt"], "above": "> 5 U/L"}, {"analyte": ["ast"], "above": "> 6 U/L"}],
        "groups": [["dli"], ["tma"]], "maybe": ["car-t"], "none_recorded": "review",
    })  # fmt: skip
    assert rule.concepts == {"alt", "ast", "dli", "tma", "car-t"}
    novel = Criterion("Z1", "Novel", "exclusion", "patient", "A text", rule)
    made = type(PROTOCOL)(PROTOCOL.trial, PROTOCOL.readings, (novel,), PROTOCOL.texts)
    text = " ".join(protocol_text(outline(made, "0"), SAID).split())
    for said in (
        "strange span: 9 days (written: 9 d)", "choice: never_named", "count: 7",
        "parts, 1, above: more than 5 U/L (written: > 5 U/L)", "parts, 2, above: more than 6 U/L",
        "parts, 1, result (analyte): Alanine aminotransferase", "groups, 1: Donor lymphocyte infusion",
        "groups, 2: Thrombotic microangiopathy", "maybe: CAR-T cell infusion",
        "laboratory results or weight and height",
        "Nobody wrote a word for “strange_span”.", "a person must look", "Rule kind: Novel",
    ):  # fmt: skip
        assert said in text, said
    assert rule.none_recorded is Status.REVIEW


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(main, ["protocol"])
    assert result.exit_code == 0
    assert result.stdout == TEXT.replace("Version of this program: 9.9", "Version of this program: 0.1.0")


def test_the_readme_names_the_command_and_the_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "-m cds_service protocol" in readme
    assert "/protocol/nct06920199" in readme
