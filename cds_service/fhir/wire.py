"""Bytes to typed resources, entry by entry, so that one bad entry costs one entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec

from cds_service.fhir import elements as el

T = TypeVar("T")
_DEEPEST_BUNDLE = 3
_BOM = b"\xef\xbb\xbf"


class NotJson(ValueError):
    """The bytes are not JSON. The message names the place and never repeats the content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of the record as it came.

    `resource` is None when its elements could not be read; then `glimpse` holds what still could. `problem` is
    a reason of the closed list in `skips`.
    """

    type: str
    reference: str
    full_url: str | None
    raw: bytes
    resource: el.Resource | None
    problem: str | None = None
    glimpse: el.Resource | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query brought: its entries, and what the answer says of itself."""

    entries: tuple[Entry, ...]
    failed: bool = False
    more_exist: bool = False
    problems: tuple[tuple[str, str], ...] = ()


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(raw: bytes | msgspec.Raw, kind: type[T]) -> T | None:
    """The value as `kind`; None when it has another shape. Anything that msgspec reads lazily stays raw."""
    try:
        value: T = _decoder(kind).decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError, OverflowError):
        return None
    return value


def check_json(body: bytes) -> bytes:
    """The same bytes without a byte-order mark, proven to be one JSON value in UTF-8.

    Raises NotJson otherwise; NaN, Infinity and nesting deeper than the interpreter's limit are refused.
    """
    body = body.removeprefix(_BOM)
    try:
        body.decode("utf-8")
        _decoder(msgspec.Raw).decode(body)
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except msgspec.DecodeError as error:
        raise NotJson(str(error)) from None
    return body


def read_answer(raw: bytes | msgspec.Raw, name: str) -> Answer:
    """The resources of a Bundle of any type, of a single resource, or of a legacy wrapper around one."""
    return _read(bytes(raw), name, 0)


def _read(raw: bytes, name: str, depth: int) -> Answer:
    head = decode(raw, el.Head)
    if head is not None and head.resourceType is None and bytes(head.resource):
        raw, head = bytes(head.resource), decode(head.resource, el.Head)
    if head is None or head.resourceType is None:
        return Answer((), failed=True, problems=((f"{name}", "not-a-resource"),))
    if head.resourceType == "OperationOutcome":
        return Answer((), failed=True)
    if head.resourceType == "Bundle":
        return _bundle(raw, name, depth)
    return Answer((_entry(raw, head.resourceType, f"{name}[0]", None),))


def _bundle(raw: bytes, name: str, depth: int) -> Answer:
    bundle = decode(raw, el.Bundle)
    if bundle is None or depth >= _DEEPEST_BUNDLE:
        return Answer((), failed=True, problems=((name, "unreadable"),))
    entries: list[Entry] = []
    problems: list[tuple[str, str]] = []
    failed, more = False, any(link.relation == "next" for link in bundle.link or ())
    matches = 0
    for position, one in enumerate(bundle.entry or ()):
        part, is_match = _bundle_entry(one, f"{name}[{position}]", depth)
        entries += part.entries
        problems += part.problems
        failed, more, matches = failed or part.failed, more or part.more_exist, matches + is_match
    truncated = more or (bundle.total is not None and bundle.total > matches)
    return Answer(tuple(entries), failed, truncated, tuple(problems))


def _bundle_entry(raw: msgspec.Raw, place: str, depth: int) -> tuple[Answer, bool]:
    """What one entry holds, and whether it counts among the matches of a search."""
    entry = decode(raw, el.BundleEntry)
    if entry is None or not bytes(entry.resource):
        return Answer((), problems=() if entry else ((place, "not-a-resource"),)), False
    head = decode(entry.resource, el.Head)
    if head is None or not head.resourceType:
        return Answer((), problems=((place, "not-a-resource"),)), False
    mode = entry.search.mode if entry.search else None
    if head.resourceType == "OperationOutcome":
        return Answer((), failed=_is_failure(entry.resource)), False
    if head.resourceType == "Bundle":
        return _read(bytes(entry.resource), place, depth + 1), True
    found = _entry(bytes(entry.resource), head.resourceType, place, entry.fullUrl)
    return Answer((found,)), mode in (None, "match")


def _is_failure(raw: msgspec.Raw) -> bool:
    """True for an outcome that reports an error; "nothing found" is a warning in some EHRs and no failure."""
    outcome = decode(raw, el.OperationOutcome)
    return outcome is None or any(issue.severity in ("error", "fatal") for issue in outcome.issue)


def _entry(raw: bytes, type_name: str, place: str, full_url: str | None) -> Entry:
    kind = el.RESOURCE_TYPES.get(type_name)
    if kind is None:
        return Entry(type_name, place, full_url, raw, None)
    resource = decode(raw, kind)
    if resource is None:
        glimpse = _glimpse(raw, kind)
        return Entry(type_name, _name(type_name, glimpse, place), full_url, raw, None, "unreadable", glimpse)
    problem = "modifier-extension" if resource.modifierExtension else None
    if resource.implicitRules:
        problem = "implicit-rules"
    return Entry(type_name, _name(type_name, resource, place), full_url, raw, resource, problem, resource)


def _name(type_name: str, resource: el.Resource | None, place: str) -> str:
    return f"{type_name}/{resource.id}" if resource and resource.id else place


def _glimpse(raw: bytes, kind: type[el.Resource]) -> el.Resource | None:
    """A resource with only those elements that can be read one by one."""
    seen = decode(raw, el.Glimpse)
    if seen is None:
        return None
    readable = {name: value for name, value in _readable_elements(seen) if name in kind.__struct_fields__}
    return kind(**readable)


def _readable_elements(seen: el.Glimpse) -> Iterator[tuple[str, object]]:
    shapes: dict[str, Any] = {
        "id": str,
        "code": el.CodeableConcept,
        "medicationCodeableConcept": el.CodeableConcept,
        "subject": el.Reference,
        "patient": el.Reference,
    }
    for name, shape in shapes.items():
        raw = getattr(seen, name)
        value = decode(raw, shape) if bytes(raw) else None
        if value is not None:
            yield name, value
