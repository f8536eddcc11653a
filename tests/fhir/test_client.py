"""Fetching what a request did not bring, from a real FHIR server on loopback, honest and otherwise."""

from __future__ import annotations

import gzip
import json
import logging
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import pytest

from cds_service.clinical.facts import Source, State
from cds_service.fhir.client import Access, Fetcher
from cds_service.fhir.fetched import Fetched
from cds_service.fhir.paging import Limits
from cds_service.fhir.queries import QUERIES
from cds_service.fhir.records import Records, from_prefetch
from cds_service.net.calls import Guard
from cds_service.net.servers import Server
from tests.fake_fhir import EMPTY, Given, body, fhir_server, key_of, status
from tests.fake_server import Asked, FakeServer, Reply, serving
from tests.fhir.made import PATIENT, Json, bundle, condition, observation, resource

TOKEN = "canary-token-c0ffee"
# Every good answer meets it; a test that has to wait for it waits no longer.
BUDGET = 1.5
LATEST = 8.0
EVERY = dict.fromkeys(QUERIES, EMPTY) | {"patient": PATIENT}


def fetched(
    running: FakeServer, prefetch: Mapping[str, Any] | None = None, patient_id: str = "p1", **options: Any
) -> Fetched:
    by_post = options.pop("by_post", False)
    access = Access(options.pop("address", running.base), options.pop("token", TOKEN))
    guard = Guard([Server(running.base, private=True)])
    fetcher = Fetcher(guard, Limits(**{"seconds": BUDGET, **options}), by_post)
    return fetcher.missing(raw(prefetch or {}), patient_id, access)


def raw(prefetch: Mapping[str, Any]) -> dict[str, msgspec.Raw]:
    return {key: msgspec.Raw(json.dumps(one).encode()) for key, one in prefetch.items()}


def records(given: Mapping[str, Given], prefetch: Mapping[str, Any] | None = None, **options: Any) -> Records:
    """The record after fetching what the prefetch lacks: in time, whatever the server does."""
    start = time.monotonic()
    with fhir_server({"patient": PATIENT, **given}) as running:
        found = fetched(running, prefetch, **options)
        assert time.monotonic() - start < LATEST
    return from_prefetch(raw(prefetch or {}), "p1", found)


def prefetch_without(*keys: str) -> dict[str, Any]:
    return {key: one for key, one in EVERY.items() if key not in keys}


# What is asked


def test_all_that_is_missing_is_asked_once_with_the_token() -> None:
    with fhir_server(EVERY) as running:
        fetched(running)
    assert sorted(map(key_of, running.asked)) == sorted(QUERIES)
    assert {asked.headers["Authorization"] for asked in running.asked} == {f"Bearer {TOKEN}"}
    assert {asked.headers["Accept"] for asked in running.asked} == {"application/fhir+json"}
    labs = next(asked for asked in running.asked if key_of(asked) == "labs")
    assert labs.parameters.keys() == {"patient", "code", "_sort", "_count"}
    assert labs.parameters["_sort"] == "-date"
    others = [asked for asked in running.asked if key_of(asked) not in ("patient", "labs", "body", "function")]
    assert all(asked.parameters == {"patient": "p1", "_count": "200"} for asked in others)


@pytest.mark.parametrize("by_post", [False, True])
def test_a_server_that_takes_no_page_size_is_asked_without_it(by_post: bool) -> None:
    """Each call is an answer's time: large pages are asked for, and small ones taken."""

    def answer(reply: Reply, asked: Asked) -> None:
        if "_count" in asked.parameters:
            reply.json({"resourceType": "OperationOutcome"}, 400)
        else:
            reply.json(bundle(condition()))

    with fhir_server({"conditions": answer}) as running:
        found = fetched(running, prefetch_without("conditions"), by_post=by_post)
    assert found.answers["conditions"].stopped is None
    assert [asked.parameters.get("_count") for asked in running.asked] == ["200", None]


