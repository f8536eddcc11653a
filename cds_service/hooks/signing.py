"""Keys and tokens as a CDS client makes them, for whoever tries a service: we sign nothing ourselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.hooks.public_keys import PublicKey, UnusableKey, public_key
from cds_service.strict_json import NotJson, check_json

Jwk = Mapping[str, Any]
_PUBLIC = ("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e")
_RSA_BITS = 3072


class NoSigningKey(ValueError):
    """A file that holds no private key for CDS Hooks. The message says what is expected."""


def new_key(algorithm: str, kid: str | None = None) -> Jwk:
    """A new private key as JWK, for ES384 or RS384; without a name it gets one that nobody else has."""
    made = _generated(algorithm)
    return {**_jwk(made), "kid": kid or str(uuid4()), "use": "sig", "alg": algorithm}


def _generated(algorithm: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if algorithm == "ES384":
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _jwk(key: object) -> dict[str, Any]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return dict(ECAlgorithm.to_jwk(key, as_dict=True))
    if isinstance(key, rsa.RSAPrivateKey):
        return dict(RSAAlgorithm.to_jwk(key, as_dict=True))
    raise NoSigningKey("it is of another kind; expected an EC key of P-384 or an RSA key")


def public_half(key: Jwk) -> Jwk:
    """What everybody may know of a private key."""
    return {name: key[name] for name in _PUBLIC if name in key}


def signing_key(content: bytes, kid: str | None = None) -> Jwk:
    """The private key of a file: a JWK, or PEM and the kid beside it. Raises NoSigningKey."""
    try:
        read = _jwk(load_pem_private_key(content, None)) if b"-----BEGIN" in content else _from_json(content)
    except (ValueError, TypeError):
        raise NoSigningKey(
            "expected a private key as JWK, as the command keys writes it, or PEM without password"
        ) from None
    key = {name: value for name, value in read.items() if name != "key_ops"} | ({"kid": kid} if kid else {})
    if "d" not in key:
        raise NoSigningKey("it is the public half; a token is signed with the private one")
    try:
        named = {**key, "alg": half_of(key).algorithm}
        signed(named, {})
    except UnusableKey as problem:
        raise NoSigningKey(f"the key {problem}") from None
    except Exception:  # two libraries read the numbers
        raise NoSigningKey("its numbers make no private key") from None
    return named


def _from_json(content: bytes) -> Any:
    try:
        read = msgspec.json.decode(check_json(content))
    except (NotJson, msgspec.DecodeError) as error:
        raise ValueError from error
    if not isinstance(read, dict):
        raise ValueError
    return read


def half_of(key: Jwk) -> PublicKey:
    """The public half as the service reads it. Raises UnusableKey."""
    return public_key(public_half(key))


def signed(key: Jwk, claims: Mapping[str, object], jku: str | None = None) -> str:
    """A token with these claims."""
    headers = {"kid": str(key["kid"])} | ({"jku": jku} if jku else {})
    algorithm = str(key["alg"])
    return jwt.encode(dict(claims), cast(Any, jwt.PyJWK(dict(key), algorithm).key), algorithm, headers)


def claims_of(issuer: str, audience: str, now: datetime, seconds: int, tenant: str | None = None) -> dict[str, object]:
    """The claims of a token that is good from now on, with an id that no other has."""
    at = int(now.timestamp())
    claims: dict[str, object] = {"iss": issuer, "aud": audience, "iat": at, "exp": at + seconds, "jti": uuid4().hex}
    return claims | ({"tenant": tenant} if tenant else {})
