"""Treatment that lifts a count: growth factors, thrombopoietic drugs, transfusions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from cds_service.clinical.evidence import Evidence
from cds_service.clinical.exposure import stretches
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.trials.case import Case
from cds_service.trials.finding import Flag
from cds_service.trials.rules.base import Concepts, Parameters, at_edge, seen
from cds_service.trials.rules.parameters import Days, Drugs


class Support(Parameters):
    """Treatment that lifts a count: within so many days before the sample, both ends included."""

    within: Days
    drugs: Drugs = ()
    procedures: Concepts = ()


def supporting(kinds: Iterable[Support], case: Case, sampled: date) -> Iterator[Evidence]:
    """The treatments that may have lifted a count of a sample. Undated ones may have, too."""
    for kind in kinds:
        for days, evidence in _treatments(kind, case, sampled):
            if days is None or days <= kind.within.days:
                yield evidence


def edge_of_support(kinds: Iterable[Support], case: Case, sampled: date) -> frozenset[Flag]:
    """The boundary flag when the newest treatment of a kind lies on the last day that counts, or the day before."""
    for kind in kinds:
        days = [days for days, _ in _treatments(kind, case, sampled) if days is not None]
        if days and at_edge(min(days), kind.within):
            return frozenset({Flag.BOUNDARY})
    return frozenset()


def given_since(kind: Support, case: Case, since: date) -> Iterator[Evidence]:
    """The treatments of a kind that were, or may have been, given on that day or later."""
    for days, evidence in _treatments(kind, case, case.as_of):
        if days is not None and case.as_of - timedelta(days=days) >= since:
            yield evidence


def _treatments(kind: Support, case: Case, sampled: date) -> Iterator[tuple[int | None, Evidence]]:
    """Each treatment begun by the day of the sample, with the fewest days that lie between: none or less where it may
    have gone on, None where undated.
    """
    for use in case.facts.uses_of(kind.drugs):
        last = _last_day(use, sampled)
        if last is not None:
            yield (sampled - last).days, Evidence(use.reference, use.begins, use.label)
    for done in case.facts.interventions_of(kind.procedures):
        if done.when is None:
            yield None, seen(done)
        elif done.when.first <= sampled:
            yield (sampled - done.when.last).days, seen(done)


def _last_day(use: MedicationUse, sampled: date) -> date | None:
    """The last day up to the sample on which the drug was, or may have been, given."""
    if use.standing is Standing.NOT_TAKEN:
        return None
    return max((s.last for s in stretches(use, sampled) if s.first <= sampled), default=None)
