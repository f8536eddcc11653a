"""Puts the parts together: `create_app()` is the service, `create_demo_app()` adds made-up patients."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from flask import Flask

from cards.card import is_made_here
from cds_service.assembly import composers, wired
from cds_service.errors import StoreUnavailable, WrongDatabase
from cds_service.net.servers import Server
from cds_service.settings import LOOPBACK, Settings, WrongSetting, load_settings
from cds_service.strict_yaml import MalformedFile
from cds_service.web.cds_hooks import Wiring, cds_hooks
from cds_service.web.cors import open_to_browsers
from cds_service.web.errors import register_errors
from cds_service.web.feedback import feedback
from cds_service.web.gate import caller_name, guard
from cds_service.web.integrate import integration_page
from cds_service.web.openapi import openapi
from cds_service.web.protocol import protocol_pages
from cds_service.web.request_ids import log_with_request_ids, register_request_ids
from cds_service.web.review import review_pages

if TYPE_CHECKING:
    from cds_service.store.database import Database

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
    from cds_service.web.ehr import Ward, demo_ehr  # noqa: PLC0415
    from cds_service.web.fhir_server.door import fhir_server  # noqa: PLC0415
    from fhir_fixtures.drafts import offers  # noqa: PLC0415
    from fhir_fixtures.hook_request import USER  # noqa: PLC0415
    from fhir_fixtures.story import load_stories  # noqa: PLC0415
    from fhir_fixtures.translations import told_in_other_languages  # noqa: PLC0415

    log_with_request_ids()
    wiring = _wired_or_exit(settings, demo=True, port=port)
    app = assembled(wiring)
    app.config["DEMO"] = True
    speaking = Speaking(composers(wiring.settings), told_in_other_languages())
    app.register_blueprint(demo(wiring, load_stories(), speaking))
    app.register_blueprint(fhir_server(wiring.today, load_stories(), [USER]))
    ward = Ward(load_stories(), f"Practitioner/{USER['id']}", offers, "fhir_server.answer", speaking.told)
    app.register_blueprint(demo_ehr(wiring, ward))
    return app


def wire(settings: Settings, database: Database | None = None) -> Wiring:
    """The parts of the service, by the clock of this machine."""
    return wired(settings, _now, database)


def _now() -> datetime:
    return datetime.now(UTC)


def _opened(url: str) -> Database:
    """The database, ready if it can be reached; if not, each use tries again, and screening goes on without.

    Raises WrongDatabase where a person must act first.
    """
    from cds_service.store.database import Database  # noqa: PLC0415 - nobody else waits for what it loads

    database = Database(url)
    with suppress(StoreUnavailable):  # the cause is in the log
        database.prepare()
    return database


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
    app.register_blueprint(integration_page(wiring))
    app.register_blueprint(openapi())
    if wiring.reviews:
        app.register_blueprint(review_pages(wiring.reviews, wiring.settings.language, _now))
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
            "public_url": settings.public_url or (f"http://127.0.0.1:{port}" if port else None),
            "review_keys": settings.review_keys or (_demo_key() if port else ()),
        }
    )


def _demo_key(folder: Path = _DEMO) -> tuple[str, ...]:
    """The key of the demo's reviews: made once, so that each worker can open what another has kept.

    No key where none can be written; the demo then has no review page, and says so.
    """
    from cds_service.store.sealing import new_key  # noqa: PLC0415

    path = folder / "review.key"
    try:
        folder.mkdir(exist_ok=True)
        if not path.exists():
            with NamedTemporaryFile("w", dir=folder, encoding="ascii") as made:  # for its owner only
                made.write(new_key())
                made.flush()
                with suppress(FileExistsError):  # another worker was first; nobody ever sees half a key
                    os.link(made.name, path)
        return (path.read_text(encoding="ascii"),)
    except OSError as error:
        print(f"The demo has no review page: {path} cannot be written ({error.strerror}).", file=sys.stderr, flush=True)
        return ()


def _wired_or_exit(settings: Settings | None, demo: bool = False, port: int | None = None) -> Wiring:
    """The parts of the service; a setting or a file of ours that is wrong is said, and nothing starts.

    For a demo with those that it needs, and its own folder for the database; a port says where it runs.
    """
    try:
        known = settings or load_settings()
        if demo and not known.database_url:
            with suppress(OSError):  # said when the database is opened
                _DEMO.mkdir(exist_ok=True)
        database = _opened(known.database_in(_DEMO if demo else _ROOT))
        return wire(demo_settings(known, port) if demo else known, database)
    except (WrongSetting, WrongDatabase, MalformedFile) as error:
        print(f"Trialhook does not start. {error}", file=sys.stderr, flush=True)
        raise SystemExit(_EXIT_NEVER_BOOTED) from None
