"""The parts of the service, made of its settings: loaded, connected and tried once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cards.compose import Site, composer
from cards.guard import order_composer
from cds_service.fhir.client import Fetcher
from cds_service.fhir.paging import Limits
from cds_service.fhir.queries import prefetch_templates
from cds_service.hooks.clients import Client
from cds_service.hooks.clients_file import ClientsFile
from cds_service.hooks.discovery import order_services, patient_view_service
from cds_service.hooks.key_locations import PublishedKeys
from cds_service.hooks.trust import ReplayGuard, SeenHere, Trust
from cds_service.net.calls import Guard
from cds_service.pipeline import Compose
from cds_service.review import Reviews
from cds_service.settings import Settings, WrongSetting
from cds_service.trials.protocol import SERVED, Protocol, load_protocol
from cds_service.web.cds_hooks import Agreement, Wiring
from cds_service.web.feedback import Keep, nowhere
from cds_service.web.gate import Gate
from cds_service.web.rehearsal import rehearse

if TYPE_CHECKING:
    from cds_service.store.database import Database

Clock = Callable[[], datetime]


def wired(settings: Settings, now: Clock, database: Database | None = None) -> Wiring:
    """The parts, which a made-up call has gone through. Without a database nothing is kept.

    Raises WrongSetting, or MalformedFile, with what to write.
    """
    protocol = load_protocol(SERVED)
    trial = protocol.trial
    named = (trial.id, trial.short_title, prefetch_templates())
    services = (patient_view_service(*named), *order_services(*named))
    zone = ZoneInfo(settings.site_timezone)

    def today() -> date:
        return now().astimezone(zone).date()

    clients = _clients(settings)
    site = _site(settings)
    wiring = Wiring(
        services, protocol, composer(site), settings, today, _fetcher(settings), order_composer(site),
        _keeper(database, now) if database else nowhere,
        gate=_gate(settings, clients, now, database), agreement=_agreements(settings),
    )  # fmt: skip
    for client in (None, *(clients.current().entries if clients else ())):
        rehearse(wiring.serving(client))
    # Not before: no record of a rehearsal is kept.
    return replace(wiring, reviews=_reviews(settings, protocol, now, database) if database else None)


def _reviews(settings: Settings, protocol: Protocol, now: Clock, database: Database) -> Reviews | None:
    """The reviews of cards; None where no key is set. Raises WrongSetting without an address that links can lead to."""
    if not settings.review_keys:
        return None
    if settings.public_url is None:
        raise WrongSetting(
            "TRIALHOOK_PUBLIC_URL is missing: cards link to the review page below it. Write the address at which "
            "people reach the service, for example TRIALHOOK_PUBLIC_URL=https://trialhook.example.org, or leave "
            "TRIALHOOK_REVIEW_KEYS out."
        )
    from cds_service.store.sealed import SealedJournal, SealedPages  # noqa: PLC0415
    from cds_service.store.sealing import Seal  # noqa: PLC0415

    seal = Seal(settings.review_keys)
    pages = SealedPages(database, seal, now, timedelta(hours=settings.review_hours))
    return Reviews(protocol, pages, SealedJournal(database, seal, now, timedelta(days=settings.answer_days)), now)


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


def _gate(settings: Settings, clients: ClientsFile | None, now: Clock, database: Database | None) -> Gate:
    if clients is None:
        return Gate(open_access=settings.open_access)
    published = PublishedKeys(settings.outbound_proxy, settings.outbound_ca_file)
    trust = Trust(clients.current, published, _replay_guard(now, database), now)
    return Gate(trust, settings.open_access, settings.public_url or "")


def _replay_guard(now: Clock, database: Database | None) -> ReplayGuard:
    """What remembers used tokens: with a database for all workers together."""
    if database is None:
        return SeenHere(now)
    from cds_service.store.tokens import UsedTokens  # noqa: PLC0415

    return UsedTokens(database, now)


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


def _keeper(database: Database, now: Clock) -> Keep:
    from cds_service.store.feedback import FeedbackBook  # noqa: PLC0415

    return FeedbackBook(database, now).keep


def _site(settings: Settings, evidence: bool = False) -> Site:
    """What the cards need to know of the settings."""
    shared = settings.model_dump(include={"language", "coordinator_contact", "suggest_tests", "show_not_yet"})
    return Site(**shared, referral_coding=settings.referral_coding, evidence=evidence)


def composers(settings: Settings) -> Callable[[str], Compose]:
    """What composes the cards of a site in any language."""
    return lambda language: composer(_site(settings.model_copy(update={"language": language})))
