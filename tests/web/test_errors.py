"""Refusals and failures: OperationOutcomes that say what to do and hold nothing of a patient."""

import gzip
import io
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask.testing import FlaskClient

from cds_service.errors import MalformedBody, MissingRecord, NotConformant
from cds_service.hooks.request import HookRequest
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening
from cds_service.web.errors import operation_outcome
from tests.web.calls import (
    SERVICE,
    app_of,
    call,
    call_with_card,
    condition,
    patient,
    searchset,
    valueless,
    wiring,
)

CANARY = "Zebrafink-4711"


def posted(client: FlaskClient, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(SERVICE, data=data, headers=headers)


def outcome(answer: Any, status: int) -> dict[str, Any]:
    """The one issue of an answer that must be an OperationOutcome of this status."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/json"
    body = answer.get_json()
    assert list(valueless(body)) == []
    OperationOutcome.model_validate(body)
    (issue,) = body["issue"]
    assert issue["severity"] == "error"
    assert len(issue["diagnostics"]) > 20
    return dict(issue)


class TestAddresses:
    def test_an_unknown_service_names_the_known(self, client: FlaskClient) -> None:
        issue = outcome(client.post("/cds-services/nope", data=b"{}"), 404)
        assert issue["code"] == "not-found"
        assert "nct06920199-patient-view" in issue["diagnostics"]

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
    def test_a_service_takes_post_only(self, client: FlaskClient, method: str) -> None:
        answer = client.open(SERVICE, method=method)
        assert outcome(answer, 405)["code"] == "not-supported"
        assert "POST" in answer.headers["Allow"]

    def test_discovery_takes_no_post(self, client: FlaskClient) -> None:
        answer = client.post("/cds-services", data=b"{}")
        outcome(answer, 405)
        assert "GET" in answer.headers["Allow"]

    @pytest.mark.parametrize("address", ["/", f"/{CANARY}", f"{SERVICE}/feedback/{CANARY}", "//cds-services"])
    def test_any_other_address_leads_to_discovery(self, client: FlaskClient, address: str) -> None:
        issue = outcome(client.get(address), 404)
        assert "/cds-services" in issue["diagnostics"]
        assert CANARY not in issue["diagnostics"]


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"{",
            b"{}{}",
            b"hook=patient-view",
            b'{"hook": NaN}',
            b'{"hook": 7, "z": NaN}',
            b'{"z": Infinity}',
            b'{"z": "\xff"}',
            b'{"z": 1,}',
            b"\x00",
            "{}".encode("utf-16"),
            "{}".encode("utf-32"),
            b"[" * 100_000 + b"]" * 100_000,
            b'{"z":' * 100_000,
            b'{"prefetch":{"patient":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        ],
        ids=lambda body: repr(body[:24]),
    )
    def test_what_is_no_json_is_400(self, client: FlaskClient, body: bytes) -> None:
        assert outcome(posted(client, body), 400)["code"] == "structure"

    @pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"text"', b"true", b"[{}]", b"{}"], ids=repr)
    def test_json_that_is_no_request_is_422(self, client: FlaskClient, body: bytes) -> None:
        outcome(posted(client, body), 422)

    def test_a_compressed_body_is_415(self, client: FlaskClient) -> None:
        body = gzip.compress(json.dumps(call()).encode())
        issue = outcome(posted(client, body, **{"Content-Encoding": "gzip"}), 415)
        assert "uncompressed" in issue["diagnostics"]


class TestSize:
    @pytest.fixture
    def small(self, protocol: Protocol) -> FlaskClient:
        """A service that takes bodies of at most 3000 bytes."""
        return app_of(wiring(protocol, settings=Settings.model_validate({"largest_body": 3000}))).test_client()

    @staticmethod
    def sized(size: int) -> bytes:
        return json.dumps(call()).encode().ljust(size)

    def test_a_body_of_the_largest_size_is_taken(self, small: FlaskClient) -> None:
        assert posted(small, self.sized(3000)).status_code == 200

    def test_one_byte_more_is_413_and_names_the_limit(self, small: FlaskClient) -> None:
        issue = outcome(posted(small, self.sized(3001)), 413)
        assert issue["code"] == "too-long"
        assert "3000" in issue["diagnostics"]

    @pytest.mark.parametrize(("size", "status"), [(3000, 200), (3001, 413), (9001, 413)])
    def test_a_body_that_does_not_say_its_length_is_measured(self, small: FlaskClient, size: int, status: int) -> None:
        environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        stream = io.BytesIO(self.sized(size))
        answer = small.post(SERVICE, input_stream=stream, environ_overrides=environ)
        assert answer.status_code == status


class TestRequests:
    @pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
    def test_a_missing_field_is_named(self, client: FlaskClient, name: str) -> None:
        body = call()
        del body[name]
        assert name in outcome(posted(client, body), 422)["diagnostics"]

    def test_another_hook_is_refused(self, client: FlaskClient) -> None:
        issue = outcome(posted(client, call(hook=f"order-sign-{CANARY}")), 422)
        assert "patient-view" in issue["diagnostics"]
        assert CANARY not in issue["diagnostics"]

    def test_another_patients_record_is_refused(self, client: FlaskClient) -> None:
        body = call()
        body["prefetch"]["patient"] = patient("p2")
        assert outcome(posted(client, body), 422)["code"] == "conflict"

    def test_a_token_for_another_patient_is_refused(self, client: FlaskClient) -> None:
        body = call(fhirServer="https://ehr.example/fhir", fhirAuthorization={"patient": "p2"})
        assert outcome(posted(client, body), 422)["code"] == "conflict"


class TestMissingRecords:
    @pytest.mark.parametrize("prefetch", [None, {}, {"patient": None}, {"other": patient()}], ids=str)
    def test_without_a_record_both_required_queries_are_named(self, client: FlaskClient, prefetch: Any) -> None:
        issue = outcome(posted(client, call(prefetch=prefetch)), 412)
        assert "patient" in issue["diagnostics"]
        assert "conditions" in issue["diagnostics"]

    def test_an_absent_prefetch_is_the_same(self, client: FlaskClient) -> None:
        body = call()
        del body["prefetch"]
        outcome(posted(client, body), 412)

    @pytest.mark.parametrize("key", ["patient", "conditions"])
    @pytest.mark.parametrize(
        "failed", ["absent", {"resourceType": "OperationOutcome", "issue": []}, "a string", 7], ids=str
    )
    def test_a_required_query_that_brought_nothing_usable_is_named(
        self, client: FlaskClient, key: str, failed: Any
    ) -> None:
        body = call_with_card()
        body["prefetch"][key] = failed
        if failed == "absent":
            del body["prefetch"][key]
        assert key in outcome(posted(client, body), 412)["diagnostics"]

    @pytest.mark.parametrize("gone", [["procedures"], ["medicationStatements", "medicationRequests"]], ids=str)
    def test_where_nothing_is_settled_silence_needs_its_sources(self, client: FlaskClient, gone: list[str]) -> None:
        body = call_with_card()
        cut_off = searchset(condition("Essential hypertension")) | {"total": 50}
        body["prefetch"]["conditions"] = cut_off
        for key in gone:
            del body["prefetch"][key]
        diagnostics = outcome(posted(client, body), 412)["diagnostics"]
        assert all(key in diagnostics for key in gone)


class Defect(Exception):
    pass


class TestDefects:
    @pytest.fixture
    def broken(self, protocol: Protocol) -> FlaskClient:
        def compose(screening: Screening, request: HookRequest) -> list[Mapping[str, object]]:
            raise Defect(f"about {CANARY}")

        return app_of(wiring(protocol, compose)).test_client()

    def test_a_defect_is_500_with_a_correlation_id_that_is_logged_with_its_place(
        self, broken: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        issue = outcome(posted(broken, call_with_card()), 500)
        assert issue["code"] == "exception"
        correlation = re.search(r"[0-9a-f]{32}", issue["diagnostics"])
        assert correlation is not None
        (record,) = caplog.records
        assert correlation[0] in record.getMessage()
        assert "Defect" in record.getMessage()
        assert re.search(r"cds_service\.\w+(\.\w+)*, line \d+", record.getMessage())
        assert record.exc_info is None

    def test_neither_the_answer_nor_the_log_repeats_the_message(
        self, broken: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = posted(broken, call_with_card())
        assert CANARY not in answer.get_data(as_text=True)
        assert "Traceback" not in answer.get_data(as_text=True)
        assert CANARY not in caplog.text


def with_canaries() -> dict[str, Any]:
    """A call in which every name, text and id is a canary."""
    named = patient(CANARY) | {"name": [{"family": CANARY, "given": [CANARY]}]}
    disease = condition(f"Chronic graft-versus-host disease {CANARY}", CANARY, CANARY)
    body = call(context={"userId": f"Practitioner/{CANARY}", "patientId": CANARY}, hookInstance=CANARY)
    body["prefetch"] |= {"patient": named, "conditions": searchset(disease)}
    return body


CANARY_CALLS: dict[str, Any] = {
    "a card": with_canaries(),
    "no instance": with_canaries() | {"hookInstance": ""},
    "wrong type": with_canaries() | {"hookInstance": [CANARY]},
    "wrong context": with_canaries() | {"context": {"patientId": {CANARY: CANARY}}},
    "wrong prefetch": with_canaries() | {"prefetch": [CANARY]},
    "another hook": with_canaries() | {"hook": CANARY},
    "another token": with_canaries() | {"fhirAuthorization": {"patient": f"{CANARY}-2", "access_token": CANARY}},
    "another patient": with_canaries() | {"context": {"patientId": f"{CANARY}-2"}},
    "no record": with_canaries() | {"prefetch": {CANARY: CANARY}},
    "broken json": json.dumps(with_canaries()).encode()[:-1],
    "broken text": json.dumps(with_canaries()).replace(CANARY, f"{CANARY}\x01", 1).encode(),
}


@pytest.mark.parametrize("name", CANARY_CALLS)
def test_no_error_and_no_log_line_repeats_what_was_sent(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = posted(client, CANARY_CALLS[name])
    assert answer.status_code == 200 if name == "a card" else 400 <= answer.status_code < 500
    if name != "a card":
        assert CANARY not in answer.get_data(as_text=True)
    assert CANARY not in caplog.text


@pytest.mark.parametrize("error", [MalformedBody("x"), NotConformant("x"), MissingRecord(("patient",))], ids=repr)
def test_every_issue_type_is_one_of_fhir(error: Any) -> None:
    OperationOutcome.model_validate(operation_outcome(error.code, error.message))
    assert re.fullmatch("[a-z-]+", error.code)
