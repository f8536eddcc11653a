"""A whole record as facts: whatever the order, and whatever is broken in it."""

from __future__ import annotations

import copy
import json
import random
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import State
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import NoPatient, UnreadableRecord, WrongPatient, from_files, from_prefetch
from tests.fhir.made import (
    AS_OF,
    PATIENT,
    TABLET_5_MG,
    Json,
    bundle,
    coded,
    condition,
    dose,
    facts_of,
    file_records,
    index,
    observation,
    references,
    repeat,
    request,
    resource,
    skipped,
    statement,
)  # fmt: skip

WHOLE = [
    PATIENT,
    condition(onsetDateTime="2025-01-05", clinicalStatus={"coding": [{"code": "active"}]}),
    condition(coded("icd-10-gm", "T86.06 G"), name="c2", severity={"text": "NIH moderate"}),
    resource("Procedure", "p1", status="completed", code={"coding": [coded("cpt", "38240")]},
             performedPeriod={"start": "2024-05-10", "end": "2024-05-11"}),
    observation(valueQuantity={"value": 1.1, "unit": "mg/dL"}, referenceRange=[{"high": {"value": 1.2}}]),
    observation("29463-7", "o2", valueQuantity={"value": 70, "unit": "kg"}, component=[]),
    observation("89247-1", "o3", valueCodeableConcept={"text": "ECOG 1"}),
    statement({**dose(20), **repeat(1, 1), "text": "20 mg daily", "route": {"text": "Oral"}}),
    request({**dose(4, "tablet"), **repeat(1, 1, boundsPeriod={"start": "2026-01-05", "end": "2026-02-01"})},
            {**dose(2, "tablet"), "timing": {"code": {"text": "QOD"}}, "sequence": 2},
            medicationCodeableConcept={"coding": [TABLET_5_MG]},
            dispenseRequest={"expectedSupplyDuration": {"value": 30, "unit": "d"}}),
    {**request(name="r2"), "medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/med"}},
    {"resourceType": "Medication", "id": "med", "code": {"text": "Tacrolimus 1 mg capsule"}},
    resource("MedicationAdministration", "a1", status="completed", effectiveDateTime="2026-03-01",
             medicationCodeableConcept={"text": "filgrastim"}, dosage={"dose": {"value": 300, "unit": "ug"}}),
    resource("DiagnosticReport", "d1", result=[{"reference": "Observation/o1"}]),
]  # fmt: skip


def test_a_whole_bundle_becomes_facts() -> None:
    facts = read_facts(file_records(*WHOLE), index(), AS_OF)
    assert (facts.reference, facts.born, facts.sex, facts.died) == (
        "Patient/p1", DayRange.of(date(1980, 5, 1)), "male", False,
    )  # fmt: skip
    assert references(facts.problems) == ["Condition/c1", "Condition/c2"]
    assert references(facts.interventions) == ["Procedure/p1"]
    assert [one.analyte for one in facts.results] == ["creatinine", "weight", "ecog"]
    assert {one.drug for one in facts.medications} == {"prednisone", "tacrolimus", "filgrastim"}
    assert (facts.skipped, facts.unread) == ((), ())


def test_the_order_of_entries_and_files_never_matters() -> None:
    expected = read_facts(file_records(*WHOLE), index(), AS_OF)
    for seed in range(10):
        shuffled = random.Random(seed).sample([*WHOLE, *WHOLE], 2 * len(WHOLE))
        half = len(shuffled) // 2
        files = {
            f"f{n}": [json.dumps(bundle(*part)).encode()] for n, part in enumerate((shuffled[:half], shuffled[half:]))
        }
        assert read_facts(from_files(files, index(), None), index(), AS_OF) == expected


def test_the_same_record_reads_the_same_from_a_prefetch() -> None:
    kinds = {
        "conditions": "Condition",
        "procedures": "Procedure",
        "labs": "Observation",
        "medicationRequests": "MedicationRequest",
    }
    answers = {key: bundle(*(one for one in WHOLE if one["resourceType"] == kind)) for key, kind in kinds.items()}
    answers["patient"] = PATIENT
    answers["medicationRequests"]["entry"].append({"resource": WHOLE[10], "search": {"mode": "include"}})
    records = from_prefetch({key: msgspec.Raw(json.dumps(one).encode()) for key, one in answers.items()}, "p1")
    facts, expected = read_facts(records, index(), AS_OF), read_facts(file_records(*WHOLE), index(), AS_OF)
    assert (facts.problems, facts.interventions) == (expected.problems, expected.interventions)
    assert {one.drug for one in facts.medications} == {"prednisone", "tacrolimus"}
    assert facts.source("medicationStatements").state is State.ABSENT


