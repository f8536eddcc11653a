"""Fetches what a request did not bring: the missing queries at once, each to its end, within one budget."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import msgspec

from cds_service.fhir.fetched import NOTHING_FETCHED, Fetched, Pages
from cds_service.fhir.offers import Inquiry, Offers
from cds_service.fhir.paging import Limits, Pager, Search, following_page
from cds_service.fhir.pointers import is_medication, unnamed_medications
from cds_service.fhir.queries import QUERIES, Query, search_parameters
from cds_service.net.calls import Guard
from cds_service.net.failures import CallFailed
from cds_service.net.servers import Server

_LOG = logging.getLogger(__name__)
# Wider than an id of FHIR, as EHRs have longer ones; nothing in it has a meaning in an address or in a search.
_PATIENT_ID = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]{1,256}")
_POINTING = [key for key in QUERIES if key.startswith("medication")]
# All queries, and as many Medications at once; a record may point to many more of them than there is time for.
_THREADS = len(QUERIES)
_MOST_MEDICATIONS = 100
_LARGE_PAGE = "200"
_LARGEST_MEDICATION = 200_000


@dataclass(frozen=True, slots=True)
class Access:
    """Where a request says that the record lies, and the token for it, which is kept no longer than the request.

    The token is None where the request holds none that can be used.
    """

    address: str
    token: str | None = field(repr=False)


class Fetcher:
    """Fetches the queries that a request lacks from its FHIR server, if that server may be called.

    With `by_post` a search is posted, so that no address names the patient.
    """

    def __init__(self, guard: Guard, limits: Limits, by_post: bool = False) -> None:
        self._guard = guard
        self._limits = limits
        self._by_post = by_post
        self._offers = Offers()

    def missing(
        self, prefetch: Mapping[str, msgspec.Raw], patient_id: str, access: Access, drafts: msgspec.Raw | None = None
    ) -> Fetched:
        """What the prefetch lacks: absent queries, what follows the first page of a prefetched one, and Medications
        that records, or draft orders, point to without a name.

        A query that came as null was searched by the client, and one that came as an OperationOutcome was tried:
        CDS Hooks asks not to repeat them. Never raises; what cannot be had is said.

        A type that the server does not have is no failed query but a missing one: Oracle Health has no
        MedicationStatement, and nothing is lost by it.
        """
        server = self._guard.server_at(access.address)
        if server is None or access.token is None or not _PATIENT_ID.fullmatch(patient_id):
            return _unasked(prefetch, server, access.token)
        searches = list(self._searches(prefetch, server, patient_id))
        came = [*(prefetch[key] for key in _POINTING if key in prefetch), *([] if drafts is None else [drafts])]
        if not searches and not unnamed_medications(came, server.base):
            return NOTHING_FETCHED
        try:
            return _said(self._fetched(server, access.token, searches, came))
        except CallFailed as failure:
            return _said(Fetched({search.key: Pages((), str(failure)) for search in searches}))

    def _searches(self, prefetch: Mapping[str, msgspec.Raw], server: Server, patient: str) -> Iterator[Search]:
        for key, query in QUERIES.items():
            if key not in prefetch:
                yield self._search(query, server.base, patient)
                continue
            following = following_page(prefetch[key], server.base)
            if following and server.covers(following):
                yield Search(key, following, goes_on=True)

    def _search(self, query: Query, base: str, patient: str) -> Search:
        """The search in large pages: servers send ten or twenty entries otherwise, and each page costs a call."""
        parameters = search_parameters(query, patient)
        usual = self._asking(query, base, parameters)
        if query.key == "patient" or "_count" in parameters:
            return usual
        return replace(self._asking(query, base, {**parameters, "_count": _LARGE_PAGE}), usual=usual)

    def _asking(self, query: Query, base: str, parameters: Mapping[str, str]) -> Search:
        if self._by_post:
            return Search(query.key, f"{base}/{query.type}/_search", parameters)
        if query.key == "patient":
            return Search(query.key, f"{base}/Patient/{parameters['_id']}")
        return Search(query.key, f"{base}/{query.type}?{urlencode(parameters, safe=',:/')}")

    def _fetched(
        self, server: Server, token: str, searches: Sequence[Search], came: Sequence[bytes | msgspec.Raw]
    ) -> Fetched:
        """All searches at once, so that a slow one delays no other; then, if there is time, the Medications."""
        with self._guard.line(server, self._limits.seconds) as line, ThreadPoolExecutor(_THREADS, "fetch") as threads:
            pager = Pager(line, token, self._limits, Inquiry(self._offers, line, token))
            answers = dict(zip((one.key for one in searches), threads.map(pager.pages, searches), strict=True))
            bodies = [*came, *(body for key in _POINTING if key in answers for body in answers[key].bodies)]
            ids = unnamed_medications(bodies, server.base)[:_MOST_MEDICATIONS]
            read = threads.map(lambda name: _medication(pager, f"{server.base}/Medication/{name}"), ids)
            medications = tuple(one for one in read if one is not None)
        unoffered = [key for key, pages in answers.items() if not pages.offered]
        answered = {key: pages for key, pages in answers.items() if pages.offered}
        return Fetched(answered, medications, dict.fromkeys(unoffered, "is not offered by the FHIR server"))


def _medication(pager: Pager, address: str) -> bytes | None:
    """The Medication at an address; without it, what points there is unreadable, as it would be anyway."""
    try:
        body = pager.read(address, None, _LARGEST_MEDICATION)
    except CallFailed:
        return None
    return body if is_medication(body) else None


def _said(fetched: Fetched) -> Fetched:
    """The same; the log is told what did not come in full."""
    incomplete = [f"{key} {pages.stopped}" for key, pages in fetched.answers.items() if pages.stopped]
    if incomplete:
        _LOG.warning("fetched %d queries, of which not whole: %s", len(fetched.answers), "; ".join(incomplete))
    return fetched


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
