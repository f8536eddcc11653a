"""Exact numbers as people and programs read them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from cds_service.clinical.interval import Interval, Limit

_PRINTED = 4  # decimals that JSON prints at most
_MOST = 15
_LARGEST_WHOLE = 10**12


def as_json_number(value: Fraction) -> float | int:
    """The number with at most four decimals."""
    if _is_plain_whole(value):
        return value.numerator
    rounded = round(value, _PRINTED)
    return int(rounded) if rounded.denominator == 1 and abs(value) < _LARGEST_WHOLE else float(rounded)


def as_text(value: Fraction, limit: Limit | None = None, digits: int = 2) -> str:
    """The number with at most `digits` decimals, or as many as it takes to tell it from the limit."""
    if _is_plain_whole(value):
        return str(value.numerator)
    for enough in range(digits, _MOST):
        rounded = round(value, enough)
        if limit is None or _same_side(value, rounded, limit.value):
            return _plain(rounded, enough)
    return _plain(round(value, _MOST), _MOST)


def _is_plain_whole(value: Fraction) -> bool:
    return value.denominator == 1 and abs(value.numerator) < _LARGEST_WHOLE


def _same_side(value: Fraction, rounded: Fraction, limit: Fraction) -> bool:
    return (value > limit) == (rounded > limit) and (value < limit) == (rounded < limit)


def _plain(value: Fraction, digits: int) -> str:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    text = format(exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def json_interval(interval: Interval) -> list[float | int | None]:
    """[low, high]; an unbounded high is null."""
    return [as_json_number(interval.low), None if interval.high is None else as_json_number(interval.high)]
