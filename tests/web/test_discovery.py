"""GET /cds-services."""

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from cds_service.fhir.queries import QUERIES, prefetch_templates
from cds_service.trials.protocol import Protocol
from tests.web.calls import SERVICE, app_of, service, valueless, wiring


def test_the_one_service_is_listed(client: FlaskClient) -> None:
    answer = client.get("/cds-services")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert [one["id"] for one in answer.get_json()["services"]] == ["nct06920199-patient-view"]


def test_every_listed_id_is_an_address_that_answers(client: FlaskClient) -> None:
    for one in client.get("/cds-services").get_json()["services"]:
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", one["id"])
        assert client.post(f"/cds-services/{one['id']}", data=b"{}").status_code == 422


def test_nothing_valueless_is_sent(client: FlaskClient) -> None:
    assert list(valueless(client.get("/cds-services").get_json())) == []


def test_without_services_the_list_is_empty_and_nothing_fails(protocol: Protocol) -> None:
    none = replace(wiring(protocol), services=())
    answer = app_of(none).test_client().get("/cds-services")
    assert (answer.status_code, answer.data) == (200, b'{"services":[]}')


def test_the_published_keys_are_those_of_the_contract() -> None:
    templates = prefetch_templates()
    assert list(templates) == list(QUERIES)
    assert templates["patient"] == "Patient/{{context.patientId}}"
    assert templates["conditions"] == "Condition?patient={{context.patientId}}"


@pytest.mark.parametrize("key", ["labs", "body", "function"])
def test_results_are_asked_for_by_code_newest_first(key: str) -> None:
    template = prefetch_templates()[key]
    assert re.fullmatch(
        r"Observation\?patient=\{\{context\.patientId\}\}&code=http://loinc\.org\|[^&\s]+"
        rf"&_sort=-date&_count={100 if key == 'function' else 200}",
        template,
    )


@pytest.mark.parametrize("address", ["/cds-services/", f"{SERVICE}/", "//cds-services", "/cds-services//x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_redirects(client: FlaskClient, address: str, method: str) -> None:
    assert not 300 <= client.open(address, method=method).status_code < 400


def test_a_trailing_slash_makes_no_difference(client: FlaskClient) -> None:
    assert client.get("/cds-services/").data == client.get("/cds-services").data


def test_answers_are_not_to_be_stored(client: FlaskClient) -> None:
    assert client.get("/cds-services").headers["Cache-Control"] == "no-store"


def test_the_entry_is_what_the_service_says_of_itself(client: FlaskClient) -> None:
    assert client.get("/cds-services").get_json()["services"] == [service().as_json()]
