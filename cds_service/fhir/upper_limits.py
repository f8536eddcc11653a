"""The upper limit of normal that a report states: of several, the one for the patient's own sex and age."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from cds_service.clinical.dates import DayRange, completed_years
from cds_service.clinical.facts import Sex
from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import is_believable_limit
from cds_service.clinical.quantity import Converted, RawQuantity, Unusable, convert, exact
from cds_service.fhir import elements as el
from cds_service.fhir.values import SIGNS, WRITTEN, converted, worded
from cds_service.terminology.populations import populations
from cds_service.terminology.words import plain

# Parts of a year; bounds in years are the completed ones.
_YEARS = {
    "a": Fraction(1), "yr": Fraction(1), "yrs": Fraction(1), "year": Fraction(1), "years": Fraction(1),
    "y": Fraction(1), "岁": Fraction(1), "mo": Fraction(1, 12), "month": Fraction(1, 12), "months": Fraction(1, 12),
    "wk": Fraction(1, 53), "week": Fraction(1, 53), "weeks": Fraction(1, 53),
    "d": Fraction(1, 366), "day": Fraction(1, 366), "days": Fraction(1, 366),
}  # fmt: skip
_OLDEST = Fraction(1000)


@dataclass(frozen=True, slots=True)
class Person:
    """For whom a range must be meant."""

    sex: Sex
    born: DayRange | None


@dataclass(frozen=True, slots=True)
class StatedLimit:
    """The upper limit of normal, None without one; `doubted` when only limits are stated that no laboratory has."""

    limit: Interval | None = None
    doubted: bool = False


def upper_limit(part: el.Observation, analyte: str, value: Converted, person: Person, when: DayRange) -> StatedLimit:
    """The limit that the same report states for such a person; the span of several that may apply."""
    stated = [
        (fit, limit)
        for one in part.referenceRange or ()
        if _is_normal(one.type) and (fit := _fit(one, person, when)) is not None
        and (limit := _limit(one, analyte, value))
    ]  # fmt: skip
    believed = [(fit, limit) for fit, limit in stated if is_believable_limit(analyte, limit)]
    if not believed:
        return StatedLimit(doubted=bool(stated))
    best = max(fit for fit, _ in believed)
    first, *others = (limit for fit, limit in believed if fit == best)
    for other in others:
        first = first.hull(other)
    return StatedLimit(first)


def _fit(stated: el.ReferenceRange, person: Person, when: DayRange) -> int | None:
    """How well a range is known to be the person's: by what it names of them; None where it is another's.

    One for a group that we do not know comes last: it may or may not be theirs.
    """
    listed = stated.appliesTo or []
    groups = [listed] if isinstance(listed, el.CodeableConcept) else listed
    named = [populations(one.pairs(), one.texts()) for one in groups]
    sexes = {"male", "female"} & {name for names in named for name in names}
    if person.sex != "unknown" and sexes and person.sex not in sexes:
        return None
    by_age = _age_fits(stated.age, person, when)
    if by_age is False:
        return None
    if not all(named) or (stated.age and by_age is None):
        return -1
    return int(bool(sexes) and person.sex != "unknown") + int(by_age is True)


def _age_fits(stated: el.Range | None, person: Person, when: DayRange) -> bool | None:
    """Whether the person is of the age that a range is for; None where that is not stated or cannot be told."""
    if stated is None or person.born is None:
        return None
    age = completed_years(person.born, when.first)
    low, high = (_years(end) for end in (stated.low, stated.high))
    low, high = Fraction(0) if stated.low is None else low, _OLDEST if stated.high is None else high
    if low is None or high is None or age.high is None:
        return None
    if age.high < low or age.low > high:
        return False
    return True if low <= age.low and age.high <= high else None


def _years(end: el.Quantity | None) -> Fraction | None:
    number = exact(end.value) if end else None
    factors = [_YEARS.get(plain(text)) for text in ((end.code, end.unit) if end else ()) if text]
    factor = next((one for one in factors if one is not None), None)
    return None if factor is None or not isinstance(number, Fraction) else number * factor


def _limit(stated: el.ReferenceRange, analyte: str, value: Converted) -> Interval | None:
    found: Converted | Unusable
    if stated.high is not None:
        high = stated.high
        unitless = not (worded(high.unit) or worded(high.code) or high.comparator)
        found = convert(analyte, RawQuantity(high.value, value.written_in)) if unitless else converted(analyte, high)
    else:
        match = WRITTEN.fullmatch((stated.text or "").translate(SIGNS).strip())
        number = match and (match["high"] or (match["low"] if match["sign"] in ("<", "<=") else None))
        if match is None or not number:
            return None
        found = convert(analyte, RawQuantity(Decimal(number), match["unit"] or value.written_in))
    if isinstance(found, Unusable) or not found.interval.is_exact or found.interval.low <= Fraction(0):
        return None
    return found.interval


def _is_normal(kind: el.CodeableConcept | None) -> bool:
    """True for the range of the healthy, which is what a range without a type is."""
    if kind is None or not (kind.pairs() or kind.texts()):
        return True
    words = [*kind.texts(), *(code for _, code in kind.pairs() if code)]
    return any(plain(word).startswith("normal") for word in words)
