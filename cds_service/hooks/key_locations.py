"""The keys that a client publishes: fetched when first needed, kept, and fetched again when it has new ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

from cds_service.hooks.public_keys import NotKeys, PublicKey, fetched_keys
from cds_service.net.calls import Guard
from cds_service.net.failures import CallFailed
from cds_service.net.servers import Server

_LOG = logging.getLogger(__name__)
# Seconds. A key that was withdrawn is believed for as long as the first; the second is how long a client whose
# server is away goes on; the third is between two calls of one location, whatever tokens come.
FRESH = 900.0
STALE = 86_400.0
PAUSE = 30.0
_DEADLINE = 2.0
_LARGEST = 262_144  # bytes


@dataclass(frozen=True, slots=True)
class KeyLocation:
    """Where a client publishes its JWK set: the address as its tokens write it, and the server that is called."""

    address: str
    server: Server

    @classmethod
    def parse(cls, text: str) -> KeyLocation:
        """The location that an entry names. Raises ValueError that says what is expected."""
        address, *words = text.split() or [""]
        try:
            place = urlsplit(address)
            server = Server.parse(" ".join([place._replace(query="").geturl(), *words]))
        except ValueError:
            raise ValueError(
                "expected the https address of a JWK set, followed by the word private where its name leads to a "
                "private address, and by insecure where http is meant: https://ehr.example.org/jwks.json private"
            ) from None
        return cls(address, server)


class KeySource(Protocol):
    """Finds the key of a token among those that its client publishes."""

    def find(self, issuer: str, locations: Iterable[KeyLocation], kid: str, algorithm: str) -> PublicKey | None: ...


@dataclass(slots=True)
class _Kept:
    """What is known of one location: its keys, when they came, and when it was last asked."""

    keys: tuple[PublicKey, ...] = ()
    came: float = float("-inf")
    asked: float = float("-inf")
    lock: Lock = field(default_factory=Lock)

    def key(self, kid: str, algorithm: str) -> PublicKey | None:
        return next((key for key in self.keys if key.kid == kid and key.algorithm == algorithm), None)


class PublishedKeys:
    """The keys at the locations of the clients, kept per issuer and location.

    A location is asked when its keys are not there or old, and once more for a key that is not among them, but
    never twice within `PAUSE`. When it cannot be had, the keys that came last go on for `STALE` seconds.
    """

    def __init__(
        self,
        proxy: str | None = None,
        ca_file: Path | None = None,
        moment: Callable[[], float] = monotonic,
    ) -> None:
        self._proxy = proxy
        self._ca_file = ca_file
        self._moment = moment
        self._kept: dict[tuple[str, KeyLocation], _Kept] = {}
        self._lock = Lock()

    def find(self, issuer: str, locations: Iterable[KeyLocation], kid: str, algorithm: str) -> PublicKey | None:
        """The first key of that id and algorithm at one of the locations; None where there is none to be had."""
        for location in locations:
            with self._lock:
                kept = self._kept.setdefault((issuer, location), _Kept())
            if key := self._key(location, kept, kid, algorithm):
                return key
        return None

    def _key(self, location: KeyLocation, kept: _Kept, kid: str, algorithm: str) -> PublicKey | None:
        key = kept.key(kid, algorithm)
        if key and self._moment() < kept.came + FRESH:
            return key
        # While one thread asks, the others need not wait for a key that they have.
        if kept.lock.acquire(blocking=key is None):
            try:
                self._refresh(location, kept, key is None or kept.key(kid, algorithm) is None)
            finally:
                kept.lock.release()
        return kept.key(kid, algorithm) if self._moment() < kept.came + STALE else None

    def _refresh(self, location: KeyLocation, kept: _Kept, lacks_key: bool) -> None:
        now = self._moment()
        if now < kept.asked + PAUSE or (now < kept.came + FRESH and not lacks_key):
            return
        kept.asked = now
        try:
            kept.keys = fetched_keys(self._asked(location))
            kept.came = now
        except (CallFailed, NotKeys) as problem:
            _LOG.warning("the JWK set at %s %s", location.server.base, problem)

    def _asked(self, location: KeyLocation) -> bytes:
        guard = Guard([location.server], self._proxy, self._ca_file)
        with guard.line(location.server, _DEADLINE) as line:
            return line.ask(location.address, most=_LARGEST, accept="application/json")
