"""A history that deletes: what was deleted is no record any more, and is listed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.clinical.facts import PatientFacts
from cds_service.fhir.reading import read_facts
from cds_service.fhir.records import from_files
from tests.fhir.made import AS_OF, PATIENT, Json, condition, index, references, skipped


def put(resource: Json, changed: str | None = None) -> Json:
    meta = {"meta": {"lastUpdated": changed}} if changed else {}
    return {"resource": {**resource, **meta}, "request": {"method": "PUT", "url": f"Condition/{resource['id']}"}}


def delete(url: str = "Condition/c1", changed: str | None = None) -> Json:
    response = {"status": "204", **({"lastModified": changed} if changed else {})}
    return {"request": {"method": "DELETE", "url": url}, "response": response}


def facts_of_history(*entries: Json, kind: str = "history") -> PatientFacts:
    body: dict[str, Any] = {"resourceType": "Bundle", "type": kind, "entry": [{"resource": PATIENT}, *entries]}
    return read_facts(from_files({"f": [json.dumps(body).encode()]}, index(), None), index(), AS_OF)


@pytest.mark.parametrize("url", ["Condition/c1", "https://ehr.example.org/fhir/Condition/c1", "/Condition/c1/"])
def test_what_stands_after_its_deletion_was_deleted(url: str) -> None:
    facts = facts_of_history(delete(url), put(condition()))
    assert not facts.problems
    assert not facts.unread
    assert skipped(facts) == [("Condition/c1", "deleted")]


def test_what_was_written_again_is_there() -> None:
    facts = facts_of_history(put(condition()), delete(), put(condition(recordedDate="2020-01-01")))
    assert references(facts.problems) == ["Condition/c1"]
    assert not skipped(facts)


@pytest.mark.parametrize(("deleted", "gone"), [("2026-02-01T00:00:00Z", True), ("2025-12-31T23:59:59Z", False)])
def test_instants_decide_before_places(deleted: str, gone: bool) -> None:
    written = put(condition(), "2026-01-01T00:00:00Z")
    for entries in ((written, delete(changed=deleted)), (delete(changed=deleted), written)):
        assert (not facts_of_history(*entries).problems) is gone


def test_another_deletion_and_one_that_is_only_asked_for_delete_nothing() -> None:
    assert facts_of_history(delete("Condition/c2"), put(condition())).problems
    assert facts_of_history(delete(), put(condition()), kind="transaction").problems


@pytest.mark.parametrize("request_", [7, {"method": 7}, {"method": "DELETE"}, {"method": "DELETE", "url": 7}, None])
def test_an_odd_request_deletes_nothing(request_: object) -> None:
    assert facts_of_history({"request": request_}, put(condition())).problems


def test_a_history_of_nothing_is_a_history() -> None:
    empty = {"resourceType": "Bundle", "type": "history", "entry": []}
    records = from_files({"f": [json.dumps(one).encode() for one in (PATIENT, empty)]}, index(), None)
    assert [one.reference for one in records.entries] == ["Patient/p1"]


def test_all_that_a_bundle_inside_holds_has_its_place() -> None:
    several = [put(condition(name="c1")), put(condition(name="c2"))]
    inside = {"resource": {"resourceType": "Bundle", "type": "collection", "entry": several}}
    assert references(facts_of_history(inside, delete("Condition/c2")).problems) == ["Condition/c1", "Condition/c2"]
    assert references(facts_of_history(delete("Condition/c2"), inside).problems) == ["Condition/c1"]