def test_what_came_with_the_request_is_not_asked_again() -> None:
    """Found, none in four spellings, failed, odd: the client has tried."""
    prefetch = prefetch_without("labs") | {
        "conditions": bundle(condition()),
        "procedures": None,
        "allergies": {"resourceType": "Bundle", "type": "searchset"},
        "body": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]},
        "function": "a string",
    }
    with fhir_server({}) as running:
        fetched(running, prefetch)
    assert list(map(key_of, running.asked)) == ["labs"]


def test_a_whole_prefetch_asks_nothing() -> None:
    with fhir_server({}) as running:
        assert fetched(running, EVERY) == Fetched()
    assert not running.asked


def test_posted_searches_name_the_patient_in_no_address() -> None:
    with fhir_server(EVERY) as running:
        fetched(running, by_post=True)
    assert sorted(map(key_of, running.asked)) == sorted(QUERIES)
    assert {asked.method for asked in running.asked} == {"POST"}
    assert all(asked.path.endswith("/_search") and "p1" not in asked.target for asked in running.asked)


@pytest.mark.parametrize("by_post", [False, True])
def test_what_is_fetched_is_read_as_if_it_had_been_prefetched(by_post: bool) -> None:
    given = {"patient": bundle(PATIENT) if by_post else PATIENT, "conditions": bundle(condition())}
    found = records(given, by_post=by_post)
    assert found.patient
    assert found.patient.reference == "Patient/p1"
    assert found.sources["conditions"] == Source(State.FOUND)
    assert found.sources["procedures"] == Source(State.NONE)
    assert [entry.queries for entry in found.entries if entry.type == "Condition"] == [{"conditions"}]


def test_queries_run_side_by_side() -> None:
    """Eleven answers of 0.4 seconds each in one budget that is shorter than all of them in a row."""

    def slowly(reply: Reply, asked: Asked) -> None:
        time.sleep(0.4)
        reply.json(PATIENT if key_of(asked) == "patient" else EMPTY)

    found = records(dict.fromkeys(QUERIES, slowly), seconds=4.0)
    assert {one.state for key, one in found.sources.items() if key != "patient"} == {State.NONE}


# No call at all


@pytest.mark.parametrize(
    "options",
    [
        {"address": "https://evil.example/fhir"},
        {"address": "http://169.254.169.254/fhir"},
        {"address": "not an address"},
        {"token": None},
        {"patient_id": ".."},
        {"patient_id": "p1,p2"},
        {"patient_id": "p1&_include=*"},
        {"patient_id": "p1?x"},
        {"patient_id": "p1%2f"},
    ],
    ids=str,
)
def test_without_a_right_to_ask_nobody_is_asked(options: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """The missing stays missing, and the log says why in words of our own."""
    with fhir_server(EVERY) as running:
        found = fetched(running, prefetch_without("labs"), **options)
    assert not running.asked
    assert not found.answers
    assert found.why_not("labs")
    assert found.why_not("conditions") is None
    assert str(found.why_not("labs")) in caplog.text
    assert not any(str(value) in caplog.text for value in options.values() if value)


@pytest.mark.parametrize("spelt", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_another_spelling_of_an_allowed_server_is_another_server(spelt: str) -> None:
    with fhir_server(EVERY) as running:
        found = fetched(running, address=f"http://{spelt}:{running.port}/fhir")
    assert not running.asked
    assert not found.answers


def test_a_public_entry_whose_name_leads_inside_is_not_called() -> None:
    with fhir_server(EVERY) as running:
        fetcher = Fetcher(Guard([Server(running.base)]), Limits())
        found = fetcher.missing({}, "p1", Access(running.base, TOKEN))
    assert not running.asked
    assert from_prefetch({}, "p1", found).sources["conditions"] == Source(State.FAILED)


# Failures


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 429, 500, 502, 503])
def test_a_status_that_is_none_of_success_is_a_failed_query(code: int) -> None:
    with fhir_server({"conditions": status(code, Retry_After="3600")}) as running:
        start = time.monotonic()
        found = fetched(running, seconds=LATEST)
        assert time.monotonic() - start < LATEST
    tried = len([asked for asked in running.asked if asked.path != "/fhir/metadata"])
    assert tried == len(QUERIES) + (code == 400)  # once more without the size of the pages
    assert found.why_not("conditions") == f"was answered with status {code}"
    read = from_prefetch({}, "p1", found).sources
    assert (read["conditions"], read["procedures"]) == (Source(State.FAILED), Source(State.NONE))


