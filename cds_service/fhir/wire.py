"""Bytes to typed resources, entry by entry, so that one bad entry costs one entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from cds_service.clinical.facts import SkipReason
from cds_service.fhir import envelope as env
from cds_service.fhir.datatypes import ABSENT
from cds_service.fhir.decoding import decode
from cds_service.fhir.deletions import deletions, was_deleted
from cds_service.fhir.entries import Entry, Way, glimpsed_entry, readable_entry
from cds_service.fhir.modifiers import may_be_modified

_DEEPEST_BUNDLE = 3
_NOTHING = (b"", b"null", b"[]", b'""')


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
    return decode(raw, env.Head)


def read_answer(raw: bytes | msgspec.Raw, name: str, queries: frozenset[str] = frozenset()) -> Answer:
    """The resources of a Bundle of any type, of a single resource, or of a legacy wrapper around one.

    `queries` are those that brought it, where each was answered on its own.
    """
    way = Way(queries, may_be_modified=may_be_modified(raw))
    bundle = decode(raw, env.PlainBundle)
    if bundle is not None and bundle.resourceType == "Bundle":
        return _bundle(bundle, raw, name, way)
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
        return _bundle(decode(raw, env.PlainBundle), raw, name, way)
    alone, place = bytes(raw), f"{name}[0]"
    return Answer((readable_entry(alone, way, place, None) or glimpsed_entry(alone, head, way, place, None),))


def _bundle(plain: env.PlainBundle | None, raw: bytes | msgspec.Raw, name: str, way: Way) -> Answer:
    """What a Bundle holds; `plain` is None where not all of its entries are as nearly all are."""
    bundle = plain or decode(raw, env.Bundle)
    if bundle is None or way.depth >= _DEEPEST_BUNDLE:
        return Answer((), failed=True, problems=((name, "unreadable"),))
    if bytes(bundle.implicitRules) not in _NOTHING:
        return Answer((), failed=True, problems=((name, "implicit-rules"),))
    found = _Found()
    several: Sequence[env.PlainEntry | msgspec.Raw] = bundle.entry or ()
    for at, entry in enumerate(several):
        found.add(_entry(entry) if isinstance(entry, msgspec.Raw) else entry, f"{name}[{at}]", way)
    if decode(bundle.type, str) == "history":
        found.leave_out_deleted(raw)
    total = decode(bundle.total, int) if _is_there(bundle.total) else 0
    links = _links(bundle)
    return Answer(
        tuple(found.entries),
        found.failed,
        goes_on=links is None or any(link.relation == "next" for link in links),
        cut_off=total is None or found.cut_off,
        matches=found.matches,
        total=total or 0,
        problems=tuple(found.problems),
    )


class _Found:
    """What has been found in a Bundle so far."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.problems: list[tuple[str, SkipReason]] = []
        self.failed = self.cut_off = False
        self.matches = 0
        self._places: list[int] = []  # where the entries of each place begin

    def add(self, entry: env.PlainEntry | None, place: str, way: Way) -> None:
        """Adds what one entry holds; None for one that is no object."""
        self._places.append(len(self.entries))
        if entry is None:
            self.problems.append((place, "not-a-resource"))
            return
        raw = bytes(entry.resource)
        if readable := readable_entry(raw, way, place, entry.fullUrl):
            self._resource(readable, entry)
        elif raw:  # else deleted, or only the status of an answer
            self._whatever(raw, entry, place, way)
        if entry.response is not ABSENT:
            self.failed = self.failed or _reports_failure(entry.response)

    def _resource(self, found: Entry, entry: env.PlainEntry) -> None:
        if entry.modifierExtension is not ABSENT and bytes(entry.modifierExtension) not in _NOTHING:
            found = found.with_problem("modifier-extension")
        self.entries.append(found)
        self.matches += entry.search is None or entry.search.is_match

    def _whatever(self, raw: bytes, entry: env.PlainEntry, place: str, way: Way) -> None:
        head = head_of(raw)
        if head is None or not head.resourceType:
            self.problems.append((place, "not-a-resource"))
        elif head.resourceType == "OperationOutcome":
            self.failed = self.failed or _is_failure(entry.resource)
        elif head.resourceType == "Bundle":
            self._inside(_bundle(decode(raw, env.PlainBundle), raw, place, way.deeper()))
        else:
            self._resource(glimpsed_entry(raw, head, way, place, entry.fullUrl), entry)

    def _inside(self, bundle: Answer) -> None:
        """A Bundle within the Bundle; where it goes on, it does so somewhere else."""
        self.entries += bundle.entries
        self.problems += bundle.problems
        self.failed = self.failed or bundle.failed
        self.cut_off = self.cut_off or bundle.more_exist
        self.matches += 1

    def leave_out_deleted(self, history: bytes | msgspec.Raw) -> None:
        """Marks the versions that were deleted after."""
        bundle = decode(history, env.Bundle) or env.Bundle()
        read = [decode(one, env.BundleEntry) or env.BundleEntry() for one in bundle.entry or ()]
        deleted = deletions([(decode(one.request, env.Request), decode(one.response, env.Response)) for one in read])
        for place, (begin, end) in enumerate(pairwise([*self._places, len(self.entries)])):
            for at in range(begin, end):
                entry = self.entries[at]
                if was_deleted(entry.reference, entry.edition, place, deleted):
                    self.entries[at] = entry.with_problem("deleted")


def is_bundle(raw: bytes) -> bool:
    head = head_of(raw)
    return head is not None and head.resourceType == "Bundle"


def next_page(raw: bytes | msgspec.Raw) -> str | None:
    """The address of the page that follows a Bundle, as the server wrote it; None when there is none to read."""
    head = head_of(raw)
    bundle = decode(raw, env.Bundle) if head and head.resourceType == "Bundle" else None
    links = (bundle and _links(bundle)) or []
    return next((decode(link.url, str) for link in links if link.relation == "next"), None)


def _links(bundle: env.BundleHead) -> list[env.BundleLink] | None:
    """The links of a Bundle; None when they cannot be read, so that one of them may lead on."""
    return decode(bundle.link, list[env.BundleLink]) if _is_there(bundle.link) else []


def _is_there(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in (b"", b"null")


def _entry(raw: msgspec.Raw) -> env.PlainEntry | None:
    """An entry with only those elements that can be read; None when it is no object."""
    if (plain := decode(raw, env.PlainEntry)) is not None:
        return plain
    entry = decode(raw, env.BundleEntry)
    if entry is None:
        return None
    address, search = decode(entry.fullUrl, str), decode(entry.search, env.EntrySearch)
    return env.PlainEntry(address, entry.resource, search, entry.response, entry.modifierExtension)


def _is_failure(raw: msgspec.Raw) -> bool:
    outcome = decode(raw, env.OperationOutcome)
    return outcome is None or outcome.is_failure


def _reports_failure(raw: msgspec.Raw) -> bool:
    """True for the response to a request of a batch that failed, or that cannot be read."""
    if not _is_there(raw):
        return False
    response = decode(raw, env.Response)
    return response is None or response.is_failure
