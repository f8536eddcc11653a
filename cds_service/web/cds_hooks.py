"""CDS Hooks over HTTP: discovery and the calls of the services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from flask import Blueprint, Response, request

from cds_service import pipeline
from cds_service.errors import ServiceError
from cds_service.fhir.client import Fetcher
from cds_service.hooks.discovery import Service
from cds_service.hooks.request import HookRequest, read_request
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.web.answers import json_answer
from cds_service.web.bodies import read_body

Answer = Callable[[HookRequest, Protocol, pipeline.Compose, date, Fetcher | None, bool], Mapping[str, object]]
_ANSWERS: Mapping[str, Answer] = {"patient-view": pipeline.patient_view}


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the doors are handed: the parts of the system, put together in one place.

    `fetcher` is None where no FHIR server may be called. `in_full` screens everybody to the end, also where a first
    look tells that there is nothing to screen.
    """

    services: tuple[Service, ...]
    protocol: Protocol
    compose: pipeline.Compose
    settings: Settings
    today: Callable[[], date]
    fetcher: Fetcher | None = None
    in_full: bool = False

    def answer(self, service: Service, body: bytes) -> Mapping[str, object]:
        """The response of a service to a request's body. Raises ServiceError when it cannot be answered."""
        message = read_request(body, service.hook, self.settings.trust_null)
        return _ANSWERS[service.hook](message, self.protocol, self.compose, self.today(), self.fetcher, self.in_full)

    def composed_by(self, compose: pipeline.Compose) -> Wiring:
        """The same parts, with cards made by another hand, which is handed the screening of everybody."""
        return replace(self, compose=compose, in_full=True)


def cds_hooks(wiring: Wiring) -> Blueprint:
    """GET /cds-services, and POST /cds-services/<id> for each service."""
    door = Blueprint("cds_hooks", __name__)
    services = {service.id: service for service in wiring.services}

    @door.get("/cds-services")
    def discover() -> Response:
        return json_answer({"services": [service.as_json() for service in wiring.services]})

    @door.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        if service_id not in services:
            raise ServiceError(404, "not-found", f"No such service. Known are: {', '.join(services)}.")
        body = read_body(request, wiring.settings.largest_body)
        return json_answer(wiring.answer(services[service_id], body))

    return door
