"""The story that a steroid timeline tells: the flares that made tapers fail, each with what documents it.

A taper fails when the dose has to be raised again. That alone is weak evidence: the dose may have been raised for
an infection or for surgery. It is strong when the record documents the flare at that time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cds_service.clinical.coded import Certainty
from cds_service.clinical.dates import DayRange, days_later
from cds_service.clinical.evidence import Evidence
from cds_service.clinical.facts import Intervention, PatientFacts, Problem, is_coded, is_sure
from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import Clause, MedicationUse, Standing, StatedReason
from cds_service.clinical.tapers import Taper, Tapering


@dataclass(frozen=True, slots=True)
class FlareSigns:
    """What documents a flare within so many days, by the names of concepts.

    `flare` are words that are enough by themselves, `worsening` words that count beside the name of the `diagnosis`,
    in the same clause; `hedges` take the certainty from a clause, and `quiet` the flare; `other_reasons` are reasons
    for a higher dose that make it no flare; `therapies` and `courses` are treatments of the disease whose first start
    speaks of a flare.
    """

    within: int
    diagnosis: tuple[str, ...]
    flare: tuple[str, ...]
    worsening: tuple[str, ...]
    hedges: tuple[str, ...]
    quiet: tuple[str, ...]
    other_reasons: tuple[str, ...]
    therapies: tuple[str, ...]
    courses: tuple[str, ...]

    @property
    def concepts(self) -> frozenset[str]:
        """Everything whose records may speak of a flare, or against one."""
        words = (*self.flare, *self.worsening, *self.hedges, *self.quiet)
        return frozenset({*self.diagnosis, *words, *self.other_reasons, *self.therapies, *self.courses})

    def says(self, clause: Clause, words: Iterable[str], alone: bool) -> bool:
        """True where a clause holds some of the words as a certain remark on the disease.

        That is one that names the disease, or, where the words may stand `alone`, one that names nothing else.
        """
        of_disease = bool(clause.concepts & set(self.diagnosis))
        is_certain = not clause.denied and not clause.concepts & set(self.hedges)
        return is_certain and bool(clause.concepts & set(words)) and (of_disease or (alone and clause.understood))

    def may_be_meant(self, clauses: Iterable[Clause]) -> bool:
        """True for a remark whose words may stand alone: no clause of it denies that it is the disease."""
        return not any(clause.denies & set(self.diagnosis) for clause in clauses)


@dataclass(frozen=True, slots=True)
class HistoryReading:
    """How the steroid history is read: what a taper is, and what documents a flare."""

    tapering: Tapering
    signs: FlareSigns


@dataclass(frozen=True, slots=True)
class Flare:
    """A failed taper: the day of the higher dose, the lowest dose before it, the dose that was reached.

    `documented_by` is what says that GVHD was the reason; without it the dose is the only witness.
    """

    date: date
    nadir: Interval
    raised_to: Interval
    taper: Taper
    documented_by: tuple[Evidence, ...]

    @property
    def documented(self) -> bool:
        return bool(self.documented_by)


def flares(
    found: Iterable[Taper], steroid_uses: Sequence[MedicationUse], facts: PatientFacts, signs: FlareSigns
) -> list[Flare]:
    """The failed tapers, oldest first, since the disease began, without those raised for another stated reason."""
    began = disease_began(facts, signs) or date.min
    return [
        Flare(on, taper.nadir, taper.raised_to, taper, _documents(taper, on, steroid_uses, facts, signs))
        for taper in found
        if taper.outcome == "failed" and (on := taper.ended) and taper.raised_to and on >= began
        if not _has_other_reason(taper, steroid_uses, facts, signs)
    ]


def _documents(
    taper: Taper, on: date, steroid_uses: Sequence[MedicationUse], facts: PatientFacts, signs: FlareSigns
) -> tuple[Evidence, ...]:
    """What speaks of a flare around the day; a reason and a note of one record are one witness."""
    window = _around(on, signs)
    found = (
        *_recorded_anew(facts, signs, window),
        *_stated(steroid_uses, facts, signs, window, _is_mere_indication(taper, steroid_uses, facts, signs)),
        *_noted(facts, signs, window),
        *new_treatments(facts, signs, window),
    )
    return tuple(dict.fromkeys(found))


def _recorded_anew(facts: PatientFacts, signs: FlareSigns, window: DayRange) -> Iterator[Evidence]:
    """Coded, confirmed diagnoses that began, came back or were first recorded in the window."""
    for problem in facts.problems_of(signs.diagnosis):
        if is_sure(problem, signs.diagnosis) and any(
            when and lies_within(when, window) for when in (problem.onset, problem.recorded)
        ):
            yield Evidence(problem.reference, problem.when, problem.label)


def _is_mere_indication(taper: Taper, uses: Iterable[MedicationUse], facts: PatientFacts, signs: FlareSigns) -> bool:
    """True where the records of the lowest dose state the disease as their reason, too.

    A reason that stands on every order says what the drug is for, and not why the dose was raised.
    """
    reasons = (r for use in uses if use.reference in taper.lowest for r in use.reasons if not r.is_note)
    return any(said_in(reason, facts) & set(signs.diagnosis) for reason in reasons)


def _stated(
    uses: Iterable[MedicationUse], facts: PatientFacts, signs: FlareSigns, window: DayRange, disease_is_no_news: bool
) -> Iterator[Evidence]:
    for use in uses:
        for reason in use.reasons:
            when = reason.when or use.begins
            if when and lies_within(when, window) and _names_a_flare(reason, facts, signs, disease_is_no_news):
                yield Evidence(use.reference, when, "reason-flare")


def _noted(facts: PatientFacts, signs: FlareSigns, window: DayRange) -> Iterator[Evidence]:
    """Notes of the window that speak of a flare, on a confirmed diagnosis."""
    for problem, remark in remarks_on_the_disease(facts, signs):
        if remark.when and lies_within(remark.when, window) and _names_a_flare(remark, facts, signs, True):
            yield Evidence(problem.reference, remark.when, "reason-flare")


def remarks_on_the_disease(facts: PatientFacts, signs: FlareSigns) -> Iterator[tuple[Problem, StatedReason]]:
    """The notes on each diagnosis of the disease that is confirmed and not contradicted."""
    for problem in facts.problems_of(signs.diagnosis):
        if problem.verification == "confirmed" and not problem.contradicted:
            yield from ((problem, remark) for remark in problem.remarks)


def _names_a_flare(reason: StatedReason, facts: PatientFacts, signs: FlareSigns, disease_is_no_news: bool) -> bool:
    """True where a reason or note speaks of a flare, or a reason is the disease itself and was none before."""
    if said_in(reason, facts) & set(signs.other_reasons):
        return False
    pointed = Clause(frozenset(said_in(reason, facts) - reason.concepts))
    loud = [one for one in (*reason.clauses, pointed) if not one.concepts & set(signs.quiet)]
    alone = signs.may_be_meant(reason.clauses)
    if any(signs.says(one, signs.flare, alone) or signs.says(one, signs.worsening, alone=False) for one in loud):
        return True
    of_disease = any(signs.says(one, signs.diagnosis, alone=False) for one in loud)
    return of_disease and not reason.is_note and not disease_is_no_news


def said_in(reason: StatedReason, facts: PatientFacts) -> set[str]:
    """The concepts that a reason names, and those of the problem that it refers to."""
    pointed = {c for p in facts.problems if p.reference == reason.reference for c in p.concepts}
    return {*reason.concepts, *(pointed if reason.reference else ())}


def disease_began(facts: PatientFacts, signs: FlareSigns) -> date | None:
    """The earliest day on which the disease may be said to have begun, with the days that documents may lie apart.

    None where one of its records does not state an onset: it may be the older one.
    """
    known = [problem.onset for problem in facts.problems_of(signs.diagnosis)]
    starts = [onset.first for onset in known if onset]
    return days_later(min(starts), -signs.within) if starts and len(starts) == len(known) else None


def new_treatments(facts: PatientFacts, signs: FlareSigns, window: DayRange) -> Iterator[Evidence]:
    """Treatments of the disease that were first begun in the window."""
    recorded = {use.drug for use in facts.medications}
    for drug in dict.fromkeys(one for one in signs.therapies if one in recorded):
        taken = (use for use in facts.uses_of((drug,)) if use.standing is not Standing.NOT_TAKEN)
        uses = [use for use in taken if use.route != "local"]
        first = min((use for use in uses if use.begins), key=_begin, default=None)
        whole = all(use.begins for use in uses)
        if first and first.begins and whole and lies_within(first.begins, window) and _is_coded(first):
            yield Evidence(first.reference, first.begins, first.label)
    done = [i for i in facts.interventions_of(signs.courses) if _is_certain_course(i, signs)]
    earliest = min(done, key=lambda i: (i.when.first if i.when else date.min, i.reference), default=None)
    if earliest and earliest.when and lies_within(earliest.when, window):
        yield Evidence(earliest.reference, earliest.when, earliest.label)


def _is_certain_course(done: Intervention, signs: FlareSigns) -> bool:
    return done.surely_done and is_coded(done, signs.courses)


def _is_coded(use: MedicationUse) -> bool:
    return use.certainty is Certainty.CODED and not use.misnamed and use.standing in (Standing.TAKEN, Standing.ENDED)


def _begin(use: MedicationUse) -> tuple[date, str]:
    return (use.begins.first if use.begins else date.min), use.reference


def _has_other_reason(taper: Taper, uses: Iterable[MedicationUse], facts: PatientFacts, signs: FlareSigns) -> bool:
    """True where a record of the higher dose, or one begun at that time, names a reason that is not the disease."""
    window = _around(taper.ended, signs) if taper.ended else None
    return any(
        said_in(reason, facts) & set(signs.other_reasons)
        for use in uses
        for reason in use.reasons
        if window and _speaks_of(use, reason, taper, window)
    )


def _speaks_of(use: MedicationUse, reason: StatedReason, taper: Taper, window: DayRange) -> bool:
    if reason.when:
        return lies_within(reason.when, window)
    return use.reference in taper.raised_by or bool(use.begins and lies_within(use.begins, window))


def _around(day: date, signs: FlareSigns) -> DayRange:
    return DayRange(days_later(day, -signs.within), days_later(day, signs.within))


def lies_within(when: DayRange, window: DayRange) -> bool:
    return window.first <= when.first and when.last <= window.last
