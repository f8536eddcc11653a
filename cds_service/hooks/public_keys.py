"""The public keys of CDS clients: of a JWK set only what may verify a CDS Hooks token."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
import msgspec

from cds_service.strict_json import NotJson, check_json

_LOG = logging.getLogger(__name__)
# Kind of key -> the one algorithm that it may verify: the header of a token has no say in it.
_ALGORITHMS = {("EC", "P-384"): "ES384", ("RSA", ""): "RS384"}
ALGORITHMS = frozenset(_ALGORITHMS.values())
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PUBLIC = ("kty", "crv", "x", "y", "n", "e")
_RSA_BITS = range(2048, 8193)
_JWS = jwt.PyJWS(sorted(ALGORITHMS), {"verify_signature": True, "enforce_minimum_key_length": True})


class UnusableKey(ValueError):
    """A key that verifies no token. The message goes on after "the key"."""


class NotKeys(ValueError):
    """Something else than a JWK set."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key with its id and the one algorithm that it verifies; `members` are those of the JWK that make the key."""

    kid: str
    algorithm: str
    members: tuple[tuple[str, str], ...]

    def has_signed(self, token: str) -> bool:
        """True when the token, as it stands, was signed with the private half of this key."""
        try:
            _JWS.decode_complete(token, _verifier(self), [self.algorithm])
        except Exception:  # what a token made by hand can make two libraries raise is no closed list
            return False
        return True


@lru_cache(maxsize=1024)
def _verifier(key: PublicKey) -> jwt.PyJWK:
    return jwt.PyJWK(dict(key.members), key.algorithm)


def public_key(jwk: object) -> PublicKey:
    """The key that a JWK describes. Raises UnusableKey."""
    if not isinstance(jwk, Mapping):
        raise UnusableKey("is no object; expected a JWK with kty, kid and, of an EC key, crv, x and y")
    if _PRIVATE & set(jwk):
        raise UnusableKey("is private: only its public half belongs here. Whoever has seen it can sign; make a new one")
    text = {name: value for name, value in jwk.items() if isinstance(value, str)}
    algorithm = _algorithm(text)
    if not text.get("kid"):
        raise UnusableKey('has no kid; expected the name that the header of a token gives it, for example "2026-a"')
    operations = jwk.get("key_ops", ["verify"])
    if text.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise UnusableKey('is not for signatures; expected "use": "sig"')
    key = PublicKey(text["kid"], algorithm, tuple((name, text[name]) for name in _PUBLIC if name in text))
    _try(key)
    return key


def _algorithm(text: Mapping[str, str]) -> str:
    """The algorithm of the key's kind, which it may repeat but not change."""
    kind = (text.get("kty", ""), text.get("crv", "") if text.get("kty") == "EC" else "")
    algorithm = _ALGORITHMS.get(kind)
    if algorithm is None:
        raise UnusableKey("is of a kind that is not used here; expected EC with crv P-384 (ES384), or RSA (RS384)")
    if text.get("alg", algorithm) != algorithm:
        raise UnusableKey(f"is for another algorithm; expected {algorithm}, or no alg")
    return algorithm


def _try(key: PublicKey) -> None:
    try:
        made: Any = _verifier(key).key
    except Exception:  # a point that is not on the curve, a modulus of no number
        raise UnusableKey("cannot be read; its numbers make no key") from None
    if key.algorithm == "RS384" and made.key_size not in _RSA_BITS:
        raise UnusableKey(f"has {made.key_size} bits; expected an RSA key of 2048 to 8192 bits")


def keys_of(jwks: object) -> Iterator[object]:
    """The JWKs of a set. Raises NotKeys."""
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, list) or not keys:
        raise NotKeys('expected a JWK set, for example {"keys": [{"kty": "EC", "crv": "P-384", "kid": "2026-a", …}]}')
    yield from keys


def read_json(body: bytes) -> object:
    """The JSON. Raises NotKeys."""
    try:
        return msgspec.json.decode(check_json(body))
    except (NotJson, msgspec.DecodeError):
        raise NotKeys('expected JSON with a JWK set: {"keys": […]}') from None


def fetched_keys(body: bytes) -> tuple[PublicKey, ...]:
    """The usable keys of a set that came from elsewhere. Raises NotKeys when none of them is."""
    found, unusable = [], []
    for jwk in keys_of(read_json(body)):
        try:
            found.append(public_key(jwk))
        except UnusableKey as problem:
            unusable.append(str(problem))
    if unusable:
        _LOG.warning("a JWK set holds %d keys that are not used; the key %s", len(unusable), unusable[0])
    if not found:
        raise NotKeys("it holds no key that can be used")
    return tuple(found)
