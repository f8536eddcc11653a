"""A result is read when somebody asks for its value, once, and no older one than needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from fractions import Fraction

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Result, newest
from cds_service.clinical.quantity import Unusable
from cds_service.fhir.promised import Promised

MARCH, APRIL = DayRange.of(date(2026, 3, 1)), DayRange.of(date(2026, 4, 1))
SEVEN = Interval.exactly(Fraction(7))


def written(when: DayRange, quantity: Interval | Unusable = SEVEN, name: str = "a") -> Result:
    return Result(f"Observation/{name}", "platelets", "Platelets", when, quantity, preliminary=True, written="7 G/L")


def promised(result: Result, read: Callable[[], Result] | None = None) -> Promised:
    assert result.when is not None
    return Promised.of(result.reference, result.analyte, result.when, read or (lambda: result))


def never() -> Result:
    raise AssertionError("nobody asked for it")


def test_it_is_read_once_and_then_says_what_was_read() -> None:
    times: list[int] = []

    def read() -> Result:
        times.append(1)
        return written(MARCH)

    result = promised(written(MARCH), read)
    assert not times
    assert {f.name: getattr(result, f.name) for f in fields(Result)} == {
        f.name: getattr(written(MARCH), f.name) for f in fields(Result)
    }
    assert result.is_second_rate
    assert len(times) == 1


def test_reference_analyte_and_days_are_known_without_reading() -> None:
    result = promised(written(MARCH), never)
    assert (result.reference, result.analyte, result.when) == ("Observation/a", "platelets", MARCH)


def test_a_copy_with_another_day_is_a_result_like_any_other() -> None:
    later = replace(promised(written(MARCH)), when=APRIL)
    assert (later.when, later.quantity, later.written) == (APRIL, SEVEN, "7 G/L")


def test_it_has_nothing_that_a_result_has_not() -> None:
    with pytest.raises(AttributeError, match="colour"):
        _ = promised(written(MARCH), never).colour


def test_no_value_is_looked_at_that_is_older_than_the_newest_usable_one() -> None:
    chosen = newest([promised(written(MARCH), never), promised(written(APRIL))], "platelets")
    assert chosen is not None
    assert chosen.day == APRIL.first


def test_an_older_value_counts_where_the_newest_cannot_be_used() -> None:
    unusable = promised(written(APRIL, Unusable("not-a-number")))
    chosen = newest([unusable, promised(written(MARCH, name="b"))], "platelets")
    assert chosen is not None
    assert [r.reference for r in chosen.results] == ["Observation/b"]


def test_results_of_other_analytes_are_left_alone() -> None:
    assert newest([promised(written(APRIL), never)], "neutrophils") is None
