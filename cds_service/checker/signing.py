"""Tokens as a CDS client signs them, and tokens with one thing wrong in them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

_SECONDS = 300


class UnusableKey(ValueError):
    """A key that no token can be signed with. The message says what is expected."""


@dataclass(frozen=True)
class Signer:
    """A client's private key with what stands in its tokens.

    `public_base` replaces the address under which the service is called here, where its clients know it by another.
    """

    key: Any
    algorithm: str
    issuer: str
    kid: str
    jku: str | None = None
    tenant: str | None = None
    public_base: tuple[str, str] | None = None

    def token(self, url: str, claims: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None) -> str:
        """A token for one call of the address; a claim or header of None is left out."""
        named = {"kid": self.kid, "typ": "JWT", "jku": self.jku} | dict(headers or {})
        return jwt.encode(self._claims(url, claims), self.key, self.algorithm, _there(named))

    def audience(self, url: str) -> str:
        """The address as clients know it."""
        here, there = self.public_base or ("", "")
        return there + url.removeprefix(here) if here and url.startswith(here) else url

    def unsigned(self, url: str) -> str:
        """A token with alg none."""
        return jwt.encode(self._claims(url, None), "", "none", {"kid": self.kid, "typ": "JWT"})

    def signed_with_public_key(self, url: str, algorithm: str) -> str:
        """A token whose HMAC has our public key as its secret; made by hand, because libraries refuse to."""
        header = {"alg": algorithm, "kid": self.kid, "typ": "JWT"}
        parts = ".".join(_encoded(json.dumps(one).encode()) for one in (header, self._claims(url, None)))
        hmac = jwt.get_algorithm_by_name(algorithm)
        return f"{parts}.{_encoded(hmac.sign(parts.encode(), self._public_pem()))}"

    def with_algorithm(self, url: str, algorithm: str) -> str:
        """A token whose header names another algorithm than the one that signed it."""
        header, payload, signature = self.token(url).split(".")
        named = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": algorithm}
        return f"{_encoded(json.dumps(named).encode())}.{payload}.{signature}"

    def _claims(self, url: str, claims: Mapping[str, Any] | None) -> dict[str, Any]:
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": self.audience(url), "iat": now, "exp": now + _SECONDS, "jti": str(uuid4()),
                 "tenant": self.tenant}  # fmt: skip
        return _there(usual | dict(claims or {}))

    def _public_pem(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

        pem: bytes = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem


def read_key(path: Path) -> tuple[Any, str, str | None]:
    """The private key of a PEM file or a JWK, its algorithm, and its kid where the file names one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableKey(f"{path}: {error.strerror}") from None
    return _from_jwk(path, content) if content.lstrip().startswith(b"{") else (*_from_pem(path, content), None)


def _from_pem(path: Path, content: bytes) -> tuple[Any, str]:
    for name, kind in (("ES384", ECAlgorithm(ECAlgorithm.SHA384)), ("RS384", RSAAlgorithm(RSAAlgorithm.SHA384))):
        try:
            key = kind.prepare_key(content)
        except (ValueError, TypeError, jwt.PyJWTError):
            continue
        if hasattr(key, "private_numbers"):
            return key, name
    raise UnusableKey(f"{path}: expected a private key in PEM, of the curve P-384 (ES384) or RSA (RS384)")


def _from_jwk(path: Path, content: bytes) -> tuple[Any, str, str | None]:
    try:
        written = json.loads(content)
        jwk = written["keys"][0] if "keys" in written else written
        algorithm = {"EC": "ES384", "RSA": "RS384"}[jwk["kty"]]
        key = jwt.PyJWK(jwk, algorithm=algorithm).key
    except (ValueError, KeyError, IndexError, TypeError, jwt.PyJWTError):
        raise UnusableKey(f"{path}: expected a private JWK, of the curve P-384 or RSA") from None
    if not hasattr(key, "private_numbers"):
        raise UnusableKey(f"{path}: this JWK is a public key; tokens are signed with the private one")
    return key, algorithm, jwk.get("kid")


def _there(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in values.items() if one is not None}


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
