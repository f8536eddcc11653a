"""One call over a real socket: what arrives, and every way in which it can go wrong."""

from __future__ import annotations

import contextlib
import gzip
import logging
import random
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from cds_service.net.calls import Guard
from cds_service.net.failures import CallFailed, TookTooLong
from cds_service.net.servers import Server
from tests.fake_server import Answer, Asked, FakeServer, Reply, serving

TOKEN = "canary-token-c0ffee"
CERTIFICATES = Path(__file__).parent / "certificates"
# A budget that every good answer meets, and a bound that only a call without end misses.
BUDGET = 1.0
LATEST = 5.0


def allowed(running: FakeServer) -> Server:
    return Server(running.base, private=True)


def call(running: FakeServer, path: str = "/Patient/p1", seconds: float = BUDGET, **options: Any) -> bytes:
    server = allowed(running)
    with Guard([server]).line(server, seconds) as line:
        return line.ask(running.base + path, TOKEN, **options)


def failure(answer: Answer, **options: Any) -> CallFailed:
    """Why a call fails; in time, and without a word of the token or of the patient."""
    start = time.monotonic()
    with serving(answer) as running, pytest.raises(CallFailed) as failed:
        call(running, **options)
    assert time.monotonic() - start < LATEST
    assert TOKEN not in repr(failed.value)
    assert "p1" not in str(failed.value)
    return failed.value


def test_a_get_brings_the_body_and_carries_the_token() -> None:
    with serving(lambda reply, _: reply.json({"a": 1})) as running:
        assert call(running) == b'{"a": 1}'
    (asked,) = running.asked
    assert (asked.method, asked.target) == ("GET", "/fhir/Patient/p1")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Accept"] == "application/fhir+json"


def test_a_form_is_posted() -> None:
    with serving(lambda reply, _: reply.json({})) as running:
        call(running, "/Condition/_search", form={"patient": "p1"})
    (asked,) = running.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/fhir/Condition/_search", b"patient=p1")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_an_exchange_brings_any_status_with_headers_and_body(status: int) -> None:
    with serving(lambda reply, _: reply.send(b"x", status, Location="/fhir/other")) as running:
        server = allowed(running)
        with Guard([server]).line(server, BUDGET) as line:
            came = line.exchange("OPTIONS", f"{running.base}/a", {"Origin": "https://e.org"}, b"{}")
    (asked,) = running.asked
    assert (asked.method, asked.headers["Origin"], asked.body) == ("OPTIONS", "https://e.org", b"{}")
    assert (came.status, came.headers["location"], came.body) == (status, "/fhir/other", b"x")


def test_an_exchange_keeps_to_the_server_and_to_the_size() -> None:
    with serving(lambda reply, _: reply.send(b"xx")) as running:
        server = allowed(running)
        with Guard([server]).line(server, BUDGET) as line:
            with pytest.raises(CallFailed):
                line.exchange("GET", f"{running.origin}/elsewhere", {})
            with pytest.raises(CallFailed):
                line.exchange("GET", running.base, {}, most=1)
    assert [asked.path for asked in running.asked] == ["/fhir"]


def test_a_compressed_answer_is_read() -> None:
    with serving(lambda reply, _: reply.send(gzip.compress(b"{}"), Content_Encoding="gzip")) as running:
        assert call(running) == b"{}"


def test_a_chunked_answer_is_read() -> None:
    def answer(reply: Reply, _: Asked) -> None:
        reply.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")

    with serving(answer) as running:
        assert call(running) == b"{}"


def test_two_calls_share_a_connection() -> None:
    with serving(lambda reply, _: reply.json({})) as running:
        server = allowed(running)
        with Guard([server]).line(server, LATEST) as line:
            assert [line.ask(running.base, TOKEN) for _ in range(5)] == [b"{}"] * 5


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410, 500, 503])
def test_every_other_status_is_a_failure_that_names_it(status: int) -> None:
    assert str(status) in str(failure(lambda reply, _: reply.send(b"", status)))


