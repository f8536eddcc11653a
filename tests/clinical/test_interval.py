"""Intervals enclose every number that a record may mean; limits are compared with all of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.interval import ANYTHING, ZERO, Interval, Limit
from cds_service.clinical.truth import Truth
from tests.clinical.builders import exactly, span

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
NUMBERS = st.fractions(min_value=0, max_value=50, max_denominator=8)


def written(text: str) -> Interval:
    """An interval as a laboratory would write it: "0.5", "<0.5", ">=50", "1-2" or "any"."""
    if text == "any":
        return ANYTHING
    if text[0] == "<":
        return Interval(Fraction(0), Fraction(text.strip("<=")), high_open="=" not in text)
    if text[0] == ">":
        return Interval(Fraction(text.strip(">=")), None, low_open="=" not in text)
    low, _, high = text.partition("-")
    return span(low, high or low)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted(draw(st.tuples(NUMBERS, NUMBERS)))
    if draw(st.booleans()) and draw(st.booleans()):
        return Interval(low, None, draw(st.booleans()))
    if low == high:
        return Interval(low, high)
    return Interval(low, high, draw(st.booleans()), draw(st.booleans()))


def holds(interval: Interval, number: Fraction) -> bool:
    """True when the number belongs to the interval."""
    above = number > interval.low or (number == interval.low and not interval.low_open)
    if interval.high is None:
        return above
    return above and (number < interval.high or (number == interval.high and not interval.high_open))


@st.composite
def members(draw: st.DrawFn) -> tuple[Interval, Fraction]:
    """An interval and a number of it, its ends among them when they belong to it."""
    interval = draw(intervals())
    width = (interval.high if interval.high is not None else interval.low + 9) - interval.low
    share = draw(st.sampled_from([0, 1, 2, 3, 4])) if width else 0
    number = interval.low + width * Fraction(share, 4)
    return interval, number if holds(interval, number) else interval.low + width / 2


LIMITS = st.builds(Limit, st.sampled_from([">", ">=", "<", "<="]), NUMBERS, st.just("mg"))


def keeps(limit: Limit, number: Fraction) -> bool:
    return {
        ">": number > limit.value,
        ">=": number >= limit.value,
        "<": number < limit.value,
        "<=": number <= limit.value,
    }[limit.operator]


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        (">1.0", "> 1.0", T), (">=1.0", "> 1.0", U), ("1.0", "> 1.0", F), ("1.0001", "> 1.0", T),
        (">0.9", "> 1.0", U), (">1.0", ">= 1.0", T), (">=1.0", ">= 1.0", T), ("1.0", ">= 1.0", T),
        ("0.9999", ">= 1.0", F), (">=50", "> 50", U), (">50", "> 50", T), (">55", "> 50", T),
        ("50-55", "> 50", U), ("50.1-55", "> 50", T), ("45-50", "> 50", F),
        ("<0.5", ">= 0.5", F), ("<=0.5", ">= 0.5", U), ("<0.5", "> 0.5", F), ("<=0.5", "> 0.5", F),
        ("<0.6", "> 0.5", U), ("<2", "> 1", U),
        ("<0.5", "< 0.5", T), ("<=0.5", "< 0.5", U), ("<=0.5", "<= 0.5", T), ("0.5", "<= 0.5", T),
        ("0.5", "< 0.5", F), ("0.5001", "<= 0.5", F), (">0.5", "<= 0.5", F), (">=0.5", "<= 0.5", U),
        (">=0.5", "< 0.5", F), ("1-2", "<= 2", T), ("2-3", "<= 2", U), ("2.1-3", "<= 2", F),
        ("any", "> 0", U), ("any", ">= 0", T), ("any", "< 1", U), (">3", "<= 2", F),
    ],
)  # fmt: skip
def test_a_limit_holds_fails_or_cannot_be_told(value: str, limit: str, expected: Truth) -> None:
    assert Limit.parse(f"{limit} mg").holds_for(written(value)) is expected


@given(members(), LIMITS)
def test_an_answer_is_true_of_every_number_of_the_interval(pair: tuple[Interval, Fraction], limit: Limit) -> None:
    interval, number = pair
    answer = limit.holds_for(interval)
    assert answer is U or (answer is T) == keeps(limit, number)


@given(intervals(), LIMITS)
def test_not_known_means_that_numbers_of_the_interval_differ(interval: Interval, limit: Limit) -> None:
    """Two numbers near the limit, or the ends, are witnesses for both answers."""
    top = interval.high if interval.high is not None else max(interval.low, limit.value) + 2
    inner = [interval.low + (top - interval.low) * Fraction(n, 1000) for n in (1, 999)]
    step = Fraction(1, 1000)
    near = [limit.value - step, limit.value, limit.value + step]
    witnesses = [n for n in (interval.low, top, *inner, *near) if holds(interval, n)]
    told = {keeps(limit, n) for n in witnesses}
    assert (limit.holds_for(interval) is U) == (len(told) == 2)


@given(intervals(), LIMITS)
def test_the_opposite_limit_gives_the_opposite_answer(interval: Interval, limit: Limit) -> None:
    opposite = {">": "<=", "<=": ">", "<": ">=", ">=": "<"}
    other = Limit(opposite[limit.operator], limit.value, limit.unit)  # type: ignore[arg-type]
    assert other.holds_for(interval) is ~limit.holds_for(interval)


@given(members(), members(), NUMBERS)
def test_arithmetic_encloses_every_result(
    one: tuple[Interval, Fraction], other: tuple[Interval, Fraction], factor: Fraction
) -> None:
    (left, a), (right, b) = one, other
    assert holds(left + right, a + b)
    assert holds(left.times(right), a * b)
    assert holds(left.scaled(factor), a * factor)
    assert holds(left.hull(right), a)
    assert holds(left.hull(right), b)
    assert holds(left.down_to_zero(), a)
    assert holds(left.down_to_zero(), Fraction(0))
    if b > 0:
        assert holds(left.over(right), a / b)


@given(intervals(), intervals())
def test_sums_and_products_do_not_depend_on_the_order(one: Interval, other: Interval) -> None:
    assert one + other == other + one
    assert one.times(other) == other.times(one)
    assert one.hull(other) == other.hull(one)


def test_nothing_of_an_unbounded_amount_is_nothing() -> None:
    assert ZERO.times(ANYTHING) == ANYTHING.times(ZERO) == ANYTHING.scaled(0) == ZERO


def test_an_open_end_stays_open_only_where_it_is_not_reached() -> None:
    below_two = Interval(Fraction(0), Fraction(2), high_open=True)
    assert below_two.scaled(3) == Interval(Fraction(0), Fraction(6), high_open=True)
    assert below_two + exactly(1) == Interval(Fraction(1), Fraction(3), high_open=True)
    assert exactly(1) + below_two == Interval(Fraction(1), Fraction(3), high_open=True)
    above_two = Interval(Fraction(2), None, low_open=True)
    assert above_two + exactly(1) == Interval(Fraction(3), None, low_open=True)
    assert Interval(Fraction(1), None, low_open=True).times(span(0, 1)) == ANYTHING


def test_a_divisor_with_one_open_side_leaves_the_quotient_unbounded_or_reaching_to_zero() -> None:
    assert exactly(6).over(written("<2")) == Interval(Fraction(3), None, low_open=True)
    assert exactly(6).over(written(">2")) == Interval(Fraction(0), Fraction(3), low_open=True, high_open=True)
    assert exactly(6).over(span(2, 3)) == span(2, 3)


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(ValueError, match="zero"):
        exactly(1).over(ZERO)


def test_intervals_are_not_scaled_below_zero() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        exactly(1).scaled(-1)


@pytest.mark.parametrize(
    ("low", "high", "low_open", "high_open"),
    [(2, 1, False, False), (1, 1, True, False), (1, 1, False, True), (1, 1, True, True)],
)
def test_an_interval_without_numbers_is_refused(low: int, high: int, low_open: bool, high_open: bool) -> None:
    with pytest.raises(ValueError, match="interval"):
        Interval(Fraction(low), Fraction(high), low_open, high_open)


@pytest.mark.parametrize(("low_open", "high_open"), [(True, False), (False, True), (True, True)])
def test_one_number_at_both_ends_is_no_interval_that_excludes_it(low_open: bool, high_open: bool) -> None:
    one = Fraction(1)
    with pytest.raises(ValueError, match="interval"):
        Interval(one, one, low_open, high_open)


def test_exact_means_one_number() -> None:
    assert exactly(2).is_exact
    assert Interval.exactly(Decimal("0.1")) == exactly("1/10")
    assert not span(1, 2).is_exact
    assert not ANYTHING.is_exact
    assert ZERO.is_zero
    assert not exactly(2).is_zero
    assert not ANYTHING.is_zero


def test_the_hull_leaves_an_end_open_only_where_both_do() -> None:
    below, upto = Interval(Fraction(0), Fraction(1), high_open=True), span(0, 1)
    assert below.hull(below).high_open
    assert not below.hull(upto).high_open
    assert below.hull(ANYTHING) == ANYTHING


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("> 0.25 mg/kg/d", Limit(">", Fraction(1, 4), "mg/kg/d")),
        (">=60 mL/min", Limit(">=", Fraction(60), "mL/min")),
        ("  <= 2.0 {ULN} ", Limit("<=", Fraction(2), "{ULN}")),
        ("> 1.0 10*9/L", Limit(">", Fraction(1), "10*9/L")),
    ],
)
def test_a_limit_is_an_operator_a_number_and_a_unit(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit


@pytest.mark.parametrize(
    "text",
    ["", "0.25 mg", "> mg", "> 0.25", "= 5 mg", "> 10*9/L", "> 1,5 mg", "> 1.5.2 mg", "> -1 mg", "> 5mg"],
)
def test_a_limit_without_operator_number_or_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an operator"):
        Limit.parse(text)


def test_a_limit_is_written_as_it_is_read() -> None:
    assert str(Limit.parse("> 0.25 mg/kg/d")) == "> 0.25 mg/kg/d"


@pytest.mark.parametrize(
    ("value", "near"),
    [("63", True), ("57", True), ("60", True), ("63.001", False), ("56.999", False),
     ("63-80", True), ("40-57", True), ("40-80", False), (">60", True), (">64", False)],
)  # fmt: skip
def test_near_means_that_an_end_lies_within_the_band_ends_included(value: str, near: bool) -> None:
    assert Limit.parse(">= 60 mL/min").is_near(written(value), Fraction(5, 100)) is near


@pytest.mark.parametrize(("value", "near"), [("25", True), ("25.001", False), ("24.999", False)])
def test_a_band_of_nothing_means_equality(value: str, near: bool) -> None:
    assert Limit.parse("> 25 10*9/L").is_near(written(value), Fraction(0)) is near


def test_an_open_end_stays_open_beside_an_unbounded_interval_and_down_to_zero() -> None:
    above = Interval(Fraction(5), None, low_open=True)
    assert above.hull(Interval(Fraction(6), Fraction(7))) == above
    below = Interval(Fraction(5), Fraction(10), high_open=True)
    assert below.down_to_zero() == Interval(Fraction(0), Fraction(10), high_open=True)
    assert above.down_to_zero() == Interval(Fraction(0), None)
