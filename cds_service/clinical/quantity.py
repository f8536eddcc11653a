"""Values with units as records write them, turned into exact intervals in the unit that the rules use.

A closed table per analyte (tables/units.yaml) decides. Whatever it does not list is not understood and says
so; a missing unit is never taken for the expected one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from cds_service.clinical.interval import Interval
from cds_service.clinical.spelling import folded
from cds_service.clinical.tables import table

UCUM = "http://unitsofmeasure.org"
Fault = Literal[
    "no-value", "said-to-be-absent", "no-unit", "unit-not-understood", "units-disagree", "implausible", "not-a-number"
]
_LARGEST_EXPONENT = 15


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a recorded value cannot be used."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class RawQuantity:
    """A value as it stands in the record. `system` and `code` are the coded unit, `unit` its words."""

    value: Decimal | None
    unit: str | None = None
    system: str | None = None
    code: str | None = None
    comparator: str | None = None

    def __str__(self) -> str:
        value = "" if self.value is None else str(self.value)
        return f"{self.comparator or ''}{value} {self.unit or self.code or ''}".strip()


@dataclass(frozen=True, slots=True)
class Converted:
    """A usable value: the interval in the analyte's unit, and the unit that it was written in."""

    interval: Interval
    written_in: str
    unit_was_assumed: bool = False


@dataclass(frozen=True, slots=True)
class AnalyteUnits:
    """How results of one analyte may be written. Factors turn each unit into `unit`."""

    unit: str
    factors: Mapping[str, Fraction]
    spellings: Mapping[str, str]
    folded: Mapping[str, str]
    plausible: Interval
    unitless: tuple[tuple[Interval, str], ...]
    properties: Mapping[str, frozenset[str]]
    bare: bool
    step: Fraction | None
    least: Fraction
    plausible_as: Mapping[str, Interval]

    def is_plausible(self, value: Fraction, code: str) -> bool:
        """True for a value that the analyte can have: within its range, a step of its scale, nothing or enough.

        The range is that of the unit it is written in, where that has one of its own.
        """
        bounds = self.plausible_as.get(code, self.plausible)
        low, high = bounds.low, bounds.high
        if self.least and 0 < value < self.least:
            return False
        return low <= value and (high is None or value <= high) and not (self.step and value % self.step)

    def code_of(self, raw: RawQuantity) -> str | Unusable | None:
        """The UCUM code that the value is written in; None where no unit is given."""
        coded = self._known(raw.code) if raw.code and raw.system in (UCUM, None) else None
        written = self._known(raw.unit) if raw.unit else None
        if coded and written and self.factors[coded] != self.factors[written]:
            return Unusable("units-disagree")
        if coded or (written and not (raw.code and raw.system == UCUM)):
            return coded or written
        return Unusable("unit-not-understood") if raw.code or raw.unit else None

    def understands(self, text: str) -> bool:
        """True for a unit in which the analyte may be written."""
        return self._known(text) is not None

    def _known(self, text: str) -> str | None:
        written = text.strip()
        return written if written in self.factors else self.folded.get(folded(written))


@lru_cache(maxsize=1)
def analyte_units() -> Mapping[str, AnalyteUnits]:
    """The table of units, by analyte."""
    return {name: units_of(row) for name, row in table("units")["analytes"].items()}


def units_of(row: Mapping[str, Any]) -> AnalyteUnits:
    """How one analyte may be written, by its row of the table."""
    codes = {code: code for code in row["units"]}
    return AnalyteUnits(
        unit=row["unit"],
        factors={code: Fraction(factor) for code, factor in row["units"].items()},
        spellings=row.get("spellings", {}),
        folded={folded(text): code for text, code in {**codes, **row.get("spellings", {})}.items()},
        plausible=_range(*row["plausible"]),
        unitless=tuple((_range(one["from"], one["to"]), one["unit"]) for one in row.get("unitless", [])),
        properties={name: frozenset(codes) for name, codes in row.get("properties", {}).items()},
        bare=row.get("bare", False),
        step=Fraction(row["step"]) if "step" in row else None,
        least=Fraction(row.get("least", 0)),
        plausible_as={
            code: _range(*ends).scaled(Fraction(row["units"][code]))
            for code, ends in row.get("plausible_as", {}).items()
        },
    )


def _range(low: int | str, high: int | str) -> Interval:
    return Interval(Fraction(low), Fraction(high))


def convert(analyte: str, raw: RawQuantity) -> Converted | Unusable:
    """The value in the analyte's unit.

    A comparator opens the interval: "<0.5" is everything from zero up to but not including 0.5.
    Raises KeyError for an analyte that the table does not hold.
    """
    units = analyte_units()[analyte]
    number = exact(raw.value)
    if isinstance(number, Unusable):
        return number
    code = units.code_of(raw)
    assumed = code is None and not units.bare
    if code is None:
        code = units.unit if units.bare else _unit_that_explains(units, number)
    if isinstance(code, Unusable):
        return code
    value = number * units.factors[code]
    interval = _opened(value, raw.comparator) if units.is_plausible(value, code) else Unusable("implausible")
    return interval if isinstance(interval, Unusable) else Converted(interval, code, assumed)


def exact(value: Decimal | None) -> Fraction | Unusable:
    """The number itself; Unusable when absent, not finite, or too large or small to be a measurement."""
    if value is None:
        return Unusable("no-value")
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT:
        return Unusable("not-a-number")
    return Fraction(value)


def _unit_that_explains(units: AnalyteUnits, number: Fraction) -> str | Unusable:
    for numbers, unit in units.unitless:
        if numbers.low <= number <= (numbers.high or number):
            return unit
    return Unusable("no-unit")


def _opened(value: Fraction, comparator: str | None) -> Interval | Unusable:
    if comparator in (">", ">="):
        return Interval(value, None, low_open=comparator == ">")
    if comparator == "<" and value == 0:
        return Unusable("implausible")  # less than nothing
    if comparator in ("<", "<="):
        return Interval(Fraction(0), value, high_open=comparator == "<")
    # A sign that is not known, such as R5's "ad", may mean anything.
    return Unusable("not-a-number") if comparator else Interval(value, value)
