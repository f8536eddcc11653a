"""Sentences that several doors print about a whole screening."""

from __future__ import annotations

from cds_service.clinical.evidence import Measure
from cds_service.clinical.interval import ANYTHING
from cds_service.report.wording import Wording
from cds_service.trials.screening import Steroids


def dose_today(steroids: Steroids, words: Wording) -> str:
    """Today's dose in mg/day and, where a weight counts, in mg/kg/day."""
    dose = words.measure(Measure(ANYTHING if steroids.per_day is None else steroids.per_day, "mg/d"))
    per_kg = dose if steroids.per_kg is None else words.measure(Measure(steroids.per_kg, "mg/kg/d"))
    if per_kg == dose:  # no weight, or neither is known
        return dose
    return words.phrase("text", "steroids_per_kg", dose=dose, per_kg=per_kg)