WHOLE = json.dumps(bundle(condition())).encode()
LIES: dict[str, Given] = {
    "not JSON": body(b"<Bundle xmlns='http://hl7.org/fhir'/>"),
    "half a JSON": body(WHOLE[:-20]),
    "two JSON": body(WHOLE + WHOLE),
    "not UTF-8": body(b'{"resourceType": "Bundle", "x": "\xff"}'),
    "nothing": body(b""),
    "no resource": body(b'{"a": 1}'),
    "a string": body(b'"Bundle"'),
    "an outcome": body(json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}).encode()),
    "too long a length": body(WHOLE, Content_Length="9999", Connection="close"),
    "too short a length": body(WHOLE, Content_Length=str(len(WHOLE) - 10)),
    "not gzip": body(WHOLE, Content_Encoding="gzip"),
    "half a gzip": body(gzip.compress(WHOLE)[:-12], Content_Encoding="gzip"),
    "a gzip bomb": body(gzip.compress(b" " * 20_000_000 + WHOLE), Content_Encoding="gzip"),
    "no HTTP": lambda reply, _: reply.raw(b"220 smtp ready\r\n\r\n"),
    "nothing at all": lambda reply, _: reply.hang_up(),
    "a redirect": status(302, Location="/fhir/elsewhere"),
    "silence": lambda reply, _: reply.wait(),
    "a drip": lambda reply, _: reply.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b" " * 500),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_misbehaves_in_one_query_costs_that_query(lie: str) -> None:
    found = records({"medicationRequests": LIES[lie]}).sources
    assert found["medicationRequests"] == Source(State.FAILED)
    assert {one.state for key, one in found.items() if key not in ("patient", "medicationRequests")} == {State.NONE}


def test_a_server_that_says_nothing_at_all_costs_the_budget_and_every_query() -> None:
    found = records(dict.fromkeys(QUERIES, lambda reply, _: reply.wait()))
    assert {one.state for one in found.sources.values()} == {State.FAILED}
    assert found.patient is None


# What a server does not offer


def capability(*types: str, mode: str = "server") -> Json:
    resources = [{"type": one, "interaction": [{"code": "read"}]} for one in types]
    return {"resourceType": "CapabilityStatement", "rest": [{"mode": mode, "resource": resources}]}


@pytest.mark.parametrize("code", [400, 404, 405, 501])
def test_a_type_that_the_server_does_not_have_is_absent_and_not_failed(code: int) -> None:
    """Where orders are the only record of medication, a missing MedicationStatement loses nothing."""
    given = {"medicationStatements": status(code), "/fhir/metadata": capability("Patient", "MedicationRequest")}
    with fhir_server({"patient": PATIENT, **given}) as running:
        found = fetched(running)
    sources = from_prefetch({}, "p1", found).sources
    assert (sources["medicationStatements"], sources["procedures"]) == (Source(State.ABSENT), Source(State.NONE))
    assert found.why_not("medicationStatements") == "is not offered by the FHIR server"


@pytest.mark.parametrize(
    "metadata",
    [
        capability("Patient", "MedicationStatement"),
        capability("MedicationRequest"),
        capability("Patient", mode="client"),
        capability(),
        {"resourceType": "CapabilityStatement", "rest": "x"},
        {"resourceType": "OperationOutcome"},
        status(404),
        body(b"{"),
    ],
    ids=range(8),
)
def test_a_refusal_that_nothing_explains_is_a_failure(metadata: Given) -> None:
    given = {"medicationStatements": status(404), "/fhir/metadata": metadata}
    assert records(given).sources["medicationStatements"] == Source(State.FAILED)


