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
# The blank before the unit is needed: "> 10*9/L" is a unit whose number was forgotten, not a limit of ten.
_LIMIT = re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `low` to `high`; `high` None means unbounded. Ends belong to it unless marked open."""

    low: Fraction
    high: Fraction | None
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        if self.high is None or (self.high is self.low and not (self.low_open or self.high_open)):
            return
        if self.high < self.low:
            raise ValueError("an interval ends before it begins")
        if (self.low_open or self.high_open) and self.high == self.low:
            raise ValueError("an interval of one number that excludes it is empty")

    @classmethod
    def exactly(cls, value: Fraction | Decimal | int) -> Interval:
        """The interval that holds one number only."""
        number = Fraction(value)
        return cls(number, number)

    @property
    def is_exact(self) -> bool:
        """True when it holds one number only."""
        return self.high is self.low or (self.high is not None and self.low == self.high)

    @property
    def is_zero(self) -> bool:
        return not self.low and self.is_exact

    @property
    def begins_at_zero(self) -> bool:
        """True when zero is its lowest number and belongs to it."""
        return not self.low_open and not self.low

    def __add__(self, other: Interval) -> Interval:
        if self.high is self.low and other.high is other.low:  # as most are: one number needs no second sum
            total = self.low + other.low
            return Interval(total, total)
        low_open = self.low_open or other.low_open
        if self.high is None or other.high is None:
            return Interval(self.low + other.low, None, low_open)
        high_open = self.high_open or other.high_open
        return Interval(self.low + other.low, self.high + other.high, low_open, high_open)

    def scaled(self, factor: Fraction | int) -> Interval:
        """Each number times `factor`, which must not be negative."""
        if factor < 0:
            raise ValueError("intervals here are scaled by factors of zero or more")
        return self.times(Interval.exactly(factor))

    def times(self, other: Interval) -> Interval:
        """Products of the numbers of two intervals without negative numbers."""
        if self.is_zero or other.is_zero:
            return ZERO  # nothing of an unknown amount is still nothing
        if self.high is self.low and other.high is other.low:
            product = self.low * other.low
            return Interval(product, product)
        reaches_zero = self.begins_at_zero or other.begins_at_zero
        low_open = not reaches_zero and (self.low_open or other.low_open)
        if self.high is None or other.high is None:
            return Interval(self.low * other.low, None, low_open)
        high_open = self.high_open or other.high_open
        return Interval(self.low * other.low, self.high * other.high, low_open, high_open)

    def over(self, divisor: Interval) -> Interval:
        """Quotients without negative numbers; a divisor that may be almost zero makes them unbounded.

        Raises ValueError for a divisor that is zero.
        """
        if divisor.is_zero:
            raise ValueError("the divisor is zero")
        return self.times(divisor._inverse())

    def _inverse(self) -> Interval:
        if self.high is self.low:
            quotient = 1 / self.low
            return Interval(quotient, quotient)
        low = Fraction(0) if self.high is None else 1 / self.high
        low_open = self.high is None or self.high_open
        if self.low == 0:
            return Interval(low, None, low_open)
        return Interval(low, 1 / self.low, low_open, self.low_open)

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
        if match is None:
            expected = 'an operator, a number, a blank and a unit such as "> 0.25 mg/kg/d"'
            raise ValueError(f"expected {expected}, found {text!r}")
        return cls(cast(Operator, match[1]), Fraction(match[2]), match[3])

    def holds_for(self, quantity: Interval) -> Truth:
        """Whether every number of the interval keeps the limit, none does, or it cannot be told."""
        if self.operator in (">", ">="):
            return self._above(quantity, strict=self.operator == ">")
        return ~self._above(quantity, strict=self.operator == "<=")

    def _above(self, quantity: Interval, strict: bool) -> Truth:
        low, high = quantity.low, quantity.high
        if low > self.value or (low == self.value and (quantity.low_open or not strict)):
            return Truth.TRUE
        if high is None or high > self.value:
            return Truth.UNKNOWN
        return Truth.FALSE if high < self.value or strict or quantity.high_open else Truth.UNKNOWN

    def is_near(self, quantity: Interval, band: Fraction) -> bool:
        """True when an end of the interval lies within `band` (a share of the limit, 0 for equality)."""
        width = band * self.value
        ends = [quantity.low, *([] if quantity.high is None or quantity.high is quantity.low else [quantity.high])]
        return any(abs(end - self.value) <= width for end in ends)

    def __str__(self) -> str:
        number = Decimal(self.value.numerator) / Decimal(self.value.denominator)
        return f"{self.operator} {number} {self.unit}"
