"""How a trial is read where its text does not say itself."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from cds_service.clinical.tapers import DoseChange, Tapering
from cds_service.trials.history import FlareSigns, HistoryReading
from cds_service.trials.rules.parameters import Bound, Concepts, Days, Drugs, Parameters, in_unit

# The id of a criterion; it also stands in the address of a page.
Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9.-]*$")]


class Applicability(Parameters):
    """What in a record makes a patient one to be screened at all: evidence of any of these."""

    concepts: Concepts


class Change(Parameters):
    """How much more or less a dose must be to have changed: an amount in mg/d and a share of what it was."""

    amount: Bound
    share: Bound

    @model_validator(mode="after")
    def _check_units(self) -> Self:
        in_unit(self.amount, "mg/d")
        in_unit(self.share, "%")
        return self


class Pulse(Parameters):
    """A short multiple of the dose around it."""

    times: int = Field(ge=2)
    within: Days


class Tapers(Parameters):
    """What an attempt to taper is, what makes it fail, and what documents that GVHD was the reason."""

    fall: Change
    rise: Change
    held: Days
    plateau: Days
    pulse: Pulse
    documented_within: Days
    diagnosis: Concepts
    flare: Concepts
    worsening: Concepts
    hedges: Concepts
    quiet: Concepts
    other_reasons: Concepts
    therapies: Drugs
    courses: Concepts

    @property
    def reading(self) -> HistoryReading:
        """The same as the core reads it."""
        tapering = Tapering(
            DoseChange(self.fall.amount, self.fall.share), DoseChange(self.rise.amount, self.rise.share),
            self.held.days, self.plateau.days, self.pulse.times, self.pulse.within.days,
        )  # fmt: skip
        return HistoryReading(tapering, FlareSigns(
            self.documented_within.days, self.diagnosis, self.flare, self.worsening, self.hedges, self.quiet,
            self.other_reasons, self.therapies, self.courses,
        ))  # fmt: skip


class Orders(Parameters):
    """How far ahead the order guard looks, after the day of the signature."""

    later: Days


class Readings(Parameters):
    """How the trial is read where it does not say itself.

    `steroids` are the drugs that count as prednisone; `ignored` are recognised for one purpose only, that their
    words do not pass for something else; `either` are groups of criteria of which one is enough;
    `diagnosis` and `usual_case` decide whether a needs-review patient is shown; `key_facts` are what a clinician
    looks for first, in that order, `key_questions` what people are asked first.
    """

    steroids: Drugs = ()
    ignored: Concepts = ()
    applicable: Applicability
    either: tuple[Annotated[tuple[Id, ...], Field(min_length=2)], ...] = ()
    diagnosis: Id
    usual_case: tuple[Id, ...] = ()
    key_facts: tuple[Id, ...] = ()
    key_questions: tuple[Id, ...] = ()
    tapers: Tapers | None = None
    orders: Orders | None = None

    @property
    def history(self) -> HistoryReading | None:
        """How the steroid history is read; None where the trial does not ask for it."""
        return self.tapers.reading if self.tapers else None

    @property
    def named(self) -> tuple[str, ...]:
        """The ids of criteria that the readings name anywhere."""
        either = tuple(one for group in self.either for one in group)
        return (self.diagnosis, *self.usual_case, *self.key_facts, *self.key_questions, *either)