@pytest.mark.parametrize("status", [429, 503])
def test_nobody_waits_because_a_server_says_so(status: int) -> None:
    """Retry-After: an hour. The call is made once."""
    with serving(lambda reply, _: reply.send(b"", status, Retry_After="3600")) as running:
        start = time.monotonic()
        with pytest.raises(CallFailed):
            call(running, seconds=LATEST)
        assert time.monotonic() - start < LATEST
        assert len(running.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with serving(lambda reply, _: reply.json({})) as other:
        assert str(status) in str(failure(lambda reply, _: reply.send(b"", status, Location=f"{other.base}/x")))
    assert not other.asked


def test_the_body_of_a_redirect_is_not_read() -> None:
    """A client that gets ready to follow one reads all of it."""

    def answer(reply: Reply, _: Asked) -> None:
        reply.raw(b"HTTP/1.1 302 Found\r\nLocation: /fhir/y\r\nContent-Length: 100000000\r\n\r\n")
        reply.wait()

    assert "302" in str(failure(answer))


# What comes at once, what comes byte by byte, and how many seconds lie between two bytes.
DRIPS: dict[str, tuple[bytes, bytes, float]] = {
    "header": (b"", b"HTTP/1.1 200 OK\r\n" + b"X-Padding: x\r\n" * 50, 0.05),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" " * 1000, 0.05),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 200, 0.05),
    "endless": (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 1000, 0.05),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.01),
}


@pytest.mark.parametrize("where", DRIPS)
def test_a_dripping_server_costs_only_the_budget(where: str) -> None:
    at_once, slowly, each = DRIPS[where]

    def answer(reply: Reply, _: Asked) -> None:
        reply.raw(at_once)
        reply.drip(slowly, each)

    assert isinstance(failure(answer), TookTooLong)


def test_a_silent_server_costs_only_the_budget() -> None:
    assert isinstance(failure(lambda reply, _: reply.wait()), TookTooLong)


def test_a_server_that_takes_no_connection_costs_only_the_budget() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        for one in filling:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        start = time.monotonic()
        with pytest.raises(CallFailed):
            call(FakeServer(f"http://127.0.0.1:{port}", port))
        for one in filling:
            one.close()
    assert time.monotonic() - start < LATEST


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(CallFailed, match="could not be reached"):
        call(FakeServer(f"http://127.0.0.1:{port}", port))


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    reason = failure(lambda reply, _: reply.send(bomb, Content_Encoding="gzip"), seconds=LATEST, most=1_000_000)
    assert "larger" in str(reason)


def test_a_bomb_in_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))
    reason = failure(lambda reply, _: reply.send(bomb, Content_Encoding="gzip, gzip"), seconds=LATEST, most=1_000_000)
    assert "larger" in str(reason)


@pytest.mark.parametrize(("size", "most", "fits"), [(1000, 1000, True), (1001, 1000, False)])
def test_the_size_is_bounded_to_the_byte(size: int, most: int, fits: bool) -> None:
    with serving(lambda reply, _: reply.send(b" " * size)) as running:
        if fits:
            assert len(call(running, most=most)) == size
        else:
            with pytest.raises(CallFailed, match="larger"):
                call(running, most=most)


BROKEN: list[bytes] = [
    b"",
    b"\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: " + b"gzip, " * 50 + b"gzip\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"\x16\x03\x01\x00\xa5\x01\x00\x00",
]


