"""What resources come in: Bundles, failures, and the least that tells what an object is."""

# ruff: noqa: N815 - these are the names of FHIR

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from cds_service.fhir.datatypes import ABSENT

_HARMLESS = frozenset({"warning", "information", "success", ""})
_NOT_ALL = frozenset({"incomplete", "timeout"})
# "404 Not Found", or "HTTP/1.1 404".
_STATUS = re.compile(r"(?<![\d.])[1-5]\d\d(?!\d)")
_FIRST_ERROR = 400
_VERSION = re.compile(r"[0-9]{1,18}")


class BundleLink(Struct):
    relation: str | None = None
    url: msgspec.Raw = ABSENT


class EntrySearch(Struct):
    mode: str | None = None

    @property
    def is_match(self) -> bool:
        """True for what was searched for, and not what came along with it."""
        return self.mode in (None, "match")


class PlainEntry(Struct):
    """One entry of a Bundle as nearly all are; see BundleEntry for the others."""

    fullUrl: str | None = None
    resource: msgspec.Raw = ABSENT
    search: EntrySearch | None = None
    response: msgspec.Raw = ABSENT
    modifierExtension: msgspec.Raw = ABSENT


class BundleEntry(Struct):
    """One entry; all of it raw, so that a bad address or search mode does not cost the resource."""

    fullUrl: msgspec.Raw = ABSENT
    resource: msgspec.Raw = ABSENT
    search: msgspec.Raw = ABSENT
    request: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT
    modifierExtension: msgspec.Raw = ABSENT


class Request(Struct):
    """What was asked for when a version of a history came about."""

    method: str | None = None
    url: str | None = None


class BundleHead(Struct):
    """What a Bundle says of itself."""

    resourceType: str | None = None
    type: msgspec.Raw = ABSENT
    implicitRules: msgspec.Raw = ABSENT
    total: msgspec.Raw = ABSENT
    link: msgspec.Raw = ABSENT


class Bundle(BundleHead):
    entry: list[msgspec.Raw] | None = None


class PlainBundle(BundleHead):
    """A Bundle all of whose entries are as nearly all are."""

    entry: list[PlainEntry] | None = None


class Issue(Struct):
    severity: str | None = None
    code: str | None = None

    @property
    def is_failure(self) -> bool:
        """True for an error, for a severity that FHIR does not know, and for a warning that not all was searched."""
        severity = (self.severity or "").strip().lower()
        return severity not in _HARMLESS or self.code in _NOT_ALL


class OperationOutcome(Struct):
    """What a server says of a search; "nothing found" is a warning in some EHRs and no failure."""

    issue: list[Issue] = field(default_factory=list)

    @property
    def is_failure(self) -> bool:
        return any(issue.is_failure for issue in self.issue)


class Response(Struct):
    """The answer of a batch, or of the oldest clients, to one of its queries."""

    status: str | int | None = None
    lastModified: Any = None
    outcome: OperationOutcome | None = None

    @property
    def is_failure(self) -> bool:
        """True for a status of HTTP that reports an error or cannot be read, and for an outcome that reports one."""
        stated = str(self.status or "").strip()
        status = _STATUS.search(stated)
        refused = int(status[0]) >= _FIRST_ERROR if status else stated.lower() not in ("", "ok")
        return refused or bool(self.outcome and self.outcome.is_failure)


# When a resource was last changed, in UTC, its version, and whether all of it is there: the later one counts.
Edition = tuple[str, int, bool]
UNDATED: Edition = ("", -1, True)


class OfferedType(Struct):
    type: str | None = None


class Offer(Struct):
    mode: str | None = None
    resource: list[OfferedType] = field(default_factory=list)


class CapabilityStatement(Struct):
    rest: list[Offer] = field(default_factory=list)


def moment(stamp: object) -> str:
    """The instant in UTC; empty where the server does not say it, or says it in a way that cannot be read."""
    try:
        read = datetime.fromisoformat(str(stamp))
        return read.astimezone(UTC).isoformat() if read.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


class Meta(Struct):
    """What tells versions of one resource apart; whatever else stands in its place takes nothing from the resource."""

    lastUpdated: Any = None
    versionId: Any = None
    tag: Any = None

    @property
    def edition(self) -> Edition:
        version = str(self.versionId)
        return self._updated(), int(version) if _VERSION.fullmatch(version) else -1, not self._is_part()

    def _updated(self) -> str:
        return moment(self.lastUpdated)

    def _is_part(self) -> bool:
        """True for a resource that was sent without some of its elements, as servers mark it."""
        tags = self.tag
        return isinstance(tags, list) and any(isinstance(one, dict) and one.get("code") == "SUBSETTED" for one in tags)


class Head(Struct):
    """The least that says what an object is: looked at before anything else of it is decoded."""

    resourceType: str | None = None
    resource: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT
    meta: msgspec.Raw = ABSENT


class Identified(Struct):
    """The identifiers of a Patient."""

    identifier: msgspec.Raw = ABSENT


class Glimpse(Struct):
    """What may still be told of a resource that cannot be read as a whole."""

    id: msgspec.Raw = ABSENT
    contained: msgspec.Raw = ABSENT
    code: msgspec.Raw = ABSENT
    medicationCodeableConcept: msgspec.Raw = ABSENT
    medicationReference: msgspec.Raw = ABSENT
    medication: msgspec.Raw = ABSENT
    subject: msgspec.Raw = ABSENT
    patient: msgspec.Raw = ABSENT
    reaction: msgspec.Raw = ABSENT
    component: msgspec.Raw = ABSENT
    effectiveDateTime: msgspec.Raw = ABSENT
    effectivePeriod: msgspec.Raw = ABSENT
    effectiveInstant: msgspec.Raw = ABSENT
