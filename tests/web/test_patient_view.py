"""POST /cds-services/nct06920199-patient-view, answers with cards."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from cds_service.hooks.request import HookRequest
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening
from cds_service.web.rehearsal import made_up_call
from tests.web.calls import (
    CARD,
    SERVICE,
    TODAY,
    app_of,
    call,
    call_with_card,
    condition,
    searchset,
    valueless,
    wiring,
)


@pytest.fixture(scope="module")
def whole() -> FlaskClient:
    """The service as it is deployed, with its own cards."""
    return create_app(Settings(open_access=True)).test_client()


def post(client: FlaskClient, body: Mapping[str, Any], **headers: str) -> Any:
    return client.post(SERVICE, data=json.dumps(body).encode(), headers=headers)


def test_a_patient_without_transplant_gets_silence_byte_for_byte(client: FlaskClient) -> None:
    answer = post(client, call(condition("Essential hypertension")))
    assert (answer.status_code, answer.data) == (200, b'{"cards":[]}')


def test_an_empty_record_is_silence_as_well(client: FlaskClient) -> None:
    assert post(client, call()).data == b'{"cards":[]}'


def test_possible_chronic_gvhd_gets_the_composed_card(client: FlaskClient) -> None:
    assert post(client, call_with_card()).get_json() == {"cards": [CARD]}


def test_the_card_is_json_in_utf_8_and_not_escaped(protocol: Protocol) -> None:
    def compose(screening: Screening, request: HookRequest) -> list[Mapping[str, object]]:
        return [{"summary": "移植物抗宿主病 ≥ 0.25", "dose": Decimal("7.20")}]

    answer = post(app_of(wiring(protocol, compose)).test_client(), call_with_card())
    assert answer.content_type == "application/json"
    assert answer.data == '{"cards":[{"summary":"移植物抗宿主病 ≥ 0.25","dose":7.20}]}'.encode()


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/fhir+json", "text/plain", ""]
)
def test_the_content_type_of_the_request_does_not_matter(client: FlaskClient, kind: str) -> None:
    assert post(client, call_with_card(), **{"Content-Type": kind}).get_json() == {"cards": [CARD]}


def test_identity_is_no_compression(client: FlaskClient) -> None:
    assert post(client, call(), **{"Content-Encoding": "identity"}).status_code == 200


def test_a_trailing_slash_makes_no_difference(client: FlaskClient) -> None:
    assert client.post(f"{SERVICE}/", data=json.dumps(call())).data == b'{"cards":[]}'


def test_a_byte_order_mark_is_overlooked(client: FlaskClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(call()).encode()
    assert client.post(SERVICE, data=body).status_code == 200


EXTENSIONS: list[Any] = [
    None,
    {},
    [],
    "x",
    7,
    True,
    {"com.epic.cdshooks.request.bpa-trigger-action": "60"},
    [{"url": 1}],
]


@pytest.mark.parametrize("extension", EXTENSIONS, ids=str)
def test_an_extension_of_any_shape_changes_nothing(client: FlaskClient, extension: Any) -> None:
    body = call_with_card(extension=extension, junk={"deep": [extension]})
    body["context"] |= {"extension": extension, "encounterId": extension, "junk": extension}
    body["prefetch"]["extension"] = extension
    assert post(client, body).get_json() == {"cards": [CARD]}


@pytest.mark.parametrize("authorization", [None, "x", [], 7, {}, {"access_token": 7}, {"patient": "p1"}], ids=str)
def test_an_authorization_of_an_odd_shape_does_no_harm(client: FlaskClient, authorization: Any) -> None:
    assert post(client, call(fhirAuthorization=authorization)).status_code == 200


@pytest.mark.parametrize("server", [None, "not a url", 7, ["x"]], ids=str)
def test_a_fhir_server_that_is_not_used_is_not_judged(client: FlaskClient, server: Any) -> None:
    assert post(client, call(fhirServer=server)).status_code == 200


def test_a_client_that_sends_no_user_is_served(client: FlaskClient) -> None:
    assert post(client, call(context={"patientId": "p1"})).status_code == 200


@pytest.mark.parametrize("empty", [None, searchset(), {"resourceType": "Bundle", "type": "searchset"}], ids=str)
def test_three_ways_to_say_nothing_found_are_the_same(client: FlaskClient, empty: Any) -> None:
    body = call()
    body["prefetch"]["conditions"] = empty
    assert post(client, body).data == b'{"cards":[]}'


ODD: list[Any] = [
    "a string",
    7,
    True,
    [],
    {},
    [1],
    {"resourceType": 7},
    {"resourceType": "Bundle", "entry": 7},
]


@pytest.mark.parametrize("key", ["procedures", "medicationStatements", "labs", "allergies"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_optional_answer_of_odd_shape_is_never_a_failure(client: FlaskClient, key: str, odd: Any) -> None:
    body = call_with_card()
    body["prefetch"][key] = odd
    assert post(client, body).status_code in (200, 412)


@pytest.mark.parametrize("depth", [300, 700])
def test_a_resource_nested_absurdly_costs_at_most_itself(client: FlaskClient, depth: int) -> None:
    deep = condition("Chronic graft-versus-host disease")
    body = json.dumps(call(deep)).replace('"code": {', '"code": {"x": ' + '{"y":' * depth + "1" + "}" * depth + ", ")
    assert client.post(SERVICE, data=body.encode()).status_code in (200, 400)


def test_the_deployed_service_sends_a_card_with_nothing_valueless(whole: FlaskClient) -> None:
    answer = post(whole, call_with_card())
    assert answer.status_code == 200
    cards = answer.get_json()["cards"]
    assert len(cards) == 1
    assert list(valueless(cards)) == []


def test_the_deployed_service_is_silent_where_there_is_nothing_to_say(whole: FlaskClient) -> None:
    assert post(whole, call()).data == b'{"cards":[]}'


def test_the_same_call_gets_the_same_answer(whole: FlaskClient) -> None:
    body = call_with_card()
    assert post(whole, body).data == post(whole, body).data


def test_settings_of_the_site_reach_the_card(whole: FlaskClient) -> None:
    site = Settings(coordinator_contact="Trial office, ext 4711", open_access=True)
    answer = post(create_app(site).test_client(), call_with_card())
    assert "4711" in answer.get_data(as_text=True)
    assert "4711" not in post(whole, call_with_card()).get_data(as_text=True)


def test_the_rehearsal_goes_all_the_way_to_a_card(whole: FlaskClient) -> None:
    """Else the first real card would pay for what is loaded late."""
    answer = post(whole, made_up_call("patient-view", TODAY))
    assert len(answer.get_json()["cards"]) == 1
