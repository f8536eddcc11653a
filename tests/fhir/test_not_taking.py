"""Words that say of an active record that the drug is not taken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.made import Json, dose, exactly, repeat, request, statement, the_use

DAILY_20: Json = {**dose(20), **repeat(1, 1)}
NONE_TO_20 = exactly(20).down_to_zero()


@pytest.mark.parametrize(
    "text",
    ["Take 20 mg by mouth daily (Patient not taking)", "Discontinued. 20 mg daily", "ON HOLD - 20 mg daily",
     "停用", "患者未服用", "No longer taking", "20 mg daily, not currently taking"],
)  # fmt: skip
def test_an_instruction_that_says_so_leaves_none_possible(text: str) -> None:
    (step,) = the_use(request({**DAILY_20, "text": text})).steps
    assert (step.daily, step.conflict) == (NONE_TO_20, True)


@pytest.mark.parametrize("text", ["20 mg daily until discontinued", "请勿自行停用", "Do not stop taking suddenly"])
def test_an_instruction_that_only_speaks_of_stopping_does_not(text: str) -> None:
    (step,) = the_use(request({**DAILY_20, "text": text})).steps
    assert (step.daily, step.conflict) == (exactly(20), False)


@pytest.mark.parametrize(
    "elements",
    [{"note": [{"text": "Patient not taking"}]}, {"note": "not taking"},
     {"statusReason": [{"text": "Patient stopped taking medication"}]}, {"statusReason": [{"text": "Discontinued"}]}],
)  # fmt: skip
def test_a_note_and_the_reason_of_the_status_say_it_too(elements: dict[str, Any]) -> None:
    (step,) = the_use(statement(DAILY_20, **elements)).steps
    assert (step.daily, step.conflict) == (NONE_TO_20, True)


def test_the_reason_of_an_order_is_a_single_one() -> None:
    assert the_use(request(DAILY_20, statusReason={"text": "on hold"})).steps[0].conflict


def test_a_record_that_is_over_is_not_contradicted() -> None:
    elements: Json = {"status": "stopped", "effectivePeriod": {"start": "2026-01-05", "end": "2026-03-01"}}
    (step,) = the_use(statement(DAILY_20, statusReason=[{"text": "Discontinued"}], **elements)).steps
    assert (step.daily, step.conflict) == (exactly(20), False)


def test_a_note_of_another_drug_says_nothing() -> None:
    assert not the_use(statement(DAILY_20, note=[{"text": "Tacrolimus discontinued"}])).steps[0].conflict
