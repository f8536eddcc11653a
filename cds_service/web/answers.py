"""JSON answers: UTF-8 as it is, exact numbers, and nothing that a cache may keep."""

from __future__ import annotations

import msgspec
from flask import Response

# The answers speak of a patient: no proxy and no browser may keep one, or take it for anything but JSON.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def json_answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The body as application/json; decimals are numbers with the digits that they have."""
    return Response(_ENCODER.encode(body), status, _HEADERS | (headers or {}), mimetype="application/json")
