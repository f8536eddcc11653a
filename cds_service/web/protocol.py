"""The protocol as a page, to be proofread beside the registry entry."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Response, render_template, request

from cds_service.errors import ServiceError
from cds_service.report.protocol_outline import outline
from cds_service.report.protocol_words import ProtocolWords
from cds_service.trials.protocol import package_version
from cds_service.trials.spoken import protocol_in_language
from cds_service.web.cds_hooks import Wiring
from cds_service.web.languages import Reading, reading
from cds_service.web.pages import html_answer


def protocol_pages(wiring: Wiring) -> Blueprint:
    """GET /protocol/<trial> for the trial that is screened for."""
    door = Blueprint("protocol", __name__, template_folder="templates", static_folder="static",
                     static_url_path="/protocol/static")  # fmt: skip
    name = wiring.protocol.trial.id.lower()

    @door.get("/protocol/<trial>")
    def show(trial: str) -> Response:
        if trial.lower() != name:
            raise ServiceError(404, "not-found", f"No such protocol is here. Known are: /protocol/{name}.")
        return html_answer(written(reading(request, wiring.settings.language).language))

    @cache
    def written(language: str) -> str:
        """Written once: it names every code, and the protocol does not change while the service runs."""
        laid_out = outline(protocol_in_language(wiring.protocol, language), package_version())
        reader = Reading(language, language)
        return render_template("protocol/protocol.html", outline=laid_out, said=ProtocolWords(reader.words),
                               reader=reader, pages=reader.words.terms("pages"))  # fmt: skip

    return door
