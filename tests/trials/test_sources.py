"""Absent is not negative: a source that could not vouch for something leaves it unknown, and the reason names it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trials.record_of import criterion, screened

STATES = ("absent", "failed", "truncated")
# What each criterion needs: the sources, each of which alone makes it unknown, and facts under which it rests on
# them. Truncated results that are sorted newest first are complete back to their oldest entry.
NEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    "I01": {"conditions": STATES, "procedures": STATES},
    "I02.dx": {"conditions": STATES},
    "I02.sev": {"conditions": STATES},
    "I03a": {"medicationStatements": ("failed", "truncated"), "body": ("absent", "failed", "truncated")},
    "I03b": {"medicationStatements": ("failed", "truncated")},
    "I04": {"function": ("absent", "failed", "truncated")},
    "I06a": {"labs": ("absent", "failed", "truncated"), "body": ("absent", "failed", "truncated")},
    "I06b": {"function": ("absent", "failed", "truncated")},
    "I06c": {"function": ("absent", "failed", "truncated")},
    "I06d.bil": {"labs": ("absent", "failed", "truncated")},
    "I06d.alt": {"labs": ("absent", "failed", "truncated")},
    "I06d.ast": {"labs": ("absent", "failed", "truncated")},
    "I07a": {"labs": ("absent", "failed", "truncated")},
    "I07b": {"labs": ("absent", "failed", "truncated")},
    "E02": {"medicationStatements": ("failed", "truncated"), "body": ("absent", "failed", "truncated")},
    "E06": {"conditions": STATES, "procedures": STATES},
    "E09": {"medicationStatements": ("failed", "truncated"), "medicationRequests": ("failed", "truncated")},
    "E10": {"procedures": STATES},
    "E11": {"procedures": STATES},
    "E12": {"medicationStatements": ("failed", "truncated"), "medicationRequests": ("failed", "truncated")},
    "E13": {"conditions": STATES},
}
NOTHING = {
    "conditions": "none", "procedures": "none", "weight": "none",
    "labs": dict.fromkeys(("creatinine", "neutrophils", "platelets", "bilirubin-total", "alt", "ast"), "none"),
    "function": dict.fromkeys(("lvef", "fev1-percent-predicted", "ecog"), "none"),
}  # fmt: skip
ROWS = [(c, s, state) for c, sources in NEEDS.items() for s, states in sources.items() for state in states]


@pytest.mark.parametrize(("criterion_id", "source", "state"), ROWS)
def test_a_needed_source_that_cannot_vouch_makes_it_unknown_and_is_named(
    criterion_id: str, source: str, state: str
) -> None:
    on_results = source in ("labs", "body", "function")
    facts = {**NOTHING, "labs": {"creatinine": "0.9 mg/dL"}} if source == "body" else NOTHING
    empty = {} if criterion_id in ("I03a", "I03b", "E02") and not on_results else facts
    found = criterion(screened({**empty, "sources": {source: state}}), criterion_id)
    assert found["status"] == "unknown"
    assert f"{source}:{state}" in found["reason"]["values"]["gaps"]


@pytest.mark.parametrize("criterion_id", ["I03a", "I03b", "E02", "E09", "E12"])
def test_no_medication_source_at_all_is_unknown_and_both_are_named(criterion_id: str) -> None:
    absent = {"medicationStatements": "absent", "medicationRequests": "absent"}
    found = criterion(screened({"sources": absent}), criterion_id)
    assert found["status"] == "unknown"
    assert found["reason"]["values"]["gaps"] == ["medicationStatements:absent", "medicationRequests:absent"]


@pytest.mark.parametrize("absent", ["medicationRequests", "medicationStatements"])
@pytest.mark.parametrize("criterion_id", ["E09", "E12"])
def test_one_of_the_two_medication_sources_is_enough(criterion_id: str, absent: str) -> None:
    assert criterion(screened({"sources": {absent: "absent"}}), criterion_id)["status"] == "pass"


BROKEN = [
    ("I01", {"procedures": {"cpt": 38240, "broken": True}, "conditions": "none"}, "procedures"),
    ("I02.dx", {"conditions": {"icd-10-cm": "D89.811", "broken": True}}, "conditions"),
    ("I02.sev", {"conditions": {"icd-10-cm": "D89.811", "severity": "NIH severe", "broken": True}}, "conditions"),
    ("I03a", {"prednisone": {"mg": 30, "from": "2026-01-05", "broken": True}}, "medicationStatements"),
    ("I03b", {"prednisone": {"mg": 30, "from": "2026-01-05", "broken": True}}, "medicationStatements"),
    ("I04", {"function": {"ecog": {"value": 1, "broken": True}}}, "function"),
    ("I06a", {"labs": {"creatinine": {"value": "0.9 mg/dL", "broken": True}}}, "labs"),
    ("I06a", {"weight": [{"kg": 70, "on": "2026-03-09", "broken": True}]}, "body"),
    ("I06b", {"function": {"lvef": {"value": "60 %", "broken": True}}}, "function"),
    ("I06d.alt", {"labs": {"alt": {"value": "30 U/L", "broken": True}}}, "labs"),
    ("I07a", {"labs": {"neutrophils": {"value": "3 10*9/L", "broken": True}}}, "labs"),
    ("I07b", {"labs": {"platelets": {"value": "99 10*9/L", "broken": True}}}, "labs"),
    ("E02", {"prednisone": {"mg": 30, "from": "2026-01-05", "broken": True}}, "medicationStatements"),
    ("E06", {"procedure": {"cpt": 90935, "on": "2026-03-01", "broken": True}}, "procedures"),
    ("E09", {"aldesleukin": {"mg": 1, "from": "2026-03-01", "broken": True}}, "medicationStatements"),
    ("E10", {"procedure": {"cpt": 38242, "on": "2026-03-01", "broken": True}}, "procedures"),
    ("E11", {"procedure": {"cpt": 38228, "on": "2026-03-01", "broken": True}}, "procedures"),
    ("E12", {"belumosudil": {"mg": 200, "from": "2026-03-01", "broken": True}}, "medicationStatements"),
    ("E13", {"condition": {"icd-10-cm": "M31.11", "broken": True}}, "conditions"),
]  # fmt: skip


@pytest.mark.parametrize(("criterion_id", "facts", "source"), BROKEN)
def test_an_entry_that_cannot_be_read_makes_it_unknown_and_its_source_is_named(
    criterion_id: str, facts: dict[str, Any], source: str
) -> None:
    found = criterion(screened(facts), criterion_id)
    assert found["status"] == "unknown"
    assert f"{source}:unreadable" in found["reason"]["values"]["gaps"]


@pytest.mark.parametrize("criterion_id", ["E09", "E10", "E12", "E13", "I03a", "I07a"])
def test_an_entry_about_something_else_that_cannot_be_read_does_not_matter(criterion_id: str) -> None:
    broken = {"condition": {"icd-10-cm": "K21.9", "broken": True}, "procedure": {"cpt": 99213, "broken": True}}
    assert criterion(screened(broken), criterion_id)["status"] == "pass"


ALSO_READ = [
    ("E09", "medicationAdministrations"), ("E11", "conditions"), ("E11", "medicationAdministrations"),
    ("E12", "medicationAdministrations"), ("E12", "procedures"), ("I07a", "medicationAdministrations"),
    ("I07b", "procedures"),
]  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("criterion_id", "source"), ALSO_READ)
def test_a_source_that_is_only_also_read_may_be_missing_and_that_is_said(
    criterion_id: str, source: str, state: str
) -> None:
    found = criterion(screened({"sources": {source: state}}), criterion_id)
    assert (found["status"], found["flags"]) == ("pass", ["assumed"])


def test_an_administration_that_ended_on_a_day_that_cannot_be_read_leaves_the_wash_out_unknown() -> None:
    given = {"kind": "administration", "mg": 20, "from": "2026-02-01", "to": "in the spring"}
    assert criterion(screened({"basiliximab": given}), "E09")["status"] == "unknown"


@pytest.mark.parametrize("criterion_id", ["I06b", "I07b", "I06d.bil", "I04"])
def test_a_sorted_answer_that_was_cut_short_is_complete_back_to_its_oldest_entry(criterion_id: str) -> None:
    cut = {"labs": "truncated", "function": "truncated"}
    assert criterion(screened({"sources": cut}), criterion_id)["status"] == "pass"


def test_a_source_that_failed_leaves_other_criteria_alone() -> None:
    found = screened({"sources": {"labs": "failed"}})
    assert criterion(found, "I07a")["status"] == "unknown"
    assert criterion(found, "I03a")["status"] == "pass"
    assert criterion(found, "E10")["status"] == "pass"
