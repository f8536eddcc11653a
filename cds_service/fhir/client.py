"""Fetches what a request did not bring: the missing queries at once, page by page, within one budget."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin

import msgspec

from cds_service.fhir.fetched import Fetched, Pages
from cds_service.fhir.offers import Inquiry, Offers
from cds_service.fhir.queries import QUERIES, Query, search_parameters
from cds_service.fhir.wire import is_bundle, next_page
from cds_service.net.calls import Guard, Line
from cds_service.net.failures import CallFailed
from cds_service.net.servers import Server
from cds_service.strict_json import NotJson, check_json

_LOG = logging.getLogger(__name__)
# Wider than an id of FHIR, as EHRs have longer ones; nothing in it has a meaning in an address or in a search.
_PATIENT_ID = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]{1,256}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What fetching for one request may cost: seconds for all of it; pages and bytes, unpacked, for each query."""

    seconds: float = 1.5
    pages: int = 20
    bytes: int = 8_000_000


@dataclass(frozen=True, slots=True)
class Access:
    """Where a request says that the record lies, and the token for it, which is kept no longer than the request.

    The token is None where the request holds none that can be used.
    """

    address: str
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Search:
    """A query on its way: where its first page is, and the form to post there, if any.

    `goes_on` says that a page came with the request already.
    """

    key: str
    address: str
    form: Mapping[str, str] | None = None
    goes_on: bool = False


class Fetcher:
    """Fetches the queries that a request lacks from its FHIR server, if that server may be called.

    With `by_post` a search is posted, so that no address names the patient.
    """

    def __init__(self, guard: Guard, limits: Limits, by_post: bool = False) -> None:
        self._guard = guard
        self._limits = limits
        self._by_post = by_post
        self._offers = Offers()

    def missing(self, prefetch: Mapping[str, msgspec.Raw], patient_id: str, access: Access) -> Fetched:
        """What the prefetch lacks: absent queries, and what follows the first page of a prefetched one.

        A query that came as null was searched by the client, and one that came as an OperationOutcome was tried:
        CDS Hooks asks not to repeat them. Never raises; what cannot be had is said.

        A type that the server does not have is no failed query but a missing one: Oracle Health has no
        MedicationStatement, and nothing is lost by it.
        """
        server = self._guard.server_at(access.address)
        if server is None or access.token is None or not _PATIENT_ID.fullmatch(patient_id):
            return _unasked(prefetch, server, access.token)
        searches = list(self._searches(prefetch, server, patient_id))
        answers = self._answers(searches, server, access.token) if searches else {}
        incomplete = [f"{key} {pages.stopped}" for key, pages in answers.items() if pages.stopped and pages.offered]
        if incomplete:
            _LOG.warning("fetched %d queries, of which not whole: %s", len(answers), "; ".join(incomplete))
        unoffered = [key for key, pages in answers.items() if not pages.offered]
        return Fetched(
            {key: pages for key, pages in answers.items() if pages.offered},
            dict.fromkeys(unoffered, "is not offered by the FHIR server"),
        )

    def _searches(self, prefetch: Mapping[str, msgspec.Raw], server: Server, patient: str) -> Iterator[_Search]:
        for key, query in QUERIES.items():
            if key not in prefetch:
                yield self._search(query, server.base, patient)
                continue
            following = _following(prefetch[key], server.base)
            if following and server.covers(following):
                yield _Search(key, following, goes_on=True)

    def _search(self, query: Query, base: str, patient: str) -> _Search:
        parameters = search_parameters(query, patient)
        if self._by_post:
            return _Search(query.key, f"{base}/{query.type}/_search", parameters)
        if query.key == "patient":
            return _Search(query.key, f"{base}/Patient/{patient}")
        return _Search(query.key, f"{base}/{query.type}?{urlencode(parameters, safe=',:/')}")

    def _answers(self, searches: list[_Search], server: Server, token: str) -> dict[str, Pages]:
        """All of them at once, so that a slow one delays no other."""
        try:
            with (
                self._guard.line(server, self._limits.seconds) as line,
                ThreadPoolExecutor(len(searches), "fetch") as threads,
            ):
                inquiry = Inquiry(self._offers, line, token)
                pages = list(threads.map(lambda search: self._pages(line, search, token, inquiry), searches))
        except CallFailed as failure:
            pages = [Pages((), str(failure))] * len(searches)
        return dict(zip((search.key for search in searches), pages, strict=True))

    def _pages(self, line: Line, search: _Search, token: str, inquiry: Inquiry) -> Pages:
        """The pages of one query, as many as come."""
        bodies: list[bytes] = []
        asked: set[str] = set()
        address, form = search.address, search.form
        while True:
            goes_on = search.goes_on or bool(bodies)
            try:
                body = self._page(line, address, token, form, self._limits.bytes - sum(map(len, bodies)))
            except CallFailed as failure:
                unoffered = not goes_on and inquiry.lacks(QUERIES[search.key].type, failure.status)
                return Pages(tuple(bodies), str(failure), offered=not unoffered)
            if goes_on and not is_bundle(body):
                return Pages(tuple(bodies), "was continued by something that is no page")
            bodies.append(body)
            asked.add(address)
            following = _following(body, line.server.base)
            stopped = self._why_stop(following, asked, line.server)
            if following is None or stopped:
                return Pages(tuple(bodies), stopped)
            address, form = following, None

    def _why_stop(self, following: str | None, asked: set[str], server: Server) -> str | None:
        """Why the next page is not asked for; None when it is, or when there is none."""
        if following is None:
            return None
        if not server.covers(following):
            return "goes on at an address that is not allowed"
        if following in asked:
            return "goes on in a circle"
        return "has more pages than are allowed" if len(asked) >= self._limits.pages else None

    @staticmethod
    def _page(line: Line, address: str, token: str, form: Mapping[str, str] | None, most: int) -> bytes:
        try:
            return check_json(line.ask(address, token, form, most))
        except NotJson:
            raise CallFailed("was no JSON") from None


def _unasked(prefetch: Mapping[str, msgspec.Raw], server: Server | None, token: str | None) -> Fetched:
    """Nothing fetched, with the reason, which the log gets as well."""
    if server is None:
        reason = "fhirServer is not on the allow-list of this service"
    elif token is None:
        reason = "fhirAuthorization holds no Bearer token that can be used"
    else:
        reason = "the id of the patient is none that can stand in a query"
    lacking = [key for key in QUERIES if key not in prefetch]
    if lacking:
        _LOG.warning("%d queries are missing and none was fetched: %s", len(lacking), reason)
    return Fetched(unasked=dict.fromkeys(lacking, reason))


def _following(page: bytes | msgspec.Raw, base: str) -> str | None:
    """The address of the next page; a relative one is relative to the base."""
    written = next_page(page)
    if written is None:
        return None
    try:
        return urljoin(f"{base}/", written)
    except ValueError:
        return written