@pytest.mark.parametrize("code", [401, 403, 429, 500])
def test_a_refusal_for_another_reason_is_a_failure_whatever_is_offered(code: int) -> None:
    given = {"medicationStatements": status(code), "/fhir/metadata": capability("Patient")}
    assert records(given).sources["medicationStatements"] == Source(State.FAILED)


def test_what_a_server_offers_is_asked_once_and_a_silent_one_costs_the_budget() -> None:
    given: dict[str, Given] = dict.fromkeys(QUERIES, status(404))
    with fhir_server({**given, "/fhir/metadata": capability("Patient")}) as running:
        access = Access(running.base, TOKEN)
        fetcher = Fetcher(Guard([Server(running.base, private=True)]), Limits(LATEST))
        for _ in range(2):
            answers = fetcher.missing({}, "p1", access).answers
            assert answers.keys() == {"patient"}
    assert [asked.path for asked in running.asked].count("/fhir/metadata") == 1
    silent = records({**given, "/fhir/metadata": LIES["silence"]})
    assert silent.sources["allergies"] == Source(State.FAILED)


# Pages


def page(*resources: Json, following: str | None = None, **elements: Any) -> Json:
    links = [{"relation": "self", "url": "x"}, *([{"relation": "next", "url": following}] if following else [])]
    return bundle(*resources, link=links, **elements)


def labs(*days: str) -> list[Json]:
    return [observation("2160-0", f"o{day}", effectiveDateTime=day) for day in days]


def in_pages(*pages: Given) -> dict[str, Given]:
    """The labs in several pages, each but the first at a path of its own."""
    later = {f"/fhir/page/{number}": one for number, one in enumerate(pages[1:], 2)}
    return {"labs": pages[0], **later}


@pytest.mark.parametrize("following", ["page/2", "{base}/page/2", "/fhir/page/2"])
def test_pages_are_followed_to_the_end(following: str) -> None:
    with serving(lambda reply, asked: reply.json(answers[asked.path])) as running:
        first = page(*labs("2026-03-01"), following=following.format(base=running.base), total=2)
        answers = {"/fhir/Observation": first, "/fhir/page/2": page(*labs("2026-02-01"))}
        found = fetched(running, prefetch_without("labs"))
    read = from_prefetch(raw(prefetch_without("labs")), "p1", found)
    assert read.sources["labs"] == Source(State.FOUND)
    assert {entry.reference for entry in read.entries} >= {"Observation/o2026-03-01", "Observation/o2026-02-01"}
    assert {asked.headers["Authorization"] for asked in running.asked} == {f"Bearer {TOKEN}"}


FIRST = page(*labs("2026-03-01", "2026-02-01"), following="page/2")
SECOND = page(*labs("2026-01-15"), following="page/3")
TRUNCATED_AT_FIRST = Source(State.TRUNCATED, date(2026, 2, 1))


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie not in ("no resource", "a string", "an outcome")])
def test_a_page_that_does_not_come_truncates_at_the_last_that_did(lie: str) -> None:
    """Sorted newest first, the query is complete back to its oldest entry."""
    assert source_of_labs(in_pages(FIRST, LIES[lie])) == TRUNCATED_AT_FIRST
    assert source_of_labs(in_pages(FIRST, SECOND, LIES[lie])) == Source(State.TRUNCATED, date(2026, 1, 15))


@pytest.mark.parametrize("lie", ["no resource", "a string", "an outcome"])
def test_a_page_that_is_no_page_truncates_as_well(lie: str) -> None:
    assert source_of_labs(in_pages(FIRST, LIES[lie])) == TRUNCATED_AT_FIRST


def source_of_labs(given: Mapping[str, Given], **options: Any) -> Source:
    return records(given, prefetch_without("labs"), **options).sources["labs"]


def test_a_query_that_is_not_sorted_is_complete_back_to_no_day() -> None:
    given = {"conditions": page(condition(), following="page/2"), "/fhir/page/2": status(500)}
    assert records(given, prefetch_without("conditions")).sources["conditions"] == Source(State.TRUNCATED)


