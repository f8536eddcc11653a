"""Whether a subject is the patient: what the Patient's own entries say of its address and its identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from cds_service.fhir import elements as el
from cds_service.fhir import envelope as env
from cds_service.fhir.decoding import decode
from cds_service.fhir.entries import Entry
from cds_service.fhir.references import local_name

_ABSOLUTE = re.compile(r"https?://([^/?#]+)(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """The servers on which the patient's entries lie, as far as addresses tell, and the patient's identifiers."""

    servers: frozenset[str]
    identifiers: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, entries: Iterable[Entry], patient: str | None) -> Identity:
        own = [entry for entry in entries if entry.type == "Patient" and entry.reference == patient]
        servers = {server for entry in own if (server := _server(entry.full_url))}
        return cls(frozenset(servers), frozenset(named for entry in own for named in _identifiers(entry.raw)))

    def leaves_open(self, subject: el.Reference | None, addresses: Mapping[str, str]) -> bool:
        """True for a subject of whom nobody can tell whether it is the patient.

        That is one named by an identifier that the patient is not known to have, and one on another server: the same
        id means somebody else there. An address says nothing against it where the Patient came without one.
        """
        if subject is None:
            return False
        if subject.reference:
            server = None if subject.reference in addresses else _server(subject.reference)
            return bool(server and self.servers) and server not in self.servers
        named = _identifier(subject.identifier)
        return named is not None and named not in self.identifiers


def _server(address: str | None) -> str | None:
    """The server and path before type and id, the same for http and https; None for any other address."""
    match = _ABSOLUTE.fullmatch(address or "")
    name = local_name(address) if match else None
    if match is None or name is None:
        return None
    return match[1].lower() + match[2].split("/_history")[0].split("?")[0].rstrip("/").removesuffix(name).rstrip("/")


def _identifier(stated: el.Identifier | None) -> tuple[str, str] | None:
    value = (stated.value or "").strip() if stated else ""
    return ((stated.system or "").strip(), value) if stated and value else None


def _identifiers(raw: bytes) -> Iterable[tuple[str, str]]:
    """The identifiers of a Patient, each read on its own: an odd one costs neither the others nor the Patient."""
    head = decode(raw, env.Identified)
    listed = decode(head.identifier, list[msgspec.Raw]) if head else None
    stated = (_identifier(decode(one, el.Identifier)) for one in listed or ())
    return [one for one in stated if one is not None]
