"""Bytes to typed resources, entry by entry, so that one bad entry costs one entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec

from cds_service.clinical.facts import SkipReason
from cds_service.fhir import elements as el
from cds_service.fhir import envelope as env
from cds_service.fhir.decoding import decode
from cds_service.fhir.deletions import Deletions, deletions, was_deleted
from cds_service.fhir.modifiers import modified

_DEEPEST_BUNDLE = 3
_NOTHING = (b"", b"null", b"[]", b'""')


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of the record as it came.

    `resource` is None when its elements could not be read; then `glimpse` holds what still could. `problem`
    is why the entry must be left out. `edition` tells versions apart. `queries` are those that brought it,
    where each was answered on its own.
    """

    type: str
    reference: str
    full_url: str | None
    raw: bytes
    resource: el.Resource | None
    problem: SkipReason | None = None
    glimpse: el.Resource | None = None
    edition: env.Edition = env.UNDATED
    queries: frozenset[str] = frozenset()

    @property
    def has_name(self) -> bool:
        """True when the reference names the resource, and not merely its place in the input."""
        return not self.reference.endswith("]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query brought: its entries, and what the answer says of itself.

    `matches` are the entries that count towards the `total` that a server names. `goes_on` says that there is a next
    page; `cut_off`, that something is missing that no next page brings. `problems` are the places of entries that
    are no resources, each with the reason.
    """

    entries: tuple[Entry, ...]
    failed: bool = False
    goes_on: bool = False
    cut_off: bool = False
    matches: int = 0
    total: int = 0
    problems: tuple[tuple[str, SkipReason], ...] = ()

    @property
    def more_exist(self) -> bool:
        return self.goes_on or self.cut_off or self.total > self.matches


_EMPTY = Answer(())


def joined(pages: Sequence[Answer]) -> Answer:
    """The pages of one query as one answer. Raises ValueError when there is none."""
    *others, last = pages
    if not others:
        return last
    return Answer(
        tuple(entry for page in pages for entry in page.entries),
        failed=any(page.failed for page in pages),
        goes_on=last.goes_on,
        cut_off=any(page.cut_off for page in pages),
        matches=sum(page.matches for page in pages),
        total=max(page.total for page in pages),
        problems=tuple(problem for page in pages for problem in page.problems),
    )


def head_of(raw: bytes | msgspec.Raw) -> env.Head | None:
    """What an object is; None when it is none."""
    if (head := decode(raw, env.Head)) is not None:
        return head
    bare = decode(raw, env.BareHead)
    return env.Head(bare.resourceType, bare.resource, bare.response) if bare else None


def read_answer(raw: bytes | msgspec.Raw, name: str, queries: frozenset[str] = frozenset()) -> Answer:
    """The resources of a Bundle of any type, of a single resource, or of a legacy wrapper around one.

    `queries` are those that brought it, where each was answered on its own.
    """
    return _read(raw, name, _Way(queries))


class _Way(NamedTuple):
    """How an entry came: by which queries, and how many Bundles lie around its own."""

    queries: frozenset[str]
    depth: int = 0

    def deeper(self) -> _Way:
        return self._replace(depth=self.depth + 1)


def _read(raw: bytes | msgspec.Raw, name: str, way: _Way) -> Answer:
    head = head_of(raw)
    if head is not None and head.resourceType is None:
        if _reports_failure(head.response):
            return Answer((), failed=True)
        raw, head = head.resource, head_of(head.resource)
    if head is None or not head.resourceType:
        return Answer((), failed=True, problems=((name, "not-a-resource"),))
    if head.resourceType == "OperationOutcome":
        return Answer((), failed=True)
    if head.resourceType == "Bundle":
        return _bundle(raw, name, way)
    return Answer((_entry(bytes(raw), head, f"{name}[0]", None, way),))


def _bundle(raw: bytes | msgspec.Raw, name: str, way: _Way) -> Answer:
    bundle = decode(raw, env.Bundle)
    if bundle is None or way.depth >= _DEEPEST_BUNDLE:
        return Answer((), failed=True, problems=((name, "unreadable"),))
    if bytes(bundle.implicitRules) not in _NOTHING:
        return Answer((), failed=True, problems=((name, "implicit-rules"),))
    parts = [_bundle_entry(one, f"{name}[{at}]", way) for at, one in enumerate(bundle.entry or ())]
    if decode(bundle.type, str) == "history":
        parts = _without_deleted(parts, bundle.entry or ())
    inside = joined([part for part, _ in parts] or [_EMPTY])
    total = decode(bundle.total, int) if _is_there(bundle.total) else 0
    links = _links(bundle)
    return Answer(
        inside.entries,
        inside.failed,
        goes_on=links is None or any(link.relation == "next" for link in links),
        # A Bundle inside it goes on somewhere else.
        cut_off=total is None or any(part.more_exist for part, _ in parts),
        matches=sum(is_match for _, is_match in parts),
        total=total or 0,
        problems=inside.problems,
    )


def _without_deleted(parts: Sequence[tuple[Answer, bool]], entries: Sequence[msgspec.Raw]) -> list[tuple[Answer, bool]]:
    """The parts of a history, with the versions marked that were deleted after."""
    read = [decode(one, env.BundleEntry) or env.BundleEntry() for one in entries]
    deleted = deletions([(decode(one.request, env.Request), decode(one.response, env.Response)) for one in read])
    return [
        (replace(part, entries=tuple(_unless_deleted(entry, place, deleted) for entry in part.entries)), is_match)
        for place, (part, is_match) in enumerate(parts)
    ]


def _unless_deleted(entry: Entry, place: int, deleted: Deletions) -> Entry:
    return replace(entry, problem="deleted") if was_deleted(entry.reference, entry.edition, place, deleted) else entry


def is_bundle(raw: bytes) -> bool:
    head = head_of(raw)
    return head is not None and head.resourceType == "Bundle"


def next_page(raw: bytes | msgspec.Raw) -> str | None:
    """The address of the page that follows a Bundle, as the server wrote it; None when there is none to read."""
    head = head_of(raw)
    bundle = decode(raw, env.Bundle) if head and head.resourceType == "Bundle" else None
    links = (bundle and _links(bundle)) or []
    return next((decode(link.url, str) for link in links if link.relation == "next"), None)


def _links(bundle: env.Bundle) -> list[env.BundleLink] | None:
    """The links of a Bundle; None when they cannot be read, so that one of them may lead on."""
    return decode(bundle.link, list[env.BundleLink]) if _is_there(bundle.link) else []


def _is_there(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in (b"", b"null")


def _bundle_entry(raw: msgspec.Raw, place: str, way: _Way) -> tuple[Answer, bool]:
    """What one entry holds, and whether it counts among the matches of a search."""
    entry = decode(raw, env.PlainEntry) or _in_pieces(raw)
    if entry is None:
        return _no_resource(place), False
    answer, is_match = _held(entry, place, way)
    return (replace(answer, failed=True) if _reports_failure(entry.response) else answer), is_match


def _in_pieces(raw: msgspec.Raw) -> env.PlainEntry | None:
    """An entry with only those elements that can be read; None when it is no object."""
    entry = decode(raw, env.BundleEntry)
    if entry is None:
        return None
    address, search = decode(entry.fullUrl, str), decode(entry.search, env.EntrySearch)
    return env.PlainEntry(address, entry.resource, search, entry.response, entry.modifierExtension)


def _held(entry: env.PlainEntry, place: str, way: _Way) -> tuple[Answer, bool]:
    raw = bytes(entry.resource)
    if not raw:  # deleted, or only the status of an answer
        return Answer(()), False
    head = head_of(raw)
    if head is None or not head.resourceType:
        return _no_resource(place), False
    if head.resourceType == "OperationOutcome":
        return Answer((), failed=_is_failure(entry.resource)), False
    if head.resourceType == "Bundle":
        return _bundle(raw, place, way.deeper()), True
    found = _entry(raw, head, place, entry.fullUrl, way)
    if bytes(entry.modifierExtension) not in _NOTHING:
        found = replace(found, problem="modifier-extension")
    return Answer((found,)), entry.search is None or entry.search.is_match


def _no_resource(place: str) -> Answer:
    return Answer((), problems=((place, "not-a-resource"),))


def _is_failure(raw: msgspec.Raw) -> bool:
    outcome = decode(raw, env.OperationOutcome)
    return outcome is None or outcome.is_failure


def _reports_failure(raw: msgspec.Raw) -> bool:
    """True for the response to a request of a batch that failed, or that cannot be read."""
    if not _is_there(raw):
        return False
    response = decode(raw, env.Response)
    return response is None or response.is_failure


def _entry(raw: bytes, head: env.Head, place: str, full_url: str | None, way: _Way) -> Entry:
    type_name = head.resourceType or ""
    kind = el.READ_TYPES.get(type_name)
    resource = decode(raw, kind) if kind else None
    seen = resource or _glimpse(raw, kind or el.OtherResource)
    return Entry(
        type_name,
        _name(type_name, seen, full_url, place),
        full_url,
        raw,
        resource,
        ("unreadable" if resource is None else modified(resource, raw)) if kind else None,
        seen,
        head.meta.edition if head.meta else env.UNDATED,
        way.queries,
    )


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
