"""On which days a recorded drug was surely, or only possibly, taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.clinical.coded import Certainty
from cds_service.clinical.exposure import stretches
from cds_service.clinical.interval import ANYTHING, ZERO
from cds_service.clinical.medications import MedicationUse, Standing
from tests.clinical.builders import (
    AS_OF,
    ago,
    course,
    day,
    doses,
    given,
    order,
    span,
    statement,
    step,
    unreadable,
)


def flags_today(use: MedicationUse) -> set[str]:
    return set(doses(use).on(AS_OF).flags)


def taken(use: MedicationUse, as_of: date = AS_OF) -> list[str]:
    """The days with the drug, in words."""
    return [line for line in course(use, as_of=as_of) if not line.endswith(" 0")]


def test_an_active_statement_without_an_end_runs_through_the_day_of_screening() -> None:
    assert taken(statement("s", 20, "01-05")) == ["2026-01-05 2026-03-16 20"]
    assert doses(statement("s", 20, "01-05")).on(AS_OF).goes_on


@pytest.mark.parametrize(("written", "assumed"), [(ago(0), False), (ago(30), False), (ago(31), True), (None, True)])
def test_an_active_statement_is_assumed_when_not_confirmed_within_30_days(written: date | None, assumed: bool) -> None:
    assert ("assumed" in flags_today(statement("s", 20, "01-05", written=written))) is assumed


def test_a_stopped_statement_is_given_until_its_end() -> None:
    ended = statement("s", 20, "01-05", "02-05", standing=Standing.ENDED)
    assert taken(ended) == ["2026-01-05 2026-02-05 20"]


def test_a_stopped_statement_without_an_end_is_sure_until_it_was_written() -> None:
    stopped = statement("s", 20, "01-05", standing=Standing.ENDED, written=day("02-10"))
    assert taken(stopped) == ["2026-01-05 2026-02-10 20"]
    unwritten = statement("s", 20, "01-05", standing=Standing.ENDED, written=None)
    assert taken(unwritten) == ["2026-01-05 2026-01-05 20", "2026-01-06 2026-03-16 0-20"]


def test_what_ended_earlier_than_planned_was_only_possibly_taken() -> None:
    stopped = statement("s", 20, "01-05", "04-30", standing=Standing.ENDED)
    assert taken(stopped) == ["2026-01-05 2026-03-16 0-20"]
    assert taken(replace(stopped, ends=None, written=AS_OF)) == ["2026-01-05 2026-03-16 20"]


def test_a_planned_end_after_the_day_of_screening_is_not_reached_yet() -> None:
    found = doses(statement("s", 20, "01-05", "04-30"))
    assert (found.on(AS_OF).dose, found.on(AS_OF).goes_on) == (span(20, 20), True)


def test_an_end_on_the_day_of_screening_is_the_end() -> None:
    assert not doses(statement("s", 20, "01-05", AS_OF)).on(AS_OF).goes_on
    assert doses(statement("s", 20, "01-05", ago(-1))).on(AS_OF).goes_on


@pytest.mark.parametrize(
    ("authored", "today"), [(ago(0), "20"), (ago(180), "20"), (ago(181), "0-20"), (ago(400), "0-20")]
)
def test_an_active_order_without_any_end_counts_for_180_days_and_is_possible_after_them(
    authored: date, today: str
) -> None:
    assert course(order("o", 20, authored))[-1].split()[2] == today
    assert "assumed" in flags_today(order("o", 20, authored))


def test_the_180_days_are_counted_from_when_the_order_was_written() -> None:
    renewed = order("o", 20, ago(300), written=ago(100))
    assert taken(renewed) == [f"{ago(300)} 2026-03-16 20"]


def test_an_order_with_bounds_is_given_within_them_and_not_assumed() -> None:
    bounded = order("o", 20, "01-05", "02-05", valid_until=day("12-31"), supply_ends=day("03-10"))
    assert taken(bounded) == ["2026-01-05 2026-02-05 20"]
    assert not doses(bounded).on(day("02-05")).flags


def test_a_supply_ends_an_order_and_an_active_one_may_go_on_for_30_days() -> None:
    supplied = order("o", 20, "01-01", supply_ends=day("01-30"), valid_until=day("12-31"))
    assert taken(supplied) == ["2026-01-01 2026-01-30 20", "2026-01-31 2026-03-01 0-20"]
    assert taken(replace(supplied, active=False, standing=Standing.ENDED)) == ["2026-01-01 2026-01-30 20"]


def test_a_validity_bounds_a_possible_dose_and_proves_none() -> None:
    assert taken(order("o", 20, "01-01", valid_until=day("01-31"))) == ["2026-01-01 2026-01-31 0-20"]
    assert taken(order("o", 20, "2025-06-01", valid_until=day("01-31"))) == ["2025-06-01 2026-01-31 0-20"]


def test_an_order_that_ended_on_an_unknown_day_was_only_possibly_taken() -> None:
    ended = order("o", 20, "01-05", standing=Standing.ENDED, active=False)
    assert taken(ended) == ["2026-01-05 2026-03-15 0-20"]


def test_an_order_on_hold_is_only_possible() -> None:
    held = order("o", 20, "01-05", standing=Standing.HELD, active=False)
    assert taken(held) == ["2026-01-05 2026-03-16 0-20"]
    bounded = order("o", 20, "01-05", "04-30", standing=Standing.HELD, active=False)
    assert taken(bounded) == ["2026-01-05 2026-03-16 0-20"]


@pytest.mark.parametrize("ends", [None, "04-30"])
def test_a_statement_on_hold_was_taken_until_the_day_before_it_says_so(ends: str | None) -> None:
    held = statement("s", 20, "01-05", ends, standing=Standing.HELD, written=day("03-01"))
    assert taken(held) == ["2026-01-05 2026-02-28 20", "2026-03-01 2026-03-16 0-20"]


@pytest.mark.parametrize(
    "doubt",
    [
        {"standing": Standing.POSSIBLE},
        {"certainty": Certainty.UNVERIFIED},
        {"route": "depot"},
        {"route": "unknown"},
    ],
    ids=str,
)
def test_a_doubtful_record_counts_with_its_high_end_only(doubt: dict[str, Any]) -> None:
    assert taken(statement("s", 20, "01-05", **doubt)) == ["2026-01-05 2026-03-16 0-20"]


def test_a_local_drug_does_not_count() -> None:
    assert course(statement("s", 20, "01-05", route="local")) == []


def test_not_taken_is_an_explicit_zero() -> None:
    found = stretches(statement("s", unreadable("dose-not-stated"), "01-05", standing=Standing.NOT_TAKEN), AS_OF)
    assert [(s.first, s.last, s.dose, s.sure, s.fault) for s in found] == [(day("01-05"), AS_OF, ZERO, True, None)]
    assert course(statement("s", 20, "01-05", "02-05", standing=Standing.NOT_TAKEN)) == ["2026-01-05 2026-03-16 0"]


def test_an_administration_counts_on_its_day() -> None:
    assert taken(given("a", 20, "02-01")) == ["2026-02-01 2026-02-01 20"]
    assert not doses(given("a", 20, AS_OF)).on(AS_OF).goes_on


def test_an_administration_on_an_unknown_day_is_only_possible() -> None:
    undated = replace(given("a", 20, "02-01"), begins=None, ends=None)
    assert taken(undated) == ["2026-03-16 2026-03-16 0-20"]


def test_an_administration_in_an_unknown_part_of_a_month_is_only_possible_on_each_day() -> None:
    assert taken(given("a", 20, "2026-02")) == ["2026-02-01 2026-02-28 0-20"]


def test_a_partial_beginning_or_end_is_sure_within_and_possible_at_the_edges() -> None:
    assert taken(statement("s", 20, "2025-12", "2026-02", standing=Standing.ENDED)) == [
        "2025-12-01 2025-12-30 0-20",
        "2025-12-31 2026-02-01 20",
        "2026-02-02 2026-02-28 0-20",
    ]


def test_a_record_without_a_beginning_is_sure_from_when_it_was_written_and_left_censored() -> None:
    found = doses(statement("s", 20, None, written=ago(10)))
    assert found.on(ago(10)).dose == span(20, 20)
    assert [found.on(ago(n)).dose for n in (11, 40)] == [span(0, 20), span(0, 20)]
    assert found.on(ago(41)).dose == ZERO
    assert all("left-censored" in s.flags for s in found.segments)


def test_a_record_without_a_beginning_that_was_written_later_is_only_possible() -> None:
    found = stretches(statement("s", 20, None, written=ago(0)), ago(10))
    assert [s.sure for s in found if s.covers(ago(10))] == [False]


def test_the_readable_part_of_a_dose_is_sure_beside_an_unreadable_one() -> None:
    parts = (step(20, part_of_day=True), unreadable(part_of_day=True))
    assert taken(statement("s", parts, "01-05")) == ["2026-01-05 2026-03-16 20-any"]


def test_a_record_with_a_beginning_is_not_left_censored_although_nothing_came_before() -> None:
    for use in (statement("s", 20, "01-05"), order("o", step(20, first="01-05"), None)):
        assert "left-censored" not in flags_today(use)


def test_a_record_that_states_only_its_end_was_taken_on_that_day() -> None:
    ended = statement("s", 20, None, "02-01", standing=Standing.ENDED)
    assert taken(ended) == ["2026-01-02 2026-01-31 0-20", "2026-02-01 2026-02-01 20"]


def test_a_stopped_record_without_any_dates_was_only_possibly_taken() -> None:
    stopped = statement("s", 20, None, standing=Standing.ENDED, written=day("03-10"))
    assert all(line.split()[2] in ("0-20", "0") for line in course(stopped))


def test_a_period_that_ends_before_it_begins_is_possible_to_this_day_and_a_conflict() -> None:
    inverted = statement("s", 20, "02-01", "01-01")
    assert taken(inverted) == ["2026-01-01 2026-03-16 0-20"]
    assert "conflict" in flags_today(inverted)
    assert doses(inverted).on(AS_OF).goes_on
    assert not doses(replace(inverted, standing=Standing.ENDED)).on(AS_OF).goes_on


def test_a_step_that_was_not_reached_before_the_record_ended_was_not_taken() -> None:
    steps = (step(20, length_days=14, order=1), step(10, order=2))
    stopped = statement("s", steps, "01-01", "01-10", standing=Standing.ENDED)
    assert taken(stopped) == ["2026-01-01 2026-01-10 20"]


def test_a_record_that_begins_after_the_day_has_no_days() -> None:
    assert stretches(order("o", 20, ago(-1)), AS_OF) == []
    assert stretches(statement("s", 20, ago(-1), ago(-9)), AS_OF) == []


@pytest.mark.parametrize("ends", [None, "02-05"])
def test_an_unreadable_dose_is_any_dose_and_never_zero(ends: str | None) -> None:
    found = doses(statement("s", unreadable(), "01-05", ends))
    segment = found.on(day("02-01"))
    assert (segment.dose, segment.faults, segment.sources) == (ANYTHING, ("timing-not-stated",), ("s",))


def test_as_needed_counts_from_zero_to_the_largest_dose() -> None:
    found = doses(statement("s", step(span(0, 20), pattern="as-needed"), "01-05"))
    assert (found.on(AS_OF).dose, found.on(AS_OF).pattern) == (span(0, 20), "as-needed")


def test_an_instruction_with_a_fault_and_a_bounded_dose_keeps_its_dose() -> None:
    found = doses(statement("s", step(span(5, 20), fault="steps-without-bounds"), "01-05"))
    assert (found.on(AS_OF).dose, found.on(AS_OF).faults) == (span(5, 20), ("steps-without-bounds",))


@pytest.mark.parametrize(
    ("use", "mark"),
    [
        (statement("s", step(20, text_only=True), "01-05"), "text-only"),
        (statement("s", 20, "01-05", certainty=Certainty.TEXT), "text-only"),
        (statement("s", step(20, conflict=True), "01-05"), "conflict"),
        (statement("s", 20, "01-05", conflict=True), "conflict"),
    ],
)
def test_a_doubt_of_the_record_is_carried_by_its_days(use: MedicationUse, mark: str) -> None:
    assert mark in flags_today(use)
    assert doses(use).on(AS_OF).dose == span(20, 20)


@pytest.mark.parametrize(
    ("use", "open_ended"),
    [
        (order("o", 20, "01-05"), True),
        (order("o", 20, "01-05", "02-05"), False),
        (order("o", step(20, length_days=7), "01-05"), False),
        (order("o", 20, "01-05", supply_ends=day("02-05")), False),
        (order("o", 20, "01-05", valid_until=day("02-05")), False),
        (statement("s", 20, "01-05"), False),
        (given("a", 20, "01-05"), False),
    ],
)
def test_only_an_order_without_any_end_is_open_ended(use: MedicationUse, open_ended: bool) -> None:
    assert use.is_open_ended is open_ended


@pytest.mark.parametrize(("until", "dose"), [(None, "0"), ("02-13", "0"), ("02-14", "0-20"), ("07-01", "0-20")])
def test_a_supply_that_may_have_been_refilled_is_possible_for_longer(until: str | None, dose: str) -> None:
    """Thirty days beyond the last repeat that is allowed."""
    refilled = day(until) if until else None
    found = course(order("o", 20, "01-05", supply_ends=day("02-03"), refillable_until=refilled))
    assert found[0] == "2026-01-05 2026-02-03 20"
    assert found[-1].rpartition(" ")[2] == dose


def test_a_step_that_ends_before_it_begins_is_possible_to_this_day_and_a_conflict() -> None:
    inverted = statement("s", step(20, first="02-10", last="02-01"), "01-05")
    assert course(inverted) == ["2026-02-01 2026-03-16 0-20"]
    assert flags_today(inverted) == {"conflict"}


@pytest.mark.parametrize("written", ["01-05", "03-01"])
def test_an_order_is_not_rewritten_when_it_is_held(written: str) -> None:
    held = order("o", 20, "01-05", standing=Standing.HELD, written=day(written))
    assert course(held) == ["2026-01-05 2026-03-16 0-20"]


def test_an_order_that_is_over_was_possible_while_it_was_valid_and_no_longer_than_180_days() -> None:
    over = order("o", 20, "2025-03-01", standing=Standing.ENDED, active=False)
    assert course(over)[0] == "2025-03-01 2025-08-28 0-20"
    assert course(replace(over, valid_until=day("2025-03-31")))[0] == "2025-03-01 2025-03-31 0-20"


@pytest.mark.parametrize(
    "use",
    [
        statement("s", 20, "01-05", standing=Standing.ENDED, written=None),
        given("g", 20, AS_OF),
        replace(given("g", 20, AS_OF), ends=None),
        order("o", 20, "03-01", supply_ends=AS_OF),
    ],
    ids=["over on an unknown day", "given today", "given today, without an end", "a supply until today"],
)
def test_what_is_over_today_does_not_go_on(use: MedicationUse) -> None:
    assert not any(segment.goes_on for segment in doses(use).segments)


def test_an_administration_without_an_end_counts_on_its_day() -> None:
    assert course(replace(given("g", 20, "03-10"), ends=None))[0] == "2026-03-10 2026-03-10 20"


def test_a_hole_between_steps_is_filled_up_to_this_day_after_steps_that_touch() -> None:
    steps = (
        step(40, first="01-01", last="01-31"),
        step(30, first="02-01", last="03-15"),
        step(20, first="03-20", last="04-30"),
    )
    (*_, bridge) = stretches(statement("s", steps, "01-01"), AS_OF)
    assert (bridge.first, bridge.last, bridge.dose) == (AS_OF, AS_OF, span(0, 30))
    assert (bridge.filler, bridge.sure, bridge.goes_on) == (True, False, False)
    assert bridge.flags == {"assumed"}
