"""Answer codes: a score's number, and what a test says."""

from __future__ import annotations

import pytest

from cds_service.terminology.answers import outcomes, scores
from cds_service.terminology.codes import system_address
from cds_service.terminology.shape import Answer

LOINC, SNOMED = system_address("loinc"), system_address("snomed")


def test_an_answer_code_stands_for_its_number() -> None:
    assert scores("ecog", [(LOINC, "LA9624-3")]) == {2}
    assert scores("ecog", [(LOINC, "LA9624-3"), (SNOMED, "422512005")]) == {2, 1}
    assert scores("ecog", [("urn:x", "LA9624-3"), (None, None)]) == frozenset()
    assert scores("creatinine", [(LOINC, "LA9624-3")]) == frozenset()
    assert scores("hcg", [(LOINC, "LA6576-8")]) == frozenset()


def test_an_answer_code_says_what_a_test_found() -> None:
    assert outcomes("hcg", [(LOINC, "LA6576-8"), (SNOMED, "10828004")]) == {"positive"}
    assert outcomes("hcg", [(LOINC, "LA6576-8"), (SNOMED, "260385009")]) == {"positive", "negative"}
    assert outcomes("hcg", [(LOINC, "LA9624-3"), ("urn:x", "10828004"), (None, None)]) == frozenset()
    assert outcomes("ecog", [(LOINC, "LA9624-3")]) == frozenset()


@pytest.mark.parametrize("meaning", [{}, {"value": 1, "says": "positive"}])
def test_an_answer_means_one_thing(meaning: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either value, a number, or says"):
        Answer.model_validate({"system": "loinc", "code": "LA1-1", "checked": "here", **meaning})
