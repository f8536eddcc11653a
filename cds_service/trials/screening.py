"""A case held against a protocol: every finding, and one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from cds_service.clinical.courses import Course, courses
from cds_service.clinical.doses import DoseSegment
from cds_service.clinical.facts import PatientFacts, Skipped, Source
from cds_service.clinical.interval import Interval
from cds_service.clinical.medications import Derivation, MedicationUse
from cds_service.trials.case import Case
from cds_service.trials.finding import Answer, Finding, Judgement, Status
from cds_service.trials.history import Flare
from cds_service.trials.protocol import Criterion, Protocol, Trial
from cds_service.trials.readings import Readings
from cds_service.trials.translation import Translation


class Verdict(StrEnum):
    """What all findings come to. The best word is candidate: eligible is what a person says."""

    NOT_APPLICABLE = "not-applicable"
    RULED_OUT = "ruled-out"
    NOT_YET = "not-yet"
    NEEDS_REVIEW = "needs-review"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Steroids:
    """The dose timeline as screened: today's dose in prednisone-equivalent mg, every stretch with a dose, the courses
    they make up, and the tapers that failed.

    `per_day` is None where the medication sources cannot vouch for it, `per_kg` also where no weight counts.
    `worked_out` says of each record, by its reference, how its doses were.
    """

    per_day: Interval | None
    per_kg: Interval | None
    timeline: tuple[DoseSegment, ...]
    worked_out: Mapping[str, tuple[Derivation, ...]]
    courses: tuple[Course, ...] = ()
    flares: tuple[Flare, ...] = ()


# What must have been searched before a chart may stay silent; of the medications one is enough.
_FOR_SILENCE = (("patient",), ("conditions",), ("procedures",), ("medicationStatements", "medicationRequests"))


@dataclass(frozen=True, slots=True)
class Screening:
    """The result of screening one patient for one trial on one day.

    `applicable` says that the record speaks of what the trial is about, `hinted` that an entry does which cannot be
    read any further. `case` and `criteria` are what was held against what, for those who draw it, `translations` the
    trial's own words by language.
    """

    trial: Trial
    readings: Readings
    ruleset: str
    patient: str
    as_of: date
    verdict: Verdict
    recheck_on: date | None
    findings: tuple[Finding, ...]
    steroids: Steroids
    sources: Mapping[str, Source]
    skipped: tuple[Skipped, ...]
    applicable: bool
    case: Case = field(repr=False, compare=False)
    criteria: tuple[Criterion, ...] = field(repr=False, compare=False)
    translations: Mapping[str, Translation] = field(repr=False, compare=False)
    hinted: bool = False

    def finding(self, criterion_id: str) -> Finding:
        """The finding of a criterion. Raises KeyError when the protocol has none of that id."""
        for finding in self.findings:
            if finding.id == criterion_id:
                return finding
        raise KeyError(criterion_id)

    @property
    def evidence_references(self) -> frozenset[str]:
        """The resources that some finding rests on."""
        return frozenset(e.reference for f in self.findings for e in f.judgement.evidence)

    @property
    def unsearched(self) -> tuple[str, ...]:
        """The sources without which "nothing to say" may not be said and that were not searched whole.

        None when the verdict already rests on what was read.
        """
        if self.verdict not in (Verdict.NEEDS_REVIEW, Verdict.CANDIDATE):
            return ()
        gaps = [names for names in _FOR_SILENCE if not any(self.sources[n].is_complete_since(None) for n in names)]
        return tuple(name for names in gaps for name in names)

    @property
    def diagnosis_is_unseen(self) -> bool:
        """True for a patient who was transplanted or has GVHD where the diagnosis may stand in what was not read."""
        diagnosis = self.finding(self.readings.diagnosis)
        return (
            (self.applicable or self.hinted)
            and diagnosis.status is Status.UNKNOWN
            and "gaps" in diagnosis.judgement.reason.values
        )

    @property
    def is_shown(self) -> bool:
        """True when the verdict calls for a card at the opening of a chart."""
        if self.verdict is Verdict.CANDIDATE:
            return True
        if self.verdict is not Verdict.NEEDS_REVIEW:
            return False
        return self._is_likely

    @property
    def may_fit(self) -> bool:
        """True for a patient of whom an order may say something: likely one for the trial, now or later, or one of whom
        too little could be read. Never one of whom a person said that it is not the disease.
        """
        diagnosis = self.finding(self.readings.diagnosis)
        denied = diagnosis.standing is Status.FAIL and diagnosis.status is not Status.FAIL
        if denied or self.verdict in (Verdict.NOT_APPLICABLE, Verdict.RULED_OUT):
            return False
        unseen = self.diagnosis_is_unseen or (bool(self.unsearched) and self.applicable)
        return self.verdict is Verdict.CANDIDATE or self._is_likely or unseen

    @property
    def _is_likely(self) -> bool:
        """True when chronic GVHD is possible, or what usually goes with it is there."""
        possible = self.finding(self.readings.diagnosis).standing in (Status.PASS, Status.REVIEW)
        usual = [self.finding(one).standing is Status.PASS for one in self.readings.usual_case]
        return possible or (bool(usual) and all(usual))


def case_of(facts: PatientFacts, protocol: Protocol, as_of: date, infusion_on: date | None = None) -> Case:
    """The case that a protocol's rules are handed."""
    return Case(facts, as_of, protocol.readings.steroids, infusion_on, protocol.readings.history)


