"""The review page over HTTP: a screening to be read, answered, printed, and taken along as FHIR.

Its address is the only key to it: nobody can guess it, it expires, and it names no patient. Each opening is logged,
without the address and without content.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from flask import Blueprint, Response, redirect, request, url_for

from cds_service.errors import ServiceError
from cds_service.report.answering import answering_html, answering_style
from cds_service.report.fhir_export import fhir_export
from cds_service.review import Opened, Reviews
from cds_service.web.languages import Reading, reading
from cds_service.web.pages import html_answer

_LOG = logging.getLogger(__name__)
_POLICY = {"form-action": "'self'"}
_ICON = (Path(__file__).parent / "static" / "icon.svg").read_bytes()
_LONGEST_INITIALS = 12
_GIVEN: Mapping[str, bool | None] = {"met": True, "against": False, "none": None}
_FHIR = {"Content-Disposition": 'attachment; filename="screening.json"', "Cache-Control": "no-store"}


def review_pages(reviews: Reviews, language: str, now: Callable[[], datetime]) -> Blueprint:
    """GET and POST /review/<address>, and GET /review/<address>/fhir. `language` is that of the site."""
    door = Blueprint("review", __name__, url_prefix="/review")
    _add_looks(door)

    def opened(address: str, purpose: str) -> Opened:
        review = reviews.opened(address)
        _LOG.info("a review page was %s: %s", purpose, "found" if review else "not there")
        if review is None:
            raise ServiceError(404, "not-found", "There is no such review, or no more. Open the patient's chart again.")
        return review

    @door.get("/<address>")
    def show(address: str) -> Response:
        return _page(opened(address, "opened"), address, reading(request, language))

    @door.post("/<address>")
    def answer(address: str) -> Response:
        review, reader = opened(address, "answered"), reading(request, language)
        by = request.form.get("by", "").strip()
        if not _are_initials(by):
            return _page(review, address, reader, problem="initials_missing")
        for criterion, met in _changes(review):
            reviews.answer(review, criterion, met, by)
        # Else to load the page again would answer again.
        return _as_ever(redirect(url_for(".show", address=address, lang=reader.chosen), 303))

    @door.get("/<address>/fhir")
    def export(address: str) -> Response:
        bundle = fhir_export(opened(address, "exported").screening, reading(request, language).words, now())
        return Response(msgspec.json.encode(bundle), headers=_FHIR, mimetype="application/fhir+json")

    return door


def _add_looks(door: Blueprint) -> None:
    """The style sheet and the icon of the page."""
    style = answering_style()

    @door.get("/style.css")
    def look() -> Response:
        return Response(style, headers={"Cache-Control": "max-age=3600"}, mimetype="text/css")

    @door.get("/icon.svg")
    def icon() -> Response:
        return Response(_ICON, headers={"Cache-Control": "max-age=3600"}, mimetype="image/svg+xml")


def _page(review: Opened, address: str, reader: Reading, problem: str | None = None) -> Response:
    places = {name: url_for(f"review.{endpoint}") for name, endpoint in (("style", "look"), ("icon", "icon"))}
    places["fhir"] = url_for("review.export", address=address, lang=reader.chosen)
    page = answering_html(review.screening, reader.words, places, problem, switches=reader.switches)
    return html_answer(str(page), _POLICY)


def _as_ever(response: object) -> Response:
    assert isinstance(response, Response)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _are_initials(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_INITIALS and text.isprintable()


def _changes(review: Opened) -> Iterator[tuple[str, bool | None]]:
    """The open criteria that were answered otherwise than they stand."""
    for finding in review.screening.findings:
        given = request.form.get(finding.id, "")
        stands = finding.answer.met if finding.answer else None
        if finding.is_open and given in _GIVEN and _GIVEN[given] is not stands:
            yield finding.id, _GIVEN[given]
