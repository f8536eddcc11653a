"""Feedback over HTTP: POST /cds-services/<id>/feedback. What users wrote is stored, and never logged or repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

from flask import Blueprint, Response, request

from cds_service.errors import NotConformant, ServiceError, StoreUnavailable
from cds_service.hooks.feedback import Feedback, read_feedback
from cds_service.web.bodies import read_body

_LOG = logging.getLogger(__name__)
LARGEST_FEEDBACK = 1_000_000  # bytes
# Stores the entries about a service that a client sent, and says how many were new; all are safe when it returns.
Keep = Callable[[str, Sequence[Feedback], str | None], int]


def nobody() -> None:
    """The client, where callers are not told apart."""


def nowhere(service: str, entries: Sequence[Feedback], client: str | None) -> int:
    """Keeps nothing: there is no database. Raises StoreUnavailable."""
    raise StoreUnavailable


def feedback(
    services: Collection[str],
    keep: Keep,
    is_ours: Callable[[str], bool],
    largest: int,
    client: Callable[[], str | None] = nobody,
) -> Blueprint:
    """The addresses at which clients say what became of cards.

    `is_ours` tells of the id of a card whether it can have been made here; `largest` is the most bytes of any body;
    `client` names the caller of the request that is answered.
    """
    door = Blueprint("feedback", __name__)

    @door.post("/cds-services/<service_id>/feedback")
    def take(service_id: str) -> Response:
        if service_id not in services:
            raise ServiceError(404, "not-found", f"No such service. Known are: {', '.join(services)}.")
        batch = read_feedback(read_body(request, min(largest, LARGEST_FEEDBACK), "Send fewer entries at once."))
        new = keep(service_id, batch.entries, client()) if batch.entries else 0
        strangers = sum(not is_ours(entry.card) for entry in batch.entries)
        if strangers:
            _LOG.warning("%s: feedback was stored on cards that were not made here: %d", service_id, strangers)
        _LOG.info("%s: %d entries of feedback, %d new", service_id, len(batch.entries), new)
        if batch.refused:
            _LOG.warning("%s: feedback was refused: %s", service_id, batch.refusal)
            kept = f"The other entries ({len(batch.entries)}) were" if batch.entries else "Nothing was"
            raise NotConformant(f"{batch.refusal} {kept} stored; what is sent again is stored once.", "invalid")
        answer = Response(status=204, headers={"Cache-Control": "no-store"})
        del answer.headers["Content-Type"]  # there is no content
        return answer

    return door
