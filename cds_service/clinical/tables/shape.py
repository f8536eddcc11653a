"""What each table must hold, so that a slip of the pen is refused instead of being computed with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_DAYS = re.compile(r"[1-9]\d* d", re.ASCII)


def _number(value: Any) -> Fraction:
    """A positive number, written so that it is exact: a decimal stands in quotes."""
    return _exact(value, allow_zero=False)


def _exact(value: Any, allow_zero: bool = True) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f'expected a whole number, or a decimal in quotes such as "0.75", found {value!r}')
    try:
        number = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f'expected a number such as 5, "0.75" or "10/884", found {value!r}') from None
    if number < 0 or (number == 0 and not allow_zero):
        raise ValueError(f"expected a positive number, found {value!r}")
    return number


def _days(value: Any) -> str:
    if not _DAYS.fullmatch(str(value)):
        raise ValueError(f'expected a number of days such as "28 d", found {value!r}')
    return str(value)


def _range(value: Any) -> tuple[Fraction, Fraction]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"expected a range of two numbers, found {value!r}")
    low, high = _exact(value[0]), _exact(value[1])
    if high <= low:
        raise ValueError(f"expected a range that ends above its beginning, found {value!r}")
    return low, high


def _one_or_range(value: Any) -> Any:
    return _range(value) if isinstance(value, list) else _number(value)


Positive = Annotated[Any, BeforeValidator(_number)]
Days = Annotated[str, BeforeValidator(_days)]
Range = Annotated[Any, BeforeValidator(_range)]
Word = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """A part of a table: every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Table(BaseModel):
    """Any table: it says where its numbers are from."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    source: Word


class Equivalents(Part):
    source: Word
    reference_drug: Word
    reference_mg: Positive
    equivalents: Mapping[Word, Annotated[Any, BeforeValidator(_one_or_range)]]
    replacement: Mapping[Word, Positive]


class Exposure(Table):
    """Spans of days under any name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    __pydantic_extra__: dict[str, Days] = Field(init=False)


class IdealWeight(Part):
    male: Positive
    female: Positive
    kg_per_inch: Positive
    from_inches: Positive
    cm_per_inch: Positive


class Renal(Part):
    source: Word
    age_from: Positive
    creatinine_factor: Positive
    female_factor: Positive
    ideal_weight: IdealWeight


class Weights(Part):
    source: Word
    fresh: Days
    usable: Days
    jump_within: Days
    jump_share: Positive


class Limits(Part):
    from_: Positive = Field(alias="from")
    to: Positive

    @model_validator(mode="after")
    def _ends_above(self) -> Self:
        if self.to < self.from_:
            raise ValueError("expected a range that ends above its beginning")
        return self


class UpperLimit(Limits):
    """The range in the analyte's unit, and in others that are rounded apart."""

    unit: Word
    believed: Range
    in_other_units: Mapping[Word, Limits] = {}


class UpperLimits(Part):
    source: Word
    limits: Mapping[Word, UpperLimit]


class Unitless(Part):
    from_: Positive = Field(alias="from")
    to: Positive
    unit: Word


class AnalyteRow(Part):
    """How an analyte may be written; every unit named anywhere is one of its `units`."""

    unit: Word
    units: Mapping[Word, Positive]
    spellings: Mapping[Word, Word] = {}
    plausible: Range
    unitless: tuple[Unitless, ...] = ()
    properties: Mapping[Word, tuple[Word, ...]] = {}
    bare: bool = False
    step: Positive | None = None
    least: Positive | None = None
    plausible_as: Mapping[Word, Range] = {}

    @model_validator(mode="after")
    def _knows_its_units(self) -> Self:
        named = {self.unit, *self.spellings.values(), *self.plausible_as, *(one.unit for one in self.unitless)}
        named |= {unit for units in self.properties.values() for unit in units}
        if named - set(self.units):
            raise ValueError(
                f"expected units that stand under units, found {', '.join(sorted(named - set(self.units)))}"
            )
        return self


class Units(Part):
    source: Word
    shared: Mapping[Word, Mapping[str, Any]] = {}
    analytes: Mapping[Word, AnalyteRow]


SHAPES: Mapping[str, type[BaseModel]] = {
    "equivalents": Equivalents,
    "exposure": Exposure,
    "renal": Renal,
    "weights": Weights,
    "upper_limits": UpperLimits,
    "units": Units,
}