def screen(case: Case, protocol: Protocol, answers: Iterable[Answer] = ()) -> Screening:
    """Every criterion judged, in protocol order, and the verdict by the contract's table; a pure function.

    `answers` are people's, in the order in which they were given. One counts as long as what it rests on is still what
    the record says, and never against what the record settles.
    """
    given = {answer.criterion: answer for answer in answers}
    judged = (_finding(case, criterion, protocol.trial.ends) for criterion in protocol.criteria)
    findings = tuple(answered(finding, given.get(finding.id)) for finding in judged)
    verdict, recheck_on = verdict_of(case, protocol, findings)
    return Screening(
        protocol.trial, protocol.readings, protocol.ruleset, case.facts.reference, case.as_of,
        verdict, recheck_on, findings, _steroids(case), case.facts.sources, case.facts.skipped,
        applicable=has_evidence(case, protocol), case=case, criteria=protocol.criteria,
        translations=protocol.translations, hinted=has_hint(case, protocol),
    )  # fmt: skip


def answered(finding: Finding, answer: Answer | None) -> Finding:
    """The finding with a person's answer, where that still holds."""
    holds = answer is not None and answer.met is not None and finding.is_open and answer.rests_on == finding.footing
    return replace(finding, answer=answer) if holds else finding


def _finding(case: Case, criterion: Criterion, trial_ends: date) -> Finding:
    judgement = _cured_in_time(criterion.rule.judge(case), trial_ends)
    return Finding(
        criterion.id, criterion.name, criterion.kind, criterion.subject, criterion.text,
        judgement, criterion.question, criterion.test, criterion.reading, criterion.alternative,
    )  # fmt: skip


def _cured_in_time(judgement: Judgement, trial_ends: date) -> Judgement:
    """The judgement; a cure that comes after the trial's end is none."""
    if judgement.recheck_on is None or judgement.recheck_on <= trial_ends:
        return judgement
    return replace(judgement, curable=None, recheck_on=None)


def _steroids(case: Case) -> Steroids:
    gaps = case.steroid_gaps
    taken = tuple(s for s in case.timeline.segments if not s.dose.is_zero)
    worked_out = {use.reference: _derivations(use) for use in case.steroid_uses}
    told = Steroids(None, None, taken, worked_out, tuple(courses(taken)), tuple(case.flares))
    if gaps:
        return told
    today = case.timeline.on(case.as_of).dose
    weight = case.weights.on(case.as_of)
    return replace(told, per_day=today, per_kg=today.over(weight.weight.kilograms) if weight else None)


def _derivations(use: MedicationUse) -> tuple[Derivation, ...]:
    return tuple(step.derivation for step in use.steps if step.derivation)


def verdict_of(case: Case, protocol: Protocol, findings: Sequence[Finding]) -> tuple[Verdict, date | None]:
    """The first row of the verdict table that holds, and the date for a not-yet."""
    if case.facts.died or (not has_evidence(case, protocol) and _was_looked_for(case, protocol)):
        return Verdict.NOT_APPLICABLE, None
    findings = [f for f in findings if f.subject == "patient"]
    hard = [f for f in findings if f.is_hard_fail]
    if any(f.curable is None for f in hard):
        return Verdict.RULED_OUT, None
    if hard:
        dates = [f.judgement.recheck_on if f.answer is None else None for f in hard]
        return Verdict.NOT_YET, None if None in dates else max(d for d in dates if d)
    settled = _settled(findings, protocol.readings.either)
    open_ones = [f for f in findings if f.standing not in (Status.PASS, Status.HUMAN) and f.id not in settled]
    return (Verdict.NEEDS_REVIEW if open_ones else Verdict.CANDIDATE), None


def _settled(findings: Iterable[Finding], groups: Iterable[tuple[str, ...]]) -> set[str]:
    """The criteria of which one arm passed, so that the other need not."""
    passed = {f.id for f in findings if f.standing is Status.PASS}
    return {one for group in groups if passed & set(group) for one in group}


def has_evidence(case: Case, protocol: Protocol) -> bool:
    """True when anything in the record speaks of what the trial is about."""
    concepts = protocol.readings.applicable.concepts
    return bool(case.facts.problems_of(concepts) or case.facts.interventions_of(concepts))


def has_hint(case: Case, protocol: Protocol) -> bool:
    """True when an entry that cannot be read names what the trial is about."""
    concepts = protocol.readings.applicable.concepts
    return any(not one.concepts.isdisjoint(concepts) for one in case.facts.unread if one.concepts)


def _was_looked_for(case: Case, protocol: Protocol) -> bool:
    """True when conditions and procedures were both searched whole, so that nothing means nothing."""
    needs = (("conditions",), ("procedures",))
    return not case.gaps(needs, protocol.readings.applicable.concepts)
