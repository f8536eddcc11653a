"""How much is taken at a time: FHIR quantities and understood texts in mg of the drug."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.quantity import Unusable, exact
from cds_service.fhir import elements as el
from cds_service.fhir.sig import Sig
from cds_service.fhir.strength import Strength
from cds_service.terminology.words import plain

_MG = {
    "mg": Fraction(1), "milligram": Fraction(1), "milligrams": Fraction(1), "毫克": Fraction(1),
    "g": Fraction(1000), "ug": Fraction(1, 1000), "mcg": Fraction(1, 1000), "μg": Fraction(1, 1000),
}  # fmt: skip
_MG_PER_DAY = frozenset({"mg/d", "mg/day", "mg/24.h"})
_MG_PER_KG = {
    "mg/kg": False, "mg/kg/dose": False, "mg/kg/{dose}": False, "mg/kg/d": True, "mg/kg/day": True,
}  # fmt: skip
_TABLETS = frozenset({
    "tab", "tabs", "tab(s)", "tablet", "tablets", "tablet(s)", "{tab}", "{tbl}", "{tablet}", "{tablets}", "tbl",
    "tbl.", "[tbl]", "ectab", "ertab", "片", "錠", "comprime", "comprimes", "tablette", "tabletten", "filmtablette",
    "filmtabletten", "comprimido", "comprimidos", "compressa", "compresse", "kapsel", "kapseln", "gelule",
    "gelules", "capsula", "capsulas", "cap", "caps", "cap(s)", "capsule", "capsules", "capsule(s)", "{cap}",
    "{caps}", "{capsule}", "ercap", "pill", "pills", "{pill}", "粒", "tablet - unit of product usage",
    "capsule - unit of product usage",
})  # fmt: skip
_PIECES = frozenset({"1", "{unit}", "unit", "unit(s)", "each", "ea", "{each}", "st", "stk"})
_MOST_PLACES = 6
_DAY_UNITS = frozenset({"d", "day", "24.h"})

Kind = Literal["mg", "mg/d", "mg/kg", "tablet", "piece", "ml"]


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in mg, or in mg per kg of body weight; `per_day` when it is what is taken in a day.

    Without an amount `fault` says why there is none. `pieces` of `each` mg are what it was worked out from. Of a
    volume `rounded_by` is the mg in half a unit of its last written place.
    """

    milligrams: Interval | None = None
    per_kilogram: bool = False
    per_day: bool = False
    conflict: bool = False
    fault: str | None = "dose-not-stated"
    pieces: Interval | None = None
    each: Interval | None = None
    rounded_by: Fraction | None = None

    def is_as_much_as(self, other: Amount) -> bool:
        """True for the same dose, and for a volume that is the other one's milligrams but for its rounding."""
        if self.milligrams is None or other.milligrams is None or self.milligrams == other.milligrams:
            return self.milligrams == other.milligrams
        slack = self.rounded_by if other.rounded_by is None else other.rounded_by if self.rounded_by is None else None
        ends = (self.milligrams, other.milligrams)
        return slack is not None and all(one.is_exact for one in ends) and abs(ends[0].low - ends[1].low) <= slack


def structured_amount(dosage: el.Dosage, strength: Strength) -> Amount:
    """The amount of the coded dose.

    Several views of one dose (ordered, calculated, given) are never added: they agree, or contradict each
    other.
    """
    single = el.DoseAndRate(
        doseQuantity=dosage.doseQuantity or dosage.quantityQuantity, doseRange=dosage.doseRange or dosage.quantityRange
    )
    amounts = [_one_view(view, strength) for view in dosage.doseAndRate or [single]]
    known = [amount for amount in amounts if amount.milligrams is not None]
    if not known:
        return next((one for one in amounts if one.fault != "dose-not-stated"), amounts[0])
    whole = [amount for amount in known if not amount.per_kilogram] or known
    return _spanning([amount for amount in whole if not amount.per_day] or whole)


