"""A protocol that does not say what a taper and a flare are: the doses are read, and a person judges the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.trials.screening import screen
from tests.mutation.case_law import case_under, law, only
from tests.trials.record_of import PROTOCOL


@pytest.mark.parametrize(
    ("criterion", "instead"), [("I02a", "resistance-dose-alone"), ("I02b", "dependence-no-failed-taper")]
)
def test_what_would_be_shown_by_the_history_is_for_a_person(criterion: str, instead: str) -> None:
    passing = next(number for number, ruling in enumerate(law()[criterion]) if ruling.status == "pass")
    narrowed = only(PROTOCOL, criterion)
    narrowed.__dict__["ruleset"] = PROTOCOL.ruleset
    case = replace(case_under(PROTOCOL, criterion, passing), history=None)
    (finding,) = screen(case, narrowed).findings
    assert (finding.status.value, finding.judgement.reason.code) == ("review", instead)
