"""A patient's facts with draft orders signed: what an order takes over, what it ends, what counts as given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from cds_service.clinical.dates import DayRange, days_later
from cds_service.clinical.exposure import stretches
from cds_service.clinical.facts import Intervention, PatientFacts, Unread
from cds_service.clinical.interval import ZERO, Interval
from cds_service.clinical.labs import Result, newest
from cds_service.clinical.medications import DoseStep, MedicationUse, Standing
from cds_service.trials.case import MEDICATION_SOURCES
from cds_service.trials.rules.washout import is_infusion

Act = Literal["start", "change", "stop", "give", "do"]


@dataclass(frozen=True, slots=True)
class Order:
    """A draft that can be read: its name, what it does, the drugs and procedures, and from which day on."""

    name: str
    act: Act
    concepts: tuple[str, ...]
    day: date


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A draft of which nobody can tell what it orders: its name, its own words for it, which nobody has checked.

    `concepts` are what it is known to be about, None when not even that could be read.
    """

    name: str
    words: str
    concepts: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Signing:
    """Drafts that are signed on a day.

    `entries` are the references of what stands for the drafts in the record, each with the name of its draft; `stops`
    those of orders that are ended. A draft with the name of a recorded order is its new version. `ended` are the
    records that are over by that, each with the name of the draft: see `with_ends`.
    """

    on: date
    entries: Mapping[str, str]
    stops: frozenset[str] = frozenset()
    ended: Mapping[str, str] = field(default_factory=dict)

    def with_ends(self, facts: PatientFacts) -> Signing:
        """The same, knowing which records of the facts the stops end."""
        stops, recorded = [use for use in self.uses(facts) if use.reference in self.stops], standing(facts, self)
        ended = {
            use.reference: self.entries[stop.reference]
            for use in recorded.medications for stop in stops if _ends(stop, use, recorded, self)
        }  # fmt: skip
        return replace(self, ended=ended)

    def uses(self, facts: PatientFacts) -> list[MedicationUse]:
        """The drugs that are ordered, or whose order is ended."""
        return [use for use in facts.medications if use.reference in self.entries]

    def interventions(self, facts: PatientFacts) -> list[Intervention]:
        """The procedures that are ordered. What is a drug, read or not, is none."""
        unread = (one.reference for one in self.unread(facts) if one.source in MEDICATION_SOURCES)
        drugs = {self.entries[one] for one in (*(use.reference for use in self.uses(facts)), *unread)}
        drafted = [one for one in facts.interventions if one.reference in self.entries]
        return [one for one in drafted if self.entries[one.reference] not in drugs]

    def unread(self, facts: PatientFacts) -> list[Unread]:
        """The drafts of which nobody can tell what is ordered, or how: drugs, and procedures that are known as such."""
        drafted = [one for one in facts.unread if one.reference in self.entries]
        return [one for one in drafted if one.source in MEDICATION_SOURCES or one.concepts]

    def matters(self, facts: PatientFacts) -> bool:
        """True when a draft is of anything that the facts are read for, or may be."""
        return bool(self.uses(facts) or self.interventions(facts) or self.unread(facts))


def standing(facts: PatientFacts, signing: Signing) -> PatientFacts:
    """The facts as the record stands, without the drafts."""
    return replace(
        facts,
        medications=tuple(use for use in facts.medications if use.reference not in signing.entries),
        interventions=tuple(one for one in facts.interventions if one.reference not in signing.entries),
        unread=tuple(one for one in facts.unread if one.reference not in signing.entries),
    )


def signed(facts: PatientFacts, signing: Signing, as_of: date) -> PatientFacts:
    """The facts with the drafts in force, as far as `as_of` shows it.

    An order takes over from what is recorded of its drug, unless it says that it is taken beside it or only when
    needed; an order that is ended ends. Procedures are not done by being ordered: see `given`.
    """
    drafted = signing.uses(facts)
    recorded = standing(facts, signing)
    ordered = [_from_the_signature(use, recorded, signing) for use in drafted if use.reference not in signing.stops]
    ended = [use for use in drafted if use.reference in signing.stops]
    kept = [part for use in recorded.medications for part in _kept(use, ordered, ended, recorded, signing, as_of)]
    return replace(recorded, medications=(*kept, *ordered))


def given(facts: PatientFacts, signing: Signing, as_of: date) -> PatientFacts:
    """The facts with the drafts in force, single infusions and procedures done on the first day of their order."""
    after = signed(facts, signing, as_of)
    uses = tuple(_as_given(use, signing) for use in after.medications)
    return replace(after, medications=uses, interventions=(*after.interventions, *signing.interventions(facts)))


def _as_given(use: MedicationUse, signing: Signing) -> MedicationUse:
    if use.reference not in signing.entries or use.standing is not Standing.TAKEN or not is_infusion(use.drug):
        return use
    day = DayRange.of(_first_day(use, signing))
    steps = tuple(replace(step, first=None, last=None, length_days=None) for step in use.steps[:1])
    route = "systemic" if use.route == "unknown" else use.route
    return replace(use, kind="administration", begins=day, ends=day, steps=steps, route=route, supply_ends=None,
                   valid_until=None, refillable_until=None)  # fmt: skip


def _first_day(use: MedicationUse, signing: Signing) -> date:
    return max(signing.on, use.begins.first if use.begins else signing.on)