def test_a_total_above_the_entries_of_all_pages_is_truncated() -> None:
    last = page(*labs("2026-01-15"))
    assert source_of_labs(in_pages(FIRST | {"total": 3}, last)) == Source(State.FOUND)
    assert source_of_labs(in_pages(FIRST | {"total": 4}, last)) == Source(State.TRUNCATED, date(2026, 1, 15))


def test_next_links_in_a_circle_end() -> None:
    with fhir_server({"labs": FIRST, "/fhir/page/2": page(*labs("2026-01-15"), following="page/2")}) as running:
        found = fetched(running, prefetch_without("labs"))
    assert len(running.asked) == 2
    assert found.why_not("labs") == "goes on in a circle"
    read = from_prefetch(raw(prefetch_without("labs")), "p1", found)
    assert read.sources["labs"] == Source(State.TRUNCATED, date(2026, 1, 15))


def test_next_links_without_end_are_followed_for_so_many_pages() -> None:
    def endless(reply: Reply, asked: Asked) -> None:
        number = int(asked.path.rpartition("/")[2]) if "/page/" in asked.path else 1
        reply.json(page(following=f"page/{number + 1}"))

    with serving(endless) as running:
        found = fetched(running, prefetch_without("labs"), pages=5)
    assert len(running.asked) == 5
    assert found.why_not("labs") == "has more pages than are allowed"


def test_the_bytes_of_all_pages_of_a_query_are_bounded() -> None:
    filled = page(*labs("2026-03-01"), following="page/2", note="x" * 1000)
    size = len(json.dumps(filled))
    given = in_pages(filled, filled | {"link": []})
    assert source_of_labs(given, bytes=2 * size) == Source(State.FOUND)
    assert source_of_labs(given, bytes=2 * size - 100).state is State.TRUNCATED


@pytest.mark.parametrize(
    "following",
    ["{other}/fhir/page/2", "//127.0.0.1:{port}/fhir/page/2", "/admin", "../admin", "https://evil.example/fhir",
     "file:///etc/passwd", "http://[::1", "page/%2e%2e/%2e%2e/admin", "\\\\evil.example\\fhir"],
)  # fmt: skip
def test_a_next_link_that_leads_away_is_not_followed(following: str) -> None:
    """Another origin, or outside the base: the token goes nowhere."""
    with serving(lambda reply, _: reply.json(EMPTY)) as other:
        first = page(*labs("2026-03-01"), following=following.format(other=other.origin, port=other.port))
        with fhir_server({"labs": first}) as running:
            found = fetched(running, prefetch_without("labs"))
    assert len(running.asked) == 1
    assert not other.asked
    assert found.why_not("labs") == "goes on at an address that is not allowed"
    read = from_prefetch(raw(prefetch_without("labs")), "p1", found)
    assert read.sources["labs"] == Source(State.TRUNCATED, date(2026, 3, 1))


# A prefetched first page


def test_a_prefetched_first_page_is_continued() -> None:
    with fhir_server({"/fhir/page/2": page(*labs("2026-01-15"))}) as running:
        came = EVERY | {"labs": page(*labs("2026-03-01"), following=f"{running.base}/page/2")}
        found = fetched(running, came)
    assert [asked.path for asked in running.asked] == ["/fhir/page/2"]
    read = from_prefetch(raw(came), "p1", found)
    assert read.sources["labs"] == Source(State.FOUND)
    assert {entry.reference for entry in read.entries} >= {"Observation/o2026-03-01", "Observation/o2026-01-15"}


@pytest.mark.parametrize("answer", [status(403), body(b"{"), LIES["an outcome"]])
def test_a_prefetched_first_page_that_cannot_be_continued_stays_truncated(answer: Given) -> None:
    with fhir_server({"/fhir/page/2": answer}) as running:
        came = EVERY | {"labs": page(*labs("2026-03-01"), following=f"{running.base}/page/2")}
        found = fetched(running, came)
    read = from_prefetch(raw(came), "p1", found)
    assert read.sources["labs"] == Source(State.TRUNCATED, date(2026, 3, 1))


