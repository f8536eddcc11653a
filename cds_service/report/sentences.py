"""Sentences that several doors print about a whole screening."""

from __future__ import annotations

from cds_service.clinical.doses import equivalence
from cds_service.clinical.evidence import Measure
from cds_service.clinical.interval import ANYTHING, Interval
from cds_service.report.wording import Wording
from cds_service.trials.screening import Screening, Steroids


def dose_today(steroids: Steroids, words: Wording) -> str:
    """Today's dose in mg/day and, where a weight counts, in mg/kg/day."""
    dose = words.measure(Measure(ANYTHING if steroids.per_day is None else steroids.per_day, "mg/d"))
    per_kg = dose if steroids.per_kg is None else words.measure(Measure(steroids.per_kg, "mg/kg/d"))
    if per_kg == dose:  # no weight, or neither is known
        return dose
    return words.phrase("text", "steroids_per_kg", dose=dose, per_kg=per_kg)


def worked_out(screening: Screening, reference: str, words: Wording) -> str | None:
    """How a record's doses were worked out, such as "24 mg × 1 a day × 1.25 as prednisone"; None where none were."""
    derived = screening.steroids.worked_out.get(reference)
    if not derived:
        return None
    how = words.joined("clause", map(words.derivation, derived))
    drug = next(use.drug for use in screening.case.steroid_uses if use.reference == reference)
    factor = equivalence(drug)
    if factor in (Interval.exactly(1), ANYTHING):
        return how
    return words.phrase("text", "as_prednisone", how=how, factor=words.measure(Measure(factor, "")))
