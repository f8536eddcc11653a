"""The protocol as a page, to be proofread beside the registry entry."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Response, render_template

from cds_service.errors import ServiceError
from cds_service.report.protocol_outline import outline
from cds_service.report.protocol_words import ProtocolWords
from cds_service.report.wording import wording
from cds_service.trials.protocol import package_version
from cds_service.web.cds_hooks import Wiring
from cds_service.web.pages import html_answer


def protocol_pages(wiring: Wiring) -> Blueprint:
    """GET /protocol/<trial> for the trial that is screened for."""
    door = Blueprint("protocol", __name__, template_folder="templates", static_folder="static",
                     static_url_path="/protocol/static")  # fmt: skip
    language = wiring.settings.language
    said = ProtocolWords(wording(language))
    known = {wiring.protocol.trial.id.lower(): outline(wiring.protocol, package_version())}

    @door.get("/protocol/<trial>")
    def show(trial: str) -> Response:
        if trial.lower() not in known:
            places = ", ".join(f"/protocol/{name}" for name in known)
            raise ServiceError(404, "not-found", f"No such protocol is here. Known are: {places}.")
        return html_answer(written(trial.lower()))

    @cache
    def written(trial: str) -> str:
        """Written once: it names every code, and the protocol does not change while the service runs."""
        return render_template("protocol/protocol.html", outline=known[trial], said=said, language=language)

    return door
