"""The demo's FHIR server: every interaction, and the records that the demo's hook requests hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask import Flask
from flask.testing import FlaskClient

from app import create_app, create_demo_app
from cds_service.fhir.queries import QUERIES, prefetch_templates
from cds_service.settings import Settings
from cds_service.web.errors import register_errors
from cds_service.web.fhir_server.door import fhir_server
from fhir_fixtures.hook_request import USER
from fhir_fixtures.story import Story, load_stories, story
from tests.web.calls import valueless

TODAY = date(2026, 3, 16)
BASE = "http://localhost/fhir"
CANARY = "Zebrafink-4711"
TWO_LABS = ["too-old-creatinine", "too-old-platelets"]
FORM = "application/x-www-form-urlencoded"
WEIGHT = "http://loinc.org|29463-7"
every_story = pytest.mark.parametrize("one", load_stories(), ids=lambda one: one.id)


class Days:
    """The day as the server sees it, which a test may turn."""

    def __init__(self) -> None:
        self.today = TODAY


@pytest.fixture
def days() -> Days:
    return Days()


@pytest.fixture
def server(days: Days) -> FlaskClient:
    app = Flask("made", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    register_errors(app)
    app.register_blueprint(fhir_server(lambda: days.today, load_stories(), [USER]))
    return app.test_client()


def found(server: FlaskClient, query: str, **headers: str) -> dict[str, Any]:
    """The Bundle of a search, proven to be one."""
    answer = server.get(f"/fhir/{query}", headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "application/fhir+json"
    body: dict[str, Any] = answer.get_json()
    assert (body["resourceType"], body["type"]) == ("Bundle", "searchset")
    return body


def resources(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle.get("entry", [])]


def ids(bundle: Mapping[str, Any]) -> list[str]:
    return [one["id"] for one in resources(bundle)]


def link(bundle: Mapping[str, Any], relation: str) -> str | None:
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)


def pages(server: FlaskClient, query: str) -> Iterator[dict[str, Any]]:
    """Every page of a search, by its links."""
    address: str | None = f"{BASE}/{query}"
    while address:
        assert address.startswith(f"{BASE}/")
        bundle = found(server, address.removeprefix(f"{BASE}/"))
        yield bundle
        address = link(bundle, "next")


def outcome(answer: Any, status: int) -> dict[str, Any]:
    """The one issue of an OperationOutcome of this status, which a browser may read as well."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/fhir+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    body = answer.get_json()
    assert list(valueless(body)) == []
    OperationOutcome.model_validate(body)
    assert CANARY not in json.dumps(body)
    (issue,) = body["issue"]
    return dict(issue)


def filled(one: Story) -> Iterator[tuple[str, str]]:
    """Our prefetch templates as a client of the story's patient asks them."""
    for key, template in prefetch_templates().items():
        yield key, template.replace("{{context.patientId}}", one.patient_id)


class TestOurQueries:
    @every_story
    def test_the_server_gives_what_the_hook_request_holds(self, server: FlaskClient, one: Story) -> None:
        """In the same order, too, for every key; the broken record is as broken here as there."""
        prefetch = one.hook_request(TODAY)["prefetch"]
        for key, query in filled(one):
            if key == "patient":
                assert server.get(f"/fhir/{query}").get_json() == prefetch[key]
                continue
            bundle = found(server, query)
            assert bundle["total"] == prefetch[key]["total"]
            assert resources(bundle) == resources(prefetch[key]), key

    @every_story
    def test_a_posted_search_finds_the_same(self, server: FlaskClient, one: Story) -> None:
        for key, query in filled(one):
            if key == "patient":
                continue
            type_name, _, parameters = query.partition("?")
            posted = server.post(f"/fhir/{type_name}/_search", data=dict(parse_qsl(parameters)))
            assert posted.content_type == "application/fhir+json"
            assert posted.get_json() == found(server, query)

    def test_the_records_move_with_the_day(self, server: FlaskClient, days: Days) -> None:
        days.today = date(2026, 7, 1)
        one = story("too-old")
        prefetch = one.hook_request(days.today)["prefetch"]
        assert server.get(f"/fhir/Patient/{one.patient_id}").get_json() == prefetch["patient"]
        assert resources(found(server, f"Observation?patient={one.patient_id}&code={WEIGHT}")) != []
        assert resources(found(server, dict(filled(one))["body"])) == resources(prefetch["body"])


