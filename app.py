"""Puts the parts together: `create_app()` is the service, `create_demo_app()` adds made-up patients."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Flask

from cards.card import is_made_here
from cards.compose import Site, composer
from cds_service.errors import StoreUnavailable, WrongDatabase
from cds_service.fhir.client import Fetcher
from cds_service.fhir.paging import Limits
from cds_service.fhir.queries import prefetch_templates
from cds_service.hooks.discovery import patient_view_service
from cds_service.net.calls import Guard
from cds_service.net.servers import Server
from cds_service.settings import Settings, WrongSetting, load_settings
from cds_service.strict_yaml import MalformedFile
from cds_service.trials.protocol import load_protocol
from cds_service.web.cds_hooks import Wiring, cds_hooks
from cds_service.web.errors import register_errors
from cds_service.web.feedback import Keep, feedback, nowhere
from cds_service.web.protocol import protocol_pages
from cds_service.web.rehearsal import rehearse

if TYPE_CHECKING:
    from cds_service.store.database import Database

TRIAL = "nct06920199"
# Gunicorn starts a failed worker again and again, except after this one.
_EXIT_NEVER_BOOTED = 3
_ROOT = Path(__file__).parent
_DEMO = _ROOT / ".demo"


def create_app(settings: Settings | None = None) -> Flask:
    """The service. Without settings it takes those of the environment."""
    return assembled(_wired_or_exit(settings))


def create_demo_app(settings: Settings | None = None, port: int | None = None) -> Flask:
    """The service with pages that show what it says of made-up patients, and a FHIR server that holds them.

    With the port on which it runs it may call that server.
    """
    from cds_service.web.demo import demo  # noqa: PLC0415 - a service in a hospital loads no made-up patient
    from cds_service.web.fhir_server.door import fhir_server  # noqa: PLC0415
    from fhir_fixtures.hook_request import USER  # noqa: PLC0415
    from fhir_fixtures.story import load_stories  # noqa: PLC0415

    wiring = _wired_or_exit(settings, port, _DEMO)
    app = assembled(wiring)
    app.config["DEMO"] = True
    app.register_blueprint(demo(wiring, load_stories()))
    app.register_blueprint(fhir_server(wiring.today, load_stories(), [USER]))
    return app


def wire(settings: Settings, database: Database | None = None) -> Wiring:
    """The parts of the service, loaded and tried once. Without a database nothing is kept."""
    protocol = load_protocol(TRIAL)
    trial = protocol.trial
    service = patient_view_service(trial.id, trial.short_title, prefetch_templates())
    zone = ZoneInfo(settings.site_timezone)

    def today() -> date:
        return datetime.now(zone).date()

    keep = _keeper(database) if database else nowhere
    wiring = Wiring((service,), protocol, composer(_site(settings)), settings, today, _fetcher(settings), keep)
    rehearse(wiring)
    return wiring


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

    return FeedbackBook(database, lambda: datetime.now(UTC)).keep


def _site(settings: Settings) -> Site:
    """What the cards need to know of the settings."""
    shared = settings.model_dump(include={"language", "coordinator_contact", "suggest_tests", "show_not_yet"})
    return Site(**shared, referral_coding=settings.referral_coding)


def assembled(wiring: Wiring) -> Flask:
    app = Flask("trialhook", static_folder=None, template_folder=None)
    # A redirect would lose the body of a POST, and breaks a browser's preflight.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    register_errors(app)
    app.register_blueprint(cds_hooks(wiring))
    services = [service.id for service in wiring.services]
    app.register_blueprint(feedback(services, wiring.keep, is_made_here, wiring.settings.largest_body))
    app.register_blueprint(protocol_pages(wiring))
    return app


def demo_settings(settings: Settings, port: int) -> Settings:
    """The settings of a demo that may also call its own FHIR server, in the two ways in which people spell it."""
    own = [Server(f"http://{host}:{port}/fhir", private=True) for host in ("127.0.0.1", "localhost")]
    return settings.model_copy(update={"fhir_servers": (*settings.fhir_servers, *own)})


def _wired_or_exit(settings: Settings | None, port: int | None = None, folder: Path | None = None) -> Wiring:
    """The parts of the service; a setting or a file of ours that is wrong is said in one line, and nothing starts.

    With a port they are those of a demo that runs there. In the folder, else beside the code, lies the database where
    none is set.
    """
    try:
        known = settings or load_settings()
        if folder and not known.database_url:
            with suppress(OSError):  # said when the database is opened
                folder.mkdir(exist_ok=True)
        database = _opened(known.database_in(folder or _ROOT))
        return wire(demo_settings(known, port) if port else known, database)
    except (WrongSetting, WrongDatabase, MalformedFile) as error:
        print(f"Trialhook does not start. {error}", file=sys.stderr, flush=True)
        raise SystemExit(_EXIT_NEVER_BOOTED) from None
