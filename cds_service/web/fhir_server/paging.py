"""Found resources as searchset Bundles, page by page.

The server remembers nothing: the link to the next page holds the search itself, folded up. It says no more of a patient
than the search did, and a search that was posted does not turn into a readable address.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from cds_service.web.fhir_server.archive import Filed
from cds_service.web.fhir_server.search import Pair, Search, UnusableSearch

PAGE = "_page"
_LARGEST_TOKEN = 65536  # bytes, unfolded


@dataclass(frozen=True, slots=True)
class Page:
    """Where a search stands: the records of which day are searched, and how many of the found were already given."""

    day: date
    given: int = 0


class _Token(msgspec.Struct, array_like=True):
    type: str
    day: date
    given: int
    pairs: tuple[Pair, ...]


def opened(token: str, type_name: str, today: date) -> tuple[Page, tuple[Pair, ...]]:
    """The page of a link, and its search. Raises UnusableSearch: 400 for no such link, 410 when it is old."""
    try:
        unfold = zlib.decompressobj()
        packed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        read = msgspec.json.decode(unfold.decompress(packed, _LARGEST_TOKEN), type=_Token)
    except (ValueError, zlib.error):  # both decoders raise ValueErrors
        read = None
    if read is None or read.type != type_name or read.given < 0:
        raise UnusableSearch("This is no link to a page of this search. Search again and follow its links.", "value")
    if not today - timedelta(days=1) <= read.day <= today:
        raise UnusableSearch("This page is no longer there. Search again.", "not-found", 410)
    return Page(read.day, read.given), read.pairs


def bundle(search: Search, found: Sequence[Filed], page: Page, base: str) -> dict[str, Any]:
    """One page of what was found; a count of 0 asks for the total only."""
    shown = found[page.given : page.given + search.count]
    links = [{"relation": "self", "url": _self_link(search, page, base)}]
    rest = page.given + search.count
    if search.count and rest < len(found):
        links.append({"relation": "next", "url": _link_to(search, Page(page.day, rest), base)})
    answer = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    entries = [_entry(one, base) for one in shown]
    return {**answer, "entry": entries} if entries else answer


def _entry(filed: Filed, base: str) -> dict[str, Any]:
    address = f"{base}/{filed.resource['resourceType']}/{filed.id}"
    return {"fullUrl": address, "resource": filed.resource, "search": {"mode": "match"}}


def _self_link(search: Search, page: Page, base: str) -> str:
    """The search as it was understood; of a later page, the link that leads to it."""
    if page.given:
        return _link_to(search, page, base)
    return f"{base}/{search.type}?{urlencode(search.understood, quote_via=quote, safe=':/,')}"


def _link_to(search: Search, page: Page, base: str) -> str:
    token = _Token(search.type, page.day, page.given, search.understood)
    folded = base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(token), 9)).decode().rstrip("=")
    return f"{base}/{search.type}?{PAGE}={folded}"
