"""One FHIR Dosage as a dose step: mg per day, exactly, with what contradicts itself and what cannot be read.

Structure and text are both read. What one leaves out the other may supply; where they disagree the step spans
both and is marked as a conflict. What neither says is every dose from zero upwards, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.medications import Derivation, DoseStep, Pattern, Shares, even_shares
from cds_service.fhir import elements as el
from cds_service.fhir.amounts import Amount, either, most_per_day, structured_amount, texted_amount
from cds_service.fhir.sig import Sig, SigFault, read_sig
from cds_service.fhir.strength import Strength
from cds_service.fhir.timing import Schedule, pattern_of, schedule_of

_LONGEST = 36500


def dose_step(dosage: el.Dosage, strength: Strength) -> DoseStep:
    """The dose step of one dosage instruction of a product with the given strength."""
    schedule, readings = schedule_of(dosage.timing), _text_readings(dosage)
    sigs = [one for one in readings if isinstance(one, Sig)]
    faults = [one for one in readings if isinstance(one, str)]
    texted = [texted_amount(sig, strength) for sig in sigs]
    structured = _counted(structured_amount(dosage, strength), zip(sigs, texted, strict=True))
    amount = _amount(structured, texted)
    pace = _pace(schedule, sigs)
    daily, fault = _daily(amount, pace, schedule, None if sigs else next(iter(faults), None))
    coded = structured.milligrams is not None and (structured.per_day or schedule.per_day is not None)
    times = schedule.times.union(*(sig.times for sig in sigs))
    pattern: Pattern = "daily" if amount.per_day and pace.pattern == "unknown" else pace.pattern
    step = DoseStep(
        daily, pattern, None if pace.pattern == "alternating" else amount.milligrams, amount.per_kilogram,
        schedule.first, schedule.last, pace.length_days, dosage.sequence, schedule.part_of_day or bool(times), fault,
        text_only=fault is None and not coded,
        conflict=amount.conflict or pace.conflict or any(_lengths_differ(schedule, sig) for sig in sigs),
        added_to=any(sig.added_to for sig in sigs),
        derivation=_derivation(amount, pace) if fault is None else None,
        shares=_shares(amount, pace, sigs) if fault is None else (), times=times,
    )  # fmt: skip
    as_needed = _is_as_needed(dosage) or any(sig.as_needed for sig in sigs)
    step = _doubted(step, dosage, faults, as_needed, schedule.backwards)
    # Where nothing else is said of a dose, what may be taken in a day at most still bounds it.
    bounded = as_needed or (amount.milligrams is None and not readings)
    return _at_most(step, most_per_day(dosage, strength)) if bounded else step


def beyond_its_text(step: DoseStep, dosage: el.Dosage, begins: DayRange | None) -> tuple[DoseStep, ...]:
    """The step of a record without an end, and what is possible after the length that its text alone states.

    The text says that it ended, the rest that it goes on.
    """
    schedule, start, length = schedule_of(dosage.timing), step.first or begins, step.length_days
    if schedule.last or schedule.length_days or start is None or not length or length <= 1:
        return (step,)
    own = replace(step, first=start, last=start.shifted(length - 1), length_days=None)
    return own, replace(own, first=start.shifted(length), last=None, daily=own.daily.down_to_zero(), conflict=True)


def _derivation(amount: Amount, pace: _Pace) -> Derivation | None:
    """How a day's dose was worked out, for people to follow."""
    if amount.milligrams is None or pace.pattern == "alternating":
        return None
    return Derivation(amount.milligrams, None if amount.per_day else pace.per_day, amount.pieces, amount.each)


def _shares(amount: Amount, pace: _Pace, sigs: Sequence[Sig]) -> Shares:
    """How the day's dose is divided; not told where only the amount of a whole day is."""
    if amount.per_day:
        return ()
    return next((sig.shares for sig in sigs if sig.shares is not None), even_shares(pace.per_day))


def _text_readings(dosage: el.Dosage) -> list[Sig | SigFault]:
    """The readings of the text and of the patient's instruction, each text once."""
    texts = [text.strip() for text in (dosage.text, dosage.patientInstruction) if text and text.strip()]
    return [read_sig(text) for text in dict.fromkeys(texts)]


