"""Who is let in over HTTP: clients by their tokens, and everybody only where that is switched on."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import app
from cds_service.hooks.signing import claims_of, new_key, public_half, signed
from cds_service.net.servers import Server
from cds_service.settings import Settings
from cds_service.web import cds_hooks
from cds_service.web.cds_hooks import Agreement, Wiring
from cds_service.web.rehearsal import made_up_call
from tests.fake_fhir import fhir_server
from tests.web.calls import SERVICE, call_with_card, valueless

PUBLIC = "https://trialhook.example.org"
ISSUER = "https://ehr.example.org/api/FHIR/R4"
KEY = new_key("ES384", "a")
EPIC_KEY = new_key("RS384", "epic")
CLIENTS: dict[str, list[dict[str, Any]]] = {
    "clients": [
        {"name": "Example Hospital", "issuer": ISSUER, "keys": {"jwks": {"keys": [public_half(KEY)]}}},
        {
            "name": "Epic Hospital",
            "issuer": "https://epic.example.org",
            "keys": {"jwks": {"keys": [public_half(EPIC_KEY)]}},
            "dialect": "epic",
            "evidence": True,
            "trust_null": False,
            "referral": {"system": "urn:oid:1.2.3", "code": "REF1"},
        },
        {
            "name": "New Hospital",
            "issuer": "https://new.example.org",
            "keys": {"jwks": {"keys": [public_half(KEY)]}},
            "dialect": "3.0",
            "language": "zh-CN",
        },
        {
            "name": "Old Hospital",
            "issuer": "https://old.example.org",
            "keys": {"jwks": {"keys": [public_half(KEY)]}},
            "dialect": "1.0",
        },
    ]
}


@pytest.fixture(scope="module")
def clients_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clients") / "clients.yaml"
    path.write_text(json.dumps(CLIENTS))  # JSON is YAML
    return path


@pytest.fixture(scope="module")
def closed(clients_file: Path) -> FlaskClient:
    """The service as a hospital runs it: only clients of the file may call."""
    return app.create_app(Settings(clients_file=clients_file, public_url=PUBLIC + "/")).test_client()


@pytest.fixture(scope="module")
def both(clients_file: Path) -> FlaskClient:
    settings = Settings(clients_file=clients_file, public_url=PUBLIC, open_access=True, cors_origins=("loopback",))
    return app.create_app(settings).test_client()


def token(
    path: str, issuer: str = ISSUER, key: Mapping[str, Any] = KEY, public: str = PUBLIC, **changes: Any
) -> dict[str, str]:
    """The header with a token for an address of the service."""
    claims = claims_of(issuer, public + path, datetime.now(UTC), 300)
    return {"Authorization": f"Bearer {signed(key, claims | changes)}"}


def ask(client: FlaskClient, headers: Mapping[str, str], path: str = SERVICE) -> TestResponse:
    return client.post(path, data=json.dumps(call_with_card()), headers=dict(headers), content_type="application/json")


def is_refused_without_a_reason(answer: TestResponse) -> bool:
    """Every 401 is this one, whatever was wrong."""
    assert answer.get_json() == {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "login", "diagnostics": "Authentication is required."}],
    }
    return answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_client_is_let_in_at_every_address(closed: FlaskClient) -> None:
    assert closed.get("/cds-services", headers=token("/cds-services")).status_code == 200
    assert ask(closed, token(SERVICE)).get_json()["cards"]


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic dTpw", "bearer a.b.c", "Bearer " + "x" * 50_000, "Bearer é", "x" * 99],
    ids=lambda text: text[:12],
)
@pytest.mark.parametrize(
    "path", ["/cds-services", SERVICE, SERVICE + "/feedback", "/cds-services/unknown", "/cds-services/"]
)
def test_without_a_token_nobody_is_let_in(closed: FlaskClient, path: str, authorization: str) -> None:
    """An unknown service, too: who is not let in is not told which there are."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = closed.get(path, headers=headers) if path == "/cds-services" else ask(closed, headers, path)
    assert is_refused_without_a_reason(answer)


