"""What an answer rests on: a resource, its date and words, its measure, and the limit it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from cds_service.clinical.dates import DayRange, Span
from cds_service.clinical.interval import Interval, Limit


@dataclass(frozen=True, slots=True)
class Measure:
    """An interval with its unit (UCUM), and the limit that decides how many digits must be printed."""

    interval: Interval
    unit: str
    limit: Limit | None = None


# What the values of a reason may be; whoever prints a finding turns each into words or JSON.
Value = Measure | Limit | DayRange | Span | date | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One resource that a finding rests on.

    `label`, and a `value` that is a string, are the record's own words: nobody has checked or escaped them.
    """

    reference: str
    when: DayRange | None
    label: str
    value: Measure | str | None = None
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is what it is: a code, in no language, and its typed values."""

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)
