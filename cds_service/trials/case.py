"""A patient's facts on a day, seen through a protocol's readings: what every rule is handed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from cds_service.clinical.doses import Timeline, WeighedSegment, timeline
from cds_service.clinical.facts import PatientFacts, State
from cds_service.clinical.medications import MedicationUse
from cds_service.clinical.tapers import Taper, tapers
from cds_service.clinical.weights import WeightHistory
from cds_service.trials.history import Flare, HistoryReading, flares

# The sources that may stand for each other: one name each, alternatives in one tuple.
Needs = tuple[tuple[str, ...], ...]
MEDICATION_SOURCES = ("medicationStatements", "medicationRequests", "medicationAdministrations")
RESULT_SOURCES = ("labs", "body", "function")
SOURCES = ("patient", "conditions", "procedures", *MEDICATION_SOURCES, *RESULT_SOURCES, "allergies", "researchSubjects")


@dataclass(frozen=True, slots=True)
class Gap:
    """A source that cannot vouch for "none recorded", and what is wrong with it."""

    source: str
    what: Literal["absent", "failed", "truncated", "unreadable"]


@dataclass(frozen=True)
class Case:
    """The facts, the day of screening, the planned day of the first infusion, and the counted steroids."""

    facts: PatientFacts
    as_of: date
    steroids: tuple[str, ...]
    infusion_on: date | None = None
    history: HistoryReading | None = None

    @cached_property
    def weights(self) -> WeightHistory:
        return WeightHistory(self.facts.results)

    @cached_property
    def steroid_uses(self) -> Sequence[MedicationUse]:
        """The corticosteroid records that count: those that reach the whole body."""
        return [use for use in self.facts.uses_of(self.steroids) if use.route != "local"]

    @cached_property
    def steroid_gaps(self) -> Sequence[Gap]:
        """Why the medication sources cannot vouch for the dose of the day."""
        return self.gaps((("medicationStatements", "medicationRequests"),), self.steroids)

    @cached_property
    def timeline(self) -> Timeline:
        return timeline(self.steroid_uses, self.as_of, self.weights)

    @cached_property
    def weighed(self) -> Sequence[WeighedSegment]:
        return self.timeline.weighed(self.weights)

    @cached_property
    def tapers(self) -> Sequence[Taper]:
        """The attempts to taper; none where the protocol does not say what a taper is."""
        return tapers(self.timeline.segments, self.history.tapering) if self.history else []

    @cached_property
    def flares(self) -> Sequence[Flare]:
        """The tapers that failed."""
        return flares(self.tapers, self.steroid_uses, self.facts, self.history.signs) if self.history else []

    def gaps(self, needs: Needs, concepts: Collection[str], since: date | None = None) -> list[Gap]:
        """Why the needed sources cannot vouch that nothing about the concepts is missing since a day.

        One source of each alternative must have been searched; none may have failed, have been cut short
        before that day, or hold an entry that could not be read and may be about the concepts.
        """
        return [gap for alternatives in needs for gap in self._gaps_of(alternatives, concepts, since)]

    def unreadable(self, sources: Iterable[str], concepts: Collection[str]) -> list[Gap]:
        """The sources with an entry that could not be read and may be about the concepts."""
        return [Gap(name, "unreadable") for name in sources if self.facts.unread_about(name, concepts)]

    def may_be_newer(self, sources: Iterable[str], rests_on: Mapping[str, date]) -> bool:
        """True where an entry of the sources that could not be read may be of the day that counts, or newer."""
        return any(
            one.may_be_since(day)
            for source in sources
            for one in self.facts.unread_about(source, rests_on)
            for name, day in rests_on.items()
            if one.concepts is None or name in one.concepts
        )

    def cut_short(self, sources: Iterable[str], day: date) -> list[Gap]:
        """The sources that were asked but may lack something that is newer than what they brought of `day`.

        A sorted answer that was cut short counts as complete back to its oldest entry, that day included.
        """
        found: list[Gap] = []
        for name in sources:
            source = self.facts.source(name)
            if source.state is State.FAILED:
                found.append(Gap(name, "failed"))
            elif source.state is State.TRUNCATED and not source.is_complete_since(day + timedelta(days=1)):
                found.append(Gap(name, "truncated"))
        return found

    def _gaps_of(self, sources: Iterable[str], concepts: Collection[str], since: date | None) -> list[Gap]:
        asked = [(name, self.facts.source(name)) for name in sources]
        if all(source.state is State.ABSENT for _, source in asked):
            return [Gap(name, "absent") for name, _ in asked]
        found: list[Gap] = []
        for name, source in asked:
            if source.state is State.FAILED:
                found.append(Gap(name, "failed"))
            elif source.state is State.TRUNCATED and not source.is_complete_since(since):
                found.append(Gap(name, "truncated"))
            elif self.facts.unread_about(name, concepts):
                found.append(Gap(name, "unreadable"))
        return found