def test_every_address_of_cds_hooks_is_behind_the_gate(closed: FlaskClient) -> None:
    """Whatever is added below /cds-services asks for a token as well."""
    routes = [rule for rule in closed.application.url_map.iter_rules() if rule.rule.startswith("/cds-services")]
    assert len(routes) >= 2
    for rule in routes:
        path = rule.rule.replace("<service_id>", "nct06920199-patient-view")
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = closed.open(path, method=method)
            assert answer.status_code == 401, f"{method} {path}"


def test_the_token_of_one_address_is_none_for_another(closed: FlaskClient) -> None:
    assert is_refused_without_a_reason(ask(closed, token("/cds-services")))
    assert is_refused_without_a_reason(closed.get("/cds-services", headers=token(SERVICE)))
    assert is_refused_without_a_reason(closed.get("/cds-services", headers=token("/cds-services/")))


def test_the_host_of_the_request_says_nothing(closed: FlaskClient) -> None:
    """A token made out to another name for this machine is refused, whatever Host the request has."""
    elsewhere = token("/cds-services", public="http://localhost")
    assert is_refused_without_a_reason(closed.get("/cds-services", headers=elsewhere))
    evil = token("/cds-services", public="https://evil.example.org")
    answer = closed.get("/cds-services", headers={**evil, "Host": "evil.example.org", "X-Forwarded-Host": "evil"})
    assert is_refused_without_a_reason(answer)


def test_a_token_is_taken_once(closed: FlaskClient) -> None:
    header = token(SERVICE)
    assert ask(closed, header).status_code == 200
    assert is_refused_without_a_reason(ask(closed, header))


@pytest.mark.parametrize("audience", [SERVICE + "/feedback", SERVICE])
def test_feedback_is_taken_with_a_token_for_its_address_or_for_the_service(closed: FlaskClient, audience: str) -> None:
    body = {"feedback": [{"card": "c1", "outcome": "overridden", "outcomeTimestamp": "2026-03-16T09:00:00Z"}]}
    answer = closed.post(SERVICE + "/feedback", json=body, headers=token(audience))
    assert answer.status_code in (200, 204)
    assert is_refused_without_a_reason(closed.post(SERVICE + "/feedback", json=body, headers=token("/cds-services")))
    assert is_refused_without_a_reason(ask(closed, token(SERVICE + "/feedback")))


def test_a_wrong_method_is_405_for_a_client_only(closed: FlaskClient) -> None:
    assert closed.get(SERVICE, headers=token(SERVICE)).status_code == 405
    assert is_refused_without_a_reason(closed.get(SERVICE))


def test_an_unknown_service_is_404_for_a_client(closed: FlaskClient) -> None:
    assert ask(closed, token("/cds-services/unknown"), "/cds-services/unknown").status_code == 404


