"""JSON to typed values, numbers exactly as they were written."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from cds_service.fhir.datatypes import Number

T = TypeVar("T")
_MOST_DIGITS = 40


class _Long(Decimal):
    """A JSON number with more characters than any measurement needs."""


def _written(number: str) -> Decimal:
    return Number(number) if len(number) <= _MOST_DIGITS else _Long(number)


def _number(kind: type, value: object) -> object:
    """A JSON number as `Number`; msgspec itself would take the string "NaN" for one.

    A fraction with more digits than any measurement has is refused: exact arithmetic would carry all of them.
    """
    if type(value) is kind:
        return value
    if kind is not Number or not isinstance(value, int | _Long) or isinstance(value, bool):
        raise ValueError("expected a number")
    number = Number(value)
    _, digits, exponent = number.as_tuple()
    if isinstance(exponent, int) and exponent < 0 and len(digits) > _MOST_DIGITS:
        raise ValueError("expected fewer digits")
    return number


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(Any, kind), dec_hook=_number, float_hook=_written)


def decode(raw: bytes | msgspec.Raw, kind: type[T]) -> T | None:
    """The value as `kind`; None when it has another shape or is not there."""
    try:
        value: T = _decoder(cast(Hashable, kind)).decode(raw)
    except (ValueError, RecursionError, ArithmeticError):
        return None
    return value
