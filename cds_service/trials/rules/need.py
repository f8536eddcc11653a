"""What resistance and dependence share: a dose that is needed, with a limit of its own for every other day."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.evidence import Measure
from cds_service.clinical.interval import ANYTHING, Interval, Limit
from cds_service.clinical.truth import Truth
from cds_service.trials.case import MEDICATION_SOURCES, Case, Needs
from cds_service.trials.finding import Flag, Judgement, Status
from cds_service.trials.rules import steroids
from cds_service.trials.rules.base import Bound, in_unit, not_searched
from cds_service.trials.rules.steroids import SteroidRule


class DoseNeed(SteroidRule):
    """A mean daily dose beyond `dose`; taken every other day, a single dose beyond `every_other_day`."""

    dose: Bound
    every_other_day: Bound

    @model_validator(mode="after")
    def _check_dose_units(self) -> Self:
        in_unit(self.dose, steroids.PER_KG)
        in_unit(self.every_other_day, "mg/kg")
        return self

    def keeps(self, segment: WeighedSegment) -> Truth:
        """Whether the segment's dose lies beyond the limit; a single dose is never held against the daily one."""
        limit, amount = self._compared(segment)
        return Truth.UNKNOWN if amount is None else limit.holds_for(amount)

    def is_near(self, segment: WeighedSegment) -> bool:
        """True when the dose lies within the band around its limit."""
        limit, amount = self._compared(segment)
        return amount is not None and limit.is_near(amount, self.boundary)

    def _compared(self, segment: WeighedSegment) -> tuple[Limit, Interval | None]:
        per_dose = segment.segment.per_dose
        if segment.segment.pattern == "qod" and per_dose is not None and segment.weight is not None:
            return self.every_other_day, per_dose.over(segment.weight)
        return self.dose, segment.per_kg

    def vouched(self, case: Case, judged: Judgement) -> Judgement:
        """The judgement; a pass is taken back where a record that may speak otherwise is missing or cannot be read.

        An earlier start of a therapy, another reason for the dose, or the onset of the disease may stand in it.
        """
        if judged.status is not Status.PASS or case.history is None:
            return judged
        medications: Needs = tuple(one for one in self.needs if set(one) & set(MEDICATION_SOURCES))
        concepts = case.history.signs.concepts
        gaps = case.gaps((("conditions",), ("procedures",), *medications), concepts)
        gaps += case.unreadable(MEDICATION_SOURCES, concepts)
        return not_searched(gaps, judged.evidence) if gaps else judged

    def per_kg_of(self, segment: WeighedSegment) -> Measure:
        """The segment's dose beside its limit; anything where no weight counts."""
        known = ANYTHING if segment.per_kg is None else segment.per_kg
        return Measure(known, steroids.PER_KG, self.dose)

    def flags_today(self, case: Case, current: WeighedSegment) -> set[Flag]:
        """The flags of today's dose, with `boundary` when it is near the limit."""
        if current.segment.dose.is_zero:
            return set()
        flags = steroids.carried_flags((current,))
        if self.is_near(current):
            flags.add(Flag.BOUNDARY)
        if steroids.flips_with_weight(case, self.dose, current.segment.dose) or steroids.contradictory((current,)):
            flags.add(Flag.CONFLICT)
        return flags