class TestRead:
    def test_a_resource_comes_as_it_is(self, server: FlaskClient) -> None:
        answer = server.get("/fhir/Condition/too-old-chronic-gvhd", headers={"Accept": "application/json+fhir"})
        assert answer.content_type == "application/fhir+json"
        assert answer.get_json()["id"] == "too-old-chronic-gvhd"

    @pytest.mark.parametrize("address", ["/fhir//Patient/too-old", "/fhir/Patient/too-old/", "/fhir/Patient//too-old"])
    def test_a_slash_too_many_does_no_harm(self, server: FlaskClient, address: str) -> None:
        assert server.get(address).get_json()["id"] == "too-old"

    def test_head_is_answered_without_a_body(self, server: FlaskClient) -> None:
        answer = server.head("/fhir/Patient/too-old")
        assert (answer.status_code, answer.data) == (200, b"")

    def test_the_user_of_the_hook_requests_is_there(self, server: FlaskClient) -> None:
        user = story("too-old").hook_request(TODAY)["context"]["userId"]
        assert server.get(f"/fhir/{user}").get_json() == USER

    def test_every_entry_of_a_search_can_be_read_at_its_full_url(self, server: FlaskClient) -> None:
        for type_name in {query.type for query in QUERIES.values()}:
            for entry in found(server, f"{type_name}?_count=200").get("entry", []):
                assert entry["search"] == {"mode": "match"}
                assert server.get(urlsplit(entry["fullUrl"]).path).get_json() == entry["resource"]


class TestSearch:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("Patient?_id=too-old,stale-labs", ["too-old", "stale-labs"]),
            ("Patient?_id=nobody", []),
            ("Condition?patient=nobody", []),
            ("Condition?patient=too-old", ["too-old-chronic-gvhd"]),
            ("Condition?patient=Patient/too-old", ["too-old-chronic-gvhd"]),
            (f"Condition?patient={BASE}/Patient/too-old", ["too-old-chronic-gvhd"]),
            ("Condition?patient=https://ehr.example/fhir/Patient/too-old", []),
            ("Condition?subject=Patient/too-old", ["too-old-chronic-gvhd"]),
            ("Condition?subject:Patient=too-old", ["too-old-chronic-gvhd"]),
            ("Condition?subject=Group/too-old", []),
            ("Condition?patient=too-old,stale-labs", ["too-old-chronic-gvhd", "stale-labs-chronic-gvhd"]),
            ("Condition?patient=too-old&patient=stale-labs", []),
            ("Condition?patient=too-old&clinical-status=active", ["too-old-chronic-gvhd"]),
            ("Condition?patient=too-old&clinical-status=resolved", []),
            ("Observation?patient=too-old&code=2160-0", ["too-old-creatinine"]),
            ("Observation?patient=too-old&code=http://loinc.org%7C2160-0", ["too-old-creatinine"]),
            ("Observation?patient=too-old&code=http://snomed.info/sct%7C2160-0", []),
            ("Observation?patient=too-old&code=%7C2160-0", []),
            ("Observation?patient=too-old&code=2160", []),
            ("Observation?patient=too-old&code=2160-0,http://loinc.org%7C777-3", TWO_LABS),
            ("Observation?patient=too-old&code=2160-0&code=1742-6", []),
            ("Observation?patient=too-old&code=2160-0&status=final", ["too-old-creatinine"]),
            ("Observation?patient=too-old&code=2160-0&status=final,amended", ["too-old-creatinine"]),
            ("Observation?patient=too-old&code=2160-0&status=amended", []),
            ("Observation?patient=too-old&code=2160-0&category=laboratory", ["too-old-creatinine"]),
            ("Observation?patient=too-old&code=2160-0&category=vital-signs", []),
            ("Procedure?patient=too-old&date=lt2025", ["too-old-transplant"]),
            ("Procedure?patient=too-old&date=gt2025", []),
            ("MedicationStatement?patient=too-old&effective=ge2026-03&code=198145", ["too-old-prednisone"]),
            ("MedicationStatement?patient=too-old&effective=lt2026&code=198145", []),
        ],
    )  # fmt: skip
    def test_what_is_found(self, server: FlaskClient, query: str, expected: list[str]) -> None:
        bundle = found(server, query)
        assert ids(bundle) == expected
        assert bundle["total"] == len(expected)
        assert ("entry" in bundle) is bool(expected)

    def test_a_type_without_resources_is_an_empty_bundle(self, server: FlaskClient) -> None:
        bundle = found(server, "Encounter?patient=too-old")
        assert bundle["total"] == 0
        assert "entry" not in bundle
        Bundle.model_validate(bundle)

    def test_all_patients_can_be_listed(self, server: FlaskClient) -> None:
        assert ids(found(server, "Patient")) == [one.patient_id for one in load_stories()]

    def test_a_bundle_is_valid_fhir(self, server: FlaskClient) -> None:
        for query in ("Patient?_count=3", "Observation?patient=too-old", "Patient?_count=0"):
            Bundle.model_validate(found(server, query))

    def test_the_latest_or_the_earliest_comes_first(self, server: FlaskClient) -> None:
        search = f"Observation?patient=too-old&code={WEIGHT}"
        latest_first = [f"too-old-{one}" for one in ("weight", "weight-old", "weight-older", "weight-oldest")]
        assert ids(found(server, f"{search}&_sort=-date")) == latest_first
        assert ids(found(server, f"{search}&_sort=date")) == latest_first[::-1]
        assert ids(found(server, f"{search}&_sort=-_id")) == sorted(latest_first, reverse=True)

    def test_the_self_link_says_what_was_understood(self, server: FlaskClient) -> None:
        """Unknown parameters, keys of order and empty values have no effect and are not in it."""
        ignored = "_include=Condition:subject&favourite=blue&_sort=colour&category=&_format=json"
        bundle = found(server, f"Condition?patient=too-old&{ignored}")
        assert link(bundle, "self") == f"{BASE}/Condition?patient=too-old&_count=50"
        assert ids(bundle) == ["too-old-chronic-gvhd"]
        again = link(found(server, f"Observation?code={WEIGHT}&_sort=-date,colour&_count=7"), "self")
        assert again == f"{BASE}/Observation?code=http://loinc.org%7C29463-7&_sort=-date&_count=7"

    def test_a_form_and_the_address_add_up(self, server: FlaskClient) -> None:
        posted = server.post("/fhir/Observation/_search?patient=too-old", data={"code": "2160-0"})
        assert ids(posted.get_json()) == ["too-old-creatinine"]
        assert len(ids(server.post("/fhir/Patient/_search").get_json())) == len(load_stories())