@pytest.mark.parametrize("sent", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_answer_is_a_failure_and_never_a_crash(sent: bytes) -> None:
    def answer(reply: Reply, _: Asked) -> None:
        reply.raw(sent)
        reply.hang_up()

    failure(answer, seconds=LATEST)


def test_whatever_bytes_come_back_the_call_fails_or_brings_a_body() -> None:
    """Three hundred answers with a few bytes changed, mostly in their headers."""
    drawn = random.Random(20260316)
    packed = gzip.compress(b'{"resourceType": "Bundle"}')
    whole = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    current = bytearray()

    def answer(reply: Reply, _: Asked) -> None:
        reply.raw(bytes(current))
        reply.hang_up()

    with serving(answer) as running:
        for _ in range(300):
            current[:] = whole
            for _ in range(drawn.randint(1, 4)):
                at = drawn.randrange(len(current))
                current[at : at + drawn.randint(0, 3)] = drawn.choice(
                    [b"", b"\r\n", b"\x00", b"-1", drawn.randbytes(2)]
                )
            with contextlib.suppress(CallFailed):
                assert isinstance(call(running, seconds=LATEST), bytes)


def test_a_content_length_that_is_too_short_cuts_the_body() -> None:
    with serving(lambda reply, _: reply.send(b'{"a": 1}', Content_Length="3")) as running:
        assert call(running) == b'{"a'


def test_an_address_outside_the_base_is_not_called() -> None:
    with serving(lambda reply, _: reply.json({})) as running, serving(lambda reply, _: reply.json({})) as other:
        server = allowed(running)
        with Guard([server]).line(server, BUDGET) as line:
            for address in (f"{other.base}/Patient", f"{running.origin}/admin", f"{running.base}/../admin"):
                with pytest.raises(CallFailed, match="leads away"):
                    line.ask(address, TOKEN)
    assert not running.asked
    assert not other.asked


def test_what_the_environment_says_of_passwords_and_proxies_is_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(lambda reply, _: reply.json({})) as running:
        call(running)
    assert running.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_no_cookie_comes_back() -> None:
    with serving(lambda reply, _: reply.json({}, Set_Cookie="session=1; Path=/")) as running:
        server = allowed(running)
        with Guard([server]).line(server, BUDGET) as line:
            line.ask(running.base, TOKEN)
            line.ask(running.base, TOKEN)
    assert [asked.headers.get("Cookie") for asked in running.asked] == [None, None]


def named(monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, int]) -> list[str]:
    """Makes every name lead to these addresses, one look-up after the other; the names that were asked for."""
    left, asked = list(answers), []
    real = socket.getaddrinfo

    def look(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return real(*left.pop(0), type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", look)
    return asked


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda reply, _: reply.json({})) as running, serving(lambda reply, _: reply.json({})) as other:
        asked = named(monkeypatch, ("127.0.0.1", running.port), ("127.0.0.1", other.port))
        base = f"http://ehr.hospital.test:{running.port}/fhir"
        server = Server(base, private=True)
        with Guard([server]).line(server, BUDGET) as line:
            line.ask(base, TOKEN)
            line.ask(base, TOKEN)
    assert asked == ["ehr.hospital.test"]
    assert running.asked[0].headers["Host"] == f"ehr.hospital.test:{running.port}"
    assert not other.asked


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    named(monkeypatch, (address, 443))
    server = Server("https://ehr.example.org/fhir")
    with pytest.raises(CallFailed, match="address that is not allowed"):
        Guard([server]).line(server, BUDGET)


def test_a_resolver_that_sleeps_costs_only_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: Any, **__: Any) -> list[Any]:
        time.sleep(LATEST)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look)
    server = Server("https://ehr.example.org/fhir")
    start = time.monotonic()
    with pytest.raises(TookTooLong):
        Guard([server]).line(server, 0.2)
    assert time.monotonic() - start < LATEST / 2


def test_the_next_address_is_tried_where_one_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda reply, _: reply.json({})) as running:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, running.port)) for one in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
        base = f"http://ehr.hospital.test:{running.port}/fhir"
        server = Server(base, private=True)
        with Guard([server]).line(server, LATEST) as line:
            assert line.ask(base, TOKEN) == b"{}"


def test_an_ipv6_address_is_spelt_in_brackets_and_reached() -> None:
    """The machine of the tests may have no IPv6; then nobody is reached, and nobody else is either."""
    server = Server.parse("http://[::1]:9/fhir private insecure")
    with Guard([server]).line(server, BUDGET) as line, pytest.raises(CallFailed, match="could not be reached"):
        line.ask(server.base, TOKEN)


# TLS


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem")
    return context


def secure_call(
    monkeypatch: pytest.MonkeyPatch, running: FakeServer, name: str, ca_file: Path | None, proxy: str | None = None
) -> bytes:
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", running.port))],
    )
    server = Server(f"https://{name}:{running.port}/fhir", private=True)
    with Guard([server], proxy, ca_file).line(server, LATEST) as line:
        return line.ask(f"{server.base}/Patient/p1", TOKEN)


