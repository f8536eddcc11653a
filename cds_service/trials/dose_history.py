"""What a person wants to see of the steroid treatment at a glance: doses, weights, flares, other drugs, and the lines
that the protocol draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from cds_service.clinical.dates import DayRange
from cds_service.clinical.doses import WeighedSegment
from cds_service.clinical.exposure import stretches
from cds_service.clinical.facts import Intervention
from cds_service.clinical.interval import Limit
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.clinical.tapers import Taper
from cds_service.clinical.weights import Weight
from cds_service.terminology.codes import code_sets
from cds_service.trials.case import Case, Gap
from cds_service.trials.history import Flare
from cds_service.trials.protocol import Criterion
from cds_service.trials.rules.steroid_dependence import SteroidDependence
from cds_service.trials.rules.steroid_stability import SteroidStability
from cds_service.trials.rules.steroids import PER_KG, SteroidRule
from cds_service.trials.rules.therapy_stability import TherapyStability
from cds_service.trials.screening import Screening


@dataclass(frozen=True, slots=True)
class DoseLine:
    """A dose in mg/kg/day that the protocol compares with, and the criteria that do."""

    value: Fraction
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """Days (both ends included) on which another drug was taken; where not `sure`, it may have been."""

    first: date
    last: date
    sure: bool


@dataclass(frozen=True, slots=True)
class Therapy:
    """Another immunosuppressant, or treatments of the disease such as photopheresis, with the records that tell."""

    title: str
    given: tuple[Given, ...]
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoseHistory:
    """The steroid treatment up to the day of screening, oldest first.

    `weighed` are the days with a dose. `window` are the days on which the dose has to be stable, `apart` is how many
    days must lie between two failed tapers; `gaps` are why the dose of the day cannot be vouched for.
    """

    as_of: date
    weighed: tuple[WeighedSegment, ...]
    weights: tuple[Weight, ...]
    lines: tuple[DoseLine, ...]
    window: DayRange | None
    apart: Limit | None
    tapers: tuple[Taper, ...]
    flares: tuple[Flare, ...]
    therapies: tuple[Therapy, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def is_taken(self) -> bool:
        """True when there is, or may be, a dose on the day of screening."""
        return bool(self.weighed) and self.weighed[-1].last == self.as_of


def dose_history(screening: Screening) -> DoseHistory:
    """The history behind a screening, with the lines of the protocol that it was held against."""
    case, criteria = screening.case, screening.criteria
    return DoseHistory(
        case.as_of, tuple(part for part in case.weighed if not part.segment.dose.is_zero), case.weights.weights,
        tuple(_lines(criteria)), _window(case, criteria),
        next((c.rule.apart for c in criteria if isinstance(c.rule, SteroidDependence)), None),
        tuple(case.tapers), tuple(case.flares),
        (*_drugs(case, criteria), *_courses(case)), tuple(case.steroid_gaps),
    )  # fmt: skip


def _lines(criteria: Iterable[Criterion]) -> Iterator[DoseLine]:
    """Each dose that some criterion compares with, once, the lowest first."""
    found: dict[Fraction, list[str]] = {}
    for criterion in criteria:
        dose = getattr(criterion.rule, "dose", None)
        if isinstance(criterion.rule, SteroidRule) and isinstance(dose, Limit) and dose.unit == PER_KG:
            found.setdefault(dose.value, []).append(criterion.id)
    return (DoseLine(value, tuple(ids)) for value, ids in sorted(found.items()))


def _window(case: Case, criteria: Iterable[Criterion]) -> DayRange | None:
    """The days of which the protocol demands one dose; what lies after the day of screening is not known yet."""
    infusion = case.infusion_on or case.as_of
    for criterion in criteria:
        if isinstance(criterion.rule, SteroidStability):
            opens = criterion.rule.window.before(infusion)
            return DayRange(opens, min(infusion, case.as_of)) if opens < case.as_of else None
    return None


def _drugs(case: Case, criteria: Iterable[Criterion]) -> Iterator[Therapy]:
    drugs = dict.fromkeys(d for c in criteria if isinstance(c.rule, TherapyStability) for d in c.rule.drugs)
    for drug in drugs:
        uses = [use for use in case.facts.uses_of((drug,)) if _counts(use)]
        given = _joined(one for use in uses for one in _given(use, case.as_of))
        if given:
            yield Therapy(code_sets()[drug].title, given, tuple(use.reference for use in uses))


def _counts(use: MedicationUse) -> bool:
    return use.route != "local" and use.standing is not Standing.NOT_TAKEN


def _given(use: MedicationUse, as_of: date) -> Iterator[Given]:
    return (Given(one.first, one.last, one.sure and one.pattern != "as-needed") for one in stretches(use, as_of))


def _courses(case: Case) -> Iterator[Therapy]:
    for concept in case.history.signs.courses if case.history else ():
        done = case.facts.interventions_of((concept,))
        given = _joined(_session(one) for one in done if one.when and one.when.first <= case.as_of)
        if given:
            yield Therapy(code_sets()[concept].title, given, tuple(one.reference for one in done))


def _session(done: Intervention) -> Given:
    assert done.when
    last = done.ended.last if done.ended else done.when.last
    return Given(done.when.first, max(last, done.when.first), done.surely_done and done.when.is_exact)


def _joined(given: Iterable[Given]) -> tuple[Given, ...]:
    """Days without overlap: what one record tells for certain, another need not repeat as possible."""
    every = list(given)
    sure = _merged([one for one in every if one.sure])
    possible = _merged([part for one in every if not one.sure for part in _outside(one, sure)])
    return tuple(sorted((*sure, *possible), key=lambda one: one.first))


def _merged(given: Sequence[Given]) -> list[Given]:
    found: list[Given] = []
    for one in sorted(given, key=lambda one: (one.first, one.last)):
        if found and one.first.toordinal() <= found[-1].last.toordinal() + 1:
            found[-1] = Given(found[-1].first, max(found[-1].last, one.last), one.sure)
        else:
            found.append(one)
    return found


def _outside(one: Given, others: Iterable[Given]) -> Iterator[Given]:
    """The parts of a stretch that lie outside of all others, which are in order."""
    first = one.first.toordinal()
    for other in others:
        if other.last.toordinal() < first or other.first > one.last:
            continue
        if other.first.toordinal() > first:
            yield Given(date.fromordinal(first), date.fromordinal(other.first.toordinal() - 1), one.sure)
        first = other.last.toordinal() + 1
    if first <= one.last.toordinal():
        yield Given(date.fromordinal(first), one.last, one.sure)
