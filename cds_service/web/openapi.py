"""The description of every address in OpenAPI, for people who write clients and programs that test them."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response

_FILE = Path(__file__).with_name("openapi.json")


def openapi() -> Blueprint:
    """GET /openapi.json."""
    door = Blueprint("openapi", __name__)
    written = _FILE.read_bytes()

    @door.get("/openapi.json")
    def describe() -> Response:
        return Response(written, mimetype="application/json")

    return door
