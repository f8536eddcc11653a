"""What must hold of every record: doubt never helps, order never matters, other people's data change nothing.

"More favourable" means that a criterion becomes `pass` that was not, or that a screening becomes a candidate.
A failure may well become unknown when what it rested on cannot be read: no rule may fail on what it cannot see.
By the same token nothing may become `fail` that was not. `losses` names what the contract itself excepts.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.pipeline import screen_records
from cds_service.trials.screening import Screening
from tests.trials.losses import Loss, assert_not_helped, queries_lost
from tests.trials.record_of import (
    PROTOCOL,
    SCREENED_ON,
    Answers,
    answers_of,
    as_json,
    printed,
    records_of,
    text_of,
)

PRESSED = {
    "condition": [
        {"icd-10-gm": "T86.05", "recorded": "2026-03-01"}, {"icd-10-cm": "D89.813", "recorded": "2026-01-01"},
        {"icd-10-cm": "M31.11"}, {"icd-10-cm": "Z99.2"}, {"icd-10-cm": "Z92.850"},
    ],
    "procedure": [
        {"cpt": 38242, "on": "2026-01-10"}, {"cpt": 38228, "on": "2025-12-01"},
        {"cpt": 36522, "on": "2026-03-01"}, {"cpt": 38241, "on": "2022-01-01"},
        {"snomed": 12719002, "on": "2026-03-08"}, {"snomed": 71192002, "on": "2026-03-01"},
    ],
    "prednisone": [
        {"mg": 20, "from": "2026-01-05"}, {"kind": "administration", "mg": 10, "on": "2026-03-16"},
    ],
    "ruxolitinib": [{"mg": 10, "from": "2025-10-01"}, {"mg": 10, "from": "2026-03-01", "kind": "request"}],
    "basiliximab": {"kind": "administration", "mg": 20, "on": "2026-03-01"},
    "filgrastim": {"kind": "administration", "mg": 0.3, "on": "2026-03-07"},
    "labs": [
        {"creatinine": "0.5 mg/dL", "on": "2026-03-05"}, {"creatinine": "0.9 mg/dL", "on": "2026-03-10"},
        {"neutrophils": "1.2 10*9/L", "on": "2026-03-05"}, {"neutrophils": "0.8 10*9/L", "on": "2026-03-10"},
        {"wbc": "1.0 10*9/L", "neutrophils-percent": "50 %", "on": "2026-03-12"},
        {"platelets": "26 10*9/L", "on": "2026-03-10"}, {"platelets": "20 10*9/L", "on": "2026-03-11"},
        {"alt": {"value": "400 U/L", "high": "50 U/L"}, "on": "2026-03-11"}, {"alt": "30 U/L", "on": "2026-03-05"},
        {"creatinine-clearance-reported": "50 mL/min", "on": "2026-03-10"},
    ],
    "function": [
        {"ecog": 3, "on": "2026-03-01"}, {"karnofsky": 90, "on": "2026-03-10"}, {"lvef": "40 %", "on": "2026-03-01"},
        {"lvef": "60 %", "on": "2026-01-01"}, {"fev1-percent-predicted": "45 %", "on": "2026-03-01"},
        {"fev1-percent-predicted": "80 %", "on": "2026-01-01"},
    ],
    "weight": [{"kg": 70, "on": "2026-01-05"}, {"kg": 70, "on": "2026-02-05"}, {"kg": 85, "on": "2026-03-09"}],
    "study": [{"from": "2026-01-05"}, {"from": "2025-01-05", "to": "2025-03-01", "status": "off-study"}],
    "allergy": [{"text": "Dextran"}, {"text": "Peanuts"}],
}  # fmt: skip
RECORDS = {
    "a patient whom nothing speaks against": {},
    "a patient whom everything speaks against": PRESSED,
    "one study and one allergy": {"study": {"from": "2026-01-05"}, "allergy": {"text": "DMSO"}},
    "a washout on its last days": {
        "procedure": [{"cpt": 38242, "on": "2025-12-05"}, {"cpt": 38242, "on": "2025-12-07"}],
        "rituximab": {"kind": "administration", "mg": 700, "on": "2026-02-16"},
        "methylprednisolone": [{"mg": 24, "from": "2026-01-05", "to": "2026-03-01"}, {"mg": 64, "from": "2026-03-02"}],
    },
    "a story of dependence that a lost record would tell otherwise": {
        "patient": {"sex": "female"}, "weight": "60 kg",
        "conditions": {"icd-10-cm": "D89.811", "onset": "2025-07-01", "recorded": "2026-02-01"},
        "condition": [
            {"icd-10-cm": "D89.810", "onset": "2026-01-10"}, {"icd-10-cm": "Z33.1", "recorded": "2026-01-10"},
            {"icd-10-cm": "I63.9", "onset": "2025-12-01"}, {"icd-10-cm": "E27.40", "recorded": "2025-08-01"},
        ],
        "procedure": [{"cpt": 38242, "on": "2025-11-01"}, {"cpt": 36522, "on": "2025-01-10"},
                      {"cpt": 36522, "on": "2025-08-05"}],
        "prednisone": [
            {"mg": 40, "from": "2025-03-01", "to": "2025-05-04"}, {"mg": 15, "from": "2025-05-05", "to": "2025-06-01"},
            {"mg": 40, "from": "2025-06-02", "to": "2025-07-06", "note": "flare, no improvement"},
            {"mg": 15, "from": "2025-07-07", "to": "2025-08-03"},
            {"mg": 20, "from": "2025-08-04", "note": "flare", "reason_to": "Condition/c5"},
        ],
        "ruxolitinib": [{"mg": 10, "from": "2025-01-01"}, {"mg": 10, "from": "2025-08-10"}],
        "tacrolimus": [{"mg": 2, "from": "2025-01-01", "to": "2026-02-28"}, {"mg": 3, "from": "2026-03-01"}],
        "labs": [{"hcg": "40 [IU]/L", "on": "2026-03-05"}, {"hcg": "1 [IU]/L", "on": "2026-03-10"}],
    },
    "nothing but an autologous transplantation": {
        "conditions": "none", "procedures": {"cpt": 38241, "on": "2024-01-01"},
    },
}  # fmt: skip
each_record = pytest.mark.parametrize("facts", RECORDS.values(), ids=RECORDS)


def screening_of(answers: Answers, states: Mapping[str, str] | None = None) -> Screening:
    return screen_records(records_of(answers, states), PROTOCOL, SCREENED_ON)


def spoiled(answers: Answers) -> Iterator[tuple[str, Answers]]:
    """The record with one resource after another made unreadable in place, in each of three ways."""
    for key, resources in answers.items():
        for number, resource in enumerate(resources):
            if key == "patient":
                continue
            for how in ({"modifierExtension": [{"url": "http://example.org/unknown"}]}, {"status": ["broken"]},
                        {"code": 7, "medicationCodeableConcept": 7, "status": 7}):  # fmt: skip
                changed = copy.deepcopy(answers)
                changed[key][number] = {**resource, **{k: v for k, v in how.items() if k in resource or len(how) == 1}}
                yield f"{resource['id']} of {key}", changed


@each_record
def test_a_resource_that_cannot_be_read_never_helps(facts: dict[str, Any]) -> None:
    answers = answers_of(facts)
    before = screening_of(answers)
    for lost, changed in spoiled(answers):
        assert_not_helped(before, screening_of(changed), Loss(lost, changed))


@each_record
def test_a_query_that_is_missing_failed_or_cut_short_never_helps(facts: dict[str, Any]) -> None:
    answers = answers_of(facts)
    before = screening_of(answers)
    for loss in queries_lost(answers):
        assert_not_helped(before, screening_of(loss.answers, loss.states), loss)


@each_record
def test_other_peoples_data_change_nothing_but_the_list_of_skipped_entries(facts: dict[str, Any]) -> None:
    before = printed(screening_of(answers_of(facts)))
    answers = answers_of(facts)
    for resources in list(answers.values())[1:]:
        others = [{**r, "id": f"other-{r['id']}", "subject": {"reference": "Patient/p2"}} for r in resources]
        resources.extend(copy.deepcopy(others))
    for key, resource in answers_of(PRESSED).items():
        answers[key] += [{**r, "id": f"x{r['id']}", "subject": {"reference": "Patient/p2"}} for r in resource[:3]
                         if key != "patient"]  # fmt: skip
    after = printed(screening_of(answers))
    skipped = after.pop("skipped")
    before.pop("skipped")
    states = {key: (before.pop(key), after.pop(key)) for key in ("searched",)}
    assert after == before
    assert any(one["reason"] == "other-patient" for one in skipped)
    assert states


@each_record
@settings(max_examples=15, deadline=None)
@given(seed=st.integers())
def test_the_order_of_entries_changes_nothing(facts: dict[str, Any], seed: int) -> None:
    answers = answers_of(facts)
    shuffled = copy.deepcopy(answers)
    for resources in shuffled.values():
        random.Random(seed).shuffle(resources)
    assert text_of(screening_of(shuffled)) == text_of(screening_of(answers))


@each_record
def test_the_same_record_gives_the_same_bytes(facts: dict[str, Any]) -> None:
    first, second = (as_json(printed(screening_of(answers_of(facts)))) for _ in range(2))
    assert first == second
