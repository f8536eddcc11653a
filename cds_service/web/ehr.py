"""The demo EHR: charts of made-up patients, with the cards that the real endpoints answer to a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from flask import Blueprint, Response, render_template, request, url_for

from cds_service.errors import ServiceError
from cds_service.report.wording import wording
from cds_service.web.answers import json_answer
from cds_service.web.bodies import read_body
from cds_service.web.cds_hooks import Wiring
from cds_service.web.markdown import render
from cds_service.web.pages import html_answer

# The one page that runs a script. It may call whatever service or FHIR server a person types into it.
_POLICY = {"script-src": "'self'", "connect-src": "'self' http: https:"}
_LONGEST_DETAIL = 100_000  # bytes of a card's Markdown


class Chart(Protocol):
    """A made-up patient whose chart can be opened."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def line(self) -> str: ...
    @property
    def patient_id(self) -> str: ...


class Draft(Protocol):
    """An order that can be drafted, as FHIR."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def resource(self) -> Mapping[str, Any]: ...


# A patient's id -> the orders that can be drafted for that patient.
Drafts = Callable[[str], Iterable[Draft]]


def demo_ehr(wiring: Wiring, charts: Iterable[Chart], user: str, drafts: Drafts, fhir_server: str) -> Blueprint:
    """GET / and what its script asks for. `user` is who opens the charts, as `Practitioner/id`."""
    door = Blueprint("ehr", __name__, template_folder="templates", static_folder="static/ehr",
                     static_url_path="/demo/ehr")  # fmt: skip
    known = [{"id": one.id, "title": one.title, "line": one.line, "patient": one.patient_id} for one in charts]
    patients = {one["patient"] for one in known}

    @door.get("/")
    def chart() -> Response:
        language, trial = wiring.settings.language, wiring.protocol.trial.id
        words = wording(language).terms("ehr")
        setup = {"charts": known, "user": user, "language": language, "words": words, **_places(fhir_server)}
        html = render_template("ehr/chart.html", setup=setup, words=words, language=language, trial=trial)
        return html_answer(html, _POLICY)

    @door.get("/demo/ehr/drafts/<patient_id>")
    def orders(patient_id: str) -> Response:
        if patient_id not in patients:
            raise ServiceError(404, "not-found", "No such patient in the demo. The charts are listed at /.")
        offered = drafts(patient_id)
        return json_answer([{"id": one.id, "label": one.label, "resource": one.resource} for one in offered])

    @door.post("/demo/ehr/markdown")
    def detail() -> Response:
        """A card's detail as HTML that cannot carry anything but text, emphasis, lists and http links."""
        text = read_body(request, _LONGEST_DETAIL).decode("utf-8", "replace")
        return html_answer(str(render(text)))

    return door


def _places(fhir_server: str) -> Mapping[str, str]:
    """Where the script finds what it asks for."""
    return {
        "services": url_for("cds_hooks.discover"),
        "fhir": url_for(fhir_server),
        "whole": url_for("demo.overview"),
        "drafts": url_for("ehr.chart") + "demo/ehr/drafts",
        "markdown": url_for("ehr.detail"),
    }
