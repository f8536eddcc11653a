"""A small FHIR server on this machine that sees what a service asks of it, and with which token."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cds_service.checker.synthetic import nothing_found

_LARGEST_FORM = 100_000  # bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; `type` is the FHIR type that it is about, `parameters` those of address and form."""

    path: str
    parameters: frozenset[tuple[str, str]]
    authorization: str
    accept: str

    @property
    def is_about_record(self) -> bool:
        return not self.path.endswith("/metadata")


@dataclass
class FhirServer:
    """A running server. What it answers may be changed while it runs.

    `answers` are resources by the query that they answer; `delay` is in seconds; with `redirect` all goes there.
    """

    base: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    redirect: str | None = None
    asked: list[Asked] = field(default_factory=list)

    def record_asked(self) -> list[Asked]:
        return [one for one in self.asked if one.is_about_record]

    def answer_to(self, asked: Asked) -> Any:
        """The answer to the query of the same type that shares most parameters; None when there is none."""
        path = asked.path.removeprefix(urlsplit(self.base).path).removeprefix("/").removesuffix("/_search")
        if path == "metadata":
            return _CAPABILITIES
        scored = [
            (len(asked.parameters & parameters), answer)
            for query, answer in self.answers.items()
            for kind, parameters in [_parsed(query)]
            if kind == path
        ]
        best = max(scored, key=lambda one: one[0], default=None)
        return best[1] if best else (nothing_found() if "/" not in path else None)


@contextmanager
def fhir_server(address: str) -> Iterator[FhirServer]:
    """A server at an address of this machine, for as long as the block. Raises OSError when the port is taken."""
    parts = urlsplit(address)
    running = FhirServer(address.rstrip("/"))
    server = ThreadingHTTPServer((parts.hostname or "127.0.0.1", parts.port or 0), _door(running))
    server.daemon_threads = True
    if not parts.port:
        running.base = f"http://{parts.hostname}:{server.server_address[1]}{parts.path.rstrip('/')}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


def _door(running: FhirServer) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # unbuffered writes wait for each other's acknowledgement

        def do_GET(self) -> None:
            asked = self._asked()
            running.asked.append(asked)
            time.sleep(running.delay)
            answer = running.answer_to(asked)
            with suppress(OSError):
                self._send(404 if answer is None else 200, answer or {"resourceType": "OperationOutcome"})

        do_POST = do_GET  # noqa: N815 - the name that the library calls

        def _asked(self) -> Asked:
            size = int(self.headers.get("Content-Length") or 0)
            form = self.rfile.read(min(size, _LARGEST_FORM)).decode("latin-1")
            parts = urlsplit(self.path)
            parameters = frozenset([*parse_qsl(parts.query), *parse_qsl(form)])
            headers = self.headers
            return Asked(parts.path, parameters, headers.get("Authorization", ""), headers.get("Accept", ""))

        def _send(self, status: int, resource: Any) -> None:
            body = json.dumps(resource).encode()
            self.send_response(302 if running.redirect else status)
            if running.redirect:
                self.send_header("Location", running.redirect)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    return Door


def _parsed(query: str) -> tuple[str, frozenset[tuple[str, str]]]:
    path, _, parameters = query.partition("?")
    return path, frozenset(parse_qsl(parameters))


_CAPABILITIES = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2020-01-01",
    "kind": "instance",
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [{"mode": "server"}],
}
