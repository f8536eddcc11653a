"""One query to its end: page by page, as far as the server, the limits and caution allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import msgspec

from cds_service.fhir.fetched import Pages
from cds_service.fhir.offers import Inquiry
from cds_service.fhir.queries import QUERIES
from cds_service.fhir.wire import is_bundle, next_page
from cds_service.net.calls import Line
from cds_service.net.failures import CallFailed
from cds_service.strict_json import NotJson, check_json

# How a server answers a search with a parameter that it does not take.
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Limits:
    """What fetching for one request may cost: seconds for all of it; pages and bytes, unpacked, for each query."""

    seconds: float = 1.5
    pages: int = 20
    bytes: int = 8_000_000


@dataclass(frozen=True, slots=True)
class Search:
    """A query on its way: where its first page is, and the form to post there, if any.

    `goes_on` says that a page came with the request already. `usual` is the same query in pages of the size that the
    server chooses, for one that refuses to be told.
    """

    key: str
    address: str
    form: Mapping[str, str] | None = None
    goes_on: bool = False
    usual: Search | None = None


class Pager:
    """Reads from one server for one request."""

    def __init__(self, line: Line, token: str, limits: Limits, inquiry: Inquiry) -> None:
        self._line = line
        self._token = token
        self._limits = limits
        self._inquiry = inquiry

    def pages(self, search: Search) -> Pages:
        """The pages of one query, as many as come."""
        bodies: list[bytes] = []
        asked: set[str] = set()
        address, form = search.address, search.form
        while True:
            goes_on = search.goes_on or bool(bodies)
            try:
                body = self.read(address, form, self._limits.bytes - sum(map(len, bodies)))
            except CallFailed as failure:
                if failure.status == _BAD_REQUEST and not goes_on and search.usual:
                    return self.pages(search.usual)
                unoffered = not goes_on and self._inquiry.lacks(QUERIES[search.key].type, failure.status)
                return Pages(tuple(bodies), str(failure), offered=not unoffered)
            if goes_on and not is_bundle(body):
                return Pages(tuple(bodies), "was continued by something that is no page")
            bodies.append(body)
            asked.add(address)
            following = following_page(body, self._line.server.base)
            stopped = self._why_stop(following, asked)
            if following is None or stopped:
                return Pages(tuple(bodies), stopped)
            address, form = following, None

    def _why_stop(self, following: str | None, asked: set[str]) -> str | None:
        """Why the next page is not asked for; None when it is, or when there is none."""
        if following is None:
            return None
        if not self._line.server.covers(following):
            return "goes on at an address that is not allowed"
        if following in asked:
            return "goes on in a circle"
        return "has more pages than are allowed" if len(asked) >= self._limits.pages else None

    def read(self, address: str, form: Mapping[str, str] | None, most: int) -> bytes:
        """The JSON at an address. Raises CallFailed."""
        try:
            return check_json(self._line.ask(address, self._token, form, most))
        except NotJson:
            raise CallFailed("was no JSON") from None


def following_page(page: bytes | msgspec.Raw, base: str) -> str | None:
    """The address of the next page; a relative one is relative to the base."""
    written = next_page(page)
    if written is None:
        return None
    try:
        return urljoin(f"{base}/", written)
    except ValueError:
        return written
