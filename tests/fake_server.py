"""A server on loopback that answers as a test says: well, badly, slowly, or with lies."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

# Longer than any test may take, and short enough that a thread of a broken test ends.
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        """Those of the address and of the form, the first value of each."""
        read = parse_qs(urlsplit(self.target).query) | parse_qs(self.body.decode("latin-1"))
        return {name: values[0] for name, values in read.items()}


# Answers one request by writing to the connection.
Answer = Callable[["Reply", Asked], None]


class Reply:
    """The connection to one client, while it is answered."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        """A whole answer. A header's name has _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"Content-Length": str(len(body)), "Content-Type": "application/fhir+json"} | named
        lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in named.items())]
        self.raw("\r\n".join([*lines, "", ""]).encode() + body)
        if named.get("Connection") == "close":
            self.hang_up()

    def json(self, body: object, status: int = 200, **headers: str) -> None:
        self.send(json.dumps(body).encode(), status, **headers)

    def raw(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def drip(self, data: bytes, each: float = 0.05) -> None:
        """Byte by byte, until the client has hung up."""
        end = time.monotonic() + PATIENCE
        for at in range(len(data)):
            self.raw(data[at : at + 1])
            time.sleep(each)
            if time.monotonic() > end:
                return

    def wait(self) -> None:
        """Says nothing until the client has hung up."""
        self._handler.connection.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            self._handler.connection.recv(1)

    def hang_up(self) -> None:
        self._handler.close_connection = True
        with contextlib.suppress(OSError):
            self._handler.connection.shutdown(socket.SHUT_RDWR)


@dataclass
class FakeServer:
    """A running server; `asked` are the requests that came, in their order."""

    origin: str
    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # on a busy machine five are full at once, and the sixth waits for a second

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up are what is tested here."""


@contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[FakeServer]:
    """A server that is there for the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # unbuffered writes wait for each other's acknowledgement

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            request = Asked(self.command, self.path, dict(self.headers), body)
            running.asked.append(request)
            with contextlib.suppress(OSError):
                answer(Reply(self), request)

        do_POST = do_CONNECT = do_OPTIONS = do_GET  # noqa: N815 - the names that the library calls

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = _Server((host, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    port = int(server.server_address[1])
    running = FakeServer(f"{'https' if tls else 'http'}://{host}:{port}", port)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
