"""The service in production form, over a real socket."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from cds_service.fhir.queries import prefetch_templates
from cds_service.hooks.signing import claims_of, new_key, public_half, signed
from tests.web.calls import SERVICE, call, condition

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 60.0
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int, app: str = "app:create_app()", **settings: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", app]
    others = {name: value for name, value in os.environ.items() if not name.upper().startswith("TRIALHOOK_")}
    others["TRIALHOOK_DATABASE_URL"] = os.environ["TRIALHOOK_DATABASE_URL"]
    environment = {**others, "BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1", "TRIALHOOK_OPEN_ACCESS": "true"}
    environment |= settings
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def client() -> Iterator[requests.Session]:
    """A session that passes by any proxy: the server is on this machine."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def site(client: requests.Session) -> Iterator[str]:
    """A server that takes bodies of at most 100 000 bytes."""
    with running(client, TRIALHOOK_LARGEST_BODY="100000") as address:
        yield address


@contextlib.contextmanager
def running(client: requests.Session, app: str = "app:create_app()", **settings: str) -> Iterator[str]:
    """The address of a server while it runs."""
    port = free_port()
    server = start(port, app, **settings)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(client, address, server)
        yield address
    finally:
        server.terminate()
        server.communicate(timeout=30)


def wait_until_ready(client: requests.Session, address: str, server: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit and server.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            client.get(f"{address}/cds-services", timeout=30)
            return
        time.sleep(0.1)
    server.kill()
    pytest.fail(f"the server did not start:\n{server.communicate()[0].decode()}")


def pieces(size: int) -> Iterator[bytes]:
    """A body of this size in pieces, which requests sends chunked."""
    body = json.dumps(call(condition("Essential hypertension"))).encode().ljust(size)
    yield from (body[start : start + 8192] for start in range(0, size, 8192))


def test_discovery(client: requests.Session, site: str) -> None:
    answer = client.get(f"{site}/cds-services", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["services"][0]["id"] == "nct06920199-patient-view"


def test_a_call(client: requests.Session, site: str) -> None:
    answer = client.post(site + SERVICE, json=call(condition("Essential hypertension")), timeout=10)
    assert (answer.status_code, answer.content) == (200, b'{"cards":[]}')


def test_a_chunked_body_within_the_limit_is_taken_whole(client: requests.Session, site: str) -> None:
    answer = client.post(site + SERVICE, data=pieces(100_000), timeout=10)
    assert (answer.status_code, answer.content) == (200, b'{"cards":[]}')


@pytest.mark.parametrize("size", [100_001, 190_000])
def test_a_chunked_body_over_the_limit_is_413_and_not_cut(client: requests.Session, site: str, size: int) -> None:
    answer = client.post(site + SERVICE, data=pieces(size), timeout=10)
    assert answer.status_code == 413
    assert answer.json()["issue"][0]["code"] == "too-long"


@pytest.mark.parametrize("size", [100_001, 190_000])
def test_a_body_that_says_it_is_too_long_is_413(client: requests.Session, site: str, size: int) -> None:
    assert client.post(site + SERVICE, data=b" " * size, timeout=10).status_code == 413


def test_after_a_refusal_the_next_call_is_answered(client: requests.Session, site: str) -> None:
    client.post(site + SERVICE, data=pieces(150_000), timeout=10)
    assert client.post(site + SERVICE, json=call(), timeout=10).status_code == 200


def test_a_body_that_breaks_off_does_not_stop_the_server(client: requests.Session, site: str) -> None:
    host, port = site.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"POST {SERVICE} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{{".encode())
        connection.shutdown(socket.SHUT_WR)
        status = connection.makefile("rb").readline()
    assert status == b"" or b" 400 " in status
    assert client.get(f"{site}/cds-services", timeout=10).status_code == 200


def test_a_misspelt_setting_stops_the_start_with_a_message_and_no_traceback() -> None:
    server = start(free_port(), TRIALHOOK_SITE_TIME_ZONE="UTC")
    output = server.communicate(timeout=START_LIMIT)[0].decode()
    assert server.returncode == 3
    assert "did you mean TRIALHOOK_SITE_TIMEZONE?" in output
    assert "create_app" not in output


def test_the_demo_answers_the_longest_search_and_any_worker_its_pages(client: requests.Session) -> None:
    """The search for labs names every code in its address; a worker understands the page links of another."""
    search = prefetch_templates()["labs"].replace("{{context.patientId}}", "too-old")
    with running(client, "app:create_demo_app()", WEB_CONCURRENCY="2") as address:
        whole = client.get(f"{address}/fhir/{search}", timeout=10).json()
        next_page: str | None = f"{address}/fhir/{search.replace('_count=200', '_count=1')}"
        walked = []
        while next_page:
            page = requests.get(next_page, timeout=10, proxies={"http": ""}).json()
            walked += page["entry"]
            next_page = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    assert whole["total"] == len(whole["entry"]) > 1
    assert walked == whole["entry"]


def test_a_service_for_clients_only(client: requests.Session, tmp_path: Path) -> None:
    """A refusal reaches a client that sends a whole record; a right token is taken once, by whichever worker."""
    key = new_key("ES384", "a")
    path = tmp_path / "clients.yaml"
    entry = {"name": "A", "issuer": "https://a.example.org", "keys": {"jwks": {"keys": [public_half(key)]}}}
    path.write_text(json.dumps({"clients": [entry]}))
    public = "https://trialhook.example.org"
    body = json.dumps(call(condition("Essential hypertension"))).encode().ljust(2_000_000)
    settings = {"TRIALHOOK_CLIENTS_FILE": str(path), "TRIALHOOK_PUBLIC_URL": public, "TRIALHOOK_OPEN_ACCESS": "false"}
    with running(client, WEB_CONCURRENCY="2", **settings) as address:
        for connection in ("keep-alive", "close"):
            refused = client.post(address + SERVICE, data=body, headers={"Connection": connection}, timeout=10)
            assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        for _ in range(4):
            token = signed(key, claims_of("https://a.example.org", public + SERVICE, datetime.now(UTC), 300))
            taken = client.post(address + SERVICE, data=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)
            assert (taken.status_code, taken.content) == (200, b'{"cards":[]}')
        again = [
            client.post(
                address + SERVICE, data=body, headers={"Authorization": f"Bearer {token}"}, timeout=10
            ).status_code
            for _ in range(6)
        ]
        assert set(again) == {401}
        long = client.get(f"{address}/cds-services", headers={"Authorization": f"Bearer {'x' * 16_000}"}, timeout=10)
        assert long.status_code == 401


def test_without_clients_and_open_access_the_start_is_stopped() -> None:
    server = start(free_port(), TRIALHOOK_OPEN_ACCESS="")
    output = server.communicate(timeout=START_LIMIT)[0].decode()
    assert server.returncode == 3
    assert "Trialhook does not start. Nobody could call it. Set TRIALHOOK_CLIENTS_FILE=" in output
