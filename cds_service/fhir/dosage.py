"""One FHIR Dosage as a dose step: mg per day, exactly, with what was contradictory and what could not be read.

Structure and text are both read. What one leaves out the other may supply; where they disagree the step spans
both and is marked as a conflict. What neither says is every dose from zero upwards, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.medications import DoseStep
from cds_service.clinical.quantity import Unusable, exact
from cds_service.fhir import elements as el
from cds_service.fhir.sig import Sig, read_sig
from cds_service.fhir.strength import Strength
from cds_service.fhir.timing import Schedule, pattern_of, schedule_of
from cds_service.terminology.codes import plain

_MG = {"mg": Fraction(1), "milligram": Fraction(1), "milligrams": Fraction(1), "毫克": Fraction(1),
       "g": Fraction(1000), "ug": Fraction(1, 1000), "mcg": Fraction(1, 1000), "μg": Fraction(1, 1000)}  # fmt: skip
_TABLETS = frozenset(
    "tab tabs tablet tablets {tab} {tbl} {tablet} {tablets} tbl tbl. [tbl] 片 錠 comprime comprimé comprimés "
    "cap caps capsule capsules {cap} {capsule} 粒 1 {unit} unit each ea".split()
)
_DAY_UNITS = frozenset({"d", "day", "24h"})
_UNCLEAR_TEXTS = frozenset({"taper", "several-doses"})


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is taken at a time, in mg (or mg per kg of body weight); `per_day` when it is a day's amount."""

    milligrams: Interval | None = None
    per_kilogram: bool = False
    per_day: bool = False
    conflict: bool = False
    fault: str | None = "dose-not-stated"


def dose_step(dosage: el.Dosage, strength: Strength) -> DoseStep:
    """The dose step of one dosage instruction of a product with the given strength."""
    schedule = schedule_of(dosage.timing)
    sig = _text_reading(dosage)
    structured = _structured_amount(dosage, strength)
    texted = _texted_amount(sig, strength) if isinstance(sig, Sig) else Amount(fault=None)
    step = _step(dosage, schedule, sig, structured, texted)
    if dosage.modifierExtension:
        return DoseStep(ANYTHING, "unknown", fault="modifier-extension", first=step.first, last=step.last)
    return step


def _step(
    dosage: el.Dosage, schedule: Schedule, sig: Sig | str | None, structured: Amount, texted: Amount
) -> DoseStep:
    read = sig if isinstance(sig, Sig) else None
    amount, amounts_differ = _either(structured, texted)
    sig_rate = read.per_day if read else None
    rate = schedule.per_day or sig_rate
    rates_differ = bool(schedule.per_day and sig_rate and schedule.per_day != sig_rate)
    if rates_differ and schedule.per_day and sig_rate:
        rate = schedule.per_day.hull(sig_rate)
    length = schedule.length_days or (1 if read and read.once else read.days if read else None)
    daily, fault = _daily(amount, rate, schedule, sig, once=bool(read and read.once))
    lengths_differ = _lengths_differ(schedule, read)
    unclear = isinstance(sig, str) and sig in _UNCLEAR_TEXTS
    if _as_needed(dosage, read) or unclear:
        daily = daily.down_to_zero()
    return DoseStep(
        daily,
        "as-needed" if _as_needed(dosage, read) else pattern_of(rate),
        amount.milligrams,
        amount.per_kilogram,
        schedule.first,
        schedule.last,
        length if schedule.last is None else None,
        dosage.sequence,
        schedule.part_of_day,
        fault,
        text_only=fault is None and (structured.milligrams is None or schedule.per_day is None),
        conflict=amounts_differ or amount.conflict or rates_differ or schedule.conflict or lengths_differ or unclear,
        added_to=bool(read and read.added_to),
    )  # fmt: skip


def _daily(
    amount: Amount, rate: Interval | None, schedule: Schedule, sig: Sig | str | None, once: bool
) -> tuple[Interval, str | None]:
    """mg per day, or every dose and the reason."""
    if amount.milligrams is None:
        return ANYTHING, _text_fault(sig) or amount.fault
    if amount.per_day or once:
        return amount.milligrams, None
    if rate is None:
        return ANYTHING, _text_fault(sig) or ("timing-not-stated" if schedule.understood else "timing-not-understood")
    if not schedule.understood:
        return ANYTHING, "timing-not-understood"
    return amount.milligrams.times(rate), None


def _text_fault(sig: Sig | str | None) -> str | None:
    return sig if isinstance(sig, str) and sig != "blank" else None


def _as_needed(dosage: el.Dosage, sig: Sig | None) -> bool:
    said = (dosage.asNeededBoolean, dosage.asNeeded, dosage.asNeededCodeableConcept, dosage.asNeededFor)
    return any(said) or bool(sig and sig.as_needed)


def _lengths_differ(schedule: Schedule, sig: Sig | None) -> bool:
    """True when the text names another number of days than the bounds span."""
    if sig is None or sig.days is None:
        return False
    if schedule.first and schedule.last and schedule.first.is_exact and schedule.last.is_exact:
        span = (schedule.last.first - schedule.first.first).days
        return sig.days not in (span, span + 1)
    return schedule.length_days is not None and schedule.length_days != sig.days


