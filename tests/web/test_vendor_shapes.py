"""Calls in the shapes of Epic and of Oracle Health, from the body to what a person would say of the record."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from app import assembled, wire
from cds_service.net.servers import Server
from cds_service.settings import Settings
from tests.fake_fhir import Given, fhir_server, status
from tests.fake_server import Asked, Reply
from tests.web import epic, oracle
from tests.web.calls import SERVICE, TODAY

Json = dict[str, Any]


def screening(body: Mapping[str, Any], servers: tuple[Server, ...] = ()) -> Json:
    """The screening on the one card that comes back."""
    service = assembled(replace(wire(Settings(fhir_servers=servers)), today=lambda: TODAY)).test_client()
    response = service.post(SERVICE, data=json.dumps(body).encode())
    assert response.status_code == 200, response.text
    (card,) = response.get_json()["cards"]
    found: Json = card["extension"]["org.trialhook.screening"]
    return found


def statuses(found: Json) -> dict[str, str]:
    return {one["id"]: one["status"] for one in found["criteria"]}


def flags(found: Json, criterion: str) -> set[str]:
    return next(set(one.get("flags", ())) for one in found["criteria"] if one["id"] == criterion)


# Epic


def test_an_epic_record_is_read_as_a_person_reads_it() -> None:
    found = screening(epic.call())
    expected = {
        "I01": "pass", "I02.dx": "pass", "I02.sev": "review", "I06a": "pass", "I06d.bil": "pass", "I06d.alt": "pass",
        "I06d.ast": "pass", "I07a": "pass", "I07b": "pass", "E02": "pass", "E08": "pass", "E10": "pass",
    }  # fmt: skip
    assert {name: statuses(found)[name] for name in expected} == expected
    assert found["searched"]["medicationAdministrations"] == {"state": "none"}  # "no results" is a warning there
    assert found["searched"]["medicationStatements"] == {"state": "absent"}
    assert "skipped" not in found
    assert found["verdict"] == "needs-review"


def test_three_views_of_an_epic_dose_are_one_dose() -> None:
    first, *_ = screening(epic.call())["steroids"]["timeline"]
    assert (first["start"], first["mgPerDay"]) == ("2026-01-05", [40, 40])


def test_an_epic_order_lasts_as_long_as_its_supply_and_may_with_its_refills() -> None:
    found = screening(epic.call())
    assert found["steroids"]["asOf"]["mgPerDay"] == [0, 40]
    assert statuses(found)["I03a"] == "review"
    endless = copy.deepcopy(epic.PREDNISONE)
    del endless["dispenseRequest"]
    found = screening(epic.call(medicationRequests=epic.searchset(endless)))
    assert found["steroids"]["asOf"]["mgPerDay"] == [40, 40]
    assert statuses(found)["I03a"] == "pass"
    assert {"assumed", "text-only"} <= flags(found, "I03a")  # the drug is named by a display alone


PREDNISONE_20 = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "312615",
                             "display": "prednisone 20 MG Oral Tablet"}]}  # fmt: skip


def test_an_epic_medication_comes_as_an_entry_of_its_own() -> None:
    order = copy.deepcopy(epic.PREDNISONE)
    del order["medicationReference"]["display"], order["dispenseRequest"]
    medication = {"resourceType": "Medication", "id": epic.MEDICATION_ID, "code": PREDNISONE_20}
    found = screening(epic.call(medicationRequests=epic.searchset(order, medication)))
    assert statuses(found)["I03a"] == "pass"
    assert "text-only" not in flags(found, "I03a")
    absolute = {"reference": f"{epic.BASE}/Medication/{epic.MEDICATION_ID}"}
    order["medicationReference"] = absolute
    again = screening(epic.call(medicationRequests=epic.searchset(order, medication)))
    assert again["criteria"] == found["criteria"]


def test_an_epic_medication_that_nobody_sent_may_be_prednisone() -> None:
    order = copy.deepcopy(epic.PREDNISONE)
    del order["medicationReference"]["display"]
    found = screening(epic.call(medicationRequests=epic.searchset(order)))
    assert {statuses(found)[one] for one in ("I03a", "E02")} == {"unknown"}


def test_a_query_that_an_epic_client_may_not_make_is_failed() -> None:
    refused = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "The client is not authorized."}],
    }
    found = screening(epic.call(labs=refused))
    assert found["searched"]["labs"] == {"state": "failed"}
    assert statuses(found)["I07b"] == "unknown"


# Oracle Health


def test_an_oracle_record_is_fetched_page_by_page_and_read() -> None:
    """No prefetch, no MedicationStatement, home medications as plans that were reported, times by private codes."""
    pages = iter([oracle.bundle(oracle.LABS[:2], goes_on="labs-page-2"), oracle.bundle(oracle.LABS[2:])])

    def labs(reply: Reply, asked: Asked) -> None:
        page = next(pages)
        reply.json(json.loads(json.dumps(page).replace("{base}", f"http://{asked.headers['Host']}/fhir")))

    given: dict[str, Given] = {
        "patient": oracle.PATIENT, "conditions": oracle.bundle([oracle.CONDITION]), "labs": labs,
        "/fhir/Observation/labs-page-2": labs, "body": oracle.bundle(oracle.WEIGHTS),
        "procedures": oracle.bundle([oracle.TRANSPLANT]), "medicationRequests": oracle.bundle([oracle.PREDNISONE]),
        "medicationStatements": status(404), "researchSubjects": status(404), "/fhir/metadata": oracle.METADATA,
    }  # fmt: skip
    with fhir_server(given) as running:
        found = screening(oracle.call(running.base), (Server(running.base, private=True),))
    assert found["searched"]["medicationStatements"] == {"state": "absent"}
    assert found["searched"]["labs"] == {"state": "found"}
    expected = {
        "I01": "pass", "I02.dx": "pass", "I03a": "pass", "I06a": "pass", "I07a": "pass", "I07b": "pass", "E02": "pass",
    }  # fmt: skip
    assert {name: statuses(found)[name] for name in expected} == expected
    assert found["steroids"]["asOf"]["mgPerDay"] == [40, 40]


@pytest.mark.parametrize(
    "words", ["40 mg = 2 tab(s), Oral, Daily", "40 mg, 2 tab, Oral, Daily, 60 tab, 1 Refill(s)", "40 mg, Oral, Daily"]
)
def test_an_oracle_dose_agrees_with_its_words(words: str) -> None:
    order = copy.deepcopy(oracle.PREDNISONE)
    order["dosageInstruction"][0]["text"] = words
    body = epic.call(
        medicationRequests=oracle.bundle([order | {"subject": {"reference": f"Patient/{epic.PATIENT_ID}"}}])
    )
    found = screening(body)
    assert found["steroids"]["asOf"]["mgPerDay"] == [40, 40]
    assert "conflict" not in flags(found, "I03a")
