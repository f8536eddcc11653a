"""Searches by date and code: what FHIR's prefixes, partial dates, zones, escapes and orders mean."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.web.fhir_server.archive import Archive, Filed
from cds_service.web.fhir_server.moments import Moments, Wanted
from cds_service.web.fhir_server.search import UnusableSearch, read_search

BASE = "https://ehr.example/fhir"
DAY = "2026-03-16"


def meets(wanted: str, found: str) -> bool:
    search, moments = Wanted.parse(wanted), Moments.parse(found)
    assert search and moments
    return search.is_met_by(moments)


def meets_period(wanted: str, start: str | None, end: str | None) -> bool:
    search, moments = Wanted.parse(wanted), Moments.of_period(start, end)
    assert search and moments
    return search.is_met_by(moments)


@pytest.mark.parametrize(
    ("prefix", "before", "same", "after"),
    [
        ("", False, True, False), ("eq", False, True, False), ("ne", True, False, True), ("gt", False, False, True),
        ("ge", False, True, True), ("lt", True, False, False), ("le", True, True, False), ("sa", False, False, True),
        ("eb", True, False, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("value", "days"),
    [
        (DAY, ("2026-03-15", DAY, "2026-03-17")),
        ("2026-03", ("2026-02-28", "2026-03-31", "2026-04-01")),
        ("2026-02", ("2026-01-31", "2026-02-28", "2026-03-01")),
        ("2024", ("2023-12-31", "2024-12-31", "2025-01-01")),
        (f"{DAY}T08:10", (f"{DAY}T08:09:59", f"{DAY}T08:10:59", f"{DAY}T08:11:00")),
        (f"{DAY}T08:10:00Z", (f"{DAY}T08:09:59Z", f"{DAY}T08:10:00.5Z", f"{DAY}T08:10:01Z")),
        (f"{DAY}T08:10:00.25Z", (f"{DAY}T08:10:00.24Z", f"{DAY}T08:10:00.255Z", f"{DAY}T08:10:00.26Z")),
    ],
)
def test_a_prefix_compares_just_before_within_and_just_after(
    prefix: str, before: bool, same: bool, after: bool, value: str, days: tuple[str, str, str]
) -> None:
    assert [meets(f"{prefix}{value}", one) for one in days] == [before, same, after]


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        ("2026-03", "2026", False), ("2026", "2026-03", True), ("gt2026-03", "2026", True), ("lt2026-03", "2026", True),
        ("sa2026-03", "2026", False), ("eb2026-03", "2026", False), ("ge2026-03", "2026", True),
    ],
)  # fmt: skip
def test_a_partial_date_is_the_span_that_it_can_mean(wanted: str, found: str, expected: bool) -> None:
    assert meets(wanted, found) is expected


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        # A day is the one that is written, in whatever zone.
        (DAY, f"{DAY}T01:00:00+08:00", True), ("2026-03-15", f"{DAY}T01:00:00+08:00", False),
        (DAY, f"{DAY}T23:30:00-05:00", True),
        # A moment with a zone is one moment everywhere.
        (f"{DAY}T00:00:00Z", f"{DAY}T08:00:00+08:00", True), (f"{DAY}T08:00:00+08:00", f"{DAY}T00:00:00Z", True),
        (f"{DAY}T08:00:00 08:00", f"{DAY}T00:00:00Z", True), (f"lt{DAY}T01:00:00Z", f"{DAY}T08:00:00+08:00", True),
        (f"lt{DAY}T00:00:00Z", f"{DAY}T08:00:00+08:00", False), (f"gt{DAY}T00:00:00-05:30", f"{DAY}T05:30:00Z", False),
        (f"ge{DAY}T00:00:00-05:30", f"{DAY}T05:30:00Z", True),
    ],
)  # fmt: skip
def test_zones(wanted: str, found: str, expected: bool) -> None:
    assert meets(wanted, found) is expected


@pytest.mark.parametrize(
    ("wanted", "start", "end", "expected"),
    [
        ("ge2026-03", "2026-01-05", None, True), ("gt9999", "2026-01-05", None, False),
        ("lt2026", "2026-01-05", None, False), ("lt2020", None, "2026-01-05", True),
        ("gt2026-01-04", None, "2026-01-05", True),
        ("gt2026-01-05", None, "2026-01-05", False), ("2026-01", "2026-01-05", "2026-01-31", True),
        ("2026-01", "2026-01-05", "2026-02-01", False), ("sa2026-01-04", "2026-01-05", "2026-02-01", True),
        ("eb2026-02-02", "2026-01-05", "2026-02-01", True), ("eb2026-02-01", "2026-01-05", "2026-02-01", False),
    ],
)  # fmt: skip
def test_periods_may_be_open(wanted: str, start: str | None, end: str | None, expected: bool) -> None:
    assert meets_period(wanted, start, end) is expected


@pytest.mark.parametrize(
    "text",
    ["", "2026-13", "2026-02-30", "26-03-16", "2026-3-16", "0000", "2026-03-16T24:00", "2026-03-16T08", "now",
     "2026-03-16Z", None, 2026, "2026-03-16T08:10:00+0800", "２０２６"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: object) -> None:
    assert Moments.parse(text) is None


def test_the_edges_of_the_calendar_do_no_harm() -> None:
    assert meets("9999-12-31", "9999-12-31T23:00:00-05:00")
    assert meets("lt0001-01-02T00:00:00Z", "0001-01-01T00:00:00+08:00")
    assert Moments.of_period(None, "someday") is None


@pytest.mark.parametrize("text", ["", "eq", "ap2026", "EQ2026", "xx2026", "ge", "2026,2027", "=2026"])
def test_a_value_that_no_date_search_has_is_none(text: str) -> None:
    assert Wanted.parse(text) is None


def observation(name: str, **elements: Any) -> Filed:
    return Filed({"resourceType": "Observation", "id": name, **elements}, "p1")


def coded(name: str, *codings: dict[str, Any]) -> Filed:
    return observation(name, code={"coding": list(codings)})


def ids(filed: list[Filed], *pairs: tuple[str, str], type_name: str = "Observation") -> list[str]:
    return [one.id for one in read_search(type_name, pairs, BASE).among(filed)]


CODED = [
    coded("with", {"system": "s", "code": "c"}),
    coded("without", {"code": "c"}),
    coded("two", {"system": "t", "code": "d"}, {"system": "s", "code": "e"}),
    coded("comma", {"system": "s", "code": "c,d"}),
    coded("bar", {"system": "s", "code": "c|d"}),
    observation("words", code={"text": "c"}),
    observation("number", code=12345),
    observation("list", code={"coding": ["c", 7, None]}),
    observation("object", code={"coding": {"code": "c"}}),
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("c", ["with", "without"]), ("s|c", ["with"]), ("|c", ["without"]), ("s|", ["with", "two", "comma", "bar"]),
        ("t|e", []), ("t|d,s|c", ["with", "two"]), (r"c\,d", ["comma"]), (r"s|c\|d", ["bar"]), (r"c\|d", ["bar"]),
        ("C", []), ("12345", []), (",c", ["with", "without"]),
    ],
)  # fmt: skip
def test_a_token_is_a_code_with_its_system_or_without(value: str, expected: list[str]) -> None:
    """A record with broken codings is searched all the same; they are not found."""
    assert ids(CODED, ("code", value)) == expected


@pytest.mark.parametrize("value", ["", " ", ",", " , "])
def test_a_parameter_that_says_nothing_changes_nothing(value: str) -> None:
    assert len(ids(CODED, ("code", value))) == len(CODED)


DATED = [
    observation("none"),
    observation("late", effectiveDateTime="2026-03-16T01:00:00+08:00"),  # the evening before, in universal time
    observation("early", effectivePeriod={"start": "2026-03-14", "end": "2026-03-20"}),
    observation("middle", effectiveInstant="2026-03-15T12:00:00Z"),
    observation("odd", effectiveDateTime={"year": 2026}),
    observation("events", effectiveTiming={"event": ["2026-03-17", "2026-03-13"]}),
    observation("twin", effectiveInstant="2026-03-15T12:00:00Z"),
]


def test_in_order_of_date_what_has_none_comes_last() -> None:
    """Those of the same moment stay in the order of the record, whichever way it goes."""
    upwards = ids(DATED, ("_sort", "date"))
    assert upwards == ["events", "early", "middle", "twin", "late", "none", "odd"]
    assert ids(DATED, ("_sort", "-date")) == ["late", "middle", "twin", "early", "events", "none", "odd"]


def test_a_second_key_orders_what_the_first_leaves() -> None:
    assert ids(DATED, ("_sort", "-date,-_id"))[1:3] == ["twin", "middle"]


def test_every_filter_counts_and_one_of_its_values_is_enough() -> None:
    """A period, and one of several events, may meet one filter with one end and the other with the other."""
    both = ids(DATED, ("date", "ge2026-03-15"), ("date", "le2026-03-15"))
    assert both == ["early", "middle", "events", "twin"]
    assert ids(DATED, ("date", "2026-03-16,2026-03-17")) == ["late", "events"]


def test_an_order_may_hold_several_events() -> None:
    order = Filed({"resourceType": "MedicationRequest", "id": "o",
                   "dosageInstruction": [{"timing": {"event": [DAY]}}, {"timing": 7}]}, "p1")  # fmt: skip
    assert ids([order], ("date", DAY), type_name="MedicationRequest") == ["o"]
    assert ids([order], ("date", "2026-03-17"), type_name="MedicationRequest") == []


def test_a_truth_value_is_a_token() -> None:
    """Only types with such an element would have one; a boolean is written true and false."""
    patient = Filed({"resourceType": "Patient", "id": "p1", "gender": True}, "p1")
    assert ids([patient], ("gender", "true"), type_name="Patient") == ["p1"]


def test_what_lies_in_no_chart_is_no_patients() -> None:
    filed = [Filed({"resourceType": "Observation", "id": "o"}, None)]
    assert ids(filed, ("patient", "p1")) == []
    assert ids(filed) == ["o"]


@pytest.mark.parametrize("name", ["code:not", "date:missing", "patient:identifier", "patient.name", "subject:Group"])
def test_a_modifier_is_refused_and_not_ignored(name: str) -> None:
    with pytest.raises(UnusableSearch):
        ids(CODED, (name, "x"))


def test_the_chart_decides_whose_a_resource_is() -> None:
    class Chart:
        patient_id = "p1"

        def resources(self, today: date) -> list[dict[str, Any]]:
            return [{"resourceType": "Procedure", "id": today.isoformat(), "subject": {"reference": "Patient/p2"}}]

    filed = list(Archive([Chart()]).of_type("Procedure", date(2026, 3, 16)))
    assert ids(filed, ("patient", "p1"), type_name="Procedure") == [DAY]
    assert ids(filed, ("patient", "p2"), type_name="Procedure") == []
