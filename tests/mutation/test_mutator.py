"""The mutator changes every number, operator and answering word, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.mutation.mutator import Mutant, leaves, mutants, variants


@pytest.mark.parametrize(("value", "changed"), [
    ("28 d", ["27 d", "29 d"]),
    ("5 %", ["4 %", "6 %"]),
    ("0.75", ["0.74", "0.76"]),
    ("2.0 {ULN}", ["1.9 {ULN}", "2.1 {ULN}"]),
    ("0 d", ["1 d"]),
    ("9 d", ["8 d", "10 d"]),
    ("100 d", ["99 d", "101 d"]),
    (18, [17, 19]),
    (0.5, [0.4, 0.6]),
    (date(2027, 9, 15), [date(2027, 9, 14), date(2027, 9, 16)]),
    (True, [False]),
    ("fail", ["pass", "review", "unknown", "human"]),
    ("event", ["date", None]),
    ("actual", []), ("il2-axis", []), ("fev1-percent-predicted", []), (None, []),
], ids=str)  # fmt: skip
def test_a_value_becomes_its_neighbours(value: Any, changed: list[Any]) -> None:
    assert list(variants(value)) == changed


@pytest.mark.parametrize(("value", "changed"), [
    ("> 0.25 mg/kg/d", {">= 0.25 mg/kg/d", "<= 0.25 mg/kg/d", "< 0.25 mg/kg/d", "> 0.24 mg/kg/d", "> 0.26 mg/kg/d"}),
    (">= 60 mL/min", {"> 60 mL/min", "<= 60 mL/min", "< 60 mL/min", ">= 59 mL/min", ">= 61 mL/min"}),
    ("<= 2 {score}", {">= 2 {score}", "> 2 {score}", "< 2 {score}", "<= 1 {score}", "<= 3 {score}"}),
    ("< 60 %", {">= 60 %", "<= 60 %", "> 60 %", "< 59 %", "< 61 %"}),
])  # fmt: skip
def test_a_limit_gets_each_other_operator_and_both_neighbours(value: str, changed: set[str]) -> None:
    assert set(variants(value)) == changed


def test_the_number_inside_of_a_unit_stays() -> None:
    assert [new for new in variants("> 25 10*9/L") if new[0:2] == "> "] == ["> 24 10*9/L", "> 26 10*9/L"]


CRITERION: dict[str, Any] = {
    "id": "X1", "text": "within 28 days", "name": "28", "question": "28?", "reading": "28", "alternative": "29",
    "test": {"loinc": "2160-0"}, "rule": "washout", "fresh": {"use": "14 d"}, "rows": [{"within": "7 d"}],
}  # fmt: skip


def test_nested_values_are_found_and_prose_is_not() -> None:
    assert dict(leaves([CRITERION])) == {
        (0, "rule"): "washout", (0, "fresh", "use"): "14 d", (0, "rows", 0, "within"): "7 d",
    }  # fmt: skip


def test_a_mutant_says_file_criterion_key_and_both_values() -> None:
    assert [str(one) for one in mutants("exclusion.yaml", [CRITERION])] == [
        "exclusion.yaml X1 fresh.use: 14 d -> 13 d", "exclusion.yaml X1 fresh.use: 14 d -> 15 d",
        "exclusion.yaml X1 rows.0.within: 7 d -> 6 d", "exclusion.yaml X1 rows.0.within: 7 d -> 8 d",
    ]  # fmt: skip


def test_a_mutant_changes_one_place_and_leaves_the_document_alone() -> None:
    document: list[dict[str, Any]] = [CRITERION, {"id": "X2", "window": "14 d"}]
    changed = Mutant("exclusion.yaml", "X2", (1, "window"), "14 d", "15 d").applied_to(document)
    assert changed == [CRITERION, {"id": "X2", "window": "15 d"}]
    assert document[1]["window"] == "14 d"


def test_a_document_without_criteria_is_its_own_owner() -> None:
    (first, _) = mutants("readings.yaml", {"tapers": {"apart": "56 d"}})
    assert str(first) == "readings.yaml readings tapers.apart: 56 d -> 55 d"
