"""Results inside reports and panels."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.facts import State
from tests.fhir.made import (
    PATIENT,
    Json,
    doubts,
    exactly,
    facts_of,
    file_records,
    observation,
    references,
    resource,
    skipped,
    the_result,
)  # fmt: skip

MG_DL = {"value": 1, "unit": "mg/dL"}
INSIDE = observation(name="o1", valueQuantity=MG_DL)


def report(*contained: Json, **elements: Any) -> Json:
    stated = {"status": "final", "code": {"text": "panel"}, "result": [{"reference": "#o1"}]}
    return resource("DiagnosticReport", "d1", contained=list(contained), **{**stated, **elements})


def panel(*contained: Json) -> Json:
    return observation("24323-8", name="d1", contained=list(contained), hasMember=[{"reference": "#o1"}])


@pytest.mark.parametrize(
    ("whole", "name"), [(report(INSIDE), "DiagnosticReport/d1#o1"), (panel(INSIDE), "Observation/d1#o1")]
)
def test_a_result_inside_is_read(whole: Json, name: str) -> None:
    result = the_result(whole)
    assert (result.reference, result.quantity) == (name, exactly(1))
    assert whole["resourceType"] + "/d1" in result.tied
    assert file_records(PATIENT, whole).sources["labs"].state is State.FOUND


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_a_report_that_does_not_count_has_no_results(status: str) -> None:
    assert facts_of(report(INSIDE, status=status)).results == ()


@pytest.mark.parametrize(
    "whole", [report(INSIDE, result=[]), report({**INSIDE, "id": "o2"}), report({**INSIDE, "resourceType": "Specimen"})]
)
def test_what_the_report_does_not_name_is_none_of_its_results(whole: Json) -> None:
    assert facts_of(whole).results == ()


def test_an_unreadable_result_inside_leaves_a_doubt() -> None:
    facts = facts_of(report(observation(name="o1", valueQuantity="1 mg/dL")))
    assert skipped(facts) == [("DiagnosticReport/d1#o1", "unreadable")]
    assert doubts(facts) == {("labs", frozenset({"creatinine"}))}


def test_a_result_of_somebody_else_inside_is_only_listed() -> None:
    facts = facts_of(report({**INSIDE, "subject": {"reference": "Patient/donor"}}))
    assert (references(facts.results), skipped(facts)) == ([], [("DiagnosticReport/d1#o1", "other-patient")])
