"""The floor: a service that parses the request, counts what came, and answers that it has nothing to say."""

from __future__ import annotations

import orjson
from flask import Flask, Response, request


def create_app() -> Flask:
    """The floor under the address of the real service."""
    app = Flask("floor", static_folder=None, template_folder=None)

    @app.post("/cds-services/<service_id>")
    def answer(service_id: str) -> Response:
        prefetch = orjson.loads(request.get_data())["prefetch"]
        counted = sum(len(one.get("entry", ())) for one in prefetch.values() if one)
        assert counted >= 0, service_id
        return Response(b'{"cards":[]}', mimetype="application/json")

    return app
