"""Browsers: pages of the origins that are set may call and read every answer, and no others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import app
from cds_service.settings import Settings, WrongSetting, load_settings
from cds_service.trials.protocol import Protocol
from tests.web.calls import SERVICE, app_of, call_with_card, wiring

ORIGIN = "https://sandbox.example.org"
ALLOWED = "Access-Control-Allow-Origin"
PATHS = ["/cds-services", SERVICE, SERVICE + "/feedback"]


def service(protocol: Protocol, *origins: str) -> FlaskClient:
    return app_of(wiring(protocol, settings=Settings(cors_origins=origins, open_access=True))).test_client()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A service to which nobody has the key yet."""
    path = tmp_path_factory.mktemp("clients") / "clients.yaml"
    path.write_text(
        "clients:\n  - name: A\n    issuer: https://a.example.org\n    keys: {jku: https://a.example.org/jwks}\n"
    )
    settings = Settings(clients_file=path, public_url="https://trialhook.example.org", cors_origins=(ORIGIN,))
    return app.create_app(settings).test_client()


def preflight(client: FlaskClient, path: str, origin: str, headers: str = "authorization,content-type") -> TestResponse:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET" if path == "/cds-services" else "POST",
        "Access-Control-Request-Headers": headers,
    }
    return client.options(path, headers=asked)


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_needs_no_token_and_says_what_may_be_sent(closed: FlaskClient, path: str) -> None:
    answer = closed.options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    assert answer.status_code in (200, 204)
    assert answer.headers[ALLOWED] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, OPTIONS, POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert answer.headers["Access-Control-Max-Age"] == "3600"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/cds-services", 401),
    ("POST", SERVICE, 401),
    ("POST", "/cds-services/unknown", 401),
    ("PUT", SERVICE, 401),
])  # fmt: skip
def test_a_refusal_can_be_read(closed: FlaskClient, method: str, path: str, status: int) -> None:
    answer = closed.open(path, method=method, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers.getlist(ALLOWED)) == (status, [ORIGIN])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/cds-services", b"", 200),
        ("POST", SERVICE, b"{", 400),
        ("POST", SERVICE, b"{}", 422),
        ("POST", "/cds-services/unknown", b"{}", 404),
        ("PUT", SERVICE, b"{}", 405),
        ("GET", "/cds-services/a/b/c", b"", 404),
    ],
)
def test_every_answer_can_be_read(protocol: Protocol, method: str, path: str, body: bytes, status: int) -> None:
    answer = service(protocol, ORIGIN).open(path, method=method, data=body, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers.getlist(ALLOWED)) == (status, [ORIGIN])
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Request-Id"  # by which an operator finds the line


def test_a_failure_of_ours_can_be_read(protocol: Protocol) -> None:
    def broken(*_: object) -> list[object]:
        raise RuntimeError

    parts = wiring(protocol, broken, Settings(cors_origins=(ORIGIN,)))  # type: ignore[arg-type]
    answer = app_of(parts).test_client().post(SERVICE, json=call_with_card(), headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers.getlist(ALLOWED)) == (500, [ORIGIN])


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.org",
        ORIGIN + ".evil.example.org",
        ORIGIN + ":8443",
        "http://sandbox.example.org",
        "https://sandboxXexample.org",
        "null",
        "*",
        "http://localhost:3000",
    ],
)
def test_other_pages_are_told_nothing(protocol: Protocol, origin: str) -> None:
    client = service(protocol, ORIGIN)
    for answer in (client.get("/cds-services", headers={"Origin": origin}), preflight(client, SERVICE, origin)):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_whoever_sends_no_origin_is_not_told_the_list(protocol: Protocol) -> None:
    answer = service(protocol, ORIGIN, "https://other.example.org").get("/cds-services")
    assert ALLOWED not in answer.headers


def test_without_a_setting_no_page_may_call(protocol: Protocol) -> None:
    assert ALLOWED not in service(protocol).get("/cds-services", headers={"Origin": ORIGIN}).headers


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8080", True),
        ("http://localhost", True),
        ("https://127.0.0.1:5173", True),
        ("http://[::1]:8080", True),
        ("http://localhost.evil.example", False),
        ("http://localhost:8080.evil.example", False),
        ("http://127.0.0.10", False),
        ("http://evil.example/localhost", False),
        ("ftp://localhost", False),
    ],
)
def test_loopback_is_any_page_on_the_same_machine(protocol: Protocol, origin: str, allowed: bool) -> None:
    answer = service(protocol, "loopback").get("/cds-services", headers={"Origin": origin})
    assert answer.headers.getlist(ALLOWED) == ([origin] if allowed else [])


def test_the_demo_may_be_called_from_this_machine_and_from_the_public_sandbox() -> None:
    demo = app.create_demo_app(Settings()).test_client()
    for origin in ("http://localhost:8080", "https://sandbox.cds-hooks.org"):
        assert demo.get("/cds-services", headers={"Origin": origin}).headers[ALLOWED] == origin
    assert ALLOWED not in demo.get("/cds-services", headers={"Origin": "https://evil.example.org"}).headers
    assert demo.get("/fhir/Patient", headers={"Origin": "https://evil.example.org"}).headers[ALLOWED] == "*"


def test_other_pages_of_ours_are_not_opened(protocol: Protocol) -> None:
    answer = service(protocol, ORIGIN).get("/protocol/nct06920199", headers={"Origin": ORIGIN})
    assert ALLOWED not in answer.headers


@pytest.mark.parametrize("path", ["/cds-services/", SERVICE + "/"])
def test_a_slash_at_the_end_is_no_redirect(protocol: Protocol, path: str) -> None:
    """A redirect breaks a preflight."""
    answer = preflight(service(protocol, ORIGIN), path, ORIGIN)
    assert answer.status_code in (200, 204)


@pytest.mark.parametrize(
    ("written", "origins"),
    [
        ("https://a.example.org, http://b.example.org:8080", ("https://a.example.org", "http://b.example.org:8080")),
        ("HTTPS://A.example.org", ("https://a.example.org",)),
        ("loopback", ("loopback",)),
        ("http://[::1]:8080", ("http://[::1]:8080",)),
    ],
)
def test_origins_are_a_setting(monkeypatch: pytest.MonkeyPatch, written: str, origins: Sequence[str]) -> None:
    monkeypatch.setenv("TRIALHOOK_CORS_ORIGINS", written)
    assert load_settings().cors_origins == origins


@pytest.mark.parametrize(
    "written",
    [
        "*",
        "https://*.example.org",
        "https://a.example.org/",
        "https://a.example.org/x",
        "a.example.org",
        "null",
        "https://a?b",
    ],
)
def test_an_origin_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("TRIALHOOK_CORS_ORIGINS", written)
    with pytest.raises(WrongSetting, match="TRIALHOOK_CORS_ORIGINS: expected origins with commas"):
        load_settings()
