"""Every state of a prefetched answer, from the request to the finding and the card."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.compose import Site, composer
from cds_service.trials.protocol import Protocol
from tests.web.calls import SERVICE, app_of, call_with_card, condition, patient, searchset, wiring

Json = dict[str, Any]


def outcome(severity: str = "error", code: str = "exception") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def bundle(*entries: Json, **elements: Any) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries), **elements}


def said(issue: Json) -> Json:
    return {"resource": issue, "search": {"mode": "outcome"}}


ENCOUNTER = {"resourceType": "Encounter", "id": "e1"}
NO_PROCEDURE: list[tuple[str, Any]] = [
    ("null", None),
    ("an empty Bundle", bundle()),
    ("a Bundle without entries", {"resourceType": "Bundle", "type": "searchset", "total": 0}),
    ("nothing found, as a warning", bundle(said(outcome("warning", "not-found")), total=0)),
    ("nothing found, for information", bundle(said(outcome("information", "informational")))),
    ("an empty collection", {"resourceType": "Bundle", "type": "collection"}),
    ("a Bundle in a Bundle", bundle({"resource": bundle()})),
    ("the oldest form", {"response": {"status": "200 OK"}, "resource": bundle()}),
    ("JSON inside a string", json.dumps(bundle())),
]
FAILED: list[tuple[str, Any]] = [
    ("an outcome", outcome()),
    ("an outcome that only informs", outcome("information")),
    ("an error inside", bundle(said(outcome()))),
    ("a fatal error inside", bundle(said(outcome("fatal")))),
    ("a severity that FHIR does not know", bundle(said(outcome("serious")))),
    ("a warning that not all was searched", bundle(said(outcome("warning", "incomplete")))),
    ("the oldest form, failed", {"response": {"status": "404 Not Found"}}),
    ("the oldest form, failed with a body", {"response": {"status": 500}, "resource": bundle()}),
    ("an outcome in the oldest form", {"resource": outcome()}),
    ("a batch whose query failed", bundle({"response": {"status": "500"}})),
    ("a batch whose query has an error", bundle({"response": {"status": "200", "outcome": outcome()}})),
    ("a Bundle under rules of its own", bundle(implicitRules="http://example.org/rules")),
    ("another resource", ENCOUNTER),
    ("other resources", bundle({"resource": ENCOUNTER})),
    ("parameters", {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": condition("x")}]}),
    ("a number", 5),
    ("a list", [condition("x")]),
    ("an object", {"id": "x"}),
]
ABSENT: list[tuple[str, Any]] = [
    ("a reference", "Procedure?patient=p1"),
    ("an id", "123"),
    ("an empty string", ""),
    ("a broken text", '{"resourceType":'),
]
GOES_ON: list[tuple[str, Any]] = [
    ("a next page", bundle(link=[{"relation": "next", "url": "https://ehr.example.org/2"}])),
    ("a total above the entries", bundle(total=3)),
    ("a total that is no number", bundle(total="many")),
]


@pytest.fixture
def client(protocol: Protocol) -> FlaskClient:
    return app_of(wiring(protocol, composer(Site()))).test_client()


def answered(client: FlaskClient, **prefetch: Any) -> tuple[int, Json]:
    body = call_with_card()
    body["prefetch"].update(prefetch)
    response = client.post(SERVICE, data=json.dumps(body), content_type="application/json")
    return response.status_code, response.get_json()


def screening(client: FlaskClient, **prefetch: Any) -> tuple[Json, str]:
    """The screening on the card, and the card's words."""
    status, answer = answered(client, **prefetch)
    assert status == 200, answer
    (card,) = answer["cards"]
    return card["extension"]["org.trialhook.screening"], card["detail"]


def status_of(found: Json, criterion: str) -> str:
    return str(next(row["status"] for row in found["criteria"] if row["id"] == criterion))


def named(rows: list[tuple[str, Any]]) -> Any:
    return pytest.mark.parametrize("answer", [row[1] for row in rows], ids=[row[0] for row in rows])


@named(NO_PROCEDURE)
def test_none_recorded_is_a_finding(client: FlaskClient, answer: Any) -> None:
    found, _ = screening(client, procedures=answer)
    assert found["searched"]["procedures"] == {"state": "none"}
    assert status_of(found, "E10") == "pass"


@named(FAILED)
def test_a_failed_answer_leaves_it_unknown_and_the_card_says_so(client: FlaskClient, answer: Any) -> None:
    found, words = screening(client, procedures=answer)
    assert found["searched"]["procedures"] == {"state": "failed"}
    assert status_of(found, "E10") == "unknown"
    assert "procedures: could not be read" in words


@named(ABSENT)
def test_a_string_that_holds_no_answer_is_none(client: FlaskClient, answer: Any) -> None:
    found, words = screening(client, procedures=answer)
    assert found["searched"]["procedures"] == {"state": "absent"}
    assert status_of(found, "E10") == "unknown"
    assert "procedures: not sent" in words


