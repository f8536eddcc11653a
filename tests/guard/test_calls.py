"""The order hooks over HTTP, with the parts that the service is deployed with."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import assembled, wire
from cds_service.net.servers import Server
from cds_service.settings import Settings
from fhir_fixtures.drafts import DRAFTS, order_request_of
from fhir_fixtures.story import story
from tests.fake_fhir import Given, fhir_server
from tests.web.calls import valueless
from tests.web.mutated import CANARY, mutated

SIGN = "/cds-services/nct06920199-order-sign"
SELECT = "/cds-services/nct06920199-order-select"
PATIENT = "nearly-a-candidate"
ACCESS = {"access_token": "token", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "us"}


@pytest.fixture(scope="module")
def wiring() -> Any:
    return wire(Settings(open_access=True))


@pytest.fixture(scope="module")
def client(wiring: Any) -> FlaskClient:
    return assembled(wiring).test_client()


def request(wiring: Any, hook: str, *names: str) -> dict[str, Any]:
    opened = story(PATIENT).hook_request(wiring.today())
    return order_request_of(hook, opened, [DRAFTS[name](PATIENT) for name in names])


def posted(client: FlaskClient, address: str, body: Mapping[str, Any]) -> Any:
    return client.post(address, data=json.dumps(body).encode())


@pytest.mark.parametrize(("hook", "address"), [("order-select", SELECT), ("order-sign", SIGN)])
def test_both_services_answer_their_hook(wiring: Any, client: FlaskClient, hook: str, address: str) -> None:
    answer = posted(client, address, request(wiring, hook, "ruxolitinib"))
    assert answer.status_code == 200
    (card,) = answer.get_json()["cards"]
    assert "E12" in card["summary"]
    assert list(valueless(answer.get_json())) == []
    other = {"order-select": SIGN, "order-sign": SELECT}[hook]
    assert posted(client, other, request(wiring, hook, "ruxolitinib")).status_code == 422


@pytest.mark.parametrize("name", ["prednisone-30"])
def test_no_effect_is_an_empty_list(wiring: Any, client: FlaskClient, name: str) -> None:
    assert posted(client, SIGN, request(wiring, "order-sign", name)).get_json() == {"cards": []}


def test_the_selections_limit_nothing(wiring: Any, client: FlaskClient) -> None:
    """An order that was chosen before still counts: all drafts will be signed together."""
    body = request(wiring, "order-select", "ruxolitinib", "prednisone-20")
    whole = posted(client, SELECT, body).get_json()
    for selections in ([], ["MedicationRequest/draft-prednisone"], None, "nonsense"):
        body["context"]["selections"] = selections
        assert posted(client, SELECT, body).get_json() == whole


def test_a_context_without_drafts_is_answered(wiring: Any, client: FlaskClient) -> None:
    """The public Sandbox calls so when the current tab is clicked again."""
    body = request(wiring, "order-select", "ruxolitinib")
    del body["context"]["draftOrders"]
    assert posted(client, SELECT, body).get_json() == {"cards": []}


@pytest.mark.parametrize("absurd", ["text", 7, [], {"resourceType": "Patient2"}, {"entry": 7}])
def test_absurd_drafts_are_no_defect(wiring: Any, client: FlaskClient, absurd: Any) -> None:
    body = request(wiring, "order-sign", "ruxolitinib")
    body["context"]["draftOrders"] = absurd
    assert posted(client, SIGN, body).status_code in (200, 422)


def test_a_draft_without_a_record_is_refused(wiring: Any, client: FlaskClient) -> None:
    body = request(wiring, "order-sign", "ruxolitinib")
    del body["prefetch"]
    answer = posted(client, SIGN, body)
    assert answer.status_code == 412
    assert answer.get_json()["resourceType"] == "OperationOutcome"


def test_the_record_and_the_medication_of_a_draft_are_fetched(wiring: Any) -> None:
    """A draft that only points to a Medication on the server, as Epic sent them before 2024."""
    body = request(wiring, "order-sign", "ruxolitinib")
    (entry,) = body["context"]["draftOrders"]["entry"]
    named = entry["resource"].pop("medicationCodeableConcept")
    entry["resource"]["medicationReference"] = {"reference": "Medication/m-77"}
    held: dict[str, Given] = {"/fhir/Medication/m-77": {"resourceType": "Medication", "id": "m-77", "code": named}}
    record = copy.deepcopy(body.pop("prefetch"))
    with fhir_server({**record, **held}) as running:
        servers = (Server(running.base, private=True),)
        fetching = assembled(wire(Settings(open_access=True, fhir_servers=servers, fetch_seconds=20)))
        call = {**body, "fhirServer": running.base, "fhirAuthorization": ACCESS}
        call["prefetch"] = {"patient": record["patient"]}
        answer = posted(fetching.test_client(), SIGN, call)
    (card,) = answer.get_json()["cards"]
    assert card["summary"].startswith("Starting ruxolitinib today: not before")


def test_drafts_changed_at_random_are_no_defect_and_are_repeated_in_no_error(wiring: Any, client: FlaskClient) -> None:
    for number in range(30):
        random = Random(f"drafts {number}")
        body = request(wiring, "order-sign", *random.sample(list(DRAFTS), 3))
        answer = client.post(SIGN, data=mutated(body, random, random.randrange(1, 6)))
        assert answer.status_code < 500, number
        if answer.status_code != 200:
            assert CANARY not in answer.get_data(as_text=True), number
