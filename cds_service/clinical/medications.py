"""Drugs as they were prescribed, reported or given: what a medication record says, freed of its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from typing import Literal

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import Interval

Kind = Literal["request", "dispense", "statement", "administration"]
Pattern = Literal["daily", "qod", "alternating", "weekly", "as-needed", "unknown"]
Route = Literal["systemic", "local", "depot", "unknown"]
# How a day's dose is divided over its administrations, largest share first; empty where that is not told.
Shares = tuple[Fraction, ...]
_MOST_SHARES = 24


class Standing(Enum):
    """How much a record proves that the drug was taken."""

    TAKEN = "taken"  # taken, or ordered and to be taken
    ENDED = "ended"  # was taken until some day on or before the day of screening
    POSSIBLE = "possible"  # may have been taken: only the high end of the dose counts
    HELD = "held"  # on hold at present
    NOT_TAKEN = "not-taken"  # the record says that it was not taken


@dataclass(frozen=True, slots=True)
class Derivation:
    """How the dose of a day was worked out: `amount` mg at a time, `per_day` times.

    `pieces` tablets, capsules or mL hold `each` mg; both are None where the record states mg. `per_day` is None
    where it states the amount of the whole day.
    """

    amount: Interval
    per_day: Interval | None
    pieces: Interval | None = None
    each: Interval | None = None


@dataclass(frozen=True, slots=True)
class DoseStep:
    """One dosage instruction: so much of the drug per day between two days.

    `daily` is the mean amount in mg of the drug per day, `per_dose` the mg of one administration, both
    per kg of body weight when `per_kilogram`. An instruction that cannot be read has every dose from zero
    upwards, and `fault` says why. `first` and `last` are its own bounds (included), None where it states
    none; `order` is its place in a sequence of steps, `part_of_day` says that it is for a time of the day (`times`)
    only, and `added_to` that its words add it to another record's dose. `shares` divide the day's dose.
    """

    daily: Interval
    pattern: Pattern = "daily"
    per_dose: Interval | None = None
    per_kilogram: bool = False
    first: DayRange | None = None
    last: DayRange | None = None
    length_days: int | None = None
    order: int | None = None
    part_of_day: bool = False
    fault: str | None = None
    text_only: bool = False
    conflict: bool = False
    added_to: bool = False
    derivation: Derivation | None = None
    shares: Shares = ()
    times: frozenset[str] = frozenset()


def shares_of(amounts: Sequence[Interval]) -> Shares:
    """The shares of several amounts in their sum."""
    total = sum(amount.low for amount in amounts)
    if not total or not all(amount.is_exact for amount in amounts):
        return ()
    return tuple(sorted((amount.low / total for amount in amounts), reverse=True))


def even_shares(per_day: Interval | None) -> Shares:
    """The shares of so many equal administrations; rarer ones than daily are one."""
    if per_day is None or not per_day.is_exact or per_day.low > _MOST_SHARES:
        return ()
    times = max(per_day.low, Fraction(1))
    return (1 / times,) * int(times) if times.denominator == 1 else ()


@dataclass(frozen=True, slots=True)
class Clause:
    """What one clause of a reason or note names, or one code of it.

    `understood` says that it says nothing else: no word of it is strange to us. `denied` says that a word of it may
    deny what it names, and is no part of a phrase that does so itself, such as "no improvement"; then `denies` is all
    that such a word may be about.
    """

    concepts: frozenset[str]
    understood: bool = True
    denied: bool = False
    denies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StatedReason:
    """Why a drug was given, as its record says it: a reason, or a note (`when` it was written, if it says so).

    `clauses` are what its codes and words were recognised as; `reference` is the problem that it points to. The words
    themselves are left behind: nobody may print them.
    """

    clauses: tuple[Clause, ...]
    is_note: bool = False
    when: DayRange | None = None
    reference: str | None = None

    @property
    def concepts(self) -> frozenset[str]:
        """Everything that is named in any clause."""
        return frozenset(concept for clause in self.clauses for concept in clause.concepts)


@dataclass(frozen=True, slots=True)
class MedicationUse:
    """One medication record of a drug of interest.

    `begins` and `ends` bound it as the record states; `supply_ends` is when the dispensed supply runs out and
    `valid_until` when the order expires: weaker than an end. `written` is the day it was ordered or last
    confirmed; `refillable_until` is how long the supply lasts with every repeat that is allowed. `links` are the
    references and identifiers that tie records of one therapy together. `supplied` are the days, first and last, for
    which each supply of an order was handed out. `misnamed` says that its codes and words name different drugs.
    `superseded_on` is the day from which another order stands in its place, whatever the record itself says.
    """

    reference: str
    kind: Kind
    drug: str
    label: str
    certainty: Certainty
    standing: Standing
    route: Route
    steps: tuple[DoseStep, ...]
    begins: DayRange | None = None
    ends: DayRange | None = None
    supply_ends: date | None = None
    valid_until: date | None = None
    written: date | None = None
    active: bool = False
    links: frozenset[str] = frozenset()
    conflict: bool = False
    misnamed: bool = False
    reasons: tuple[StatedReason, ...] = ()
    supplied: tuple[tuple[date, date], ...] = ()
    refillable_until: date | None = None
    superseded_on: date | None = None

    @property
    def is_open_ended(self) -> bool:
        """True for an order that states no end at all: neither bounds, nor supply, nor validity."""
        bounded = any(step.last or step.length_days for step in self.steps)
        return self.kind == "request" and not (self.ends or self.supply_ends or self.valid_until or bounded)
