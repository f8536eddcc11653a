"""The request of a CDS client, read tolerantly but never guessed."""

import json
from typing import Any

import pytest

from cds_service.errors import MalformedBody, NotConformant
from cds_service.hooks.request import HookRequest, read_request


def message(**changes: Any) -> dict[str, Any]:
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1"},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "p1"}},
    } | changes


def read(**changes: Any) -> HookRequest:
    return read_request(json.dumps(message(**changes)).encode(), "patient-view")


def test_the_parts_of_a_call() -> None:
    request = read()
    assert (request.hook, request.patient_id) == ("patient-view", "p1")
    assert request.hook_instance == "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    assert set(request.prefetch) == {"patient"}


def test_a_prefetched_answer_is_kept_as_it_came() -> None:
    body = json.dumps(message()).encode().replace(b'"id": "p1"}', b'"id": "p1", "n": 7.20}')
    raw = bytes(read_request(body, "patient-view").prefetch["patient"])
    assert raw == b'{"resourceType": "Patient", "id": "p1", "n": 7.20}'


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
@pytest.mark.parametrize("value", ["absent", None, "", " "], ids=repr)
def test_a_required_field_without_value_is_named(name: str, value: Any) -> None:
    body = message(**{name: value})
    if value == "absent":
        del body[name]
    with pytest.raises(NotConformant) as refused:
        read_request(json.dumps(body).encode(), "patient-view")
    assert refused.value.status == 422
    assert name in refused.value.message


@pytest.mark.parametrize(
    "context", [{}, {"patientId": None}, {"patientId": ""}, {"patientId": " "}, {"patientId": "/"}]
)
def test_a_context_without_a_patient_is_refused_with_an_example(context: Any) -> None:
    with pytest.raises(NotConformant, match="patientId") as refused:
        read(context=context)
    assert '"p1"' in refused.value.message


WRONG: list[tuple[str, Any]] = [
    ("hook", 7),
    ("hook", ["patient-view"]),
    ("hookInstance", 7),
    ("hookInstance", {}),
    ("context", []),
    ("context", "p1"),
    ("context", {"patientId": 7}),
    ("context", {"patientId": ["p1"]}),
    ("prefetch", []),
    ("prefetch", "x"),
    ("prefetch", 7),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_a_value_of_the_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(NotConformant, match=name):
        read(**{name: value})


@pytest.mark.parametrize("prefetch", [None, {}], ids=repr)
def test_no_prefetch_is_an_empty_one(prefetch: Any) -> None:
    assert read(prefetch=prefetch).prefetch == {}


@pytest.mark.parametrize("patient", ["p1", " p1 ", "Patient/p1", "https://ehr.example/fhir/Patient/p1"])
def test_the_patient_is_the_bare_id_however_written(patient: str) -> None:
    assert read(context={"patientId": patient}).patient_id == "p1"


@pytest.mark.parametrize("patient", ["p2", "Patient/p2", "P1", "p", 2, ["p1"], {"id": "p1"}], ids=repr)
def test_a_token_that_is_not_for_the_patient_in_context_is_refused(patient: Any) -> None:
    with pytest.raises(NotConformant, match="fhirAuthorization"):
        read(fhirAuthorization={"patient": patient})


@pytest.mark.parametrize("patient", ["p1", "Patient/p1", None, ""], ids=repr)
def test_a_token_for_the_patient_in_context_or_for_nobody_is_fine(patient: Any) -> None:
    assert read(fhirAuthorization={"patient": patient}).patient_id == "p1"


@pytest.mark.parametrize("hook", ["order-sign", "Patient-View", "patient-view "])
def test_another_hook_is_refused(hook: str) -> None:
    with pytest.raises(NotConformant, match="patient-view"):
        read(hook=hook)


def test_a_body_that_is_no_json_further_on_is_malformed_and_not_merely_odd() -> None:
    """An odd field in front must not hide that the rest is no JSON."""
    with pytest.raises(MalformedBody) as refused:
        read_request(b'{"hook": 7, "later": tru}', "patient-view")
    assert refused.value.status == 400


def test_a_body_that_is_not_utf_8_names_the_place() -> None:
    with pytest.raises(MalformedBody, match="byte 6"):
        read_request(b'{"a":"\xff"}', "patient-view")


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    body = json.dumps(message()).replace('"patientId": "p1"', '"patientId": "p0", "patientId": "p1"')
    assert read_request(body.encode(), "patient-view").patient_id == "p1"