def test_a_private_authority_is_trusted_when_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda reply, _: reply.json({}), tls()) as running:
        assert secure_call(monkeypatch, running, "fhir.hospital.test", CERTIFICATES / "authority.pem") == b"{}"


@pytest.mark.parametrize(
    ("name", "ca_file"), [("fhir.hospital.test", None), ("other.hospital.test", CERTIFICATES / "authority.pem")]
)
def test_an_unknown_authority_or_another_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, ca_file: Path | None
) -> None:
    """The connection goes to a checked address, and still the name must be in the certificate."""
    with serving(lambda reply, _: reply.json({}), tls()) as running:
        with pytest.raises(CallFailed, match="no certificate that is trusted"):
            secure_call(monkeypatch, running, name, ca_file)
        assert not running.asked


def test_a_dripping_body_behind_tls_costs_only_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(reply: Reply, _: Asked) -> None:
        reply.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        reply.drip(b" " * 1000)

    with serving(answer, tls()) as running:
        monkeypatch.setattr("tests.net.test_calls.LATEST", 0.5)
        start = time.monotonic()
        with pytest.raises(TookTooLong):
            secure_call(monkeypatch, running, "fhir.hospital.test", CERTIFICATES / "authority.pem")
        assert time.monotonic() - start < 5


def test_a_handshake_that_never_ends_costs_only_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        port = deaf.getsockname()[1]
        monkeypatch.setattr("tests.net.test_calls.LATEST", 0.5)
        start = time.monotonic()
        with pytest.raises(TookTooLong):
            secure_call(monkeypatch, FakeServer("", port), "fhir.hospital.test", None)
        assert time.monotonic() - start < 5


# Proxy


def test_a_public_server_is_called_through_the_proxy() -> None:
    """The name is not looked up here: the proxy does."""
    with serving(lambda reply, _: reply.json({"by": "proxy"})) as proxy:
        server = Server.parse("http://ehr.example.org/fhir insecure")
        with Guard([server], f"http://user:secret@127.0.0.1:{proxy.port}").line(server, BUDGET) as line:
            assert line.ask(f"{server.base}/Patient/p1", TOKEN) == b'{"by": "proxy"}'
    assert proxy.asked[0].target == "http://ehr.example.org/fhir/Patient/p1"
    assert proxy.asked[0].headers["Proxy-Authorization"].startswith("Basic ")


def test_over_https_the_proxy_sees_neither_token_nor_patient() -> None:
    with serving(lambda reply, _: reply.send(b"", 403)) as proxy:
        server = Server.parse("https://ehr.example.org/fhir")
        with (
            Guard([server], f"http://127.0.0.1:{proxy.port}").line(server, BUDGET) as line,
            pytest.raises(CallFailed, match="proxy"),
        ):
            line.ask(f"{server.base}/Patient/p1", TOKEN)
    (asked,) = proxy.asked
    assert (asked.method, asked.target) == ("CONNECT", "ehr.example.org:443")
    assert TOKEN not in str(asked)


def test_a_private_server_is_called_past_the_proxy() -> None:
    with serving(lambda reply, _: reply.json({})) as running, serving(lambda reply, _: reply.json({})) as proxy:
        server = allowed(running)
        with Guard([server], f"http://127.0.0.1:{proxy.port}").line(server, BUDGET) as line:
            line.ask(running.base, TOKEN)
    assert running.asked
    assert not proxy.asked


def test_no_log_line_names_token_or_patient(caplog: pytest.LogCaptureFixture) -> None:
    """Not even of the libraries, which write addresses into their warnings."""
    caplog.set_level(logging.DEBUG)
    answers: list[Answer] = [
        lambda reply, _: reply.json({}),
        lambda reply, _: reply.raw(b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 2\r\n\r\n{}"),
        lambda reply, _: reply.hang_up(),
        lambda reply, _: reply.send(b"", 503, Retry_After="1"),
    ]
    for answer in answers:
        with serving(answer) as running:
            try:
                call(running, "/Condition?patient=canary-patient")
            except CallFailed as failed:
                assert "canary" not in repr(failed)
    assert "canary" not in caplog.text