class TestPaging:
    @pytest.mark.parametrize("count", [1, 2, 7, 18, 19, 20])
    def test_all_pages_hold_everything_once(self, server: FlaskClient, count: int) -> None:
        walked = list(pages(server, f"Patient?_count={count}"))
        assert [one for page in walked for one in ids(page)] == [one.patient_id for one in load_stories()]
        assert {page["total"] for page in walked} == {len(load_stories())}
        assert [len(ids(page)) for page in walked[:-1]] == [count] * (len(walked) - 1)

    def test_the_order_holds_over_all_pages(self, server: FlaskClient) -> None:
        whole = ids(found(server, "Observation?patient=too-old&_sort=-date"))
        walked = list(pages(server, "Observation?patient=too-old&_sort=-date&_count=4"))
        assert [one for page in walked for one in ids(page)] == whole
        assert len(walked) > 2

    def test_the_longest_of_our_searches_is_paged(self, server: FlaskClient) -> None:
        query = dict(filled(story("too-old")))["labs"]
        walked = list(pages(server, query.replace("_count=200", "_count=2")))
        assert [one for page in walked for one in ids(page)] == ids(found(server, query))
        assert len(link(walked[0], "next") or "") < 2000

    def test_a_walk_over_midnight_stays_on_its_day(self, server: FlaskClient, days: Days) -> None:
        first = found(server, "Observation?patient=too-old&_count=4")
        days.today = date(2026, 3, 17)
        second = server.get(link(first, "next")).get_json()
        expected = [one for one in story("too-old").resources(TODAY) if one["resourceType"] == "Observation"]
        assert resources(first) + resources(second) == expected[:8]

    def test_a_page_of_last_week_is_gone(self, server: FlaskClient, days: Days) -> None:
        first = found(server, "Patient?_count=4")
        days.today = date(2026, 3, 23)
        outcome(server.get(link(first, "next")), 410)

    def test_the_next_page_of_a_posted_search_names_no_patient(self, server: FlaskClient) -> None:
        posted = server.post("/fhir/Observation/_search", data={"patient": "too-old", "_count": "5"}).get_json()
        address = link(posted, "next")
        assert address and "too-old" not in address
        second = server.get(address).get_json()
        assert len(ids(second)) == 5
        assert link(second, "self") == address

    @pytest.mark.parametrize("token", ["x", "%F0%9F%90%A6", "eJw", CANARY, "A" * 5000, "eNoDAAAAAAE"])
    def test_a_made_up_page_is_refused(self, server: FlaskClient, token: str) -> None:
        outcome(server.get(f"/fhir/Patient?_page={token}"), 400)

    def test_a_page_of_another_type_is_refused(self, server: FlaskClient) -> None:
        address = link(found(server, "Patient?_count=4"), "next") or ""
        outcome(server.get(address.replace("/Patient?", "/Condition?")), 400)

    def test_a_page_is_never_larger_than_the_server_allows(self, server: FlaskClient) -> None:
        assert len(ids(found(server, "Observation"))) == 50
        assert len(ids(found(server, "Observation?_count=999999999999"))) == 200

    def test_a_count_of_zero_asks_for_the_total(self, server: FlaskClient) -> None:
        bundle = found(server, "Patient?_count=0")
        assert bundle["total"] == len(load_stories())
        assert "entry" not in bundle
        assert link(bundle, "next") is None


