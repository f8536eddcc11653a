"""What resources come in: Bundles, failures, and the least that tells what an object is."""

# ruff: noqa: N815 - these are the names of FHIR

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from cds_service.fhir.datatypes import ABSENT


class BundleLink(Struct):
    relation: str | None = None


class EntrySearch(Struct):
    mode: str | None = None


class EntryResponse(Struct):
    """What a server says of one request of a batch; of one that failed it says nothing else."""

    status: str | int | None = None
    outcome: msgspec.Raw = ABSENT


class BundleEntry(Struct):
    """One entry; all of it raw, so that a bad address or search mode does not cost the resource."""

    fullUrl: msgspec.Raw = ABSENT
    resource: msgspec.Raw = ABSENT
    search: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT


class Bundle(Struct):
    total: msgspec.Raw = ABSENT
    link: msgspec.Raw = ABSENT
    entry: list[msgspec.Raw] | None = None


class Issue(Struct):
    severity: str | None = None


class OperationOutcome(Struct):
    issue: list[Issue] = field(default_factory=list)


class Meta(Struct):
    lastUpdated: str | None = None


class Head(Struct):
    """The least that says what an object is: looked at before anything else of it is decoded."""

    resourceType: str | None = None
    resource: msgspec.Raw = ABSENT
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