def most_per_day(dosage: el.Dosage, strength: Strength) -> Interval | None:
    """The mg that may be taken in a day at most; None where it is not stated for a day and in a unit of mass."""
    stated = dosage.maxDosePerPeriod or []
    for ratio in stated if isinstance(stated, list) else [stated]:
        if ratio.numerator and ratio.denominator and _is_one_day(ratio.denominator):
            amount = _quantity(ratio.numerator, strength)
            if amount.milligrams is not None and not amount.per_kilogram:
                return amount.milligrams
    return None


def texted_amount(sig: Sig, strength: Strength) -> Amount:
    """The amount that an understood text names. It must fit the strength of the product."""
    stated = _in_units_of(sig, strength)
    if sig.milligrams is None:
        return stated
    whole = Amount(sig.milligrams, fault=None)
    counted = sig.unit in ("tablet", "mL") and stated.milligrams is not None
    return replace(whole, conflict=stated.conflict or (counted and not whole.is_as_much_as(stated)))


def either(structured: Amount, texted: Amount) -> tuple[Amount, bool]:
    """The structured amount, else the text's; both as an interval, and True, where they differ."""
    if structured.milligrams is None or texted.milligrams is None:
        return (structured if texted.milligrams is None else texted), False
    if texted.per_kilogram != structured.per_kilogram or texted.per_day != structured.per_day:
        return structured, False
    if structured.is_as_much_as(texted):
        of_mass = structured if structured.rounded_by is None else texted
        return replace(of_mass, conflict=structured.conflict or texted.conflict), False
    span = structured.milligrams.hull(texted.milligrams)
    return replace(structured, milligrams=span, pieces=None, each=None), True


def _in_units_of(sig: Sig, strength: Strength) -> Amount:
    if sig.amount is None:
        return Amount()
    if sig.unit in ("mg", "mg/kg"):
        return Amount(sig.amount, sig.unit == "mg/kg", fault=None)
    if sig.unit == "mL":
        return _of_volume(sig.amount, strength)
    if sig.unit is None and not strength.solid:
        return Amount(fault="unit-not-stated")
    if sig.per_tablet is not None:
        differ = strength.per_unit not in (None, sig.per_tablet)
        return _of(sig.amount, sig.per_tablet, differ)
    return _of_units(sig.amount, strength)


def _spanning(amounts: Sequence[Amount]) -> Amount:
    first, *others = sorted(amounts, key=lambda amount: amount.rounded_by is not None)  # milligrams before a volume
    others = [other for other in others if not first.is_as_much_as(other) or other.conflict]
    span = first.milligrams or ANYTHING
    for other in others:
        span = span.hull(other.milligrams or ANYTHING)
    differ = any(not first.is_as_much_as(other) for other in others)
    conflict = differ or any(amount.conflict for amount in amounts)
    return replace(first, milligrams=span, conflict=conflict, fault=None)


def _one_view(view: el.DoseAndRate, strength: Strength) -> Amount:
    if view.doseQuantity is not None:
        return _quantity(view.doseQuantity, strength)
    if view.doseRange is not None:
        return _range([view.doseRange.low, view.doseRange.high], strength)
    ratio = view.rateRatio
    if ratio and ratio.numerator and ratio.denominator and _is_one_day(ratio.denominator):
        amount = _quantity(ratio.numerator, strength)
        return replace(amount, per_day=True)
    rate = _quantity(view.rateQuantity, strength) if view.rateQuantity else Amount()
    if rate.per_day:
        return rate
    stated = view.rateRatio or view.rateQuantity or view.rateRange
    return Amount(fault="unit-not-understood" if stated else "dose-not-stated")


def _is_one_day(quantity: el.Quantity) -> bool:
    unit = plain(quantity.code or quantity.unit or "")
    return not quantity.comparator and (
        (quantity.value == 1 and unit in _DAY_UNITS) or (quantity.value == 24 and unit == "h")
    )


