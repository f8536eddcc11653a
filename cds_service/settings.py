"""What a site can set: environment variables that start with TRIALHOOK_, typed, each with a safe default."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ByteSize, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cds_service.net.calls import holds_certificates
from cds_service.net.servers import Server, is_proxy

PREFIX = "TRIALHOOK_"
_MEANT = {"byte_size": "expected a number of bytes, with or without a unit, for example 64 MB"}


class WrongSetting(Exception):
    """A setting that the service cannot start with. The message names it and says what is expected."""


class Settings(BaseSettings):
    """The settings of one site.

    `coordinator_contact` stands on the card only when it is set. `largest_body` is in bytes and may be
    written with a unit ("64 MB"). The referral coding is what a site wants on the referral order.
    Without `trust_null` a query that came as null counts as not sent. Without `fhir_servers` nothing is fetched;
    `fetch_pages` and `fetch_bytes` hold for each query.
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
    language: Literal["en", "zh-CN"] = "en"
    trust_null: bool = True
    fhir_servers: Annotated[tuple[Server, ...], NoDecode] = ()
    fetch_seconds: float = Field(default=1.5, gt=0, le=20)
    fetch_pages: int = Field(default=20, ge=1, le=1000)
    fetch_bytes: ByteSize = Field(default=ByteSize(8_000_000), gt=0)
    search_by_post: bool = False
    outbound_proxy: str | None = Field(default=None, repr=False)
    outbound_ca_file: Path | None = None

    @field_validator("fhir_servers", mode="before")
    @classmethod
    def _are_servers(cls, written: object) -> object:
        entries = written.split(",") if isinstance(written, str) else []
        return tuple(Server.parse(entry) for entry in entries if entry.strip()) if entries else written

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
