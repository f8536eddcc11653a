"""Calls to other servers, guarded: only to those of an allow-list, at checked addresses, within time and size.

A call needs no session: without one there is no .netrc, no proxy of the environment, no cookie and no redirect.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Container, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from requests import PreparedRequest, Request, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ProxyError, SSLError
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from cds_service.net.addresses import Address, is_allowed, looked_up
from cds_service.net.failures import CallFailed, Refused, TookTooLong
from cds_service.net.servers import Server, place_of

# It writes addresses with their queries into its warnings, and a query names the patient.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_PIECE = 65536
_MOST_AT_ONCE = 32
# Seconds for an address to take a connection before the next one is tried, or the same one again: the system itself
# repeats a lost packet only after a second.
_PATIENCE = 0.25


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it came; the names of its headers may be written in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Guard:
    """The way out: which servers may be called, through which proxy, trusting which certificate authorities.

    A server with a private address is inside and is called directly. The authorities of `ca_file` are trusted
    besides the public ones; it raises OSError when it holds none.
    """

    def __init__(self, servers: Iterable[Server], proxy: str | None = None, ca_file: Path | None = None) -> None:
        self._servers = tuple(servers)
        self._proxy = proxy
        self._tls = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        self._tls.sslsocket_class = _TimedTls
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)

    def server_at(self, address: str) -> Server | None:
        """The server of the allow-list at this base address; None when there is none."""
        return next((server for server in self._servers if server.is_at(address)), None)

    def line(self, server: Server, seconds: float) -> Line:
        """A line to a server of the allow-list, open for so long. Raises CallFailed."""
        if server not in self._servers:
            raise CallFailed("is not on the allow-list")
        return Line(server, None if server.private else self._proxy, self._tls, seconds)


def holds_certificates(path: Path) -> bool:
    try:
        ssl.create_default_context(cafile=path)
    except OSError:
        return False
    return True


class Line:
    """An open line to one server, until a moment. Its name is looked up once, and only what was checked is called."""

    def __init__(self, server: Server, proxy: str | None, tls: ssl.SSLContext, seconds: float) -> None:
        self.server = server
        self._end = monotonic() + seconds
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        _, self._host, self._port, _ = place_of(urlsplit(proxy or server.base))
        self._addresses = looked_up(self._host, self._port, self.left())
        # Behind a proxy it is the proxy that looks the name up, and our own network may not even know it.
        if not proxy and not all(is_allowed(address, server.private) for *_, address in self._addresses):
            raise CallFailed("has a name that leads to an address that is not allowed")
        self._adapter = _Adapter(tls, proxy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._adapter.close()

    def left(self) -> float:
        """The seconds that are left, more than 0. Raises TookTooLong."""
        seconds = self._end - monotonic()
        if seconds <= 0:
            raise TookTooLong
        return seconds

    def ask(
        self,
        address: str,
        token: str | None = None,
        form: Mapping[str, str] | None = None,
        most: int = 1_000_000,
        accept: str = "application/fhir+json",
    ) -> bytes:
        """The body of a 200 answer: of a GET, or of a POST where there is a form.

        `most` is in bytes, after decompression. Raises CallFailed for all else that can happen.
        """
        if not self.server.covers(address):
            raise CallFailed("leads away from the server that is allowed")
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "trialhook"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = Request("POST" if form else "GET", address, headers, data=form)
        return self._sent(request, most, {200}).body

    def exchange(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None, most: int = 1_000_000
    ) -> Answered:
        """The answer of any status to a request of any kind. Raises CallFailed when none came whole."""
        if not self.server.covers(address):
            raise CallFailed("leads away from the server that is allowed")
        return self._sent(Request(method, address, dict(headers), data=body), most)

    def _sent(self, request: Request, most: int, wanted: Container[int] | None = None) -> Answered:
        before = _CALL.set(self)
        try:
            return self._answer(request.prepare(), most, wanted)
        except CallFailed:
            raise
        except Exception as error:  # what a broken server can make three libraries raise is no closed list
            self.left()
            raise CallFailed(_words(error)) from None
        finally:
            _CALL.reset(before)

    def _answer(self, request: PreparedRequest, most: int, wanted: Container[int] | None) -> Answered:
        answer = self._adapter.send(request, stream=True, timeout=self.left(), proxies=self._proxies)
        try:
            if wanted is not None and answer.status_code not in wanted:
                raise Refused(answer.status_code)
            return Answered(answer.status_code, answer.headers, _read(answer, most))
        finally:
            answer.close()

    def connected(self, host: str, port: int) -> socket.socket:
        """A connection to the first checked address that takes one."""
        if (host, port) != (self._host.rstrip("."), self._port):
            raise CallFailed("leads away from the server that is allowed")
        for patience in (_PATIENCE, self.left()):
            for address in self._addresses:
                if taken := self._tried(address, patience):
                    return taken
        self.left()
        raise CallFailed("could not be reached")

    def _tried(self, address: Address, patience: float) -> socket.socket | None:
        family, kind, protocol, place = address
        timed = _Timed(family, kind, protocol)
        timed.settimeout(min(patience, self.left()))
        try:
            timed.connect(place)
        except OSError:
            timed.close()
            return None
        timed.settimeout(self.left())
        timed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return timed


# The line on which this thread calls: sockets are made deep in the library, where nothing can be handed to.
_CALL: ContextVar[Line] = ContextVar("call")


def _read(answer: Response, most: int) -> bytes:
    """The body, counted as it is decompressed: a few kilobytes can stand for gigabytes."""
    body = bytearray()
    for piece in answer.iter_content(_PIECE):
        body += piece
        if len(body) > most:
            raise CallFailed("was larger than is allowed")
    return bytes(body)


def _words(error: Exception) -> str:
    if isinstance(error, SSLError):
        return "showed no certificate that is trusted, or broke off the handshake"
    if isinstance(error, ProxyError):
        return "could not be reached through the proxy"
    return "broke off, or was no HTTP"


class _Timed(socket.socket):
    """A socket that waits for each piece only as long as the call has time: a dripping server gains nothing."""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(_CALL.get().left())
        return super().recv_into(buffer, nbytes, flags)


class _TimedTls(ssl.SSLSocket):
    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(_CALL.get().left())
        return super().recv_into(buffer, nbytes, flags)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _CALL.get().connected(self.host, self.port or 0)


class _TlsConnection(_Connection, HTTPSConnection):
    """The connection goes to the checked address; TLS verifies the name, which the library still knows."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """Connects through the line of the call. It does not try again: a server may ask to wait for an hour."""

    def __init__(self, tls: ssl.SSLContext, proxy: str | None) -> None:
        super().__init__()
        options: dict[str, Any] = {"ssl_context": tls, "maxsize": _MOST_AT_ONCE}
        if proxy:
            self.poolmanager = ProxyManager(proxy, proxy_headers=self.proxy_headers(proxy), **options)
        else:
            self.poolmanager = PoolManager(**options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def get_connection_with_tls_context(self, request: PreparedRequest, *_: Any, **__: Any) -> HTTPConnectionPool:
        pool: HTTPConnectionPool = self.poolmanager.connection_from_url(request.url or "")
        return pool

    def cert_verify(self, *_: Any) -> None:
        """The context holds the authorities already; the library would read its file again for each connection."""
