"""Creatinine clearance by Cockcroft and Gault, exactly, as an interval. Constants in tables/renal.yaml."""

from __future__ import annotations

from fractions import Fraction

from cds_service.clinical.facts import Sex
from cds_service.clinical.interval import Interval
from cds_service.clinical.tables import table


def cockcroft_gault(age: Interval, sex: Sex, kilograms: Interval, creatinine: Interval) -> Interval:
    """Clearance in mL/min for completed years, body weight in kg and creatinine in mg/dL.

    Where the sex is not known it spans both. A creatinine that may be almost zero leaves it unbounded.
    Raises ValueError for a creatinine of zero.
    """
    rows = table("renal")
    years_left = _years_left(age, rows["age_from"])
    clearance = years_left.times(kilograms).over(creatinine.scaled(rows["creatinine_factor"]))
    female = clearance.scaled(Fraction(rows["female_factor"]))
    return {"male": clearance, "female": female, "unknown": clearance.hull(female)}[sex]


def _years_left(age: Interval, limit: int) -> Interval:
    least = Fraction(0) if age.high is None else max(Fraction(0), limit - age.high)
    return Interval(least, max(least, limit - age.low))


def ideal_weight(sex: Sex, centimetres: Interval) -> Interval | None:
    """Ideal body weight in kg; None where the sex is not known or the height is not exact."""
    if sex == "unknown" or not centimetres.is_exact:
        return None
    rows = table("renal")["ideal_weight"]
    inches = centimetres.low / Fraction(rows["cm_per_inch"]) - rows["from_inches"]
    kilograms = Fraction(rows[sex]) + Fraction(rows["kg_per_inch"]) * inches
    return Interval.exactly(kilograms) if kilograms > 0 else None


def body_mass_index(kilograms: Interval, centimetres: Interval) -> Interval | None:
    """Weight over the square of height in kg/m2; None where the height may be nothing."""
    metres = centimetres.over(Interval.exactly(100))
    return None if metres.begins_at_zero else kilograms.over(metres.times(metres))
