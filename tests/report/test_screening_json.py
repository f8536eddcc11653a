"""The screening as JSON, by the contract."""

from __future__ import annotations

import json
from typing import Any

from cds_service.report.screening_json import screening_json, without_valueless
from cds_service.report.wording import wording
from tests.synthetic import but, prednisone, resources, screened

WORDS = wording("en")


def printed(**changes: Any) -> dict[str, Any]:
    return screening_json(screened(but(changes)), WORDS)


def test_it_has_the_keys_of_the_contract_in_their_order() -> None:
    screening = printed()
    assert list(screening) == [
        "trial", "ruleset", "patient", "asOf", "verdict", "recheckOn", "criteria", "steroids", "searched", "skipped",
    ]  # fmt: skip
    assert list(screening["criteria"][0]) == [
        "id", "kind", "subject", "text", "status", "flags", "curable", "recheckOn", "reason", "because", "evidence",
        "ask",
    ]  # fmt: skip
    assert list(screening["searched"]) == [
        "patient", "conditions", "procedures", "medicationStatements", "medicationRequests",
        "medicationAdministrations", "labs", "body", "function", "allergies", "researchSubjects",
    ]  # fmt: skip
    assert list(screening["trial"]) == ["id", "title", "version"]
    assert screening["trial"]["version"] == "2025-09-30"


def test_the_prednisone_dose_is_printed_as_the_contract_shows_it() -> None:
    screening = printed()
    assert screening["steroids"]["asOf"] == {"mgPerDay": [30, 30], "mgPerKgPerDay": [0.4286, 0.4286]}
    assert screening["steroids"]["timeline"] == [
        {"start": "2026-01-05", "end": None, "mgPerDay": [30, 30], "pattern": "daily",
         "sources": ["MedicationStatement/m1"]},
    ]  # fmt: skip
    dose = next(one for one in screening["criteria"] if one["id"] == "I03a")
    sentence, reading = dose["because"].split(". ", 1)
    assert sentence == "30 mg/day for 70 days at 70 kg: 0.4286 mg/kg/day, limit > 0.25 mg/kg/day"
    assert reading.startswith("Read as: any systemic corticosteroid counts as prednisone equivalent")
    assert dose["evidence"][0] == {
        "reference": "MedicationStatement/m1", "date": "2026-01-05", "label": "Prednisone, 30 mg once daily",
        "value": "0.4286 mg/kg/day", "limit": "> 0.25 mg/kg/day",
    }  # fmt: skip


def test_a_dose_that_cannot_be_read_has_no_upper_end() -> None:
    unreadable = prednisone(dosage=[{"text": "taper as directed"}])
    assert printed(m1=unreadable)["steroids"]["asOf"]["mgPerDay"] == [0, None]


def test_no_corticosteroid_in_searched_sources_is_zero() -> None:
    screening = printed(m1=None)
    assert screening["steroids"]["asOf"]["mgPerDay"] == [0, 0]
    assert screening["steroids"]["timeline"] == []


def test_without_a_weight_the_dose_per_kilogram_is_null() -> None:
    lost = dict.fromkeys(("weight74", "weight45", "weight18", "weight4"))
    assert printed(**lost)["steroids"]["asOf"]["mgPerKgPerDay"] is None


def test_the_same_record_in_any_order_gives_the_same_bytes() -> None:
    once = json.dumps(screening_json(screened(resources()), WORDS))
    again = json.dumps(screening_json(screened(resources()[::-1]), WORDS))
    assert once == again


def test_valueless_keys_go_and_half_known_lists_go_whole() -> None:
    pruned = without_valueless({"a": None, "b": [], "c": {"d": ""}, "e": [0, None], "f": [1, 2], "g": 0, "h": False})
    assert pruned == {"f": [1, 2], "g": 0, "h": False}
