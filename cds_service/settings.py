"""What a site can set: environment variables that start with TRIALHOOK_, typed, each with a safe default."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ByteSize, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cds_service.net.calls import holds_certificates
from cds_service.net.servers import Server, is_origin, is_proxy, plain_address

PREFIX = "TRIALHOOK_"
_DATABASE = re.compile(r"sqlite:///.|(postgres|postgresql|postgresql\+psycopg)://.")
# The language of what people read.
Language = Literal["en", "zh-CN"]
# Among the origins of browsers: any on the same machine.
LOOPBACK = "loopback"
_MEANT = {"byte_size": "expected a number of bytes, with or without a unit, for example 64 MB"}


class WrongSetting(Exception):
    """A setting that the service cannot start with. The message names it and says what is expected."""


class Settings(BaseSettings):
    """The settings of one site.

    `coordinator_contact` stands on the card only when it is set. `largest_body` is in bytes and may be
    written with a unit ("64 MB"). The referral coding is what a site wants on the referral order.
    Without `trust_null` a query that came as null counts as not sent. Without `fhir_servers` nothing is fetched;
    `fetch_pages` and `fetch_bytes` hold for each query. Without `database_url` an SQLite file is made beside the code.

    With a `clients_file` the clients in it may call, with tokens for addresses below `public_url`. With
    `open_access` anybody may. What is set here holds for open access, and for a client whose entry does not say
    otherwise; its FHIR servers stand in its entry only.
    """

    # An empty variable is how compose files and unit files say "not set".
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, str_strip_whitespace=True
    )

    site_timezone: str = "UTC"
    coordinator_contact: str | None = Field(default=None, max_length=200)
    suggest_tests: bool = True
    show_not_yet: bool = False
    largest_body: ByteSize = Field(default=ByteSize(64_000_000), gt=0)
    referral_code_system: str | None = None
    referral_code: str | None = None
    referral_display: str | None = None
    language: Language = "en"
    trust_null: bool = True
    fhir_servers: Annotated[tuple[Server, ...], NoDecode] = ()
    fetch_seconds: float = Field(default=1.5, gt=0, le=20)
    fetch_pages: int = Field(default=20, ge=1, le=1000)
    fetch_bytes: ByteSize = Field(default=ByteSize(8_000_000), gt=0)
    search_by_post: bool = False
    outbound_proxy: str | None = Field(default=None, repr=False)
    outbound_ca_file: Path | None = None
    database_url: str | None = Field(default=None, repr=False)
    clients_file: Path | None = None
    public_url: str | None = None
    open_access: bool = False
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    metrics: bool = False

    @field_validator("fhir_servers", mode="before")
    @classmethod
    def _are_servers(cls, written: object) -> object:
        entries = written.split(",") if isinstance(written, str) else []
        return tuple(Server.parse(entry) for entry in entries if entry.strip()) if entries else written

    @field_validator("public_url")
    @classmethod
    def _is_public_address(cls, written: str | None) -> str | None:
        """The address without the word insecure, and without a slash at its end."""
        if written is None:
            return None
        address, *words = written.split()
        place = plain_address(address)
        if place is None or place.query or place.fragment or words not in ([], ["insecure"]):
            raise ValueError(
                "expected the address at which clients call the service, without /cds-services, for example "
                "https://trialhook.example.org"
            )
        if place.scheme == "http" and not words and place.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(
                "expected https: over http anybody on the way reads the record. Where that is meant, in a test, add "
                "the word insecure"
            )
        return address.rstrip("/").removesuffix("/cds-services")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _are_origins(cls, written: object) -> object:
        entries = written.split(",") if isinstance(written, str) else written
        if not isinstance(entries, list | tuple):
            return entries
        origins = tuple(str(one).strip().lower() for one in entries if str(one).strip())
        for origin in origins:
            if origin != LOOPBACK and not is_origin(origin):
                raise ValueError(
                    "expected origins with commas between them, each of scheme, host and port as a browser sends it, "
                    "for example https://sandbox.example.org, or the word loopback for any on the same machine; "
                    "a * is not taken"
                )
        return origins

    @field_validator("outbound_proxy")
    @classmethod
    def _is_proxy(cls, proxy: str | None) -> str | None:
        if proxy is not None and not is_proxy(proxy):
            raise ValueError("expected the address of an HTTP proxy, for example http://proxy.example.org:3128")
        return proxy

    @field_validator("outbound_ca_file")
    @classmethod
    def _holds_certificates(cls, path: Path | None) -> Path | None:
        if path is not None and not holds_certificates(path):
            raise ValueError("expected a readable file of certificates in PEM form, for example /etc/ssl/hospital.pem")
        return path

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, url: str | None) -> str | None:
        # A database in memory would forget what was accepted.
        if url is not None and (not _DATABASE.match(url) or ":memory:" in url):
            raise ValueError(
                "expected a database, for example postgresql://trialhook@db.lan/trialhook "
                "or sqlite:////var/lib/trialhook/trialhook.sqlite"
            )
        return url

    @field_validator("site_timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # OSError: "Europe" is a folder of the database
            near = _nearest(name, available_timezones())
            raise ValueError(f"expected an IANA time zone, for example {near or 'Asia/Shanghai'}") from None
        return name

    @field_validator("referral_code_system")
    @classmethod
    def _is_address(cls, system: str | None) -> str | None:
        if system is not None and (":" not in system or any(letter.isspace() for letter in system)):
            raise ValueError("expected the address of a code system, for example http://snomed.info/sct")
        return system

    @model_validator(mode="after")
    def _coding_is_whole(self) -> Self:
        if (self.referral_code is None) != (self.referral_code_system is None):
            raise ValueError(f"{PREFIX}REFERRAL_CODE and {PREFIX}REFERRAL_CODE_SYSTEM are set together or not at all")
        if self.referral_display is not None and self.referral_code is None:
            raise ValueError(f"{PREFIX}REFERRAL_DISPLAY says nothing without {PREFIX}REFERRAL_CODE")
        return self

    def database_in(self, folder: Path) -> str:
        """The address of the database: the one that was set, else of a file in the folder."""
        return self.database_url or f"sqlite:///{quote(str(folder / 'trialhook.sqlite'))}"

    @property
    def referral_coding(self) -> dict[str, str] | None:
        """The coding for the referral order, as FHIR JSON; None when the site wants none."""
        if self.referral_code is None or self.referral_code_system is None:
            return None
        coding = {"system": self.referral_code_system, "code": self.referral_code}
        return coding | ({"display": self.referral_display} if self.referral_display else {})


def load_settings() -> Settings:
    """The settings of the environment. Raises WrongSetting for an unknown name or an unusable value."""
    _refuse_unknown(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        raise WrongSetting("\n".join(_sentences(error))) from None


def _refuse_unknown(environment: Iterable[str]) -> None:
    """A misspelt variable would silently leave a default in force: pydantic only looks for names it knows."""
    known = [name.upper() for name in Settings.model_fields]
    for variable in sorted(environment):
        name = variable.upper().removeprefix(PREFIX)
        if variable.upper().startswith(PREFIX) and name not in known:
            near = _nearest(name, known)
            all_known = ", ".join(PREFIX + one for one in known)
            advice = f"did you mean {PREFIX}{near}?" if near else f"known are {all_known}."
            raise WrongSetting(f"{variable} is no setting; {advice}")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.5)), None)


def _sentences(error: ValidationError) -> Iterable[str]:
    for one in error.errors(include_url=False, include_context=False):
        # A rule about several settings names them itself and has no place of its own.
        name = f"{PREFIX}{one['loc'][0]!s}".upper() + ": " if one["loc"] else ""
        yield name + _MEANT.get(one["type"], one["msg"].removeprefix("Value error, "))
