"""The early exit of the pipeline: it gives exactly the answer that a whole screening gives, only sooner."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.bodies import bodies
from cards.compose import Site, composer
from cds_service import pipeline
from cds_service.errors import ServiceError
from cds_service.fhir import first_look
from cds_service.hooks.request import read_request
from cds_service.trials.protocol import load_protocol
from cds_service.trials.screening import Screening
from fhir_fixtures.hook_request import KEYS
from fhir_fixtures.story import load_stories

TODAY = date(2026, 3, 16)
PROTOCOL = load_protocol("nct06920199")
COMPOSE = composer(Site())
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1980-05-01"}
SUBJECT = {"reference": "Patient/p1"}


def coded(kind: str, code: Any, **others: Any) -> dict[str, Any]:
    resource = {
        "resourceType": kind,
        "id": f"{kind}-{len(json.dumps([code, others]))}",
        "subject": SUBJECT,
        "code": code,
    }
    return {**resource, **({"status": "completed"} if kind == "Procedure" else {}), **others}


GVHD = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D89.811"}]}
CANDIDATE_CODE = {"coding": [{"system": "http://www.cms.gov/Medicare/Coding/ICD10", "code": "30243Y3"}]}
REFUTED = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
NOTHING_SPECIAL = [
    coded("Condition", {"text": "Essential hypertension"}),
    coded("Condition", {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]}),
    coded("Condition", {"text": "No evidence of chronic GVHD"}),
    coded("Procedure", {"text": "Appendectomy"}),
    coded("Observation", {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}, status="final"),
    coded("MedicationStatement", None, status="active", medicationCodeableConcept={"text": "prednisone"}),
    {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]},
    PATIENT,
]
TELLING = [
    coded("Condition", GVHD),
    coded("Condition", GVHD, **REFUTED),
    coded("Condition", GVHD, recordedDate="2031-01-01"),
    coded("Condition", GVHD, subject={"reference": "Patient/p2"}),
    coded("Condition", GVHD, subject={"reference": "urn:uuid:nobody"}),
    coded("Condition", GVHD, recordedDate="May 2024"),
    coded("Condition", {"text": "chronic graft-versus-host disease"}),
    coded("Condition", {"coding": [{"system": "urn:local", "code": "77"}]}),
    coded("Condition", 7),
    coded("Condition", {"text": "Gout"}, modifierExtension=[{"url": "urn:x"}]),
    coded("Procedure", CANDIDATE_CODE),
    coded("Procedure", CANDIDATE_CODE, status="not-done"),
    coded("Procedure", {"text": "Stem cell transplantation"}),
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]},
    {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": coded("Condition", GVHD)}]},
    {"resourceType": "FooType", "id": "foo"},
    {"id": "no type"},
    {**PATIENT, "id": "p2"},
    {**PATIENT, "deceasedBoolean": True},
    {**PATIENT, "birthDate": 1980},
    "no resource",
]
# Mostly records that a first look may settle, each with at most one thing in it that may tell more.
PLAIN = {
    kind: st.lists(st.sampled_from([one for one in NOTHING_SPECIAL if one["resourceType"] == kind]), max_size=3)
    for kind in ("Condition", "Procedure")
}
OTHERS = st.lists(st.sampled_from(NOTHING_SPECIAL[4:-1]), max_size=3)
ODD = [None, {"resourceType": "OperationOutcome"}, {"resource": coded("Condition", GVHD)}, 7, coded("Condition", GVHD)]


def bundle(resources: list[Any], more: bool = False) -> dict[str, Any]:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **({"total": 5000} if more else {})}


@st.composite
def prefetches(draw: st.DrawFn) -> dict[str, Any]:
    answers: dict[str, Any] = {
        key: bundle(draw(PLAIN.get(kind, OTHERS))) for key, kind in KEYS.items() if key != "patient"
    }
    answers = {"patient": PATIENT, **answers}
    keys = st.sampled_from(list(KEYS))
    for key in draw(st.lists(keys, max_size=1)):
        del answers[key]
    for key in draw(st.lists(keys, max_size=1)):
        answers[key] = draw(st.sampled_from([*ODD, *TELLING, bundle([], more=True)]))
    for key in draw(st.lists(keys, max_size=1)):
        if isinstance(answers.get(key), dict) and "entry" in answers[key]:
            more = draw(st.sampled_from([*TELLING, *NOTHING_SPECIAL]))
            answers[key]["entry"].append({"resource": more})
    return answers


def body_of(prefetch: Mapping[str, Any]) -> bytes:
    call = {"hook": "patient-view", "hookInstance": "i", "context": {"patientId": "p1"}, "prefetch": prefetch}
    return json.dumps(call).encode()


def outcome(body: bytes, in_full: bool) -> object:
    """The answer, or the refusal."""
    request = read_request(body, "patient-view")
    try:
        return pipeline.patient_view(request, PROTOCOL, COMPOSE, TODAY, pipeline.Means(in_full=in_full))
    except ServiceError as refusal:
        return refusal.status, refusal.message


@settings(deadline=None)
@given(prefetches())
def test_the_answer_is_that_of_a_whole_screening(prefetch: Mapping[str, Any]) -> None:
    body = body_of(prefetch)
    assert outcome(body, in_full=False) == outcome(body, in_full=True)


@pytest.mark.parametrize("story", load_stories(), ids=lambda story: story.id)
def test_of_the_stories_only_that_without_a_transplant_is_left_at_a_glance(story: Any) -> None:
    request = read_request(json.dumps(story.hook_request(TODAY)).encode(), "patient-view")
    assert pipeline.nothing_to_screen(request, PROTOCOL) is (story.id == "not-a-transplant-patient")


@pytest.fixture
def no_screening(monkeypatch: pytest.MonkeyPatch) -> None:
    def must_not_screen(*_: object) -> None:
        pytest.fail("screened")

    monkeypatch.setattr(pipeline, "screen_records", must_not_screen)


@pytest.mark.usefixtures("no_screening")
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_a_patient_with_nothing_to_screen_is_not_screened(name: str) -> None:
    body = next(one.json for one in bodies(TODAY) if one.name == name)
    assert outcome(body, in_full=False) == {"cards": []}


@dataclass
class Counting:
    """Counts as whoever watches would."""

    passed: int = 0
    verdicts: list[str] = field(default_factory=list)

    def screened(self, screening: Screening) -> None:
        self.verdicts.append(screening.verdict.value)

    def passed_over(self) -> None:
        self.passed += 1


@pytest.mark.usefixtures("no_screening")
def test_whoever_counts_costs_no_screening() -> None:
    watch = Counting()
    body = next(one.json for one in bodies(TODAY) if one.name == "a")
    request = read_request(body, "patient-view")
    pipeline.patient_view(request, PROTOCOL, COMPOSE, TODAY, pipeline.Means(watch=watch))
    assert (watch.passed, watch.verdicts) == (1, [])


def test_a_screening_is_counted_once() -> None:
    watch = Counting()
    body = next(one.json for one in bodies(TODAY) if one.name == "d")
    request = read_request(body, "patient-view")
    pipeline.patient_view(request, PROTOCOL, COMPOSE, TODAY, pipeline.Means(watch=watch))
    assert (watch.passed, watch.verdicts) == (0, ["candidate"])


@pytest.mark.usefixtures("no_screening")
def test_other_conditions_and_procedures_cost_no_screening() -> None:
    answers = {key: bundle([]) for key in KEYS} | {"conditions": bundle(NOTHING_SPECIAL), "patient": PATIENT}
    assert outcome(body_of(answers), in_full=False) == {"cards": []}


Change = Callable[[dict[str, Any]], None]
HIDDEN: dict[str, Change] = {
    "a condition among the laboratory results": lambda p: p["labs"]["entry"].append({"resource": TELLING[0]}),
    "a Bundle among them": lambda p: p["labs"]["entry"].append({"resource": bundle([])}),
    "another Patient among them": lambda p: p["labs"]["entry"].append({"resource": {**PATIENT, "id": "p2"}}),
    "an entry that is no resource": lambda p: p["labs"]["entry"].append({"resource": 7}),
    "no procedures": lambda p: p.pop("procedures"),
    "conditions that go on elsewhere": lambda p: p["conditions"].update(total=5),
    "a condition that nobody can read": lambda p: p["conditions"]["entry"].append({"resource": TELLING[7]}),
    "a refuted diagnosis": lambda p: p["conditions"]["entry"].append({"resource": TELLING[1]}),
}


@pytest.mark.parametrize("change", HIDDEN.values(), ids=HIDDEN.keys())
def test_whatever_may_tell_more_is_read_to_the_end(change: Change) -> None:
    prefetch: dict[str, Any] = {key: bundle([]) for key in KEYS} | {"patient": PATIENT}
    request = read_request(body_of(prefetch), "patient-view")
    assert pipeline.nothing_to_screen(request, PROTOCOL)
    change(prefetch)
    request = read_request(body_of(prefetch), "patient-view")
    assert not pipeline.nothing_to_screen(request, PROTOCOL)


PLAIN_ONES = [coded("Condition", {"text": "Essential hypertension"}), coded("Procedure", {"text": "Appendectomy"})]
ENTRIES: list[Any] = [
    *({"resource": one} for one in [*TELLING, *NOTHING_SPECIAL]),
    {"resource": PLAIN_ONES[0], "search": {"mode": "include"}},
    {"resource": PLAIN_ONES[0], "search": {"mode": "outcome"}},
    {"resource": PLAIN_ONES[0], "search": 7},
    {"resource": PLAIN_ONES[0], "response": {"status": "404"}},
    {"resource": PLAIN_ONES[0], "modifierExtension": [{"url": "urn:x"}]},
    {"resource": {**PLAIN_ONES[0], "patient": {"reference": "Patient/p2"}}},
    {"resource": {**PLAIN_ONES[0], "subject": {"reference": "https://ehr.example.org/fhir/Patient/p1"}}},
    {"resource": {**PLAIN_ONES[0], "subject": {"identifier": {"system": "urn:mrn", "value": "7"}}}},
    {"request": {"method": "DELETE", "url": "Condition/1"}},
]
BUNDLES: dict[str, Any] = {
    "more than there are": {"total": 2},
    "a next page": {"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]},
    "links that cannot be read": {"link": 7},
    "a total that cannot be read": {"total": "one"},
    "a history": {"type": "history"},
    "rules of its own": {"implicitRules": "urn:x"},
    "no Bundle": {"resourceType": "List"},
}


def looks(body: bytes) -> tuple[bool | None, bool]:
    """What the quick look says, None where it says nothing, and what the whole look at the same answers does."""
    request = read_request(body, "patient-view")
    concepts = PROTOCOL.readings.applicable.concepts
    seen = first_look.plain_records(request.prefetch, request.patient_id)
    codes = [one.code for one in seen or () if one.code]
    named = {name for code in codes for name in PROTOCOL.index.recognise(code.pairs(), code.texts()).concepts}
    whole = first_look.sorted_records_mention_none(concepts, request.prefetch, request.patient_id, PROTOCOL.index)
    return (None if seen is None else named.isdisjoint(concepts)), whole


def ordinary() -> dict[str, Any]:
    """As a server answers: with its own address, the number found, and the mode of each match."""
    found = {key: bundle([one]) | {"total": 1, "link": [{"relation": "self", "url": "x"}]}
             for key, one in zip(("conditions", "procedures"), PLAIN_ONES, strict=True)}  # fmt: skip
    for answer in found.values():
        answer["entry"][0]["search"] = {"mode": "match"}
    return {"patient": dict(PATIENT), **found}


def test_the_quick_look_is_enough_for_an_ordinary_record() -> None:
    assert looks(body_of(ordinary())) == (True, True)
    telling = ordinary()
    telling["conditions"]["entry"][0]["resource"] = TELLING[0]
    assert looks(body_of(telling)) == (False, False)


@pytest.mark.parametrize("key", ["conditions", "procedures"])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: json.dumps(entry)[:80])
def test_the_quick_look_says_nothing_else_than_the_whole_one(entry: Any, key: str) -> None:
    prefetch = ordinary()
    prefetch[key]["entry"].append(entry)
    prefetch[key]["total"] = 2
    quick, whole = looks(body_of(prefetch))
    assert quick in (None, whole)


@pytest.mark.parametrize("key", ["conditions", "procedures"])
@pytest.mark.parametrize("change", BUNDLES.values(), ids=BUNDLES.keys())
def test_of_an_odd_answer_the_quick_look_says_nothing_else_either(change: Mapping[str, Any], key: str) -> None:
    prefetch = ordinary()
    prefetch[key].update(change)
    quick, whole = looks(body_of(prefetch))
    assert quick in (None, whole)


@pytest.mark.parametrize(
    "patient",
    [
        {**PATIENT, "id": "p2"}, {**PATIENT, "birthDate": 7}, {**PATIENT, "implicitRules": "urn:x"},
        {**PATIENT, "modifierExtension": [{"url": "urn:x"}]}, {"resourceType": "Person", "id": "p1"},
        {"resourceType": "Patient"}, bundle([PATIENT]), None, 7,
    ],
)  # fmt: skip
def test_the_quick_look_wants_the_patient_in_context_by_itself(patient: Any) -> None:
    assert looks(body_of({**ordinary(), "patient": patient}))[0] is None


def test_a_name_spelled_with_escapes_is_read_to_the_end() -> None:
    body = body_of(ordinary()).replace(b'"Essential', b'"\\u0045ssential')
    assert looks(body) == (None, True)