@named(GOES_ON)
def test_a_first_page_leaves_open_what_it_does_not_show(client: FlaskClient, answer: Any) -> None:
    found, words = screening(client, procedures=answer)
    assert found["searched"]["procedures"] == {"state": "truncated"}
    assert status_of(found, "E10") == "unknown"
    assert "procedures: only sent in part" in words


@named([*FAILED, *ABSENT])
@pytest.mark.parametrize("key", ["patient", "conditions"])
def test_without_a_required_answer_there_is_none(client: FlaskClient, key: str, answer: Any) -> None:
    status, told = answered(client, **{key: answer})
    assert (status, told["resourceType"]) == (412, "OperationOutcome")
    assert f"no usable answer: {key}." in told["issue"][0]["diagnostics"]


@pytest.mark.parametrize("prefetch", [{}, None])
def test_without_any_answer_the_refusal_names_what_is_needed(client: FlaskClient, prefetch: Any) -> None:
    response = client.post(SERVICE, json=call_with_card(prefetch=prefetch))
    assert response.status_code == 412
    assert "patient, conditions" in response.get_json()["issue"][0]["diagnostics"]


def test_failed_medications_never_become_no_dose(client: FlaskClient) -> None:
    found, words = screening(client, medicationStatements=outcome(), medicationRequests=outcome())
    assert "mgPerDay" not in json.dumps(found.get("steroids", {}))
    assert {status_of(found, one) for one in ("I03a", "I03b", "E02")} == {"unknown"}
    assert "medication statements: could not be read" in words


def test_a_failed_query_keeps_what_it_brought(client: FlaskClient) -> None:
    lymphocytes = {
        "resourceType": "Procedure", "id": "dli", "status": "completed", "performedDateTime": "2026-03-10",
        "subject": {"reference": "Patient/p1"}, "code": {"text": "Donor lymphocyte infusion"},
    }  # fmt: skip
    found, _ = screening(client, procedures=bundle({"resource": lymphocytes}, said(outcome())))
    assert status_of(found, "E10") == "review"


def test_a_patient_may_come_as_a_bundle_of_one(client: FlaskClient) -> None:
    assert screening(client, patient=searchset(patient()))[0]["patient"] == "Patient/p1"


@pytest.mark.parametrize("key", ["patient", "conditions"])
def test_another_patient_is_refused_wherever_it_comes(client: FlaskClient, key: str) -> None:
    assert answered(client, **{key: searchset(patient("p2"))})[0] == 422


def test_another_patients_data_change_nothing_but_are_listed(client: FlaskClient) -> None:
    usual, _ = screening(client)
    chronic = condition("Chronic graft-versus-host disease")
    others = condition("Thrombotic microangiopathy", "p2", "other")
    found, _ = screening(client, conditions=searchset(chronic, others))
    assert found.pop("skipped") == [{"reference": "Condition/other", "reason": "other-patient"}]
    assert found == usual


@pytest.mark.parametrize("name", ["item9", "Conditions", "conditions ", ""])
def test_a_key_that_nobody_asked_for_is_not_looked_at(client: FlaskClient, name: str) -> None:
    usual = screening(client)
    assert screening(client, **{name: outcome()}) == usual
    assert screening(client, **{name: searchset(patient("p2"))}) == usual


MODIFIED = {"modifierExtension": [{"url": "http://example.org/unknown"}]}


def test_a_diagnosis_that_cannot_be_read_is_no_silence(client: FlaskClient) -> None:
    unread = {**condition("Chronic graft-versus-host disease"), **MODIFIED}
    found, words = screening(client, conditions=searchset(unread))
    assert found["skipped"] == [{"reference": "Condition/c1", "reason": "modifier-extension"}]
    assert status_of(found, "I02.dx") == "unknown"
    assert "conditions: one entry cannot be read" in words


def test_another_disease_that_cannot_be_read_is_no_reason_for_a_card(client: FlaskClient) -> None:
    assert answered(client, conditions=searchset({**condition("Asthma"), **MODIFIED})) == (200, {"cards": []})


@named(GOES_ON)
@pytest.mark.parametrize("key", ["conditions", "procedures"])
def test_a_first_page_without_a_diagnosis_is_no_silence(client: FlaskClient, key: str, answer: Any) -> None:
    """The diagnosis may stand on the next page: there is nothing to show, and nothing that may be kept silent."""
    status, told = answered(client, **{"conditions": searchset(), key: answer})
    assert status == 412
    assert told["issue"][0]["diagnostics"].partition("answer: ")[2].startswith(f"{key}.")


@named(GOES_ON)
def test_a_first_page_beside_a_transplantation_leads_to_a_card(client: FlaskClient, answer: Any) -> None:
    transplant = {
        "resourceType": "Procedure", "id": "tx", "status": "completed", "performedDateTime": "2024-05-10",
        "subject": {"reference": "Patient/p1"}, "code": {"text": "Allogeneic stem cell transplantation"},
    }  # fmt: skip
    found, words = screening(client, conditions=answer, procedures=searchset(transplant))
    assert status_of(found, "I02.dx") == "unknown"
    assert "conditions: only sent in part" in words
