"""Short ways to write days, intervals, results and medication records in tests. The drug is prednisone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.doses import Timeline, timeline
from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.clinical.labs import Result
from cds_service.clinical.medications import DoseStep, Kind, MedicationUse, Standing
from cds_service.clinical.quantity import RawQuantity, Unusable
from cds_service.clinical.weights import WeightHistory

AS_OF = date(2026, 3, 16)


def day(text: str) -> date:
    """A day of the year 2026 written "03-16", or of any year written "2025-03-16"."""
    return date.fromisoformat(_with_year(text))


def _with_year(text: str) -> str:
    return f"2026-{text}" if len(text) == len("03-16") else text


def ago(days: int) -> date:
    """The day so many days before the day of screening."""
    return AS_OF - timedelta(days=days)


def when(start: date | str | None) -> DayRange | None:
    """A day, a partial date of FHIR ("2026-02"), or none."""
    if start is None:
        return None
    return DayRange.parse(_with_year(start)) if isinstance(start, str) else DayRange.of(start)


def number(value: int | str | Fraction) -> Fraction:
    return Fraction(value)


def exactly(value: int | str | Fraction) -> Interval:
    return Interval.exactly(Fraction(value))


def span(low: int | str | Fraction, high: int | str | Fraction | None) -> Interval:
    return Interval(Fraction(low), None if high is None else Fraction(high))


def raw(value: str | None, unit: str | None = None, **parts: Any) -> RawQuantity:
    return RawQuantity(None if value is None else Decimal(value), unit, **parts)


def step(milligrams: Interval | int | str, **parts: Any) -> DoseStep:
    """A dosage instruction; `first` and `last` may be days or partial dates."""
    daily = milligrams if isinstance(milligrams, Interval) else exactly(milligrams)
    first, last = when(parts.pop("first", None)), when(parts.pop("last", None))
    per_dose = parts.pop("per_dose", daily if daily.is_exact else None)
    return DoseStep(daily, per_dose=per_dose, first=first, last=last, **parts)


def unreadable(fault: str = "timing-not-stated", **parts: Any) -> DoseStep:
    return step(ANYTHING, pattern="unknown", fault=fault, **parts)


_USE = MedicationUse("use", "statement", "prednisone", "Prednisone", Certainty.CODED, Standing.TAKEN, "systemic", ())


def statement(reference: str, dose: Any, begins: date | str | None = None, ends: date | str | None = None,
              **parts: Any) -> MedicationUse:  # fmt: skip
    """What a patient is reported to take; written on the day of screening unless `written` says otherwise."""
    return _use("statement", reference, dose, begins, ends, {"written": AS_OF, **parts})


def order(reference: str, dose: Any, begins: date | str | None = None, ends: date | str | None = None,
          **parts: Any) -> MedicationUse:  # fmt: skip
    """A prescription, active and written on the day it begins; `ends` bounds its dosage."""
    written = when(begins)
    parts = {"active": True, "written": written.last if written else None, **parts}
    if ends is not None:
        dose = step(dose, first=begins, last=ends)
    return _use("request", reference, dose, begins, None, parts)


def given(reference: str, dose: Any, on: date | str, **parts: Any) -> MedicationUse:
    """A single administration."""
    return _use("administration", reference, dose, on, on, parts)


def _use(kind: Kind, reference: str, dose: Any, begins: date | str | None, ends: date | str | None,
         parts: dict[str, Any]) -> MedicationUse:  # fmt: skip
    steps = dose if isinstance(dose, tuple) else (dose if isinstance(dose, DoseStep) else step(dose),)
    links = frozenset(parts.pop("links", ()))
    return replace(_USE, kind=kind, reference=reference, steps=steps, begins=when(begins), ends=when(ends),
                   links=links, **parts)  # fmt: skip


def result(analyte: str, value: Interval | Unusable | int | str, on: date | str,
           reference: str = "Observation/1", **parts: Any) -> Result:  # fmt: skip
    quantity = exactly(value) if isinstance(value, int | str) else value
    return Result(reference, analyte, analyte, when(on), quantity, **parts)


def weights(*readings: tuple[date | str, Interval | int | str]) -> WeightHistory:
    """Weights in kg by day, referenced as "weight/1", "weight/2" and so on."""
    return WeightHistory(
        result("weight", kilograms, on, f"weight/{place}") for place, (on, kilograms) in enumerate(readings, 1)
    )


def doses(*uses: MedicationUse, as_of: date = AS_OF, kilograms: WeightHistory | None = None) -> Timeline:
    return timeline(uses, as_of, kilograms or weights())


def course(*uses: MedicationUse, as_of: date = AS_OF, kilograms: WeightHistory | None = None) -> list[str]:
    """The dose timeline in words, such as "2026-01-05 2026-01-11 40", "... 20-60" or "... 0-any"."""
    found = doses(*uses, as_of=as_of, kilograms=kilograms)
    return [f"{s.first} {s.last} {words(s.dose)}" for s in found.segments]


def today(*uses: MedicationUse) -> str:
    """Today's dose in words."""
    return words(doses(*uses).on(AS_OF).dose)


def words(interval: Interval) -> str:
    if interval.is_exact:
        return str(interval.low)
    return f"{interval.low}-{'any' if interval.high is None else interval.high}"
