"""Who calls: the token of a CDS client, believed only when everything about it is as its entry says.

CDS Hooks, "Trusting CDS Clients": a JWT, signed with ES384 or RS384, for exactly the address that is called.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from threading import Lock
from typing import Protocol, TypeVar

import msgspec

from cds_service.errors import ServiceError
from cds_service.hooks.clients import Client, Clients
from cds_service.hooks.key_locations import KeySource
from cds_service.hooks.public_keys import ALGORITHMS, PublicKey
from cds_service.strict_json import check_json

# Seconds by which the clock of a client may differ from ours.
LEEWAY = 60
_LARGEST = 16_384  # characters
_LONGEST_ID = 512
T = TypeVar("T")


class ReplayGuard(Protocol):
    """Remembers which tokens were taken, for all workers together."""

    def first_use(self, issuer: str, token_id: str, until: datetime) -> bool:
        """True for the first call with this issuer and id, which are remembered until that moment."""
        ...


class _Header(msgspec.Struct):
    alg: str
    kid: str
    typ: str
    jku: str | None = None
    # What a header declares critical must be understood, and here nothing is.
    crit: object = msgspec.UNSET


class Claims(msgspec.Struct, frozen=True):
    """What a token says; nothing of it is proven before its signature is."""

    iss: str
    aud: str | tuple[str, ...]
    exp: int | float
    iat: int | float
    jti: str
    nbf: int | float | None = None
    tenant: str | None = None

    @property
    def audiences(self) -> set[str]:
        return {self.aud} if isinstance(self.aud, str) else set(self.aud)


class Untrusted(Exception):
    """A token that proves nothing. The message says why, for the log only; `claims` as far as they could be read."""

    def __init__(self, why: str, claims: Claims | None = None, known: bool = False) -> None:
        super().__init__(why)
        self.claims = claims
        self.issuer_is_known = known


class Trust:
    """Tells the client of a token: its entry in the clients file."""

    def __init__(
        self,
        clients: Callable[[], Clients],
        published: KeySource,
        replays: ReplayGuard,
        now: Callable[[], datetime],
    ) -> None:
        self._clients = clients
        self._published = published
        self._replays = replays
        self._now = now

    def client(self, token: str, audiences: Collection[str]) -> Client:
        """The client that made the token for one of these addresses.

        Raises Untrusted whatever is wrong with it, ServiceError 503 when it cannot be told whether it came before.
        Nothing is fetched for an issuer that is not in the clients file, nor for a token that is wrong anyway.
        """
        header, claims = _parts(token)
        clients = self._clients()
        client = clients.of(claims.iss, claims.tenant)
        if client is None:
            known = clients.knows(claims.iss)
            raise Untrusted(f"its {'tenant' if known else 'issuer'} is not in the clients file", claims, known)
        wrong = _wrong(header, client) or self._untimely(claims, client)
        if not wrong and not claims.audiences & set(audiences):
            wrong = "its audience is not the address that was called"
        if wrong:
            raise Untrusted(wrong, claims, known=True)
        key = self._key(header, client)
        if key is None or not key.has_signed(token):
            raise Untrusted(
                "its signature is not that of the key" if key else "no key has its kid and alg", claims, known=True
            )
        if client.tokens_once and not self._is_first(claims):
            raise Untrusted("it was used before", claims, known=True)
        return client

    def _untimely(self, claims: Claims, client: Client) -> str | None:
        now = self._now().timestamp()
        if not 0 < claims.exp - claims.iat <= client.token_seconds:
            return f"its life is not between 0 and {client.token_seconds} seconds"
        if claims.exp + LEEWAY <= now:
            return "it has expired"
        if max(claims.iat, claims.nbf or claims.iat) - LEEWAY > now:
            return "it is of the future"
        return None

    def _key(self, header: _Header, client: Client) -> PublicKey | None:
        for key in client.keys.held:
            if (key.kid, key.algorithm) == (header.kid, header.alg):
                return key
        named = [one for one in client.keys.jku if header.jku in (None, one.address)]
        return self._published.find(client.issuer, named, header.kid, header.alg)

    def _is_first(self, claims: Claims) -> bool:
        until = datetime.fromtimestamp(claims.exp + LEEWAY, UTC)
        try:
            return self._replays.first_use(claims.iss, claims.jti, until)
        except Exception:  # whatever a store can raise: it is not the token that is broken
            raise ServiceError(503, "transient", "Tokens cannot be checked at the moment. Try again.") from None


class SeenHere:
    """A replay guard of one process: enough for one worker, and for tests."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

    def first_use(self, issuer: str, token_id: str, until: datetime) -> bool:
        with self._lock:
            now = self._now()
            self._until = {seen: end for seen, end in self._until.items() if end > now}
            if (issuer, token_id) in self._until:
                return False
            self._until[issuer, token_id] = until
            return True


def _parts(token: str) -> tuple[_Header, Claims]:
    """Header and claims, unproven. Raises Untrusted."""
    if len(token) > _LARGEST:
        raise Untrusted("it is too long")
    head, _, rest = token.partition(".")
    try:
        claims = _read(rest.partition(".")[0], Claims)
    except Exception as error:  # bytes of any kind come here
        raise Untrusted(f"its claims are not those of CDS Hooks{_where(error)}") from None
    if not 0 < len(claims.jti) <= _LONGEST_ID or not claims.jti.isprintable():
        raise Untrusted("its jti is empty, too long or holds control characters", claims)
    try:
        return _read(head, _Header), claims
    except Exception as error:
        raise Untrusted(f"its header is not that of CDS Hooks{_where(error)}", claims) from None


def _where(error: Exception) -> str:
    """What is missing or of another type: names of fields and types, nothing that came."""
    return f": {error}" if isinstance(error, msgspec.ValidationError) else ""


def _read(part: str, kind: type[T]) -> T:
    padded = part + "=" * (-len(part) % 4)
    return msgspec.json.decode(check_json(urlsafe_b64decode(padded)), type=kind)


def _wrong(header: _Header, client: Client) -> str | None:
    """What is wrong in the header."""
    if header.alg not in ALGORITHMS:
        return "its alg is not ES384 or RS384"
    if header.typ.upper() != "JWT" or header.crit is not msgspec.UNSET:
        return "its typ is not JWT, or it has a crit"
    if header.jku is not None and header.jku not in [one.address for one in client.keys.jku]:
        return "its jku is not in the entry of its issuer"
    return None
