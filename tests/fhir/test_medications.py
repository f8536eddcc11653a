"""Medication records: whether, how surely and when a drug was taken, and what ties records together."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import ANYTHING
from cds_service.clinical.medications import Standing
from tests.fhir.made import (
    PREDNISONE,
    TABLET_5_MG,
    Json,
    dose,
    doubts,
    exactly,
    facts_of,
    repeat,
    request,
    resource,
    skipped,
    statement,
    the_use,
)  # fmt: skip

DAILY_20 = {**dose(20), **repeat(1, 1)}


def administration(**elements: Any) -> Json:
    stated = {
        "status": "completed", "effectiveDateTime": "2026-03-10T08:00:00Z",
        "medicationCodeableConcept": {"coding": [PREDNISONE]}, "dosage": {"dose": {"value": 40, "unit": "mg"}},
    }  # fmt: skip
    return resource("MedicationAdministration", "a1", **{**stated, **elements})


def day(text: str) -> DayRange:
    return DayRange.of(date.fromisoformat(text))


# ---- whether it was taken


@pytest.mark.parametrize(
    "record",
    [
        statement(DAILY_20, status="novel"),
        statement(DAILY_20, status=None),
        request(DAILY_20, status="novel"),
        administration(status="novel"),
        administration(status=None),
    ],
)
def test_a_status_that_nobody_knows_leaves_a_doubt(record: Json) -> None:
    facts = facts_of(record)
    assert (facts.medications, [one.concepts for one in facts.unread]) == ((), [frozenset({"prednisone"})])
    assert [reason for _, reason in skipped(facts)] == ["status"]


def test_a_start_that_nobody_can_read_is_not_the_day_of_the_statement() -> None:
    unread = {"start": "in the spring"}
    assert facts_of(statement(DAILY_20, dateAsserted="2026-04-01", effectivePeriod=unread)).medications
    assert not facts_of(statement(DAILY_20, dateAsserted="2026-04-01", effectivePeriod=None)).medications


@pytest.mark.parametrize(
    ("elements", "standing"),
    [
        ({"status": "active"}, Standing.TAKEN),
        ({"status": "recorded"}, Standing.TAKEN),
        ({"status": "completed"}, Standing.ENDED),
        ({"status": "stopped"}, Standing.ENDED),
        ({"status": "on-hold"}, Standing.HELD),
        ({"status": "not-taken"}, Standing.NOT_TAKEN),
        ({"status": "unknown"}, Standing.POSSIBLE),
        ({"taken": "n"}, Standing.NOT_TAKEN),
        ({"taken": "y"}, Standing.TAKEN),
        ({"taken": "unk"}, Standing.POSSIBLE),
        ({"wasNotTaken": True}, Standing.NOT_TAKEN),
        ({"adherence": {"code": {"coding": [{"code": "not-taking"}]}}, "status": "recorded"}, Standing.NOT_TAKEN),
        ({"adherence": {"code": {"coding": [{"code": "taking"}]}}, "status": "recorded"}, Standing.TAKEN),
        ({"adherence": {"code": {"coding": [{"code": "stopped"}]}}, "status": "recorded"}, Standing.ENDED),
        ({"adherence": {"code": {"coding": [{"code": "on-hold"}]}}, "status": "recorded"}, Standing.HELD),
        ({"adherence": {"code": {"coding": [{"code": "unknown"}]}}, "status": "recorded"}, Standing.POSSIBLE),
    ],
)
def test_a_statement_proves_as_much_as_its_status(elements: Json, standing: Standing) -> None:
    assert the_use(statement(DAILY_20, **elements)).standing is standing


@pytest.mark.parametrize(
    ("elements", "standing"),
    [
        ({}, Standing.TAKEN),
        ({"status": "completed"}, Standing.ENDED),
        ({"status": "stopped"}, Standing.ENDED),
        ({"status": "ended"}, Standing.ENDED),
        ({"status": "on-hold"}, Standing.HELD),
        ({"status": "unknown"}, Standing.POSSIBLE),
        ({"status": None}, Standing.POSSIBLE),
        ({"intent": "plan"}, Standing.POSSIBLE),
        ({"intent": "plan", "reportedBoolean": True}, Standing.TAKEN),
        ({"intent": "plan", "reported": True}, Standing.TAKEN),
        ({"intent": "plan", "reportedReference": {"reference": "Patient/p1"}}, Standing.TAKEN),
        ({"intent": "instance-order"}, Standing.TAKEN),
        ({"intent": None}, Standing.TAKEN),
    ],
)
def test_an_order_proves_as_much_as_its_status_and_intent(elements: Json, standing: Standing) -> None:
    assert the_use(request(DAILY_20, **elements)).standing is standing


@pytest.mark.parametrize(
    ("elements", "standing"),
    [({}, Standing.TAKEN), ({"status": "in-progress"}, Standing.TAKEN), ({"status": "not-done"}, Standing.NOT_TAKEN),
     ({"status": "stopped"}, Standing.POSSIBLE), ({"status": "on-hold"}, Standing.POSSIBLE),
     ({"status": "unknown"}, Standing.POSSIBLE), ({"wasNotGiven": True}, Standing.NOT_TAKEN)],
)  # fmt: skip
def test_an_administration_proves_as_much_as_its_status(elements: Json, standing: Standing) -> None:
    assert the_use(administration(**elements)).standing is standing


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (statement(DAILY_20, status="entered-in-error "), "entered-in-error"),
        (statement(DAILY_20, status="intended"), "status"),
        (statement(DAILY_20, status="draft"), "status"),
        (request(DAILY_20, status="cancelled"), "status"),
        (request(DAILY_20, status="draft"), "status"),
        (request(DAILY_20, intent="proposal"), "status"),
        (request(DAILY_20, intent="option"), "status"),
        (request(DAILY_20, doNotPerform=True), "status"),
        (request(DAILY_20, authoredOn="2026-03-17"), "future"),
        (statement(DAILY_20, effectivePeriod={"start": "2026-03-17"}), "future"),
        (statement(DAILY_20, effectivePeriod=None, dateAsserted="2026-03-17"), "future"),
        (administration(effectiveDateTime="2026-03-17"), "future"),
    ],
)
def test_what_was_never_taken_or_lies_ahead_is_only_listed(record: Json, reason: str) -> None:
    facts = facts_of(record)
    name = f"{record['resourceType']}/{record['id']}"
    assert (facts.medications, skipped(facts), facts.unread) == ((), [(name, reason)], ())


def test_a_reported_order_is_a_statement() -> None:
    assert the_use(request(DAILY_20, reportedBoolean=True)).kind == "statement"
    assert the_use(request(DAILY_20)).kind == "request"


# ---- when


def test_the_period_of_a_statement_is_when_it_was_taken() -> None:
    period = {"start": "2026-01-05", "end": "2026-02-01"}
    found = the_use(statement(DAILY_20, effectivePeriod=period, dateAsserted="2026-03-01"))
    assert (found.begins, found.ends, found.written, found.active) == (
        day("2026-01-05"), day("2026-02-01"), date(2026, 3, 1), True,
    )  # fmt: skip


def test_a_single_day_begins_a_statement_and_ends_one_that_is_over() -> None:
    stamp: Json = {"effectivePeriod": None, "effectiveDateTime": "2026-01-05"}
    assert the_use(statement(DAILY_20, **stamp)).ends is None
    assert the_use(statement(DAILY_20, status="completed", **stamp)).ends == day("2026-01-05")


def test_a_period_that_ends_before_it_begins_is_a_conflict_and_only_possible() -> None:
    found = the_use(statement(DAILY_20, effectivePeriod={"start": "2026-02-01", "end": "2026-01-01"}))
    assert (found.standing, found.ends, found.conflict) == (Standing.POSSIBLE, None, True)


def test_an_end_in_the_far_future_is_no_end() -> None:
    assert the_use(statement(DAILY_20, effectivePeriod={"start": "2026-01-05", "end": "9999-12-31"})).ends is None


def test_an_order_begins_with_its_bounds_else_when_it_was_written() -> None:
    bounded = {**dose(20), **repeat(1, 1, boundsPeriod={"start": "2026-02-01"})}
    assert the_use(request(bounded)).begins == day("2026-02-01")
    assert the_use(request(bounded, DAILY_20)).begins == day("2026-01-05")
    assert the_use(request(DAILY_20, effectiveDosePeriod={"start": "2026-01-07"})).begins == day("2026-01-07")


@pytest.mark.parametrize(
    ("dispense", "supply", "valid"),
    [
        ({"expectedSupplyDuration": {"value": 30, "unit": "days"}}, date(2026, 2, 3), None),
        ({"expectedSupplyDuration": {"value": 1, "code": "d"}}, date(2026, 1, 5), None),
        ({"expectedSupplyDuration": {"value": 10**400, "code": "d"}}, None, None),
        ({"expectedSupplyDuration": {"value": 30, "code": "TAB"}}, None, None),
        ({"validityPeriod": {"end": "2027-01-05"}}, None, date(2027, 1, 5)),
        ({"validityPeriod": {"end": "9999-12-31"}}, None, None),
        (None, None, None),
    ],
)
def test_supply_and_validity_bound_an_order(dispense: Json | None, supply: date | None, valid: date | None) -> None:
    found = the_use(request(DAILY_20, dispenseRequest=dispense))
    assert (found.supply_ends, found.valid_until) == (supply, valid)


@pytest.mark.parametrize(
    ("elements", "ends", "daily"),
    [
        ({}, "2026-03-10", exactly(40)),
        ({"effectiveDateTime": None, "occurenceDateTime": "2026-03-10"}, "2026-03-10", exactly(40)),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-09T22:00:00Z", "end": "2026-03-10"}},
         "2026-03-10", exactly(40)),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-03-01", "end": "2026-03-10"}},
         "2026-03-10", ANYTHING),
        ({"dosage": {"text": "40 mg IV once"}}, "2026-03-10", exactly(40)),
        ({"dosage": None}, "2026-03-10", ANYTHING),
    ],
)  # fmt: skip
def test_an_administration_is_one_dose_on_its_day(elements: Json, ends: str, daily: object) -> None:
    found = the_use(administration(**elements))
    assert (found.ends, found.steps[0].daily) == (day(ends), daily)


def test_a_record_without_an_instruction_has_one_step_that_may_be_anything() -> None:
    (step,) = the_use(statement()).steps
    assert (step.daily, step.fault) == (ANYTHING, "dose-not-stated")


def test_the_instruction_that_r5_writes_out_is_read() -> None:
    assert the_use(request(renderedDosageInstruction="20 mg daily")).steps[0].daily == exactly(20)


# ---- what ties records together


def test_links_are_references_and_identifiers_with_a_system() -> None:
    record = statement(
        DAILY_20, derivedFrom=[{"reference": "https://ehr/MedicationRequest/r1"}],
        identifier=[{"system": "urn:rx", "value": "7"}, {"value": "8"}],
    )  # fmt: skip
    assert the_use(record).links == {"MedicationRequest/r1", "urn:rx|7"}
    order = request(DAILY_20, priorPrescription={"reference": "MedicationRequest/r0"},
                    groupIdentifier={"system": "urn:g", "value": "1"})  # fmt: skip
    assert the_use(order).links == {"MedicationRequest/r0", "urn:g|1"}
    assert the_use(administration(request={"reference": "MedicationRequest/r1"})).links == {"MedicationRequest/r1"}


def test_a_dispense_is_a_supply_of_its_order() -> None:
    stated: Json = {
        "status": "completed", "medicationCodeableConcept": {"coding": [TABLET_5_MG]},
        "authorizingPrescription": [{"reference": "MedicationRequest/r1"}],
        "dosageInstruction": [{**dose(4, "TAB"), **repeat(1, 1)}], "daysSupply": {"value": 30, "unit": "days"},
    }  # fmt: skip
    use = the_use(resource("MedicationDispense", whenHandedOver="2026-02-01T10:00:00+08:00", **stated))
    assert (use.kind, use.standing, use.begins) == ("dispense", Standing.TAKEN, day("2026-02-01"))
    assert (use.supply_ends, use.links) == (date(2026, 3, 2), frozenset({"MedicationRequest/r1"}))
    prepared = the_use(resource("MedicationDispense", whenPrepared="2026-02-01", **stated))
    assert prepared.begins == day("2026-02-01")


@pytest.mark.parametrize(
    ("elements", "standing"),
    [
        ({"status": "in-progress"}, Standing.POSSIBLE), ({"status": "stopped"}, Standing.POSSIBLE),
        ({"status": "unknown"}, Standing.POSSIBLE), ({}, Standing.POSSIBLE), ({"status": "completed"}, Standing.TAKEN),
        ({"status": "preparation"}, None), ({"status": "cancelled"}, None), ({"status": "declined"}, None),
        ({"status": "on-hold"}, None), ({"status": "completed", "notDone": True}, None),
    ],
)  # fmt: skip
def test_what_was_not_handed_over_was_not_taken(elements: Json, standing: Standing | None) -> None:
    record = resource("MedicationDispense", "d1", medicationCodeableConcept={"coding": [PREDNISONE]}, **elements)
    facts = facts_of(record)
    assert [use.standing for use in facts.medications] == ([standing] if standing else [])
    assert skipped(facts) == ([] if standing else [("MedicationDispense/d1", "status")])


def test_a_dispense_that_cannot_be_read_leaves_a_doubt_about_the_orders() -> None:
    record = resource("MedicationDispense", medicationCodeableConcept={"coding": [PREDNISONE]}, whenHandedOver=5)
    assert doubts(facts_of(record)) == {("medicationRequests", frozenset({"prednisone"}))}


@pytest.mark.parametrize(
    ("repeats", "until"),
    [
        (None, "2026-02-03"),
        (0, "2026-02-03"),
        (1, "2026-03-05"),
        (5, "2026-07-03"),
        (-1, "2026-02-03"),
        (1000, "2026-02-03"),
    ],
)
def test_repeats_make_a_supply_possible_for_longer(repeats: int | None, until: str) -> None:
    supply = {"expectedSupplyDuration": {"value": 30, "code": "d"}, "numberOfRepeatsAllowed": repeats}
    use = the_use(request(DAILY_20, dispenseRequest=supply))
    assert (use.supply_ends, use.refillable_until) == (date(2026, 2, 3), date.fromisoformat(until))
