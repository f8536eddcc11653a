"""What is known of a patient on the day of screening: the nouns that every rule reads. No FHIR, no trial."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Literal

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange
from cds_service.clinical.labs import Result
from cds_service.clinical.medications import MedicationUse, StatedReason

Sex = Literal["male", "female", "unknown"]
Activity = Literal["active", "resolved", "not-stated"]
Verification = Literal["confirmed", "suspected"]


class State(Enum):
    """What became of the search of one source."""

    FOUND = "found"
    NONE = "none"
    FAILED = "failed"
    TRUNCATED = "truncated"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Source:
    """One query of the record. A truncated one is complete back to `complete_back_to`, when that is known."""

    state: State
    complete_back_to: date | None = None

    @property
    def was_searched(self) -> bool:
        """True when an answer came, whole or in part."""
        return self.state in (State.FOUND, State.NONE, State.TRUNCATED)

    def is_complete_since(self, day: date | None) -> bool:
        """True when nothing of `day` or later can be missing; None asks for the whole of a life."""
        if self.state is not State.TRUNCATED:
            return self.was_searched
        return day is not None and self.complete_back_to is not None and self.complete_back_to < day


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis as recorded. Refuted and mistaken entries never become one.

    `recurs` is one that came back, `over_on` the days on which it may have ended, where the record tells. `remarks` are
    the notes on it.
    """

    reference: str
    label: str
    concepts: Mapping[str, Certainty]
    activity: Activity
    verification: Verification
    onset: DayRange | None
    recorded: DayRange | None
    severity: Mapping[str, Certainty] = field(default_factory=dict)
    severity_label: str | None = None
    contradicted: bool = False
    recurs: bool = False
    over_on: DayRange | None = None
    remarks: tuple[StatedReason, ...] = ()

    @property
    def when(self) -> DayRange | None:
        return self.onset or self.recorded


@dataclass(frozen=True, slots=True)
class Intervention:
    """A procedure that was done, or may have been (`surely_done` false).

    `when` are the days on which it was or may have been done; `ended` is the last of them where a period tells it.
    """

    reference: str
    label: str
    concepts: Mapping[str, Certainty]
    surely_done: bool
    when: DayRange | None
    goes_on: bool = False
    contradicted: bool = False
    ended: DayRange | None = None

    @property
    def last_done(self) -> DayRange | None:
        """The day on which it was done last: what a time that must have passed is counted from."""
        return self.ended or self.when


@dataclass(frozen=True, slots=True)
class Participation:
    """A part in a study. `sure` says that the patient took part, and until when; without `until` it goes on then.

    `names` are all that the record calls the study.
    """

    reference: str
    label: str
    names: tuple[str, ...]
    begins: DayRange | None
    until: DayRange | None
    sure: bool


# The closed list of reasons why an entry is left out, as the screening prints them.
SkipReason = Literal[
    "entered-in-error",  # marked as a mistake
    "refuted",  # a diagnosis that was ruled out
    "status",  # not done, cancelled, only planned, not yet resulted
    "future",  # dated after the day of screening
    "no-date",  # a result without a day
    "other-patient",
    "not-a-resource",
    "unknown-type",
    "unreadable",  # an element that we read has a shape that FHIR does not allow
    "invalid",  # refused by validation
    "modifier-extension",  # changes the meaning in a way that we do not know
    "implicit-rules",
    "deleted",  # by a later entry of a history
]


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that was left out, and why."""

    reference: str
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that could not be read although it may matter.

    `concepts` are what it is known to be about; None when not even that could be read. `when` are the days of a result,
    where they are known.
    """

    reference: str
    source: str
    concepts: frozenset[str] | None
    when: DayRange | None = None

    def may_be_since(self, day: date) -> bool:
        """True unless it is known to be older than the day."""
        return self.when is None or self.when.last >= day


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """One patient's record, read.

    The concepts of an allergy are what it is to, those of an examination what it showed.
    """

    reference: str
    born: DayRange | None
    sex: Sex
    died: bool
    problems: tuple[Problem, ...]
    interventions: tuple[Intervention, ...]
    results: tuple[Result, ...]
    medications: tuple[MedicationUse, ...]
    sources: Mapping[str, Source]
    allergies: tuple[Problem, ...] = ()
    studies: tuple[Participation, ...] = ()
    examinations: tuple[Problem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unread: tuple[Unread, ...] = ()

    def source(self, name: str) -> Source:
        return self.sources.get(name, Source(State.ABSENT))

    def problems_of(self, concepts: Collection[str]) -> list[Problem]:
        """The problems recognised as one of the concepts, the surest and newest first."""
        found = [p for p in self.problems if any(c in p.concepts for c in concepts)]

        def rank(problem: Problem) -> tuple[int, int, str]:
            return -_surest(problem.concepts, concepts), _latest_first(problem.when), problem.reference

        return sorted(found, key=rank)

    def interventions_of(self, concepts: Collection[str]) -> list[Intervention]:
        """The procedures recognised as one of the concepts, the newest first."""
        found = [i for i in self.interventions if any(c in i.concepts for c in concepts)]
        return sorted(found, key=lambda i: (_latest_first(i.when), i.reference))

    def allergies_to(self, concepts: Collection[str]) -> list[Problem]:
        """The allergies to one of the concepts, by reference."""
        found = [a for a in self.allergies if any(c in a.concepts for c in concepts)]
        return sorted(found, key=lambda a: a.reference)

    def examinations_showing(self, concepts: Collection[str]) -> list[Problem]:
        """The examinations that showed one of the concepts, the newest first."""
        found = [e for e in self.examinations if any(c in e.concepts for c in concepts)]
        return sorted(found, key=lambda e: (_latest_first(e.when), e.reference))

    def uses_of(self, drugs: Collection[str]) -> list[MedicationUse]:
        """The medication records of the drugs, oldest first."""
        found = [m for m in self.medications if m.drug in drugs]
        return sorted(found, key=lambda m: (m.begins.first if m.begins else date.min, m.reference))

    def unread_about(self, source: str, concepts: Collection[str]) -> list[Unread]:
        """The unreadable entries of the source that may be about one of the concepts."""
        return [
            u for u in self.unread if u.source == source and (u.concepts is None or not u.concepts.isdisjoint(concepts))
        ]


def is_coded(fact: Problem | Intervention, concepts: Collection[str]) -> bool:
    """True when a checked code says so and the words beside it do not contradict it."""
    coded = any(fact.concepts.get(concept) is Certainty.CODED for concept in concepts)
    return coded and not fact.contradicted


def is_sure(problem: Problem, concepts: Collection[str]) -> bool:
    """True for a confirmed diagnosis with a checked code."""
    return is_coded(problem, concepts) and problem.verification == "confirmed"


def _surest(recognised: Mapping[str, Certainty], concepts: Collection[str]) -> int:
    return max(certainty for concept, certainty in recognised.items() if concept in concepts)


def _latest_first(when: DayRange | None) -> int:
    return -(when.last if when else date.min).toordinal()