@pytest.mark.parametrize(
    ("elements", "sex", "died"),
    [
        ({"gender": "female"}, "female", False),
        ({"gender": "other"}, "unknown", False),
        ({"gender": None}, "unknown", False),
        ({"deceasedBoolean": True}, "male", True),
        ({"deceasedBoolean": False}, "male", False),
        ({"deceasedDateTime": "2026-03-16"}, "male", True),
        ({"deceasedDateTime": "2026-03-17"}, "male", False),
        ({"deceasedDateTime": "some day"}, "male", True),
    ],
)
def test_sex_and_death_are_those_of_the_day(elements: Json, sex: str, died: bool) -> None:
    facts = read_facts(file_records({**PATIENT, **elements}), index(), AS_OF)
    assert (facts.sex, facts.died) == (sex, died)


@pytest.mark.parametrize("born", ["1980", "1980-05", None, "05/01/1980"])
def test_a_partial_birth_date_is_a_range_and_an_odd_one_is_none(born: str | None) -> None:
    facts = read_facts(file_records({**PATIENT, "birthDate": born}), index(), AS_OF)
    assert facts.born == DayRange.parse(born)


def test_entries_of_tomorrow_are_listed_and_left_out() -> None:
    facts = facts_of(condition(onsetDateTime="2026-03-17"), observation(effectiveDateTime="2026-03-17"))
    assert skipped(facts) == [("Condition/c1", "future"), ("Observation/o1", "future")]
    assert not facts.problems
    assert not facts.results


# ---- whatever is broken

Path = tuple[str | int, ...]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5),
    st.sampled_from([10**400, -(10**20), 0.1, 1e300]),
    st.sampled_from(["NaN", "Infinity", "2026-02-30", "9999-12-31"]),
    st.sampled_from(["0001-01-01", "Patient/p2", "#x", "urn:uuid:x", "mg"]),
    st.just([]), st.just({}), st.lists(st.none(), max_size=2), st.just({"value": "x"}), st.just([{"coding": [None]}]),
)  # fmt: skip


def _paths(value: object, at: Path = ()) -> list[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, one in inner for path in _paths(one, (*at, key)))]


GOOD = bundle(*WHOLE)
PLACES = [path for path in _paths(GOOD) if path]


def _changed(document: Any, path: Path, junk: object, delete: bool) -> None:
    """Puts junk where the path leads, as far as it still leads anywhere, or takes out what is there."""
    *way, last = path
    try:
        for key in way:
            document = document[key]
        if delete:
            del document[last]
        else:
            document[last] = junk
    except (KeyError, IndexError, TypeError):
        return


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK, st.booleans()), min_size=1, max_size=4))
def test_a_record_with_anything_broken_is_read_or_refused_by_name(changes: list[tuple[Path, object, bool]]) -> None:
    document = copy.deepcopy(GOOD)
    for path, junk, delete in changes:
        _changed(document, path, copy.deepcopy(junk), delete)
    body = json.dumps(document).encode()
    try:
        facts = read_facts(from_files({"f": [body]}, index(), "p1"), index(), AS_OF)
    except (NoPatient, UnreadableRecord):
        return
    assert facts.reference == "Patient/p1"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), JUNK, st.booleans())
def test_an_answer_with_anything_broken_is_read_or_refused_by_name(path: Path, junk: object, delete: bool) -> None:
    document = copy.deepcopy(GOOD)
    _changed(document, path, copy.deepcopy(junk), delete)
    raw = msgspec.Raw(json.dumps(document).encode())
    try:
        records = from_prefetch({"patient": msgspec.Raw(json.dumps(PATIENT).encode()), "conditions": raw}, "p1")
        read_facts(records, index(), AS_OF)
    except (NoPatient, WrongPatient):
        return


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([path for path in PLACES if path[:2] == ("entry", 1)]), JUNK)
def test_a_broken_diagnosis_is_known_listed_or_doubted_but_never_lost(path: Path, junk: object) -> None:
    if path[3:4] == ("code",) and isinstance(junk, str):
        return  # another code, or other words: another diagnosis
    document = copy.deepcopy(GOOD)
    _changed(document, path, copy.deepcopy(junk), False)
    try:
        facts = read_facts(from_files({"f": [json.dumps(document).encode()]}, index(), "p1"), index(), AS_OF)
    except (NoPatient, UnreadableRecord):
        return
    known = {p.reference for p in facts.problems} - {"Condition/c2"}
    listed = {s.reference for s in facts.skipped} - {"Condition/c2"}
    assert known or listed or facts.unread or path == ("entry", 1) or len(path) == 3