class TestMetadata:
    def test_the_capability_statement_is_valid_and_says_what_is_there(self, server: FlaskClient) -> None:
        answer = server.get("/fhir/metadata")
        assert answer.content_type == "application/fhir+json"
        body = answer.get_json()
        CapabilityStatement.model_validate(body)
        assert list(valueless(body)) == []
        assert (body["fhirVersion"], body["implementation"]["url"]) == ("4.0.1", BASE)
        (rest,) = body["rest"]
        assert rest["security"] == {"cors": True}
        assert "_include" in rest["documentation"]
        by_type = {one["type"]: one for one in rest["resource"]}
        assert {query.type for query in QUERIES.values()} <= set(by_type)
        assert {one["code"] for one in by_type["Observation"]["interaction"]} == {"read", "search-type"}

    def test_every_parameter_that_is_listed_is_understood(self, server: FlaskClient) -> None:
        """Its name stands in the self link of a search by it."""
        values = {"token": "x", "date": "2026", "reference": "too-old"}
        for one in server.get("/fhir/metadata").get_json()["rest"][0]["resource"]:
            for parameter in one["searchParam"]:
                query = f"{parameter['name']}={values[parameter['type']]}"
                assert f"?{query}&" in (link(found(server, f"{one['type']}?{query}"), "self") or "")


class TestRefusals:
    @pytest.mark.parametrize(
        "address",
        [f"Patient/{CANARY}", f"{CANARY}", f"{CANARY}/1", "FooType/broken-resources-foo", "patient/too-old",
         "Patient/too-old/_history", f"Patient/too-old/_history/{CANARY}", "", "_search", ".well-known/x"],
    )  # fmt: skip
    def test_what_is_not_there_is_404(self, server: FlaskClient, address: str) -> None:
        assert outcome(server.get(f"/fhir/{address}"), 404)["code"] == "not-found"

    @pytest.mark.parametrize(
        ("method", "address"),
        [("POST", "Patient"), ("PUT", "Patient/too-old"), ("PATCH", "Patient/too-old"), ("DELETE", "Patient/too-old"),
         ("POST", "Patient/too-old"), ("GET", "Patient/_search"), ("POST", "metadata"), ("DELETE", "Patient"),
         ("TRACE", "metadata")],
    )  # fmt: skip
    def test_a_wrong_method_is_405(self, server: FlaskClient, method: str, address: str) -> None:
        answer = server.open(f"/fhir/{address}", method=method, data=b"{}")
        assert outcome(answer, 405)["code"] == "not-supported"
        allowed = answer.headers["Allow"].split(", ")
        assert method not in allowed
        assert "OPTIONS" in allowed

    @pytest.mark.parametrize(
        "query",
        ["Observation?date=yesterday", f"Observation?date={CANARY}", "Observation?date=ap2026", "Patient?_count=-1",
         f"Patient?_count={CANARY}", "Patient?_count=1.5", "Observation?code:text=weight", "Observation?code:in=x",
         "Observation?patient:missing=true", "Observation?patient.name=x", "Observation?date=2026-02-30",
         "Observation?date=2026,never"],
    )  # fmt: skip
    def test_what_would_be_answered_wrongly_is_400(self, server: FlaskClient, query: str) -> None:
        outcome(server.get(f"/fhir/{query}"), 400)

    @pytest.mark.parametrize("query", [f"Patient?{CANARY}=1", f"Observation?_sort={CANARY}", "Patient?_include=x"])
    def test_an_unknown_parameter_is_refused_only_where_the_client_is_strict(
        self, server: FlaskClient, query: str
    ) -> None:
        found(server, query, Prefer="handling=lenient")
        outcome(server.get(f"/fhir/{query}", headers={"Prefer": "handling=strict"}), 400)

    @pytest.mark.parametrize("format_name", ["xml", "application/fhir%2Bxml", "text/turtle"])
    def test_only_json_is_served(self, server: FlaskClient, format_name: str) -> None:
        outcome(server.get(f"/fhir/Patient?_format={format_name}"), 406)

    @pytest.mark.parametrize("format_name", ["json", "application/fhir+json", "application/fhir%2Bjson;charset=UTF-8"])
    def test_json_may_be_asked_for(self, server: FlaskClient, format_name: str) -> None:
        found(server, f"Patient?_format={format_name}")

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [(b'{"patient": "too-old"}', "application/json", 415), (b"patient=\xff", FORM, 400), (b"a=b&" * 500, FORM, 400),
         (b"a" * 70000, FORM, 413)],
    )  # fmt: skip
    def test_a_form_that_cannot_be_read_is_refused(
        self, server: FlaskClient, body: bytes, kind: str, status: int
    ) -> None:
        outcome(server.post("/fhir/Condition/_search", data=body, content_type=kind), status)


