"""The CDS clients that may call: one entry per EHR in the clients file, which is read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cds_service.hooks.key_locations import KeyLocation
from cds_service.hooks.public_keys import NotKeys, PublicKey, UnusableKey, keys_of, public_key, read_json
from cds_service.net.servers import Server
from cds_service.settings import Language

# How a client's answers are written; see cards/dialect.py.
Dialect = Literal["epic", "1.0", "2.0", "3.0"]
# What to write for each key of an entry, as the messages show it.
EXAMPLES: Mapping[str, str] = {
    "name": "name: Example Hospital, production",
    "issuer": "issuer: https://ehr.example.org/api/FHIR/R4",
    "keys": "keys: {jku: https://ehr.example.org/jwks.json}, or keys: {file: example-hospital.jwks.json}",
    "tenants": 'tenants: ["2ddd6c3a-8e9a"]',
    "fhir_servers": "fhir_servers: [https://ehr.example.org/api/FHIR/R4, https://ehr.hospital.lan/fhir private]",
    "dialect": 'dialect: "2.0"',
    "referral": 'referral: {system: "http://snomed.info/sct", code: "103697008", display: Patient referral}',
    "language": "language: en",
    "trust_null": "trust_null: false",
    "evidence": "evidence: true",
    "token_seconds": "token_seconds: 900",
    "tokens_once": "tokens_once: false",
}
# In the context of validation: the folder of the clients file.
FOLDER = "folder"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Referral(_Part):
    """How the client's EHR codes the referral order."""

    system: StrictStr = Field(pattern=r"^\S+:\S+$")
    code: StrictStr = Field(min_length=1)
    display: StrictStr | None = Field(default=None, min_length=1)


class Keys(_Part):
    """Where a client's public keys are: in the entry, in a file beside it, at addresses that it publishes.

    The keys at hand are looked at first; an address is only called for a key that is not among them.
    """

    jwks: tuple[PublicKey, ...] = ()
    file: tuple[PublicKey, ...] = ()
    jku: tuple[KeyLocation, ...] = ()

    @field_validator("jwks", mode="before")
    @classmethod
    def _are_keys(cls, written: object) -> object:
        return _held(written)

    @field_validator("file", mode="before")
    @classmethod
    def _holds_keys(cls, written: object, about: ValidationInfo) -> object:
        path = key_file(written, (about.context or {})[FOLDER])
        try:
            return _held(read_json(path.read_bytes()))
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror}); expected a file with a JWK set") from None

    @field_validator("jku", mode="before")
    @classmethod
    def _are_locations(cls, written: object) -> object:
        return tuple(KeyLocation.parse(one) for one in _texts(written))

    @model_validator(mode="after")
    def _are_some(self) -> Self:
        if not (self.held or self.jku):
            raise ValueError("expected at least one of jku, file and jwks")
        names = [(key.kid, key.algorithm) for key in self.held]
        if twice := [kid for kid, algorithm in names if names.count((kid, algorithm)) > 1]:
            raise ValueError(f"two keys have the kid {twice[0]!r}; expected a name of its own for each")
        return self

    @property
    def held(self) -> tuple[PublicKey, ...]:
        """The keys at hand."""
        return (*self.jwks, *self.file)


class Client(_Part):
    """One EHR: who signs for it, with which keys, where its records lie, and how its cards are written.

    What an entry does not say of referral, language and null is as in the settings. `token_seconds` is the longest
    life of a token; with `tokens_once` each is taken once. Without `tenants` any tenant of the issuer is this client.
    """

    name: StrictStr = Field(min_length=1, max_length=100)
    issuer: StrictStr = Field(max_length=1000)
    keys: Keys
    tenants: tuple[StrictStr, ...] = ()
    fhir_servers: tuple[Server, ...] = ()
    dialect: Dialect = "2.0"
    referral: Referral | None = None
    language: Language | None = None
    trust_null: StrictBool | None = None
    evidence: StrictBool = False
    token_seconds: StrictInt = Field(default=900, ge=60, le=3600)
    tokens_once: StrictBool = True

    @field_validator("issuer")
    @classmethod
    def _is_address(cls, issuer: str) -> str:
        if ":" not in issuer or not issuer.isprintable() or " " in issuer:
            raise ValueError("expected the iss of its tokens, a URI, exactly as they write it")
        return issuer

    @field_validator("fhir_servers", mode="before")
    @classmethod
    def _are_servers(cls, written: object) -> object:
        return tuple(Server.parse(one) for one in _texts(written))

    @field_validator("dialect", mode="before")
    @classmethod
    def _is_dialect(cls, written: object) -> object:
        """YAML takes 2.0 without quotes for a number."""
        name = f"{written:.1f}" if type(written) in (int, float) else written
        if name not in get_args(Dialect):
            raise ValueError(f"expected one of {', '.join(get_args(Dialect))}")
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.evidence and self.dialect == "1.0":
            raise ValueError("evidence: a client of strict 1.0 gets no extension; leave it out, or choose dialect 2.0")
        return self

    @property
    def settings(self) -> Mapping[str, object]:
        """The settings of the site that are others for this client. Its FHIR servers are always its own."""
        own: dict[str, object] = {"fhir_servers": self.fhir_servers}
        if self.referral:
            own |= {
                "referral_code_system": self.referral.system,
                "referral_code": self.referral.code,
                "referral_display": self.referral.display,
            }
        return own | {name: value for name in ("language", "trust_null") if (value := getattr(self, name)) is not None}

    def is_meant(self, issuer: str, tenant: str | None) -> bool:
        return issuer == self.issuer and (not self.tenants or tenant in self.tenants)


@dataclass(frozen=True, slots=True)
class Clients:
    """The entries of a clients file. `files` are those that it was made from."""

    entries: tuple[Client, ...]
    files: tuple[Path, ...] = ()

    def of(self, issuer: str, tenant: str | None) -> Client | None:
        """The client that signs as this issuer for this tenant."""
        return next((client for client in self.entries if client.is_meant(issuer, tenant)), None)

    def knows(self, issuer: str) -> bool:
        return any(client.issuer == issuer for client in self.entries)


def key_file(written: object, folder: Path) -> Path:
    """The path of a key file, which is beside the clients file unless it says otherwise. Raises ValueError."""
    if not isinstance(written, str):
        raise ValueError("expected the name of a file with a JWK set")
    return folder / written


def _held(jwks: object) -> tuple[PublicKey, ...]:
    """The keys of a set of ours: each must be usable."""
    try:
        return tuple(_key(number, jwk) for number, jwk in enumerate(keys_of(jwks), 1))
    except NotKeys as error:
        raise ValueError(str(error)) from None


def _key(number: int, jwk: object) -> PublicKey:
    try:
        return public_key(jwk)
    except UnusableKey as error:
        raise ValueError(f"key {number} of the set {error}") from None


def _texts(written: object) -> list[str]:
    """One text or a list of them."""
    texts = [written] if isinstance(written, str) else written
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise ValueError("expected a list of addresses")
    return texts
