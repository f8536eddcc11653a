"""What stands beside an answer: few records of a kind, and each measure with the limit that it is held against.

The limit of a measure decides how many digits are printed of it: without it, a value just beyond is printed as equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.evidence import Evidence, Measure
from cds_service.clinical.interval import Interval, Limit
from cds_service.trials.finding import Judgement
from cds_service.trials.rules.base import few
from cds_service.trials.screening import screen
from tests.mutation.case_law import case_under, forget, law, only
from tests.trials.record_of import PROTOCOL, screened

# Scores have one unit on two scales: a Karnofsky score is not held against the limit for ECOG.
SCORE = "{score}"


def judgements(criterion: str) -> Iterator[Judgement]:
    """The answers to all cases of a criterion."""
    narrowed = only(PROTOCOL, criterion)
    narrowed.__dict__["ruleset"] = PROTOCOL.ruleset
    for number in range(len(law()[criterion])):
        (finding,) = screen(case_under(PROTOCOL, criterion, number), narrowed).findings
        yield finding.judgement


def limits_of(judgement: Judgement) -> dict[str, Limit]:
    """The limit that the answer names, or else that of its evidence, by its unit."""
    named = [judgement.reason.values.get("limit"), *(one.limit for one in judgement.evidence)]
    return {limit.unit: limit for limit in reversed(named) if isinstance(limit, Limit)}


@pytest.mark.parametrize("criterion", list(law()))
def test_a_measure_knows_the_limit_that_it_is_held_against(criterion: str) -> None:
    forget()
    for judgement in judgements(criterion):
        for one in judgement.evidence:
            assert not isinstance(one.value, Measure) or one.value.limit == one.limit
        for value in judgement.reason.values.values():
            if isinstance(value, Measure) and value.unit != SCORE:
                assert value.limit == limits_of(judgement).get(value.unit), judgement.reason


@pytest.mark.parametrize(("recorded", "shown"), [(0, 0), (2, 2), (3, 3), (4, 3), (9, 3)])
def test_of_many_records_the_first_three_are_shown(recorded: int, shown: int) -> None:
    records = [Evidence(f"Condition/{number}", None, "asthma") for number in range(recorded)]
    assert few(records) == tuple(records[:shown])


def test_a_note_on_the_diagnosis_that_says_no_response_is_shown_with_its_day() -> None:
    noted = {"icd-10-cm": "D89.811", "severity": "NIH severe", "recorded": "2025-06-01",
             "note": "Progressed on prednisone 1 mg/kg", "note_on": "2026-01-20"}  # fmt: skip
    facts = {"weight": "60 kg", "conditions": noted, "prednisone": {"mg": 40, "from": "2026-01-19"}}
    shown = screened(facts).finding("I02a").judgement.evidence
    assert Evidence("Condition/c1", DayRange.of(date(2026, 1, 20)), "reason-no-response") in shown


def test_a_dose_that_ended_is_shown_per_kilogram_as_it_was() -> None:
    """Beside the last dose that was taken stands its own share of the weight, and not that of today's zero."""
    doses = [{"mg": 20, "from": "2025-06-01", "to": "2025-09-01"}, {"mg": 7, "from": "2025-09-02", "to": "2025-11-01"}]
    values = screened({"prednisone": doses}).finding("I02a").judgement.reason.values
    dose, per_kg = values["dose"], values["per_kg"]
    assert isinstance(dose, Measure) and isinstance(per_kg, Measure)
    assert (dose.interval, per_kg.interval) == (Interval.exactly(7), Interval.exactly(Fraction(7, 70)))
