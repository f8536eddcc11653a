"""Bytes to entries: one bad entry costs one entry, and nothing that is no number becomes one."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.wire import read_answer
from cds_service.strict_json import NotJson, check_json
from tests.fhir.made import Json, bundle, condition, observation


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1}{', b'{"a":01}', b"[" * 100_000, b'"\xff"'],
)
def test_what_is_not_json_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(NotJson):
        check_json(body)


def test_a_refusal_repeats_nothing_of_the_content() -> None:
    with pytest.raises(NotJson) as refusal:
        check_json(b'{"name": "Secret" "given": 1}')
    assert "Secret" not in str(refusal.value)


def test_a_byte_order_mark_is_taken_off() -> None:
    assert check_json(b"\xef\xbb\xbf{}") == b"{}"


@pytest.mark.parametrize("value", ['"NaN"', '"5"', "true", '"1_0"', "[5]", "{}", '"Infinity"'])
def test_what_is_no_json_number_never_becomes_a_number(value: str) -> None:
    assert decode(b'{"value": %s}' % value.encode(), el.Quantity) is None


@pytest.mark.parametrize("value", ["0.1", "20", "1e400", "1E-400", "9" * 401])
def test_numbers_are_kept_exactly_as_written(value: str) -> None:
    quantity = decode(b'{"value": %s}' % value.encode(), el.Quantity)
    assert quantity is not None
    assert quantity.value == Decimal(value)


def test_a_fraction_with_more_digits_than_a_measurement_has_is_no_number() -> None:
    for digits, readable in ((39, True), (40, True), (41, False), (5000, False)):
        raw = b'{"value": 0.%s}' % (b"1" * digits)
        assert (decode(raw, el.Quantity) is not None) is readable


@pytest.mark.parametrize(
    "wrapped",
    [
        condition(),
        {"resource": condition()},
        {"response": {"status": "200"}, "resource": condition()},
        bundle(condition()),
        bundle(bundle(condition())),
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": condition()}]},
        {"resourceType": "Bundle", "entry": [{"search": {"mode": 7}, "fullUrl": 9, "resource": condition()}]},
    ],
)
def test_a_resource_is_found_bare_wrapped_and_in_bundles(wrapped: object) -> None:
    answer = read_answer(json.dumps(wrapped).encode(), "conditions")
    assert [entry.reference for entry in answer.entries] == ["Condition/c1"]
    assert not answer.failed


@pytest.mark.parametrize("junk", [None, 1, "123", [], {}, {"id": "x"}, {"resourceType": 7}, {"resource": "x"}])
def test_an_answer_that_is_no_resource_failed(junk: object) -> None:
    assert read_answer(json.dumps(junk).encode(), "conditions").failed


def test_a_bundle_in_bundles_without_end_failed() -> None:
    nested = bundle(condition())
    for _ in range(5):
        nested = bundle(nested)
    assert read_answer(json.dumps(nested).encode(), "conditions").failed


def test_one_bad_entry_costs_one_entry() -> None:
    answer = read_answer(json.dumps(bundle(condition(onsetDateTime=7), observation())).encode(), "x")
    bad, good = answer.entries
    assert (bad.reference, bad.problem, bad.resource) == ("Condition/c1", "unreadable", None)
    assert (good.reference, good.problem) == ("Observation/o1", None)


def test_what_can_still_be_read_of_a_bad_entry_is_glimpsed() -> None:
    (bad,) = read_answer(json.dumps(condition(onsetDateTime=7)).encode(), "x").entries
    assert isinstance(bad.glimpse, el.Condition)
    assert bad.glimpse.code is not None
    assert bad.glimpse.subject is not None


@pytest.mark.parametrize("entry", [None, 5, {"resource": None}, {"resource": {}}, {"resource": {"id": "x"}}])
def test_an_entry_that_is_no_resource_is_listed_by_its_place(entry: object) -> None:
    answer = read_answer(json.dumps({"resourceType": "Bundle", "entry": [entry]}).encode(), "x")
    assert answer.problems == (("x[0]", "not-a-resource"),)


def test_an_entry_that_only_reports_a_status_is_no_problem() -> None:
    answer = read_answer(b'{"resourceType": "Bundle", "entry": [{"response": {"status": "204"}}]}', "x")
    assert (answer.entries, answer.problems, answer.failed) == ((), (), False)


ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}


@pytest.mark.parametrize(
    ("entry", "failed"),
    [
        ({"response": {"status": "403 Forbidden", "outcome": ERROR}}, True),
        ({"response": {"status": "403 Forbidden"}}, True),
        ({"response": {"status": "500"}}, True),
        ({"response": {"status": 404}}, True),
        ({"response": {"status": "404 Not Found", "outcome": WARNING}}, True),
        ({"response": {"outcome": ERROR}}, True),
        ({"response": {"status": "200 OK", "outcome": ERROR}}, True),
        ({"response": {"status": "refused"}}, True),
        ({"response": 5}, True),
        ({"response": {"status": "403 Forbidden"}, "resource": None}, True),
        ({"response": {"status": "200 OK", "outcome": WARNING}}, False),
        ({"response": {"status": "204 No Content"}}, False),
        ({"response": {"status": "304 Not Modified"}}, False),
        ({"response": {}}, False),
        ({"response": None}, False),
        ({"request": {"method": "DELETE", "url": "Condition/c1"}}, False),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_an_entry_that_only_reports_a_failure_is_one(entry: Json, failed: bool, nested: bool) -> None:
    batch: Json = {"resourceType": "Bundle", "type": "batch-response", "entry": [{"resource": condition()}, entry]}
    answer = read_answer(json.dumps(bundle(batch) if nested else batch).encode(), "x")
    assert answer.failed is failed
    assert [entry.reference for entry in answer.entries] == ["Condition/c1"]


def test_the_searches_of_a_batch_are_read_each_with_what_it_says_of_itself() -> None:
    searches = [
        {"resource": bundle(condition()), "response": {"status": "200 OK"}},
        {"resource": bundle(observation(), total=2), "response": {"status": "200 OK"}},
    ]
    answer = read_answer(
        json.dumps({"resourceType": "Bundle", "type": "batch-response", "entry": searches}).encode(), "x"
    )
    assert [entry.reference for entry in answer.entries] == ["Condition/c1", "Observation/o1"]
    assert (answer.failed, answer.more_exist) == (False, True)


@pytest.mark.parametrize(
    ("severity", "failed"), [("warning", False), ("information", False), ("error", True), ("fatal", True)]
)
def test_an_outcome_inside_a_search_is_a_failure_only_when_it_reports_an_error(severity: str, failed: bool) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity}]}
    entry = {"resource": outcome, "search": {"mode": "outcome"}}
    answer = read_answer(json.dumps({"resourceType": "Bundle", "entry": [entry]}).encode(), "x")
    assert answer.failed is failed


@pytest.mark.parametrize(
    ("elements", "more"),
    [
        ({}, False),
        ({"total": 1}, False),
        ({"total": 2}, True),
        ({"total": "many"}, True),
        ({"link": [{"relation": "next", "url": "u"}]}, True),
        ({"link": [{"relation": "self", "url": "u"}]}, False),
        ({"link": "next"}, True),
        ({"total": None, "link": None}, False),
    ],
)
def test_an_answer_that_goes_on_says_so(elements: dict[str, object], more: bool) -> None:
    assert read_answer(json.dumps(bundle(condition(), **elements)).encode(), "x").more_exist is more


def test_included_entries_do_not_count_towards_the_total() -> None:
    entries = [{"resource": condition(), "search": {"mode": "include"}}]
    assert read_answer(json.dumps({"resourceType": "Bundle", "total": 1, "entry": entries}).encode(), "x").more_exist


@pytest.mark.parametrize(
    ("elements", "problem"),
    [
        ({"modifierExtension": [{"url": "u"}]}, "modifier-extension"),
        ({"modifierExtension": []}, None),
        ({"implicitRules": "http://rules"}, "implicit-rules"),
        ({"meta": {"lastUpdated": 5}}, None),
    ],
)
def test_what_may_change_the_meaning_is_a_problem(elements: Json, problem: str | None) -> None:
    (entry,) = read_answer(json.dumps(condition(**elements)).encode(), "x").entries
    assert entry.problem == problem


@pytest.mark.parametrize(
    ("extension", "problem"),
    [([{"url": "u"}], "modifier-extension"), ({}, "modifier-extension"), ([], None), (None, None)],
)
def test_what_changes_the_meaning_of_an_entry_changes_that_of_its_resource(extension: object, problem: str) -> None:
    body = {"resourceType": "Bundle", "entry": [{"resource": condition(), "modifierExtension": extension}]}
    (entry,) = read_answer(json.dumps(body).encode(), "x").entries
    assert entry.problem == problem


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [("urn:uuid:1", "urn:uuid:1"), ("https://ehr/fhir/Condition/7", "Condition/7"), (None, "x[0]")],
)
def test_a_resource_without_an_id_is_called_by_its_address_or_its_place(full_url: str | None, reference: str) -> None:
    nameless = {key: value for key, value in condition().items() if key != "id"}
    entry = {"resource": nameless} | ({"fullUrl": full_url} if full_url else {})
    (found,) = read_answer(json.dumps({"resourceType": "Bundle", "entry": [entry]}).encode(), "x").entries
    assert found.reference == reference
