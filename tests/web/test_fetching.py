"""A call whose queries are fetched from the client's FHIR server, from the request to the card or the refusal."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import pytest

from app import assembled, wire
from cds_service.fhir.queries import QUERIES
from cds_service.net.servers import Server
from cds_service.settings import Settings
from tests.fake_fhir import EMPTY, Given, fhir_server, status
from tests.fake_server import FakeServer
from tests.web.calls import CHRONIC_GVHD, PREDNISONE, SERVICE, call_with_card, condition, patient, searchset

TOKEN = "canary-token-c0ffee"
LATEST = 10.0
RECORD: dict[str, Given] = {
    "patient": patient(),
    "conditions": searchset(CHRONIC_GVHD),
    "medicationStatements": searchset(PREDNISONE),
}
ACCESS: dict[str, Any] = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "subject": "us",
}


def settings(running: FakeServer | None, **changes: Any) -> Settings:
    servers = (Server(running.base, private=True),) if running else ()
    return Settings(fhir_servers=servers, open_access=True, **changes)


def answer(running: FakeServer, body: Mapping[str, Any], **changes: Any) -> Any:
    """The response of the service as it is deployed, to a call whose FHIR server is this one."""
    service = assembled(wire(settings(running, **changes))).test_client()
    running.asked.clear()
    message = {"fhirServer": running.base, "fhirAuthorization": ACCESS, **body}
    return service.post(SERVICE, data=json.dumps(message).encode())


def call_without(*keys: str) -> dict[str, Any]:
    """The whole call, less some of its queries; all of them, and prefetch itself is not there."""
    body = call_with_card()
    body["prefetch"] = {key: one for key, one in body["prefetch"].items() if key not in (keys or QUERIES)}
    if not keys:
        del body["prefetch"]
    return body


def screening_of(answered: Any) -> Any:
    (card,) = answered.get_json()["cards"]
    return card["extension"]["org.trialhook.screening"]


def test_a_call_without_prefetch_gets_the_card_that_one_with_prefetch_gets() -> None:
    with fhir_server(RECORD) as running:
        fetched, prefetched_ = answer(running, call_without()), answer(running, call_with_card())
    assert fetched.status_code == 200
    assert screening_of(fetched) == screening_of(prefetched_)


def test_a_whole_prefetch_calls_nobody() -> None:
    with fhir_server(RECORD) as running:
        assert answer(running, call_with_card()).status_code == 200
        assert not running.asked


def test_null_is_an_answer_and_calls_nobody() -> None:
    with fhir_server({}) as running:
        body = call_with_card()
        body["prefetch"] |= {"procedures": None, "labs": None}
        assert answer(running, body).status_code == 200
        assert not running.asked


def test_null_is_no_answer_where_a_site_does_not_trust_it() -> None:
    """Some EHRs send null for what they do not support. Then it is fetched, and absent where it cannot be."""
    body = call_with_card()
    body["prefetch"] |= {"allergies": None}
    with fhir_server({}) as running:
        screening = screening_of(answer(running, body, trust_null=False))
        assert [asked.path for asked in running.asked] == ["/fhir/AllergyIntolerance"]
        assert screening["searched"]["allergies"] == {"state": "none"}
        alone = answer(running, {**body, "fhirServer": None}, trust_null=False)
        assert screening_of(alone)["searched"]["allergies"] == {"state": "absent"}


def test_a_failed_query_makes_its_criteria_unknown_and_the_rest_is_answered() -> None:
    """A failed medication query is no dose of 0 mg."""
    with fhir_server(RECORD | {"medicationStatements": status(403), "medicationRequests": status(500)}) as running:
        screening = screening_of(answer(running, call_without()))
    assert screening["searched"]["medicationStatements"] == {"state": "failed"}
    assert screening["searched"]["conditions"] == {"state": "found"}
    statuses = {one["id"]: one["status"] for one in screening["criteria"]}
    assert statuses["I03a"] == "unknown"
    assert "steroids" not in screening or "mgPerDay" not in screening["steroids"].get("asOf", {})


def test_what_does_not_come_in_time_is_unknown_and_the_rest_is_answered() -> None:
    with fhir_server(RECORD | {"labs": lambda reply, _: reply.wait()}) as running:
        start = time.monotonic()
        screening = screening_of(answer(running, call_without(), fetch_seconds=1.5))
    assert time.monotonic() - start < LATEST
    assert screening["searched"]["labs"] == {"state": "failed"}
    assert screening["searched"]["medicationStatements"] == {"state": "found"}


@pytest.mark.parametrize(
    ("given", "key", "why"),
    [
        (status(401), "conditions", "was answered with status 401"),
        (status(404), "patient", "was answered with status 404"),
        (lambda reply, _: reply.wait(), "conditions", "did not arrive in time"),
        (lambda reply, _: reply.send(b"<xml/>"), "conditions", "was no JSON"),
    ],
)
def test_required_data_that_cannot_be_had_is_412_with_which_and_why(given: Given, key: str, why: str) -> None:
    with fhir_server(RECORD | {key: given}) as running:
        answered = answer(running, call_without(), fetch_seconds=1.5)
    assert answered.status_code == 412
    (issue,) = answered.get_json()["issue"]
    assert f"{key} ({why})" in issue["diagnostics"]
    assert TOKEN not in answered.text


def test_silence_wants_a_medication_query_also_when_it_is_fetched() -> None:
    given: dict[str, Given] = {"conditions": searchset(condition("Essential hypertension")), "patient": patient()}
    failing = ("procedures", "medicationStatements", "medicationRequests")
    with fhir_server(given | dict.fromkeys(failing, status(429))) as running:
        answered = answer(running, call_without())
    assert answered.status_code == 412
    assert "procedures (was answered with status 429)" in answered.text
    with fhir_server(given) as running:
        assert answer(running, call_without()).data == b'{"cards":[]}'


def test_without_a_list_of_servers_nobody_is_called() -> None:
    with fhir_server(RECORD) as running:
        service = assembled(wire(settings(None))).test_client()
        body = call_without() | {"fhirServer": running.base, "fhirAuthorization": ACCESS}
        answered = service.post(SERVICE, data=json.dumps(body).encode())
        assert not running.asked
    assert answered.status_code == 412


@pytest.mark.parametrize(
    "server",
    [
        "https://evil.example/fhir",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:1/fhir",
        "x",
        7,
        None,
        [],
    ],
    ids=str,
)
def test_a_server_that_is_not_on_the_list_is_not_called(server: Any) -> None:
    with fhir_server(RECORD) as running:
        answered = answer(running, call_without() | {"fhirServer": server})
        assert not running.asked
    assert answered.status_code == 412
    assert ("allow-list" in answered.text) is isinstance(server, str)


MALFORMED: list[Any] = [
    None,
    "x",
    [],
    {},
    ACCESS | {"expires_in": 0},
    ACCESS | {"expires_in": -1},
    ACCESS | {"expires_in": "300"},
    ACCESS | {"expires_in": None},
    ACCESS | {"access_token": ""},
    ACCESS | {"access_token": 7},
    ACCESS | {"access_token": "a b"},
    ACCESS | {"access_token": "a\r\nX-Header: b"},
    ACCESS | {"access_token": "ä"},
    ACCESS | {"token_type": "Basic"},
    {key: value for key, value in ACCESS.items() if key != "token_type"},
]


@pytest.mark.parametrize("authorization", MALFORMED, ids=str)
def test_a_malformed_or_expired_authorization_gives_no_access(authorization: Any) -> None:
    with fhir_server(RECORD) as running:
        answered = answer(running, call_without() | {"fhirAuthorization": authorization})
        assert not running.asked
    assert answered.status_code == 412
    assert "no Bearer token" in answered.text


@pytest.mark.parametrize("scope", ["patient/Observation.rs?category=x", "launch", "free text of an EHR", "", None, 7])
def test_what_the_token_may_read_is_for_the_server_to_say(scope: Any) -> None:
    with fhir_server(RECORD) as running:
        body = call_without() | {
            "fhirAuthorization": ACCESS | {"scope": scope, "token_type": "bearer", "subject": None}
        }
        assert answer(running, body).status_code == 200
        assert len(running.asked) == len(QUERIES)


def test_another_patient_from_the_server_is_refused() -> None:
    with fhir_server(RECORD | {"patient": patient("p2")}) as running:
        assert answer(running, call_without()).status_code == 422


def test_nothing_of_token_or_patient_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = call_without() | {"context": {"patientId": "canary-patient"}}
    for given in (status(403), lambda reply, _: reply.raw(b"HTTP/1.1 200 OK\r\nbad\r\nContent-Length: 2\r\n\r\n{}")):
        with fhir_server(dict.fromkeys(QUERIES, given)) as running:
            answered = answer(running, body)
            assert answered.status_code == 412
            assert "canary" not in answered.text
    assert "canary" not in caplog.text


def test_searches_are_posted_where_a_site_wants_it() -> None:
    given = RECORD | {"patient": searchset(patient())}
    with fhir_server(given) as running:
        assert answer(running, call_without(), search_by_post=True).status_code == 200
        assert {asked.method for asked in running.asked} == {"POST"}
        assert not any("p1" in asked.target for asked in running.asked)


def test_a_part_of_the_prefetch_is_completed() -> None:
    with fhir_server(RECORD | {"medicationStatements": EMPTY}) as running:
        answered = answer(running, call_without("conditions", "labs"))
        assert len(running.asked) == 2
    assert screening_of(answered)["searched"]["medicationStatements"] == {"state": "found"}