def _range(ends: Iterable[el.Quantity | None], strength: Strength) -> Amount:
    """From the low to the high end; without a low end from zero. Without a high end it says nothing."""
    low, high = (_quantity(end, strength) if end else None for end in ends)
    if high is None or high.milligrams is None:
        return Amount(fault=high.fault if high else "dose-not-stated")
    if low is None:
        return replace(high, milligrams=high.milligrams.down_to_zero())
    if low.milligrams is None or (low.per_kilogram, low.per_day) != (high.per_kilogram, high.per_day):
        return Amount(fault=low.fault or "unit-not-understood")
    return replace(high, milligrams=low.milligrams.hull(high.milligrams), conflict=low.conflict or high.conflict)


def _quantity(quantity: el.Quantity, strength: Strength) -> Amount:
    """A dose with its unit in mg. A bare number of a solid form counts tablets; it is never taken for mg."""
    number = exact(quantity.value)
    if isinstance(number, Unusable) or number < 0 or quantity.comparator:
        return Amount(fault="dose-not-stated")
    kind, unit = _kind(quantity)
    if kind is None:
        return _of_bare_number(Interval.exactly(number), strength, is_unitless=not unit)
    amount = Interval.exactly(number)
    if kind == "mg":
        return Amount(amount.scaled(_MG[unit]), fault=None)
    if kind in ("mg/d", "mg/kg"):
        return Amount(amount, kind == "mg/kg", kind == "mg/d" or _MG_PER_KG[unit], fault=None)
    if kind == "ml":
        return _of_volume(amount, strength)
    return _of_units(amount, strength) if kind == "tablet" else _of_bare_number(amount, strength)


def _kind(quantity: el.Quantity) -> tuple[Kind | None, str]:
    """What the unit measures, and the unit; no kind where code and words are not understood or differ."""
    coded, written = plain(quantity.code or ""), plain(quantity.unit or "")
    kinds = {unit: kind for unit in (coded, written) if (kind := _kind_of(unit)) is not None}
    sure = {unit: kind for unit, kind in kinds.items() if kind != "piece"} or kinds
    meanings = {(kind, _MG.get(unit), _MG_PER_KG.get(unit)) for unit, kind in sure.items()}
    if len(meanings) != 1:
        return None, coded or written
    return next(((kind, unit) for unit, kind in sure.items()), (None, ""))


def _kind_of(unit: str) -> Kind | None:
    kinds: dict[Kind, bool] = {
        "mg": unit in _MG, "mg/d": unit in _MG_PER_DAY, "mg/kg": unit in _MG_PER_KG,
        "tablet": unit in _TABLETS, "piece": unit in _PIECES, "ml": unit == "ml",
    }  # fmt: skip
    return next((kind for kind, is_so in kinds.items() if is_so), None)


def _of_bare_number(count: Interval, strength: Strength, is_unitless: bool = True) -> Amount:
    if is_unitless and strength.solid:
        return _of_units(count, strength)
    return Amount(fault="unit-not-stated" if is_unitless else "unit-not-understood")


def _of_units(count: Interval, strength: Strength) -> Amount:
    if strength.per_unit is None:
        return Amount(fault="strength-unknown")
    return _of(count, strength.per_unit, strength.conflict)


def _of_volume(volume: Interval, strength: Strength) -> Amount:
    if strength.per_ml is None:
        return Amount(fault="strength-unknown")
    amount = _of(volume, strength.per_ml, strength.conflict)
    half = _half_of_last_place(volume)
    return replace(amount, rounded_by=half * strength.per_ml.low if half else None)


def _half_of_last_place(volume: Interval) -> Fraction | None:
    """Half a unit of the last place of a decimal number: 0.05 of 6.7. Whole millilitres may be meant as they stand."""
    places = next((n for n in range(_MOST_PLACES) if (volume.low * 10**n).denominator == 1), _MOST_PLACES)
    return Fraction(1, 2 * 10**places) if places else None


def _of(pieces: Interval, each: Interval, conflict: bool) -> Amount:
    return Amount(pieces.times(each), conflict=conflict, fault=None, pieces=pieces, each=each)