def _text_reading(dosage: el.Dosage) -> Sig | str | None:
    """The reading of the text, else of the patient's instruction; the reason where neither is understood."""
    readings = [read_sig(text) for text in (dosage.text, dosage.patientInstruction) if text and text.strip()]
    understood = [one for one in readings if isinstance(one, Sig)]
    return understood[0] if understood else readings[0] if readings else None


def _either(structured: Amount, texted: Amount) -> tuple[Amount, bool]:
    """The structured amount, else the text's; both as an interval where they differ."""
    if structured.milligrams is None:
        return (texted if texted.milligrams is not None else structured), False
    if texted.milligrams is None or texted.per_kilogram != structured.per_kilogram:
        return structured, False
    if texted.milligrams == structured.milligrams:
        return structured, False
    both = structured.milligrams.hull(texted.milligrams)
    return Amount(both, structured.per_kilogram, structured.per_day, structured.conflict, None), True


def _structured_amount(dosage: el.Dosage, strength: Strength) -> Amount:
    """The amount of the coded dose; several are views of one dose (ordered, calculated, given) and never added."""
    views = dosage.doseAndRate or [el.DoseAndRate(doseQuantity=dosage.doseQuantity, doseRange=dosage.doseRange)]
    amounts = [_one_view(view, strength) for view in views]
    known = [amount for amount in amounts if amount.milligrams is not None]
    if not known:
        return next((a for a in amounts if a.fault != "dose-not-stated"), amounts[0])
    whole = [amount for amount in known if not amount.per_kilogram] or known
    return _spanning(whole)


def _spanning(amounts: Sequence[Amount]) -> Amount:
    first, *others = amounts
    span = first.milligrams or ANYTHING
    for other in others:
        span = span.hull(other.milligrams or ANYTHING)
    differ = any(other.milligrams != first.milligrams for other in others)
    return Amount(span, first.per_kilogram, first.per_day, first.conflict or differ, None)


def _one_view(view: el.DoseAndRate, strength: Strength) -> Amount:
    if view.doseQuantity is not None:
        return _quantity(view.doseQuantity, strength)
    if view.doseRange is not None:
        return _range([view.doseRange.low, view.doseRange.high], strength)
    ratio = view.rateRatio
    if ratio and ratio.numerator and ratio.denominator and _is_one_day(ratio.denominator):
        amount = _quantity(ratio.numerator, strength)
        return Amount(amount.milligrams, amount.per_kilogram, True, amount.conflict, amount.fault)
    stated = view.rateRatio or view.rateQuantity or view.rateRange
    return Amount(fault="unit-not-understood" if stated else "dose-not-stated")


def _is_one_day(quantity: el.Quantity) -> bool:
    return quantity.value == 1 and plain(quantity.code or quantity.unit or "") in _DAY_UNITS


def _range(ends: Iterable[el.Quantity | None], strength: Strength) -> Amount:
    low, high = (_quantity(end, strength) if end else None for end in ends)
    if high is None or high.milligrams is None:
        return Amount(fault=high.fault if high else "dose-not-stated")
    if low is None:
        return Amount(high.milligrams.down_to_zero(), high.per_kilogram, conflict=high.conflict, fault=None)
    if low.milligrams is None:
        return low
    return Amount(low.milligrams.hull(high.milligrams), high.per_kilogram, False, low.conflict or high.conflict, None)


def _quantity(quantity: el.Quantity, strength: Strength) -> Amount:
    """A dose with its unit in mg. A bare number of a solid form counts tablets; it is never taken for mg."""
    number = exact(quantity.value)
    if isinstance(number, Unusable) or number < 0 or quantity.comparator:
        return Amount(fault="dose-not-stated")
    unit = plain(quantity.code or quantity.unit or "")
    if unit in _MG:
        return Amount(Interval.exactly(number * _MG[unit]), fault=None)
    if unit in ("mg/kg", "mg/kg/d", "mg/kg/{dose}"):
        return Amount(Interval.exactly(number), True, per_day=unit.endswith("/d"), fault=None)
    if unit in _TABLETS or (not unit and strength.solid) or plain(quantity.unit or "") in _TABLETS:
        return _of_units(Interval.exactly(number), strength)
    if unit == "ml":
        return _of_volume(Interval.exactly(number), strength)
    return Amount(fault="unit-not-understood" if unit else "unit-not-stated")


def _of_units(count: Interval, strength: Strength) -> Amount:
    if strength.per_unit is None:
        return Amount(fault="strength-unknown")
    return Amount(count.times(strength.per_unit), conflict=strength.conflict, fault=None)


def _of_volume(volume: Interval, strength: Strength) -> Amount:
    if strength.per_ml is None:
        return Amount(fault="strength-unknown")
    return Amount(volume.times(strength.per_ml), conflict=strength.conflict, fault=None)


def _texted_amount(sig: Sig, strength: Strength) -> Amount:
    """The amount that an understood text names."""
    if sig.milligrams is not None:
        return Amount(sig.milligrams, fault=None)
    if sig.amount is None:
        return Amount(fault="dose-not-stated")
    if sig.unit == "mg":
        return Amount(sig.amount, fault=None)
    if sig.unit == "mg/kg":
        return Amount(sig.amount, True, fault=None)
    if sig.unit == "mL":
        return _of_volume(sig.amount, strength)
    if sig.unit is None and not strength.solid:
        return Amount(fault="unit-not-stated")
    if sig.per_tablet is not None:
        return Amount(sig.amount.times(sig.per_tablet), fault=None)
    return _of_units(sig.amount, strength)
