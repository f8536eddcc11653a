"""The protocol as a page, to be proofread beside the registry entry."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.errors import ServiceError
from cds_service.report.protocol_outline import outline
from cds_service.report.protocol_words import ProtocolWords
from cds_service.report.wording import wording
from cds_service.trials.protocol import package_version
from cds_service.web.cds_hooks import Wiring
from cds_service.web.pages import page


def protocol_pages(wiring: Wiring) -> Blueprint:
    """GET /protocol/<trial> for the trial that is screened for."""
    door = Blueprint("protocol", __name__, template_folder="templates", static_folder="static",
                     static_url_path="/protocol/static")  # fmt: skip
    language = wiring.settings.language
    said = ProtocolWords(wording(language))
    known = {wiring.protocol.trial.id.lower(): outline(wiring.protocol, package_version())}

    @door.get("/protocol/<trial>")
    def show(trial: str) -> Response:
        laid_out = known.get(trial.lower())
        if laid_out is None:
            places = ", ".join(f"/protocol/{name}" for name in known)
            raise ServiceError(404, "not-found", f"No such protocol is here. Known are: {places}.")
        return page("protocol/protocol.html", outline=laid_out, said=said, language=language)

    return door
