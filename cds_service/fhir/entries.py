"""The entries of a record: one resource each, as it came."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from cds_service.clinical.facts import SkipReason
from cds_service.fhir import elements as el
from cds_service.fhir import envelope as env
from cds_service.fhir.decoding import decode
from cds_service.fhir.modifiers import may_be_modified, modified


class Entry(Struct, frozen=True):
    """One resource of the record as it came.

    `resource` is None when its elements could not be read; then `glimpse` holds what still could. `problem`
    is why the entry must be left out. `meta` is undecoded. `queries` are those that brought it, where each was
    answered on its own.
    """

    type: str
    reference: str
    full_url: str | None
    raw: bytes
    resource: el.Resource | None
    problem: SkipReason | None = None
    glimpse: el.Resource | None = None
    meta: msgspec.Raw = el.ABSENT
    queries: frozenset[str] = frozenset()

    @property
    def has_name(self) -> bool:
        """True when the reference names the resource, and not merely its place in the input."""
        return not self.reference.endswith("]")

    @property
    def edition(self) -> env.Edition:
        """What tells versions apart."""
        meta = decode(self.meta, env.Meta)
        return meta.edition if meta else env.UNDATED

    def with_problem(self, problem: SkipReason) -> Entry:
        return msgspec.structs.replace(self, problem=problem)


class Way(NamedTuple):
    """How entries came: by which queries, how many Bundles lie around their own, and whether any may be modified."""

    queries: frozenset[str]
    depth: int = 0
    may_be_modified: bool = True

    def deeper(self) -> Way:
        return self._replace(depth=self.depth + 1)


def _told_apart() -> Any:
    """Every type that is read, told apart by its name while it is decoded: one step instead of two."""
    tagged = (
        msgspec.defstruct(name, [], bases=(kind,), tag_field="resourceType", tag=name, kw_only=True)
        for name, kind in el.READ_TYPES.items()
    )
    return reduce(or_, tagged)


_READABLE = _told_apart()


def readable_entry(raw: bytes, way: Way, place: str, full_url: str | None) -> Entry | None:
    """The entry of a resource all of whose elements can be read; None for any other, and for types that are not."""
    resource: el.Resource | None = decode(raw, _READABLE)
    if resource is None:
        return None
    name = type(resource).__name__
    problem = modified(resource, way.may_be_modified and may_be_modified(raw))
    reference = _name(name, resource, full_url, place)
    return Entry(name, reference, full_url, raw, resource, problem, resource, resource.meta, way.queries)


def glimpsed_entry(raw: bytes, head: env.Head, way: Way, place: str, full_url: str | None) -> Entry:
    """The entry of any other resource: one with an element that cannot be read, or of a type that is not."""
    type_name = head.resourceType or ""
    kind = el.READ_TYPES.get(type_name)
    seen = _glimpse(raw, kind or el.OtherResource)
    problem: SkipReason | None = "unreadable" if kind else None
    reference = _name(type_name, seen, full_url, place)
    return Entry(type_name, reference, full_url, raw, None, problem, seen, head.meta, way.queries)


def _name(type_name: str, resource: el.Resource | None, full_url: str | None, place: str) -> str:
    """Type/id; else the address of the entry, else its place in the input."""
    if resource and resource.id:
        return f"{type_name}/{resource.id}"
    if full_url and f"/{type_name}/" in full_url:
        return f"{type_name}/{full_url.rstrip('/').rpartition('/')[2]}"
    return full_url or place


def _glimpse(raw: bytes, kind: type[el.Resource]) -> el.Resource | None:
    """A resource with only those elements that can be read one by one."""
    seen = decode(raw, env.Glimpse)
    if seen is None:
        return None
    readable: dict[str, Any] = {
        name: value for name, value in _readable_elements(seen) if name in kind.__struct_fields__
    }
    return kind(**readable)


_GLIMPSED: dict[str, Any] = {
    "id": str,
    "contained": list[msgspec.Raw],
    "code": el.CodeableConcept,
    "medicationCodeableConcept": el.CodeableConcept,
    "medicationReference": el.Reference,
    "medication": el.CodeableReference,
    "subject": el.Reference,
    "patient": el.Reference,
    "reaction": list[el.Reaction],
    "component": list[el.Observation],
    "effectiveDateTime": str,
    "effectivePeriod": el.Period,
    "effectiveInstant": str,
}


def _readable_elements(seen: env.Glimpse) -> Iterator[tuple[str, object]]:
    for name, shape in _GLIMPSED.items():
        value = decode(getattr(seen, name), shape)
        if value is not None:
            yield name, value
