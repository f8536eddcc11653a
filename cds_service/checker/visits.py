"""Calls that let a service fetch from a FHIR server of the checker, and what it asked for each time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from cds_service.checker.conversation import Exchange
from cds_service.checker.fhir_server import Asked, FhirServer, fhir_server
from cds_service.checker.probe import Probe
from cds_service.checker.synthetic import first_page

# Told from any other by the services' answers and by the server's log.
TOKEN = f"checker-synthetic-token-{uuid4().hex}"
ACCESS: Mapping[str, Any] = {
    "access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read", "subject": "checker",
}  # fmt: skip
SCOPES = {
    "SMART v1": "patient/*.read user/*.read",
    "SMART v2": "patient/Observation.rs?category=laboratory user/*.rs",
    "free text": "RP.PATIENT.READ and some words of an EHR",
}
MALFORMED: Mapping[str, Any] = {
    "a string": "x", "an array": [], "without access_token": {**ACCESS, "access_token": None},
    "access_token a number": {**ACCESS, "access_token": 7}, "expired": {**ACCESS, "expires_in": 0},
    "expires_in a word": {**ACCESS, "expires_in": "soon"}, "another token_type": {**ACCESS, "token_type": "Basic"},
}  # fmt: skip
HANGS = 8.0  # seconds
_CONTEXT = re.compile(r"\{\{\s*context\.(\w+)\s*\}\}")


@dataclass
class Visit:
    """One service that was to fetch its whole prefetch. `paged` says that it followed a link to a next page."""

    probe: Probe
    exchange: Exchange
    asked: Sequence[Asked] = ()
    paged: bool = False


@dataclass
class Visits:
    """All that was seen at the checker's FHIR server."""

    visits: list[Visit] = field(default_factory=list)
    scopes: dict[str, int] = field(default_factory=dict)
    malformed: dict[str, tuple[Exchange, int]] = field(default_factory=dict)
    hung: Exchange | None = None
    leaked: int | None = None

    @property
    def asked(self) -> list[Asked]:
        return [one for visit in self.visits for one in visit.asked]


def visit_all(probes: Iterable[Probe], address: str) -> Visits:
    """Each tried service once; the first that fetches at all also under odd circumstances."""
    seen = Visits()
    with fhir_server(address) as server:
        for probe in probes:
            if not probe.prefetch:
                continue
            server.answers = queries(probe)
            exchange, asked = _fetching(probe, server, ACCESS)
            seen.visits.append(Visit(probe, exchange, asked, _follows(probe, server)))
        fetching = next((visit.probe for visit in seen.visits if visit.asked), None)
        if fetching is not None:
            _oddities(fetching, server, seen)
    return seen


def _oddities(probe: Probe, server: FhirServer, seen: Visits) -> None:
    server.answers = queries(probe)
    seen.scopes = {name: len(_fetching(probe, server, {**ACCESS, "scope": one})[1]) for name, one in SCOPES.items()}
    for name, access in MALFORMED.items():
        exchange, asked = _fetching(probe, server, access)
        seen.malformed[name] = exchange, len(asked)
    with fhir_server("http://127.0.0.1:0/elsewhere") as elsewhere:
        server.redirect = f"{elsewhere.base}/Patient/1"
        _fetching(probe, server, ACCESS)
        seen.leaked = len(elsewhere.asked)
        server.redirect = None
    server.delay = HANGS
    seen.hung = _fetching(probe, server, ACCESS)[0]


def _fetching(probe: Probe, server: FhirServer, access: Any) -> tuple[Exchange, list[Asked]]:
    server.asked.clear()
    exchange = probe.changed(prefetch=None, fhirServer=server.base, fhirAuthorization=access)
    return exchange, server.record_asked()


def _follows(probe: Probe, server: FhirServer) -> bool:
    """True when a next page at the server is asked for."""
    for key in probe.searches[:1]:
        server.asked.clear()
        page = first_page(f"{server.base}/checker-next-page")
        changes = {"fhirServer": server.base, "fhirAuthorization": dict(ACCESS)}
        probe.changed(prefetch={**probe.prefetch, key: page}, **changes)
        return any(one.path.endswith("/checker-next-page") for one in server.asked)
    return False


def queries(probe: Probe) -> dict[str, Any]:
    """The queries of a service with the context filled in, each with what was prefetched for it."""
    context = probe.body.get("context", {})
    filled = {}
    for key, template in probe.entry.prefetch.items():
        if probe.prefetch.get(key) is not None:
            query = _CONTEXT.sub(lambda found: str(context.get(found[1], "")), template)
            filled[query] = probe.prefetch[key]
    return filled


def is_local(url: str) -> bool:
    """True for a service on this machine, which alone can reach a server that is opened here."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
