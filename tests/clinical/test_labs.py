"""Which results of an analyte count, and the upper limits of normal that stand in for missing ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import (
    Result,
    default_upper_limit,
    is_believable_limit,
    newest,
    taken_on,
    unit_of,
    usable,
)
from cds_service.clinical.quantity import Unusable
from tests.clinical.builders import day, exactly, result, span

BELOW_HALF = Interval(Fraction(0), Fraction(1, 2), high_open=True)


def count(
    value: Interval | Unusable | str, on: str, reference: str = "Observation/1", preliminary: bool = False
) -> Result:
    return result("neutrophils", value, on, reference, preliminary=preliminary)


def test_the_newest_day_counts() -> None:
    chosen = newest([count("1.4", "03-10"), count("0.9", "03-11", "b"), count("2", "03-01")], "neutrophils")
    assert chosen is not None
    assert (chosen.quantity, chosen.day, chosen.disagree) == (exactly("0.9"), day("03-11"), False)
    assert [r.reference for r in chosen.results] == ["b"]


def test_results_of_one_day_that_differ_are_one_range_and_disagree() -> None:
    chosen = newest([count("1.4", "03-10"), count("0.9", "03-10", "b"), count(BELOW_HALF, "03-10", "c")], "neutrophils")
    assert chosen is not None
    assert (chosen.quantity, chosen.disagree) == (span(0, "1.4"), True)
    assert len(chosen.results) == 3


def test_the_same_value_twice_on_a_day_agrees() -> None:
    chosen = newest([count("1.4", "03-10"), count("1.40", "03-10", "b")], "neutrophils")
    assert chosen is not None
    assert (chosen.quantity, chosen.disagree) == (exactly("1.4"), False)


def test_a_comparator_survives_the_choice() -> None:
    chosen = newest([count(BELOW_HALF, "03-10")], "neutrophils")
    assert chosen is not None
    assert chosen.quantity == BELOW_HALF


def test_a_final_result_goes_before_a_preliminary_one_of_the_same_day_only() -> None:
    early, final = count("0.5", "03-10", "a", preliminary=True), count("1.5", "03-10", "b")
    chosen = newest([early, final], "neutrophils")
    assert chosen is not None
    assert chosen.results == (final,)
    later = count("0.7", "03-11", "c", preliminary=True)
    chosen = newest([early, final, later], "neutrophils")
    assert chosen is not None
    assert chosen.results == (later,)


@pytest.mark.parametrize("partial", ["2026-03", "2026"])
def test_a_partial_date_never_passes_for_newer_than_it_surely_is(partial: str) -> None:
    chosen = newest([count("0.5", partial), count("1.5", "03-10", "b")], "neutrophils")
    assert chosen is not None
    assert (chosen.quantity, chosen.day) == (exactly("1.5"), day("03-10"))
    alone = newest([count("0.5", "2026-03")], "neutrophils")
    assert alone is not None
    assert alone.day == day("03-01")


def test_other_analytes_undated_and_unusable_results_do_not_count() -> None:
    undated = Result("x", "neutrophils", "", None, exactly(1))
    unusable = count(Unusable("no-unit"), "03-12")
    others = [undated, unusable, result("platelets", "30", "03-12")]
    assert newest(others, "neutrophils") is None
    assert usable([*others, count("1", "03-01", "b")], "neutrophils") == [count("1", "03-01", "b")]


def test_usable_results_come_newest_first() -> None:
    found = usable([count("1", "03-01"), count("2", "03-05"), count("3", "02-05")], "neutrophils")
    assert [r.quantity for r in found] == [exactly(2), exactly(1), exactly(3)]


@given(st.permutations([count("1.4", "03-10"), count("0.9", "03-10", "b"), count("2", "03-01", "c")]))
def test_the_choice_does_not_depend_on_the_order_of_the_record(results: list[Result]) -> None:
    assert newest(results, "neutrophils") == newest(list(reversed(results)), "neutrophils")


@pytest.mark.parametrize(("analyte", "low", "high"), [("bilirubin-total", 1, "1.5"), ("alt", 35, 60), ("ast", 35, 50)])
def test_a_missing_upper_limit_lies_in_the_range_of_common_laboratories(analyte: str, low: int, high: str) -> None:
    assert default_upper_limit(analyte) == span(low, high)


def test_the_range_is_that_of_laboratories_that_report_in_the_same_unit() -> None:
    molar = span("17.1", 26)
    assert default_upper_limit("bilirubin-total", "umol/L") == molar.scaled(Fraction(10, 171))
    assert default_upper_limit("bilirubin-total", "mg/dL") == default_upper_limit("bilirubin-total")


@pytest.mark.parametrize(
    ("analyte", "inside", "outside"),
    [
        ("bilirubin-total", "0.5", "0.49"), ("bilirubin-total", "3", "3.01"),
        ("alt", "17.5", "17.4"), ("alt", "120", "121"), ("ast", "17.5", "17.4"), ("ast", "100", "101"),
    ],
)  # fmt: skip
def test_a_limit_that_no_laboratory_has_is_not_believed(analyte: str, inside: str, outside: str) -> None:
    assert is_believable_limit(analyte, exactly(inside))
    assert not is_believable_limit(analyte, exactly(outside))
    assert is_believable_limit("creatinine", exactly(outside))


def test_an_analyte_without_a_common_range_has_no_upper_limit() -> None:
    assert default_upper_limit("creatinine") is None


def test_each_analyte_has_the_unit_that_the_rules_read() -> None:
    assert [unit_of(one) for one in ("creatinine", "platelets", "weight")] == ["mg/dL", "10*9/L", "kg"]


def test_two_results_of_one_day_are_enough_to_disagree() -> None:
    chosen = newest([count("1.4", "03-10"), count("0.9", "03-10", "b")], "neutrophils")
    assert chosen is not None
    assert (chosen.quantity, chosen.disagree) == (span("0.9", "1.4"), True)


def test_a_result_is_as_old_as_its_date_allows_and_one_without_a_date_older_than_any() -> None:
    dated = result("wbc", 5, "2026-03")
    assert taken_on(dated) == day("03-01")
    assert taken_on(replace(dated, when=None)) == date.min
