"""Creatinine clearance by Cockcroft and Gault, exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cds_service.clinical.facts import Sex
from cds_service.clinical.interval import Interval, Limit
from cds_service.clinical.quantity import Converted, convert
from cds_service.clinical.renal import body_mass_index, cockcroft_gault, ideal_weight
from cds_service.clinical.truth import Truth
from tests.clinical.builders import exactly, raw, span

LIMIT = Limit.parse(">= 60 mL/min")


def creatinine(value: str, unit: str) -> Interval:
    found = convert("creatinine", raw(value, unit))
    assert isinstance(found, Converted)
    return found.interval


def clearance(sex: Sex, age: int, kilograms: int, value: str, unit: str = "mg/dL") -> Interval:
    return cockcroft_gault(exactly(age), sex, exactly(kilograms), creatinine(value, unit))


@pytest.mark.parametrize(
    ("sex", "age", "kilograms", "value", "printed", "kept"),
    [
        ("male", 40, 70, "1.00 mg/dL", "97.22", Truth.TRUE),
        ("female", 40, 70, "1.00 mg/dL", "82.64", Truth.TRUE),
        ("male", 55, 60, "88.4 umol/L", "70.83", Truth.TRUE),
        ("female", 62, 58, "75 umol/L", "62.95", Truth.TRUE),
        ("male", 50, 72, "1.50 mg/dL", "60.00", Truth.TRUE),
        ("male", 50, 72, "132.6 umol/L", "60.00", Truth.TRUE),
        ("male", 50, 72, "132.62 umol/L", "59.99", Truth.FALSE),
        ("male", 50, 72, "132.9 umol/L", "59.86", Truth.FALSE),
        ("male", 70, 65, "1.055 mg/dL", "59.90", Truth.FALSE),
        ("female", 30, 45, "0.90 mg/dL", "64.93", Truth.TRUE),
        ("female", 45, 50, "1.12 mg/dL", "50.07", Truth.FALSE),
        ("male", 68, 81, "108 umol/L", "66.30", Truth.TRUE),
        ("male", 60, 95, "1.30 mg/dL", "81.20", Truth.TRUE),
    ],
)
def test_the_worked_examples_come_out(
    sex: Sex, age: int, kilograms: int, value: str, printed: str, kept: Truth
) -> None:
    found = clearance(sex, age, kilograms, *value.split())
    assert found.is_exact
    assert f"{float(found.low):.2f}" == printed
    assert LIMIT.holds_for(found) is kept


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (clearance("male", 40, 70, "1"), Fraction(7000, 72)),
        (clearance("female", 40, 70, "1"), Fraction(7000, 72) * Fraction(85, 100)),
        (clearance("male", 50, 72, "1.50"), Fraction(60)),
        (clearance("male", 50, 72, "132.6", "umol/L"), Fraction(60)),
        (clearance("female", 62, 58, "75", "umol/L"), Fraction(78 * 58 * 884, 72 * 750) * Fraction(85, 100)),
    ],
)
def test_nothing_is_rounded(found: Interval, expected: Fraction) -> None:
    assert found == exactly(expected)


def test_the_ideal_weight_of_a_heavy_man_and_its_clearance() -> None:
    ideal = ideal_weight("male", exactly(170))
    assert ideal is not None
    found = cockcroft_gault(exactly(60), "male", ideal, exactly("1.3"))
    assert [f"{float(one.low):.2f}" for one in (ideal, found)] == ["65.94", "56.36"]


def test_ideal_weight_of_five_feet_is_the_constant() -> None:
    assert ideal_weight("male", exactly("152.4")) == exactly(50)
    assert ideal_weight("female", exactly("152.4")) == exactly("45.5")
    assert ideal_weight("female", exactly("154.94")) == exactly("47.8")


def test_there_is_no_ideal_weight_without_a_sex_or_an_exact_height() -> None:
    assert ideal_weight("unknown", exactly(170)) is None
    assert ideal_weight("male", span(170, 172)) is None
    assert ideal_weight("female", exactly(50)) is None


def test_a_body_so_small_that_the_formula_leaves_nothing_has_no_ideal_weight() -> None:
    nothing = Fraction("2.54") * (60 - Fraction("45.5") / Fraction("2.3"))
    half = nothing + Fraction("2.54") * Fraction(1, 2) / Fraction("2.3")
    assert ideal_weight("female", exactly(nothing)) is None
    assert ideal_weight("female", exactly(half)) == exactly("0.5")


def test_an_age_without_an_upper_end_may_leave_nothing() -> None:
    found = cockcroft_gault(span(40, None), "male", exactly(72), exactly(1))
    assert found == span(0, 100)


def test_an_unknown_sex_spans_both() -> None:
    both = clearance("unknown", 40, 70, "1")
    assert both == clearance("female", 40, 70, "1").hull(clearance("male", 40, 70, "1"))


def test_ranges_of_age_and_weight_carry_over() -> None:
    found = cockcroft_gault(span(49, 50), "male", span(70, 72), span("1.4", "1.5"))
    assert found == span(Fraction(90 * 70 * 10, 72 * 15), Fraction(91 * 72 * 10, 72 * 14))


def test_a_creatinine_with_a_comparator_gives_a_clearance_with_one() -> None:
    below = Interval(Fraction(0), Fraction(1, 2), high_open=True)
    found = cockcroft_gault(exactly(40), "male", exactly(72), below)
    assert found == Interval(Fraction(200), None, low_open=True)
    above = Interval(Fraction(2), None, low_open=True)
    found = cockcroft_gault(exactly(40), "male", exactly(72), above)
    assert LIMIT.holds_for(found) is Truth.FALSE


def test_nobody_is_older_than_the_formula() -> None:
    assert cockcroft_gault(exactly(141), "male", exactly(70), exactly(1)).is_zero
    with pytest.raises(ValueError, match="zero"):
        cockcroft_gault(exactly(40), "male", exactly(70), exactly(0))


def test_the_body_mass_index_is_weight_over_the_square_of_height() -> None:
    assert body_mass_index(exactly("74"), exactly(200)) == exactly("18.5")
    assert body_mass_index(exactly(70), Interval(Fraction(0), Fraction(100))) is None