def _counted(structured: Amount, read: Iterable[tuple[Sig, Amount]]) -> Amount:
    """The coded amount, unless it counts pieces of what a text measures in a volume that cannot be worked out."""
    measured = any(sig.unit == "mL" and texted.milligrams is None for sig, texted in read)
    return Amount(fault="unit-not-understood") if measured and structured.pieces else structured


def _amount(structured: Amount, texted: Sequence[Amount]) -> Amount:
    """The structured amount with what the texts add to it, or hold against it."""
    amount = structured
    for one in texted:
        amount, differ = either(amount, one)
        amount = replace(amount, conflict=amount.conflict or differ)
    return amount


@dataclass(frozen=True, slots=True)
class _Pace:
    """How often and how long, from the schedule and from the texts."""

    per_day: Interval | None
    pattern: Pattern
    length_days: int | None
    once: bool
    conflict: bool


def _pace(schedule: Schedule, sigs: Sequence[Sig]) -> _Pace:
    """The rate of the schedule, else of a text; all as an interval where they differ."""
    rate, pattern, conflict = schedule.per_day, schedule.pattern, schedule.conflict
    for sig in sigs:
        if sig.per_day is None or sig.per_day == rate:
            pattern = "alternating" if sig.pattern == "alternating" else pattern
            continue
        conflict = conflict or rate is not None
        known = sig.pattern if rate is None and sig.pattern != "unknown" else None
        rate = sig.per_day if rate is None else rate.hull(sig.per_day)
        pattern = known or pattern_of(rate)
    once = any(sig.once for sig in sigs)
    stated = schedule.length_days or (1 if once else next((sig.days for sig in sigs if sig.days), None))
    length = stated if schedule.last is None and (stated or 0) <= _LONGEST else None
    return _Pace(rate, pattern, length, once, conflict)


def _daily(amount: Amount, pace: _Pace, schedule: Schedule, text_fault: SigFault | None) -> tuple[Interval, str | None]:
    """mg per day, or every dose and the reason."""
    if amount.milligrams is None:
        return ANYTHING, text_fault or amount.fault
    if not schedule.understood:
        return ANYTHING, "timing-not-understood"
    if amount.per_day or pace.once:
        return amount.milligrams, None
    if pace.per_day is None:
        return ANYTHING, text_fault or "timing-not-stated"
    return amount.milligrams.times(pace.per_day), None


def _doubted(
    step: DoseStep, dosage: el.Dosage, faults: Sequence[SigFault], as_needed: bool, backwards: bool
) -> DoseStep:
    """The step with whatever its other elements and unclear texts take from its certainty."""
    if dosage.modifierExtension:
        return replace(step, daily=ANYTHING, pattern="unknown", per_dose=None, fault="modifier-extension")
    contradicted = step.conflict or step.fault is None  # an unclear text contradicts only where there is a dose
    if "several-doses" in faults:
        return replace(step, daily=ANYTHING, per_dose=None, fault="several-doses", conflict=contradicted)
    if "taper" in faults or "contradicts-itself" in faults:
        step = replace(step, daily=step.daily.down_to_zero(), conflict=contradicted)
    if as_needed:
        step = replace(step, pattern="as-needed")
    return replace(step, daily=step.daily.down_to_zero()) if as_needed or backwards else step


def _at_most(step: DoseStep, most: Interval | None) -> DoseStep:
    """A dose that may be none up to the most that is allowed in a day; of a dose on a schedule that says nothing."""
    highest = most.high if most and not step.per_kilogram else None
    if highest is None or (step.daily.high is not None and step.daily.high <= highest):
        return step
    return replace(step, daily=Interval(step.daily.low, highest))


def _is_as_needed(dosage: el.Dosage) -> bool:
    said = (dosage.asNeededBoolean, dosage.asNeeded, dosage.asNeededCodeableConcept, dosage.asNeededFor)
    return any(said)


def _lengths_differ(schedule: Schedule, sig: Sig) -> bool:
    """True when the text names another number of days than the bounds span."""
    if sig.days is None:
        return False
    if schedule.first and schedule.last and schedule.first.is_exact and schedule.last.is_exact:
        span = (schedule.last.first - schedule.first.first).days
        return sig.days not in (span, span + 1)
    return schedule.length_days is not None and schedule.length_days != sig.days
