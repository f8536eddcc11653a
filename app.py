"""Puts the parts together: `create_app()` is the service, `create_demo_app()` adds made-up patients."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Flask

from cards.card import is_made_here
from cards.compose import Site, composer
from cards.guard import order_composer
from cds_service.errors import StoreUnavailable, WrongDatabase
from cds_service.fhir.client import Fetcher
from cds_service.fhir.paging import Limits
from cds_service.fhir.queries import prefetch_templates
from cds_service.hooks.clients import Client
from cds_service.hooks.clients_file import ClientsFile
from cds_service.hooks.discovery import order_services, patient_view_service
from cds_service.hooks.key_locations import PublishedKeys
from cds_service.hooks.trust import ReplayGuard, SeenHere, Trust
from cds_service.net.calls import Guard
from cds_service.net.servers import Server
from cds_service.pipeline import Compose
from cds_service.settings import LOOPBACK, Settings, WrongSetting, load_settings
from cds_service.strict_yaml import MalformedFile
from cds_service.trials.protocol import load_protocol
from cds_service.web.cds_hooks import Agreement, Wiring, cds_hooks
from cds_service.web.cors import open_to_browsers
from cds_service.web.errors import register_errors
from cds_service.web.feedback import Keep, feedback, nowhere
from cds_service.web.gate import Gate, caller_name, guard
from cds_service.web.protocol import protocol_pages
from cds_service.web.rehearsal import rehearse
from cds_service.web.request_ids import log_with_request_ids, register_request_ids

if TYPE_CHECKING:
    from cds_service.store.database import Database

TRIAL = "nct06920199"
_SANDBOX = "https://sandbox.cds-hooks.org"
# Gunicorn starts a failed worker again and again, except after this one.
_EXIT_NEVER_BOOTED = 3
_ROOT = Path(__file__).parent
_DEMO = _ROOT / ".demo"


def create_app(settings: Settings | None = None) -> Flask:
    """The service. Without settings it takes those of the environment."""
    log_with_request_ids()
    return assembled(_wired_or_exit(settings))


def create_demo_app(settings: Settings | None = None, port: int | None = None) -> Flask:
    """The service with pages that show what it says of made-up patients, and a FHIR server that holds them.

    With the port on which it runs it may call that server.
    """
    from cds_service.web.demo import Speaking, demo  # noqa: PLC0415 - a service in a hospital loads no made-up patient
    from cds_service.web.fhir_server.door import fhir_server  # noqa: PLC0415
    from fhir_fixtures.hook_request import USER  # noqa: PLC0415
    from fhir_fixtures.story import load_stories  # noqa: PLC0415
    from fhir_fixtures.translations import told_in_other_languages  # noqa: PLC0415

    log_with_request_ids()
    wiring = _wired_or_exit(settings, demo=True, port=port)
    app = assembled(wiring)
    app.config["DEMO"] = True
    speaking = Speaking(_composers(wiring.settings), told_in_other_languages())
    app.register_blueprint(demo(wiring, load_stories(), speaking))
    app.register_blueprint(fhir_server(wiring.today, load_stories(), [USER]))
    return app


def wire(settings: Settings, database: Database | None = None) -> Wiring:
    """The parts of the service, loaded and tried once. Without a database nothing is kept."""
    protocol = load_protocol(TRIAL)
    trial = protocol.trial
    named = (trial.id, trial.short_title, prefetch_templates())
    services = (patient_view_service(*named), *order_services(*named))
    zone = ZoneInfo(settings.site_timezone)

    def today() -> date:
        return datetime.now(zone).date()

    clients = _clients(settings)
    site = _site(settings)
    wiring = Wiring(
        services, protocol, composer(site), settings, today, _fetcher(settings), order_composer(site),
        _keeper(database) if database else nowhere,
        gate=_gate(settings, clients, database), agreement=_agreements(settings),
    )  # fmt: skip
    for client in (None, *(clients.current().entries if clients else ())):
        rehearse(wiring.serving(client))
    return wiring


def _clients(settings: Settings) -> ClientsFile | None:
    """The clients file; None where there is only open access. Raises WrongSetting where nobody could call."""
    if settings.clients_file is None and not settings.open_access:
        raise WrongSetting(
            "Nobody could call it. Set TRIALHOOK_CLIENTS_FILE=/etc/trialhook/clients.yaml and "
            "TRIALHOOK_PUBLIC_URL=https://trialhook.example.org, as the README says under 'Adding a hospital'. Or, "
            "where anybody may call because no record of a patient is at stake, TRIALHOOK_OPEN_ACCESS=true."
        )
    if settings.clients_file is None:
        return None
    if settings.public_url is None:
        raise WrongSetting(
            "TRIALHOOK_PUBLIC_URL is missing: the tokens of clients are made out to it. Write the address at which "
            "they call the service, for example TRIALHOOK_PUBLIC_URL=https://trialhook.example.org"
        )
    if settings.fhir_servers and not settings.open_access:
        raise WrongSetting(
            "TRIALHOOK_FHIR_SERVERS has no effect without open access. Write the servers into the clients file, under "
            "fhir_servers of each client's entry, and leave the variable out."
        )
    return ClientsFile(settings.clients_file)


def _gate(settings: Settings, clients: ClientsFile | None, database: Database | None) -> Gate:
    if clients is None:
        return Gate(open_access=settings.open_access)
    published = PublishedKeys(settings.outbound_proxy, settings.outbound_ca_file)
    trust = Trust(clients.current, published, _replay_guard(database), _now)
    return Gate(trust, settings.open_access, settings.public_url or "")


def _replay_guard(database: Database | None) -> ReplayGuard:
    """What remembers used tokens: with a database for all workers together."""
    if database is None:
        return SeenHere(_now)
    from cds_service.store.tokens import UsedTokens  # noqa: PLC0415

    return UsedTokens(database, _now)


def _now() -> datetime:
    return datetime.now(UTC)


def _agreements(settings: Settings) -> Callable[[Client], Agreement]:
    """What holds for each client, made once: its entry over the settings of the site."""

    @cache
    def agreement(client: Client) -> Agreement:
        own = settings.model_copy(update=client.settings)
        site = _site(own, client.evidence)
        return Agreement(own, composer(site), order_composer(site), _fetcher(own), client.dialect)

    return agreement


def _fetcher(settings: Settings) -> Fetcher | None:
    """What may be fetched, from where; None where no FHIR server may be called."""
    if not settings.fhir_servers:
        return None
    guard = Guard(settings.fhir_servers, settings.outbound_proxy, settings.outbound_ca_file)
    limits = Limits(settings.fetch_seconds, settings.fetch_pages, settings.fetch_bytes)
    return Fetcher(guard, limits, settings.search_by_post)


def _opened(url: str) -> Database:
    """The database, ready if it can be reached; if not, each use tries again, and screening goes on without.

    Raises WrongDatabase where a person must act first.
    """
    from cds_service.store.database import Database  # noqa: PLC0415 - nobody else waits for what it loads

    database = Database(url)
    with suppress(StoreUnavailable):  # the cause is in the log
        database.prepare()
    return database


def _keeper(database: Database) -> Keep:
    from cds_service.store.feedback import FeedbackBook  # noqa: PLC0415

    return FeedbackBook(database, _now).keep


def _site(settings: Settings, evidence: bool = False) -> Site:
    """What the cards need to know of the settings."""
    shared = settings.model_dump(include={"language", "coordinator_contact", "suggest_tests", "show_not_yet"})
    return Site(**shared, referral_coding=settings.referral_coding, evidence=evidence)


def _composers(settings: Settings) -> Callable[[str], Compose]:
    """What composes the cards of a site in any language."""
    return lambda language: composer(_site(settings.model_copy(update={"language": language})))


def assembled(wiring: Wiring) -> Flask:
    app = Flask("trialhook", static_folder=None, template_folder=None)
    # A redirect would lose the body of a POST, and breaks a browser's preflight.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    register_request_ids(app)
    if wiring.settings.metrics:
        from cds_service.web.metrics import register_metrics  # noqa: PLC0415 - the library costs every other start 50 ms

        wiring = replace(wiring, watch=register_metrics(app, [service.id for service in wiring.services]))
    register_errors(app)
    guard(app, wiring.gate, wiring.settings.largest_body)
    open_to_browsers(app, wiring.settings.cors_origins)
    app.register_blueprint(cds_hooks(wiring))
    services = [service.id for service in wiring.services]
    app.register_blueprint(feedback(services, wiring.keep, is_made_here, wiring.settings.largest_body, caller_name))
    app.register_blueprint(protocol_pages(wiring))
    return app


def demo_settings(settings: Settings, port: int | None = None) -> Settings:
    """The settings of a demo: everybody may call it, also from pages on this machine and from the public Sandbox.

    Where its port is known it may also call its own FHIR server, in the two ways in which people spell it.
    """
    own = [Server(f"http://{host}:{port}/fhir", private=True) for host in ("127.0.0.1", "localhost") if port]
    return settings.model_copy(
        update={
            "open_access": True,
            "cors_origins": (*settings.cors_origins, LOOPBACK, _SANDBOX),
            "fhir_servers": (*settings.fhir_servers, *own),
        }
    )


def _wired_or_exit(settings: Settings | None, demo: bool = False, port: int | None = None) -> Wiring:
    """The parts of the service; a setting or a file of ours that is wrong is said, and nothing starts.

    For a demo with those that it needs, and its own folder for the database; a port says where it runs.
    """
    try:
        known = settings or load_settings()
        if demo and not known.database_url:
            _DEMO.mkdir(exist_ok=True)
        database = _opened(known.database_in(_DEMO if demo else _ROOT))
        return wire(demo_settings(known, port) if demo else known, database)
    except (WrongSetting, WrongDatabase, MalformedFile) as error:
        print(f"Trialhook does not start. {error}", file=sys.stderr, flush=True)
        raise SystemExit(_EXIT_NEVER_BOOTED) from None