def _from_the_signature(use: MedicationUse, recorded: PatientFacts, signing: Signing) -> MedicationUse:
    """An order that is signed again rewrites no history: what was taken until now, the record says.

    What is to be taken as needed is taken beside the recorded dose.
    """
    if not any(other.drug == use.drug for other in recorded.medications):
        return use
    day = _first_day(use, signing)
    steps = [step for step in use.steps if not (step.last and step.last.last < day)] or list(use.steps[:1])
    return replace(use, begins=DayRange.of(day), steps=tuple(_beside(_not_before(step, day)) for step in steps))


def _beside(step: DoseStep) -> DoseStep:
    return replace(step, added_to=True) if step.pattern == "as-needed" else step


def _not_before(step: DoseStep, day: date) -> DoseStep:
    early = step.first is not None and step.first.first < day
    return replace(step, first=DayRange(day, max(day, step.first.last)) if early and step.first else step.first)


def _kept(
    use: MedicationUse, ordered: Iterable[MedicationUse], ended: Iterable[MedicationUse], recorded: PatientFacts,
    signing: Signing, as_of: date,
) -> Iterator[MedicationUse]:  # fmt: skip
    """What is left of a recorded use: its time before it is taken over or ended, and what may come after."""
    stops = [draft for draft in ended if _ends(draft, use, recorded, signing)]
    takes = [draft for draft in ordered if _takes_over(draft, use, signing)]
    if use.kind == "administration" or not (stops or takes):
        yield use
        return
    day = signing.on if stops else min(_first_day(draft, signing) for draft in takes)
    if use.begins and use.begins.last >= day:
        yield use
        return
    yield replace(use, superseded_on=day)
    if takes and not stops:
        yield from _resumed(use, takes, as_of)


def _takes_over(draft: MedicationUse, use: MedicationUse, signing: Signing) -> bool:
    if use.reference == signing.entries[draft.reference]:
        return True
    beside = all(step.added_to for step in draft.steps)
    return draft.drug == use.drug and draft.route != "local" and not beside


def _ends(draft: MedicationUse, use: MedicationUse, recorded: PatientFacts, signing: Signing) -> bool:
    """True for the order that is ended and for what the patient is reported to take of its drug.

    Other orders of the drug go on. Where the order itself is not recorded, all that is recorded of its drug is meant;
    where it is recorded as over, nothing is.
    """
    name = signing.entries[draft.reference]
    same = [other for other in recorded.medications if other.reference == name]
    if any(other.standing is Standing.ENDED for other in same):
        return False
    return use.reference == name or (draft.drug == use.drug and (use.kind == "statement" or not same))


def _resumed(use: MedicationUse, takes: Iterable[MedicationUse], as_of: date) -> Iterator[MedicationUse]:
    """What was taken before a short order may be taken again after it."""
    last = max((s.last for draft in takes for s in stretches(draft, as_of)), default=as_of)
    if last >= as_of or use.standing is Standing.ENDED or (use.ends and use.ends.last <= last):
        return
    highs = [step.daily.high for step in use.steps]
    known = [high for high in highs if high is not None]
    most = max(known) if known and len(known) == len(highs) else None
    per_kilogram = any(step.per_kilogram for step in use.steps)
    step = DoseStep(Interval(ZERO.low, most), "unknown", per_kilogram=per_kilogram)
    yield replace(use, begins=DayRange.of(days_later(last, 1)), standing=Standing.POSSIBLE, steps=(step,))


def weighed_again(facts: PatientFacts, days: int) -> PatientFacts:
    """The facts with the newest body weight taken again so many days later: what else would be divided by."""
    found = newest(facts.results, "weight")
    return replace(facts, results=(*facts.results, *(_later(one, days) for one in found.results))) if found else facts


def _later(result: Result, days: int) -> Result:
    when = result.when
    return replace(result, when=DayRange(days_later(when.first, days), days_later(when.last, days)) if when else when)


def orders(facts: PatientFacts, signing: Signing) -> Iterator[Order]:
    """The drafts of the facts, in the order of their entries."""
    recorded = standing(facts, signing)
    drafted: dict[str, list[tuple[Act, str, date]]] = {}
    for use in signing.uses(facts):
        said = (_act(use, recorded, signing), use.drug, _first_day(use, signing))
        drafted.setdefault(signing.entries[use.reference], []).append(said)
    for done in signing.interventions(facts):
        day = max(signing.on, done.when.first) if done.when else signing.on
        several: list[tuple[Act, str, date]] = [("do", concept, day) for concept in sorted(done.concepts)]
        drafted.setdefault(signing.entries[done.reference], []).extend(several)
    for name, parts in drafted.items():
        concepts = tuple(dict.fromkeys(concept for _, concept, _ in parts))
        yield Order(name, parts[0][0], concepts, min(day for _, _, day in parts))


def _act(use: MedicationUse, recorded: PatientFacts, signing: Signing) -> Act:
    """Whether the drug is begun, changed, ended, or given as a single dose."""
    if use.reference in signing.stops:
        return "stop"
    if is_infusion(use.drug):
        return "give"
    before = days_later(_first_day(use, signing), -1)
    taken = [s for other in recorded.medications if other.drug == use.drug for s in stretches(other, before)]
    return "change" if any(s.covers(before) and not s.stated.is_zero for s in taken) else "start"