def test_the_log_says_why_and_never_the_token(closed: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    header = token("/cds-services", tenant="t1", jti="id-1\nforged line")
    with caplog.at_level(logging.DEBUG):
        ask(closed, header)
    (line,) = [one for one in caplog.messages if one.startswith("401")]
    assert line.startswith("401: its jti is empty, too long or holds control characters (iss 'https://ehr.")
    assert "', tenant 't1', jti 'id-1\\nforged line')" in line
    for part in header["Authorization"].removeprefix("Bearer ").split("."):
        assert part not in caplog.text


def test_an_answer_is_in_the_dialect_of_its_client(closed: FlaskClient) -> None:
    (card,) = ask(closed, token(SERVICE)).get_json()["cards"]
    (epic,) = ask(closed, token(SERVICE, "https://epic.example.org", EPIC_KEY)).get_json()["cards"]
    old_answer = ask(closed, token(SERVICE, "https://old.example.org")).get_json()
    (old,) = old_answer["cards"]
    assert "uuid" in card and "uuid" not in old
    assert (epic["selectionBehavior"], old["selectionBehavior"]) == ("any", "at-most-one")
    assert not list(valueless(old_answer))


def test_every_service_speaks_the_dialect_of_its_client(closed: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cds_hooks, "spoken", lambda dialect, answer: {"cards": [], "in": dialect})
    services = closed.get("/cds-services", headers=token("/cds-services")).get_json()["services"]
    for service in services:
        path = f"/cds-services/{service['id']}"
        call = made_up_call(service["hook"], date.today())
        for issuer, dialect in ((ISSUER, "2.0"), ("https://old.example.org", "1.0")):
            assert closed.post(path, json=call, headers=token(path, issuer)).get_json() == {"cards": [], "in": dialect}


def test_what_is_made_of_settings_is_made_for_each_client() -> None:
    """A part that is the same for everybody is named here; every other belongs into what is agreed with a client."""
    the_same = {"services", "protocol", "today", "keep", "gate", "agreement", "watch", "in_full", "reviews", "client"}
    assert {part.name for part in fields(Wiring)} - {part.name for part in fields(Agreement)} == the_same


def test_an_answer_has_the_evidence_and_the_coding_that_its_client_wants(closed: FlaskClient) -> None:
    (plain,) = ask(closed, token(SERVICE)).get_json()["cards"]
    (epic,) = ask(closed, token(SERVICE, "https://epic.example.org", EPIC_KEY)).get_json()["cards"]
    held = [one for one in epic["extension"]["org.trialhook.screening"]["criteria"] if "evidence" in one]
    assert held and not any("evidence" in one for one in plain["extension"]["org.trialhook.screening"]["criteria"])
    order = epic["suggestions"][0]["actions"][0]["resource"]["code"]
    assert order["coding"] == [{"system": "urn:oid:1.2.3", "code": "REF1"}]
    assert "coding" not in plain["suggestions"][0]["actions"][0]["resource"]["code"]


def test_a_card_is_in_the_language_of_its_client(closed: FlaskClient) -> None:
    (card,) = ask(closed, token(SERVICE)).get_json()["cards"]
    (chinese,) = ask(closed, token(SERVICE, "https://new.example.org")).get_json()["cards"]
    assert card["summary"].isascii()
    assert "慢性" in chinese["summary"]


def test_null_is_believed_of_those_who_mean_it(closed: FlaskClient) -> None:
    """The entry of Epic Hospital says that null may stand for what was not asked."""
    body = call_with_card()
    body["prefetch"]["allergies"] = None
    states = []
    for issuer, key in ((ISSUER, KEY), ("https://epic.example.org", EPIC_KEY)):
        (card,) = closed.post(SERVICE, json=body, headers=token(SERVICE, issuer, key)).get_json()["cards"]
        states.append(card["extension"]["org.trialhook.screening"]["searched"]["allergies"]["state"])
    assert states == ["none", "absent"]


def test_versions_are_told_to_those_who_know_them(closed: FlaskClient) -> None:
    path = "/cds-services"

    def services(issuer: str = ISSUER) -> list[dict[str, object]]:
        found: list[dict[str, object]] = closed.get(path, headers=token(path, issuer)).get_json()["services"]
        return found

    usual = services()
    assert services("https://new.example.org") == [one | {"version": "3.0.0", "hookVersion": "1.0"} for one in usual]
    assert services("https://old.example.org") == [
        {key: value for key, value in one.items() if key != "usageRequirements"} for one in usual
    ]


def test_with_open_access_a_client_is_still_itself(both: FlaskClient) -> None:
    (card,) = ask(both, token(SERVICE, "https://old.example.org")).get_json()["cards"]
    assert "uuid" not in card


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic dTpw"}],
    ids=str,
)
def test_with_open_access_others_are_let_in(both: FlaskClient, headers: Mapping[str, str]) -> None:
    assert ask(both, headers).status_code == 200


