"""Which types of resource a server offers at all, from its CapabilityStatement."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from time import monotonic

from cds_service.fhir import envelope as env
from cds_service.fhir.decoding import decode
from cds_service.net.calls import Line
from cds_service.net.failures import CallFailed

# How long a statement is believed; servers change with their releases.
_SECONDS = 3600.0
# Of large EHRs it has some megabytes.
_LARGEST = 16_000_000
# How servers answer a search of a type that they do not have; some do so for other reasons as well.
_REFUSALS = (400, 404, 405, 501)


class Offers:
    """Remembers what servers offer. Nothing in it is about a patient."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    def of(self, base: str) -> frozenset[str] | None:
        """The types that the server offers, when it said so lately; else None."""
        until, types = self._known.get(base, (0.0, frozenset[str]()))
        return types if monotonic() < until else None

    def remember(self, base: str, types: frozenset[str]) -> None:
        self._known[base] = (monotonic() + _SECONDS, types)


class Inquiry:
    """Asks a server at most once what it offers, while the queries of one request run."""

    def __init__(self, offers: Offers, line: Line, token: str) -> None:
        self._offers = offers
        self._line = line
        self._token = token
        self._lock = Lock()
        self._asked = False

    def lacks(self, type_name: str, status: int | None) -> bool:
        """True when the server refused a search because it has no such type; false when nobody can tell."""
        if status not in _REFUSALS:
            return False
        base = self._line.server.base
        with self._lock:  # one query asks, the others wait for what it learns
            if self._offers.of(base) is None and not self._asked:
                self._asked = True
                self._ask(base)
        types = self._offers.of(base)
        return types is not None and type_name not in types

    def _ask(self, base: str) -> None:
        with suppress(CallFailed):
            types = _types(self._line.ask(f"{base}/metadata", self._token, most=_LARGEST))
            # Every server of records has patients; a statement without them was not understood.
            if "Patient" in types:
                self._offers.remember(base, types)


def _types(body: bytes) -> frozenset[str]:
    statement = decode(body, env.CapabilityStatement) or env.CapabilityStatement()
    offered = [one.type for offer in statement.rest if offer.mode == "server" for one in offer.resource]
    return frozenset(name for name in offered if name)
