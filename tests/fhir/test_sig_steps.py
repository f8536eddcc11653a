"""Texts of doses that follow each other: one step for each, or none at all."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.steps import laid_out
from tests.clinical.builders import words
from tests.fhir.made import TABLET_5_MG, Json, dose, repeat, request, the_use


def steps(*dosage: Json, **elements: Any) -> list[str]:
    """The steps of an order of 5 mg tablets of 2026-01-05, in words."""
    use = the_use(request(*dosage, medicationCodeableConcept={"coding": [TABLET_5_MG]}, **elements))
    return [f"{_brief(s.first)} {_brief(s.last)} {words(s.daily)}" for s in laid_out(use)]


def _brief(day: DayRange | None) -> str:
    return day.first.strftime("%m-%d") if day else "None"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("60 mg x 7 days, then 40 mg x 7 days, then stop", ["01-05 01-11 60", "01-12 01-18 40"]),
        ("60 mg daily for 1 week and then 40 mg daily", ["01-05 01-11 60", "01-12 None 40"]),
        ("Take 2 tablets twice daily for 3 days, followed by 1 tablet daily.", ["01-05 01-07 20", "01-08 None 5"]),
        (
            "Taper: 40 mg x 3 days, 30 mg x 3 days, then 20 mg daily",
            ["01-05 01-07 40", "01-08 01-10 30", "01-11 None 20"],
        ),
        ("20 mg daily x 7 days then stop", ["01-05 01-11 20"]),
        ("60mg×7天，然后40mg×7天，随后停药", ["01-05 01-11 60", "01-12 01-18 40"]),
    ],
)
def test_doses_that_follow_each_other_are_steps(text: str, found: list[str]) -> None:
    assert steps({"text": text}) == found
    assert steps({"text": text, "timing": {"repeat": {"boundsPeriod": {"start": "2026-01-05"}}}}) == found


@pytest.mark.parametrize(
    "text",
    [
        "20 mg daily, then 10 mg daily",  # until when?
        "40 mg x 7 days then 20 mg",  # how often?
        "4 tabs x 3 days, then 3 x 3 days",
        "40 mg daily for 7 days, then 20 mg daily as needed",
        "40 mg daily for 7 days, then decrease by 10 mg every week",
        "40 mg daily for 7 days, then call the clinic",
        "40 mg x 3 days, 30 mg, then 20 mg daily",
        "40 mg once, then 20 mg daily",
        "then 20 mg daily",
        "then stop",
    ],
)
def test_a_part_that_cannot_be_read_leaves_no_step(text: str) -> None:
    assert [one.rpartition(" ")[2] for one in steps({"text": text})] == ["0-any"]


def test_a_coded_dose_or_a_second_text_beside_it_leaves_the_text_as_one() -> None:
    text = {"text": "40 mg x 7 days, then 20 mg x 7 days"}
    beside: list[Json] = [
        dose(40), repeat(1, 1), {"patientInstruction": "20 mg daily"}, {"timing": {"code": {"text": "Daily"}}},
        {"timing": {"repeat": {"boundsPeriod": {"end": "2026-02-01"}}}},
        {"timing": {"repeat": {"boundsDuration": {"value": 14, "code": "d"}}}},
    ]  # fmt: skip
    for one in beside:
        assert len(the_use(request({**text, **one})).steps) == 1
    assert len(the_use(request(text, {"text": "10 mg daily"})).steps) == 2


def test_without_a_beginning_the_steps_are_not_dated() -> None:
    found = steps({"text": "40 mg x 7 days, then 20 mg x 7 days"}, authoredOn=None)
    assert found == ["None None 20-40"]