def test_a_prefetched_first_page_with_a_link_elsewhere_stays_truncated() -> None:
    came = EVERY | {"labs": page(*labs("2026-03-01"), following="https://evil.example/fhir/page/2")}
    with fhir_server({}) as running:
        found = fetched(running, came)
    assert not running.asked
    assert from_prefetch(raw(came), "p1", found).sources["labs"] == Source(State.TRUNCATED, date(2026, 3, 1))


# Medications that records point to


def order(reference: Json, name: str = "r1") -> Json:
    return resource("MedicationRequest", name, status="active", intent="order", medicationReference=reference)


PREDNISONE = {"resourceType": "Medication", "id": "med1", "code": {"text": "Prednisone 5 mg tablet"}}


@pytest.mark.parametrize("reference", ["Medication/med1", "{base}/Medication/med1", "Medication/med1/_history/2"])
@pytest.mark.parametrize("brought", [False, True], ids=["fetched", "prefetched"])
def test_a_medication_without_a_name_is_read_from_the_server(reference: str, brought: bool) -> None:
    given: dict[str, Given] = {"/fhir/Medication/med1": PREDNISONE}
    with fhir_server(given) as running:
        orders = bundle(*(order({"reference": reference.format(base=running.base)}, name) for name in ("r1", "r2")))
        given["medicationRequests"] = orders
        came = EVERY | {"medicationRequests": orders} if brought else prefetch_without("medicationRequests")
        found = fetched(running, came)
    assert [asked.path for asked in running.asked].count("/fhir/Medication/med1") == 1
    assert "Medication/med1" in {entry.reference for entry in from_prefetch(raw(came), "p1", found).entries}


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Medication/med1", "display": "Prednisone 5 mg tablet"},
        {"reference": "#med1"},
        {"reference": "urn:uuid:0b1f8f9e-4c1c-4d5d-8f3b-3d1a2f6d2c11"},
        {"reference": "https://evil.example/fhir/Medication/med1"},
        {"reference": "Medication/../../admin"},
        {"reference": "Medication/.."},
        {"reference": "Medication/med1?x=1"},
        {"reference": "Organization/med1"},
        {"display": "Prednisone"},
        {"reference": 7},
        "Medication/med1",
    ],
    ids=str,
)
def test_what_has_a_name_or_is_no_medication_of_the_server_is_not_read(reference: Any) -> None:
    with fhir_server({}) as running:
        assert fetched(running, EVERY | {"medicationRequests": bundle(order(reference))}) == Fetched()
    assert not running.asked


def test_a_medication_that_came_along_is_not_read() -> None:
    with fhir_server({}) as running:
        fetched(running, EVERY | {"medicationRequests": bundle(order({"reference": "Medication/med1"}), PREDNISONE)})
    assert not running.asked


@pytest.mark.parametrize("answer", [status(404), body(b"{"), PATIENT | {"id": "p2"}, LIES["silence"]], ids=range(4))
def test_a_medication_that_cannot_be_read_costs_nothing_else(answer: Given) -> None:
    """Not even when another patient comes instead."""
    came = EVERY | {"medicationRequests": bundle(order({"reference": "Medication/med1"}))}
    found = records({"/fhir/Medication/med1": answer}, came)
    assert found.sources["medicationRequests"] == Source(State.FOUND)


# The token


def test_the_token_stands_in_no_log_line_and_in_nothing_that_can_be_printed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert TOKEN not in repr(Access("https://ehr.example.org/fhir", TOKEN))
    for lie in ("silence", "not JSON", "no HTTP", "a redirect"):
        with fhir_server({"patient": PATIENT, "conditions": LIES[lie]}) as running:
            assert TOKEN not in repr(fetched(running, patient_id="canary-patient"))
    assert "not whole: conditions" in caplog.text
    assert "canary" not in caplog.text
