"""The demo EHR: charts of made-up patients, with the cards that the real endpoints answer to a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import Blueprint, Response, render_template, request, url_for

from cds_service.errors import ServiceError
from cds_service.web.answers import json_answer
from cds_service.web.bodies import read_body
from cds_service.web.cds_hooks import Wiring
from cds_service.web.demo import Story
from cds_service.web.languages import reading
from cds_service.web.markdown import render
from cds_service.web.pages import html_answer

# The one page that runs a script. It may call whatever service or FHIR server a person types into it.
_POLICY = {"script-src": "'self'", "connect-src": "'self' http: https:"}
_LONGEST_DETAIL = 100_000  # bytes of a card's Markdown


class Draft(Protocol):
    """An order that can be drafted, as FHIR."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def resource(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Ward:
    """What the demo EHR has: charts, who opens them (`Practitioner/id`), the orders that can be drafted for a patient,
    the endpoint of its FHIR server, and what the charts are called in other languages.
    """

    charts: Sequence[Story]
    user: str
    drafts: Callable[[str], Iterable[Draft]]
    fhir_server: str
    told: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)

    def listed(self, language: str) -> list[dict[str, str]]:
        """The charts in a language, as far as they are told in it."""
        told = self.told.get(language, {})
        own = {one.id: {"title": one.title, "line": one.line} for one in self.charts}
        return [{"id": one.id, "patient": one.patient_id, **own[one.id], **told.get(one.id, {})} for one in self.charts]


def demo_ehr(wiring: Wiring, ward: Ward) -> Blueprint:
    """GET / and what its script asks for."""
    door = Blueprint("ehr", __name__, template_folder="templates", static_folder="static/ehr",
                     static_url_path="/demo/ehr")  # fmt: skip
    patients = {one.patient_id for one in ward.charts}

    @door.get("/")
    def chart() -> Response:
        reader = reading(request, wiring.settings.language)
        words = reader.words.terms("ehr")
        setup = {"charts": ward.listed(reader.language), "user": ward.user, "language": reader.language}
        content = {
            "words": words,
            "reader": reader,
            "pages": reader.words.terms("pages"),
            "trial": wiring.protocol.trial.id,
        }
        html = render_template(
            "ehr/chart.html", setup={**setup, "words": words, **_places(ward.fhir_server)}, **content
        )
        return html_answer(html, _POLICY)

    @door.get("/demo/ehr/drafts/<patient_id>")
    def orders(patient_id: str) -> Response:
        if patient_id not in patients:
            raise ServiceError(404, "not-found", "No such patient in the demo. The charts are listed at /.")
        offered = ward.drafts(patient_id)
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