class TestBrowsers:
    @pytest.mark.parametrize("address", ["/fhir/metadata", "/fhir/Patient/too-old", "/fhir/Condition/_search", "/fhir"])
    def test_a_preflight_is_answered_for_every_origin(self, server: FlaskClient, address: str) -> None:
        asked = {"Origin": "https://sandbox.example", "Access-Control-Request-Method": "POST"}
        answer = server.options(address, headers=asked)
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        allowed = {
            name: set(answer.headers[f"Access-Control-Allow-{name}"].lower().split(", "))
            for name in ("Methods", "Headers")
        }
        assert allowed["Methods"] == {"get", "post", "options"}
        assert {"authorization", "content-type", "accept"} <= allowed["Headers"]

    def test_an_answer_may_be_read_by_every_origin(self, server: FlaskClient) -> None:
        assert server.get("/fhir/Patient").headers["Access-Control-Allow-Origin"] == "*"

    def test_a_defect_may_be_read_as_well(self) -> None:
        class Broken:
            patient_id = "broken"

            def resources(self, today: date) -> list[Mapping[str, Any]]:
                raise RuntimeError(CANARY)

        app = Flask("made", static_folder=None)
        register_errors(app)
        app.register_blueprint(fhir_server(lambda: TODAY, [Broken()]))
        outcome(app.test_client().get("/fhir/Patient"), 500)


@pytest.fixture(scope="module")
def demo() -> FlaskClient:
    return create_demo_app(Settings()).test_client()


class TestMounted:
    def test_only_the_demo_has_the_server(self, demo: FlaskClient) -> None:
        assert demo.get("/fhir/metadata").status_code == 200
        assert create_app(Settings(open_access=True)).test_client().get("/fhir/metadata").status_code == 404

    def test_the_hook_requests_of_the_demo_lead_to_their_records(self, demo: FlaskClient) -> None:
        request = demo.get("/demo/stories/too-old/request").get_json()
        assert request["fhirServer"] == BASE
        patient = demo.get(f"{request['fhirServer']}/Patient/{request['context']['patientId']}")
        assert patient.get_json() == request["prefetch"]["patient"]

    @every_story
    def test_every_page_of_a_story_links_its_patient(self, demo: FlaskClient, one: Story) -> None:
        address = f"{BASE}/Patient/{one.patient_id}"
        assert f'href="{address}"' in demo.get(f"/demo/stories/{one.id}").get_data(as_text=True)
        assert demo.get(address).status_code == 200

    def test_the_server_that_is_named_changes_no_answer(self, demo: FlaskClient) -> None:
        service = "/cds-services/nct06920199-patient-view"
        request = demo.get("/demo/stories/nearly-a-candidate/request").get_json()
        without = {key: value for key, value in request.items() if key != "fhirServer"}
        assert demo.post(service, json=request).get_json() == demo.post(service, json=without).get_json()
