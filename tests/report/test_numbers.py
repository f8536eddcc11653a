"""Numbers as people and programs read them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.clinical.interval import Interval, Limit
from cds_service.report.numbers import as_json_number, as_text, json_interval


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        ("92.3611", ">= 60 mL/min", "92.36"),
        ("59.9996", ">= 60 mL/min", "59.9996"),
        ("60", ">= 60 mL/min", "60"),
        ("60.00001", ">= 60 mL/min", "60.00001"),
        ("0.25", "> 0.25 mg/kg/d", "0.25"),
        ("0.2503", "> 0.25 mg/kg/d", "0.2503"),
        ("1000", "> 1.0 10*9/L", "1000"),
    ],
)
def test_a_sentence_prints_as_many_digits_as_tell_the_value_from_the_limit(value: str, limit: str, text: str) -> None:
    assert as_text(Fraction(value), Limit.parse(limit)) == text


def test_json_prints_at_most_four_decimals() -> None:
    assert as_json_number(Fraction(30, 70)) == 0.4286
    assert as_json_number(Fraction(30)) == 30
    assert json_interval(Interval(Fraction(1, 3), None)) == [0.3333, None]
