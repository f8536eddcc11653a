"""The body of a request, read whole or refused."""

from __future__ import annotations

from contextlib import suppress
from typing import IO

from flask import Request

from cds_service.errors import ServiceError


def read_body(request: Request, largest: int, advice: str = "Prefetch fewer or smaller answers.") -> bytes:
    """The bytes of the body, whatever Content-Type it is said to have.

    The advice says how to send less.

    Raises ServiceError: 413 above `largest` bytes, 415 for a compressed body, 400 when it breaks off.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise ServiceError(415, "not-supported", "Send the body uncompressed, without Content-Encoding.")
    try:
        return _read_within(request, largest, advice)
    except OSError:
        raise ServiceError(400, "structure", "The body broke off before its end. Send it again.") from None


def discard_body(request: Request, largest: int) -> None:
    """Takes the body of a refused request off the line: a client that is still sending would not see the answer."""
    with suppress(OSError):
        _discard(request.stream, largest)


def _read_within(request: Request, largest: int, advice: str) -> bytes:
    """One byte more than allowed is asked for: a chunked body does not say how long it is, and a limit set in
    Flask would cut it silently."""
    declared = request.content_length or 0
    body = b"" if declared > largest else _read(request.stream, declared or largest + 1)
    if max(declared, len(body)) <= largest:
        return body
    # Else a client that is still sending sees a reset connection and not the answer. Twice the limit is
    # patience enough for mistakes, and no more for malice.
    _discard(request.stream, 2 * largest - len(body))
    raise ServiceError(413, "too-long", f"The body is larger than {largest} bytes. {advice}")


def _read(stream: IO[bytes], size: int) -> bytes:
    """Up to `size` bytes; a stream may give them in pieces."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _discard(stream: IO[bytes], size: int) -> None:
    while size > 0 and (piece := stream.read(min(size, 65536))):
        size -= len(piece)
