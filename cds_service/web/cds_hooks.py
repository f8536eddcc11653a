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
from cds_service.report.wording import wording
from cds_service.review import ClientDesk, Reviews
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
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

    `fetcher` is None where no FHIR server may be called; `keep` stores feedback; `watch` counts opened charts. The gate
    is shut until another is put in. `in_full` screens everybody to the end, also where a first look tells that
    there is nothing to screen. `client` is the name of the one that is served; `reviews` is None where nothing is kept
    for review.
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
    watch: pipeline.Watch | None = None
    in_full: bool = False
    reviews: Reviews | None = None
    client: str | None = None

    def serving(self, client: Client | None) -> Wiring:
        """The parts as they were agreed upon with a client; these, where there is none."""
        if client is None or self.agreement is None:
            return self
        agreed = self.agreement(client)
        parts = {part.name: getattr(agreed, part.name) for part in fields(agreed)}
        return replace(self, client=client.name, **parts)

    def announcements(self) -> list[Mapping[str, object]]:
        """What discovery says of each service."""
        return [announced(self.dialect, service.as_json()) for service in self.services]

    def answer(self, service: Service, body: bytes) -> Mapping[str, object]:
        """The response of a service to a request's body. Raises ServiceError when it cannot be answered."""
        message = read_request(body, service.hook, self.settings.trust_null)
        return spoken(self.dialect, self._cards(service, message))

    def _cards(self, service: Service, message: HookRequest) -> Mapping[str, object]:
        if service.hook in pipeline.ORDER_HOOKS:
            return pipeline.order_guard(message, self.protocol, self.compose_orders, self.today(), self._means)
        return pipeline.patient_view(message, self.protocol, self.compose, self.today(), self._means)

    @property
    def _means(self) -> pipeline.Means:
        return pipeline.Means(self.fetcher, self._desk, self.in_full, self.watch)

    @property
    def _desk(self) -> ClientDesk | None:
        """Where the answers for this client's patients lie; None where nothing can be reviewed."""
        if self.reviews is None:
            return None
        label = wording(self.settings.language).term("card", "review")
        return self.reviews.desk(self.client, lambda address: f"{self.settings.public_url}/review/{address}", label)

    def composed_by(self, compose: pipeline.Compose) -> Wiring:
        """The same parts, with cards made by another hand, which is handed the screening of everybody."""
        return replace(self, compose=compose, in_full=True)


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
