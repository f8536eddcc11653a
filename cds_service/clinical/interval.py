"""Quantities as intervals of exact numbers, and limits that are compared with them.

`<0.5`, "30-40 mg", an as-needed dose and two overlapping orders are all the same thing here: a range whose
width is the doubt. Numbers are `Fraction`, so that nothing is rounded before it is compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, cast

from cds_service.clinical.truth import Truth

Operator = Literal[">", ">=", "<", "<="]
_LIMIT = re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*(\S.*)?")


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `low` to `high`; `high` None means unbounded. Ends belong to it unless marked open."""

    low: Fraction
    high: Fraction | None
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        if self.high is not None and self.high < self.low:
            raise ValueError("an interval ends before it begins")

    @classmethod
    def exactly(cls, value: Fraction | Decimal | int) -> Interval:
        """The interval that holds one number only."""
        return cls(Fraction(value), Fraction(value))

    @property
    def is_exact(self) -> bool:
        """True when it holds one number only."""
        return self.high is not None and self.low == self.high

    @property
    def is_zero(self) -> bool:
        return self.is_exact and self.low == 0

    def __add__(self, other: Interval) -> Interval:
        high = None if self.high is None or other.high is None else self.high + other.high
        return Interval(
            self.low + other.low, high, self.low_open or other.low_open, self.high_open or other.high_open
        )

    def scaled(self, factor: Fraction | int) -> Interval:
        """Each number times `factor`, which must not be negative."""
        if factor < 0:
            raise ValueError("intervals here are scaled by factors of zero or more")
        high = None if self.high is None else self.high * factor
        return Interval(self.low * factor, high, self.low_open, self.high_open)

    def times(self, other: Interval) -> Interval:
        """Products of the numbers of two intervals without negative numbers."""
        high = None if self.high is None or other.high is None else self.high * other.high
        return Interval(
            self.low * other.low, high, self.low_open or other.low_open, self.high_open or other.high_open
        )

    def over(self, divisor: Interval) -> Interval:
        """Quotients by an interval of positive, bounded numbers."""
        if divisor.low <= 0 or divisor.high is None:
            raise ValueError("the divisor must be positive and bounded")
        high = None if self.high is None else self.high / divisor.low
        return Interval(
            self.low / divisor.high, high, self.low_open or divisor.high_open, self.high_open or divisor.low_open
        )

    def hull(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        low = min(self.low, other.low)
        low_open = all(i.low_open for i in (self, other) if i.low == low)
        if self.high is None or other.high is None:
            return Interval(low, None, low_open)
        high = max(self.high, other.high)
        return Interval(low, high, low_open, all(i.high_open for i in (self, other) if i.high == high))

    def down_to_zero(self) -> Interval:
        """The same high end, from zero: it may or may not have been so."""
        return Interval(Fraction(0), self.high, False, self.high_open)


ZERO = Interval(Fraction(0), Fraction(0))
ANYTHING = Interval(Fraction(0), None)


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound of the protocol, such as "> 0.25 mg/kg/d". Only `>` and `<` exclude the number itself."""

    operator: Operator
    value: Fraction
    unit: str

    @classmethod
    def parse(cls, text: str) -> Limit:
        """The limit written as operator, number and unit.

        Raises ValueError when one of them is missing: a bound without a unit means nothing.
        """
        match = _LIMIT.fullmatch(text.strip())
        if match is None or match[3] is None:
            raise ValueError(f'expected an operator, a number and a unit such as "> 0.25 mg/kg/d", found {text!r}')
        return cls(cast(Operator, match[1]), Fraction(match[2]), match[3].strip())

    def holds_for(self, quantity: Interval) -> Truth:
        """Whether every number of the interval keeps the limit, none does, or it cannot be told."""
        if self.operator in (">", ">="):
            return self._above(quantity, strict=self.operator == ">")
        return ~self._above(quantity, strict=self.operator == "<=")

    def _above(self, quantity: Interval, strict: bool) -> Truth:
        low, high = quantity.low, quantity.high
        if low > self.value or (low == self.value and (quantity.low_open or not strict)):
            return Truth.TRUE
        if high is not None and (high < self.value or (high == self.value and (strict or quantity.high_open))):
            return Truth.FALSE
        return Truth.UNKNOWN

    def is_near(self, quantity: Interval, band: Fraction) -> bool:
        """True when an end of the interval lies within `band` (a share of the limit, 0 for equality)."""
        ends = [quantity.low, *([] if quantity.high is None else [quantity.high])]
        return any(abs(end - self.value) <= band * self.value for end in ends)

    def __str__(self) -> str:
        number = Decimal(self.value.numerator) / Decimal(self.value.denominator)
        return f"{self.operator} {number} {self.unit}"
