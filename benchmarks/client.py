"""A client that costs little itself: one connection kept open, requests written before the clock starts."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Self

from benchmarks.bodies import Body

_PATIENCE = 60.0  # seconds for one answer


class Refused(Exception):
    """An answer other than 200, or none."""


def request_of(path: str, body: Body) -> bytes:
    """The request as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body.json)}\r\n\r\n".encode() + body.json


class Client:
    """One connection to a server on this machine, opened anew where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def post(self, request: bytes) -> tuple[float, bytes]:
        """The seconds until the whole answer was there, and its body. Raises Refused for anything but 200."""
        fresh = self._socket is None
        try:
            return self._exchange(request)
        except (OSError, Refused) as error:
            self.close()
            # A connection that was idle for long may be closed by the server just as we use it again.
            if fresh or not isinstance(error, ConnectionError):
                raise Refused(str(error)) from error
            return self._exchange(request)

    def _exchange(self, request: bytes) -> tuple[float, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), _PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begun = time.perf_counter()
        self._socket.sendall(request)
        head, body = self._answer(self._socket)
        seconds = time.perf_counter() - begun
        if b"connection: close" in head.lower():
            self.close()
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Refused(head.split(b"\r\n")[0].decode("latin-1"))
        return seconds, body

    @staticmethod
    def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += _some_of(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        wanted = _length(head)
        while len(body) < wanted:
            body += _some_of(connection)
        return head, body


def _some_of(connection: socket.socket) -> bytes:
    received = connection.recv(262144)
    if not received:
        raise ConnectionResetError("the server closed the connection")
    return received


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise Refused("an answer without Content-Length")
