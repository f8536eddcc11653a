"""The FHIR server over HTTP: /fhir, open to every origin, answering in application/fhir+json whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request, url_for

from cds_service.errors import ServiceError
from cds_service.trials.protocol import package_version
from cds_service.web.answers import json_answer
from cds_service.web.bodies import read_body
from cds_service.web.errors import operation_outcome
from cds_service.web.fhir_server.archive import Archive, Chart, Resource
from cds_service.web.fhir_server.capability import capability_statement
from cds_service.web.fhir_server.paging import PAGE, Page, bundle, opened
from cds_service.web.fhir_server.resource_types import RESOURCE_TYPES
from cds_service.web.fhir_server.search import Pair, read_search

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_LARGEST_FORM = 65536  # bytes
_MOST_PARAMETERS = 200
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # A "*" would not cover Authorization, which clients send whether or not it is needed.
    "Access-Control-Allow-Headers": "Accept, Authorization, Cache-Control, Content-Type, Prefer, X-Requested-With",
    "Access-Control-Max-Age": "3600",
}


def fhir_server(today: Callable[[], date], charts: Iterable[Chart], others: Iterable[Resource] = ()) -> Blueprint:
    """Everything below /fhir. Charts are dated for today, as they are in the demo's hook requests."""
    door = Blueprint("fhir_server", __name__)
    archive = Archive(charts, others)

    # One route takes every method and address, so that refusals, too, have the server's content type and CORS.
    @door.route("/fhir", defaults={"place": ""}, methods=_METHODS, provide_automatic_options=False)
    @door.route("/fhir/<path:place>", methods=_METHODS, provide_automatic_options=False)
    # An address of the server with a slash at its end, as people paste it into clients.
    @door.route("/fhir//<path:place>", methods=_METHODS, provide_automatic_options=False)
    def answer(place: str) -> Response:
        if request.method == "OPTIONS":
            return Response(status=204)
        segments = [one for one in place.split("/") if one]
        allowed = _allowed(segments)
        if request.method not in allowed:
            return _wrong_method(allowed)
        if segments == ["metadata"]:
            return json_answer(capability_statement(_base(), package_version(), today()))
        type_name, *rest = segments
        if rest in ([], ["_search"]):
            return json_answer(_search(archive, type_name, today()))
        return json_answer(_read(archive, type_name, rest[0], today()))

    @door.after_request
    def for_fhir_clients(response: Response) -> Response:
        if response.mimetype == "application/json":
            response.mimetype = "application/fhir+json"
        response.headers.update(_CORS)
        return response

    return door


def _allowed(segments: list[str]) -> tuple[str, ...]:
    """The methods that an address takes. Raises ServiceError: 404 where there is nothing."""
    known = bool(segments) and segments[0] in RESOURCE_TYPES
    match segments:
        case ["metadata"]:
            return ("GET", "HEAD")
        case [_, "_search"] if known:
            return ("POST",)
        case [_] | [_, _] if known:
            return ("GET", "HEAD")
    if len(segments) in (1, 2):
        raise ServiceError(404, "not-found", f"No such type of resource is here. See {_base()}/metadata.")
    advice = f"There is nothing at this address. See {_base()}/metadata, or {_base()}/Patient for the patients."
    raise ServiceError(404, "not-found", advice)


def _wrong_method(allowed: tuple[str, ...]) -> Response:
    methods = ", ".join((*allowed, "OPTIONS"))
    advice = f"This address takes {methods}. The server is read-only: read and search with GET, search with POST."
    return json_answer(operation_outcome("not-supported", advice), 405, {"Allow": methods})


def _read(archive: Archive, type_name: str, resource_id: str, today: date) -> Resource:
    found = archive.find(type_name, resource_id, today)
    if found is None:
        advice = f"No {type_name} of this id is here. Search for all of them at {_base()}/{type_name}."
        raise ServiceError(404, "not-found", advice)
    return found


def _search(archive: Archive, type_name: str, today: date) -> dict[str, object]:
    pairs, page, base = _sent_pairs(), Page(today), _base()
    if token := dict(pairs).get(PAGE):
        page, pairs = opened(token, type_name, today)
    strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "").lower()
    search = read_search(type_name, pairs, base, strict)
    return bundle(search, search.among(archive.of_type(type_name, page.day)), page, base)


def _sent_pairs() -> tuple[Pair, ...]:
    """The parameters of the address and of the form, in the order in which they were sent."""
    form = _form() if request.method == "POST" else ()
    return (*request.args.items(multi=True), *form)


def _form() -> tuple[Pair, ...]:
    body = read_body(request, _LARGEST_FORM)
    if body and request.mimetype != "application/x-www-form-urlencoded":
        raise ServiceError(415, "not-supported", "Send the parameters as application/x-www-form-urlencoded.")
    try:
        return tuple(parse_qsl(body.decode(), max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        message = f"The form cannot be read: send at most {_MOST_PARAMETERS} parameters, in UTF-8."
        raise ServiceError(400, "structure", message) from None


def _base() -> str:
    return url_for("fhir_server.answer", _external=True)