def test_with_open_access_a_stranger_with_a_token_is_let_in_and_logged(
    both: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The public Sandbox sends a token of an issuer that should be on no list."""
    assert ask(both, token(SERVICE, "https://sandbox.cds-hooks.org", new_key("ES384"))).status_code == 200
    (line,) = [one for one in caplog.messages if one.startswith("served as open access")]
    assert line.startswith(
        "served as open access: its issuer is not in the clients file (iss 'https://sandbox.cds-hooks.org', jti "
    )


def test_with_open_access_a_wrong_token_of_a_known_issuer_is_refused(both: FlaskClient) -> None:
    """An EHR whose token is wrong is told so, rather than served as a stranger with other settings."""
    assert is_refused_without_a_reason(ask(both, token(SERVICE, key=new_key("ES384", "a"))))
    assert is_refused_without_a_reason(ask(both, token("/cds-services")))


def test_the_other_pages_need_no_token(closed: FlaskClient) -> None:
    assert closed.get("/protocol/nct06920199").status_code == 200


def words_of(settings: Settings, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        app.create_app(settings)
    assert stopped.value.code == 3
    return capsys.readouterr().err


def test_without_clients_and_open_access_nothing_starts(capsys: pytest.CaptureFixture[str]) -> None:
    said = words_of(Settings(), capsys)
    assert said.startswith("Trialhook does not start. Nobody could call it.")
    for variable in ("TRIALHOOK_CLIENTS_FILE=/", "TRIALHOOK_PUBLIC_URL=https://", "TRIALHOOK_OPEN_ACCESS=true"):
        assert variable in said


def test_clients_need_to_know_the_address(clients_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "TRIALHOOK_PUBLIC_URL=https://trialhook" in words_of(Settings(clients_file=clients_file), capsys)


def test_servers_without_anybody_who_may_use_them_are_refused(
    clients_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"clients_file": clients_file, "public_url": PUBLIC, "fhir_servers": "https://ehr.example.org/fhir"}
    assert "under fhir_servers" in words_of(Settings.model_validate(environment), capsys)


def test_a_mistake_in_the_clients_file_stops_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "clients.yaml"
    path.write_text("clients:\n  - name: Example Hospital\n    issuer: https://ehr.example.org\n")
    said = words_of(Settings(clients_file=path, public_url=PUBLIC), capsys)
    assert (
        "clients.yaml, client 1 (Example Hospital), keys: this key is missing. Write for example keys: {jku: " in said
    )


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[tuple[Path, FlaskClient]]:
    path = tmp_path / "clients.yaml"
    path.write_text(json.dumps(CLIENTS))
    yield path, app.create_app(Settings(clients_file=path, public_url=PUBLIC)).test_client()


def test_a_new_hospital_needs_no_restart(changing: tuple[Path, FlaskClient]) -> None:
    path, client = changing
    newcomer = CLIENTS["clients"][0] | {"name": "Newcomer", "issuer": "https://newcomer.example.org"}
    assert ask(client, token(SERVICE, "https://newcomer.example.org")).status_code == 401
    path.write_text(json.dumps({"clients": [newcomer]}))
    assert ask(client, token(SERVICE, "https://newcomer.example.org")).status_code == 200
    assert ask(client, token(SERVICE)).status_code == 401


def test_a_broken_new_version_changes_nothing_and_is_logged(
    changing: tuple[Path, FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    path, client = changing
    path.write_text("clients: [")
    assert ask(client, token(SERVICE)).status_code == 200
    assert ask(client, token(SERVICE)).status_code == 200
    (line,) = [one for one in caplog.messages if "clients file" in one]
    assert "stays in force. clients.yaml: expected YAML" in line


def test_only_the_servers_of_a_client_are_called_for_it(tmp_path: Path) -> None:
    """What is allowed for one client, or for open access, is not for another."""
    with fhir_server({}) as own, fhir_server({}) as others:
        entries = [
            CLIENTS["clients"][number] | {"fhir_servers": [f"{server.base} private insecure"]}
            for number, server in enumerate((own, others))
        ]
        path = tmp_path / "clients.yaml"
        path.write_text(json.dumps({"clients": entries}))
        settings = Settings(
            clients_file=path,
            public_url=PUBLIC,
            open_access=True,
            fhir_servers=(Server(others.base, private=True),),
        )
        client = app.create_app(settings).test_client()
        access = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "", "subject": "us"}
        body = {name: one for name, one in call_with_card().items() if name != "prefetch"}
        for server in (others, own):
            message = body | {"fhirServer": server.base, "fhirAuthorization": access}
            assert client.post(SERVICE, json=message, headers=token(SERVICE)).status_code == 412
        assert (len(others.asked), len(own.asked) > 0) == (0, True)
        client.post(SERVICE, json=body | {"fhirServer": others.base, "fhirAuthorization": access})
        assert others.asked
