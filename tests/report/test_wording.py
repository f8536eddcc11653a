"""Sentences of the catalogues."""

from __future__ import annotations

import ast
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest

from cds_service.clinical.dates import Span
from cds_service.clinical.evidence import Measure, Reason
from cds_service.clinical.facts import SkipReason, State
from cds_service.clinical.interval import ANYTHING, Interval, Limit
from cds_service.fhir.queries import QUERIES
from cds_service.report.wording import LANGUAGES, wording
from cds_service.trials.finding import Finding, Flag, Judgement, Status
from cds_service.trials.screening import Verdict
from tests.synthetic import ROOT, protocol, resources, screened

WORDS = wording("en")


def reason_codes() -> set[str]:
    """Every literal that is handed to Reason(...) or as `code` in the rule kinds."""
    codes: set[str] = set()
    for path in (ROOT / "cds_service" / "trials").rglob("*.py"):
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason":
                first = node.args[0]
                codes |= {n.value for n in ast.walk(first) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {code for code in codes if "-" in code and not code.startswith("-")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_that_a_rule_gives_has_a_sentence(language: str) -> None:
    known = set(wording(language).terms("reasons"))
    assert reason_codes() <= known


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("skip_reasons", get_args(SkipReason)),
        ("verdicts", tuple(Verdict)),
        ("statuses", tuple(Status)),
        ("exclusion_statuses", tuple(Status)),
        ("flags", tuple(Flag)),
        ("sources", tuple(QUERIES)),
    ],
)
def test_every_code_of_a_closed_list_has_a_word(language: str, group: str, codes: tuple[str, ...]) -> None:
    assert set(wording(language).terms(group)) == set(codes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_source_has_a_word(language: str) -> None:
    assert set(wording(language).terms_of("text", "states")) == {state.value for state in State}


def test_every_finding_of_a_record_can_be_said() -> None:
    for finding in screened(resources()).findings:
        assert WORDS.sentence(finding.judgement.reason)
        assert WORDS.status(finding)
    assert len(protocol().criteria) == 53


def test_a_value_that_a_reason_lacks_is_an_error_and_never_a_hole() -> None:
    with pytest.raises(KeyError):
        WORDS.sentence(Reason("result-within", {}))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval.exactly(30), "30 mg/day"),
        (Interval(Fraction(30), Fraction(40)), "30 to 40 mg/day"),
        (Interval(Fraction(0), Fraction(40)), "up to 40 mg/day"),
        (Interval(Fraction(0), Fraction(1, 2), high_open=True), "less than 0.5 mg/day"),
        (Interval(Fraction(5), None), "at least 5 mg/day"),
        (Interval(Fraction(5), None, low_open=True), "more than 5 mg/day"),
        (ANYTHING, "not known"),
    ],
)
def test_an_interval_is_said_as_what_it_is(interval: Interval, words: str) -> None:
    assert WORDS.measure(Measure(interval, "mg/d")) == words


def test_a_limit_is_said_with_its_operator_and_unit() -> None:
    assert WORDS.value(Limit.parse("> 0.25 mg/kg/d")) == "> 0.25 mg/kg/day"


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(KeyError):
        wording("xx")


def finding(status: Status, code: str = "no-result", alternative: str | None = "that") -> Finding:
    return Finding(
        "X", "X", "inclusion", "patient", "…", Judgement(status, Reason(code)), None, None, "this", alternative
    )


@pytest.mark.parametrize("status", [Status.PASS, Status.FAIL, Status.REVIEW])
def test_an_answer_that_depends_on_the_reading_says_both(status: Status) -> None:
    assert WORDS.because(finding(status)) == "no result found. Read as: this; it could also mean: that."


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.HUMAN])
def test_where_nothing_was_answered_no_reading_is_said(status: Status) -> None:
    assert WORDS.because(finding(status)) == "no result found"


def test_a_reading_without_an_alternative_is_a_remark_and_not_said() -> None:
    assert WORDS.because(finding(Status.PASS, alternative=None)) == "no result found"


def test_a_sentence_that_ends_with_a_question_gets_no_second_stop() -> None:
    reason = Reason("therapy-course", {"window": Span(28, "d")})
    sentence = WORDS.because(replace(finding(Status.REVIEW), judgement=Judgement(Status.REVIEW, reason)))
    assert "is it new? Read as: this" in sentence


def test_a_limit_is_said_with_all_its_digits() -> None:
    assert WORDS.value(Limit.parse("> 0.125 mg/kg/d")) == "> 0.125 mg/kg/day"
