"""CDS Hooks over HTTP: discovery and the calls of the services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date

from flask import Blueprint, Response, request

from cards.dialect import announced, spoken
from cds_service import pipeline
from cds_service.errors import ServiceError
from cds_service.fhir.client import Fetcher
from cds_service.hooks.clients import Client, Dialect
from cds_service.hooks.discovery import Service
from cds_service.hooks.request import HookRequest, read_request
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening
from cds_service.web.answers import json_answer
from cds_service.web.bodies import read_body
from cds_service.web.feedback import Keep, nowhere
from cds_service.web.gate import Gate, caller


@dataclass(frozen=True, slots=True)
class Agreement:
    """What holds for one client: its settings and the parts that are made from them, as the wiring names them."""

    settings: Settings
    compose: pipeline.Compose
    compose_orders: pipeline.ComposeOrders
    fetcher: Fetcher | None
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the doors are handed: the parts of the system, put together in one place.

    `fetcher` is None where no FHIR server may be called; `keep` stores feedback; `watch` is told of each screening. The
    gate is shut until another is put in.
    """

    services: tuple[Service, ...]
    protocol: Protocol
    compose: pipeline.Compose
    settings: Settings
    today: Callable[[], date]
    fetcher: Fetcher | None = None
    compose_orders: pipeline.ComposeOrders = pipeline.no_order_cards
    keep: Keep = nowhere
    dialect: Dialect = "2.0"
    gate: Gate = field(default_factory=Gate)
    agreement: Callable[[Client], Agreement] | None = None
    watch: Callable[[Screening], None] | None = None

    def serving(self, client: Client | None) -> Wiring:
        """The parts as they were agreed upon with a client; these, where there is none."""
        if client is None or self.agreement is None:
            return self
        agreed = self.agreement(client)
        return replace(self, **{part.name: getattr(agreed, part.name) for part in fields(agreed)})

    def announcements(self) -> list[Mapping[str, object]]:
        """What discovery says of each service."""
        return [announced(self.dialect, service.as_json()) for service in self.services]

    def answer(self, service: Service, body: bytes) -> Mapping[str, object]:
        """The response of a service to a request's body. Raises ServiceError when it cannot be answered."""
        message = read_request(body, service.hook, self.settings.trust_null)
        return spoken(self.dialect, self._cards(service, message))

    def _cards(self, service: Service, message: HookRequest) -> Mapping[str, object]:
        if service.hook in pipeline.ORDER_HOOKS:
            return pipeline.order_guard(message, self.protocol, self.compose_orders, self.today(), self.fetcher)
        return pipeline.patient_view(message, self.protocol, self._watched(), self.today(), self.fetcher)

    def _watched(self) -> pipeline.Compose:
        """The composer, which first tells who watches of the screening."""
        watch, compose = self.watch, self.compose
        if watch is None:
            return compose

        def told(screening: Screening, message: HookRequest) -> list[Mapping[str, object]]:
            watch(screening)
            return compose(screening, message)

        return told

    def composed_by(self, compose: pipeline.Compose) -> Wiring:
        """The same parts, with cards made by another hand."""
        return replace(self, compose=compose)


def cds_hooks(wiring: Wiring) -> Blueprint:
    """GET /cds-services, and POST /cds-services/<id> for each service."""
    door = Blueprint("cds_hooks", __name__)
    services = {service.id: service for service in wiring.services}

    @door.get("/cds-services")
    def discover() -> Response:
        return json_answer({"services": wiring.serving(caller()).announcements()})

    @door.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        if service_id not in services:
            raise ServiceError(404, "not-found", f"No such service. Known are: {', '.join(services)}.")
        body = read_body(request, wiring.settings.largest_body)
        return json_answer(wiring.serving(caller()).answer(services[service_id], body))

    return door
