"""Short holes between the records of a drug, and within a series of administrations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.clinical.exposure import Stretch, stretches
from cds_service.clinical.holes import carried_over, possible_between_administrations
from cds_service.clinical.medications import MedicationUse, Standing
from tests.clinical.builders import (
    AS_OF,
    course,
    day,
    doses,
    given,
    order,
    span,
    statement,
    today,
    words,
)


def of(*uses: MedicationUse) -> list[Stretch]:
    return [stretch for use in uses for stretch in stretches(use, AS_OF)]


def days(holes: list[Stretch]) -> list[tuple[date, date, str]]:
    return [(hole.first, hole.last, hole.use.reference) for hole in holes]


A, LATER = order("a", 20, "01-01", "01-31"), order("c", 10, "02-05", "03-31")


def test_a_hole_has_the_dose_before_it_and_is_an_assumption() -> None:
    (hole,) = carried_over(of(A, LATER))
    (before, *_) = of(A)
    assert hole == replace(before, first=day("02-01"), last=day("02-04"), dose=span(0, 20), sure=False, filler=True,
                           flags=before.flags | {"assumed"})  # fmt: skip


def test_between_days_that_touch_there_is_no_hole() -> None:
    assert carried_over(of(A, order("b", 10, "02-01", "02-20"))) == []
    assert days(carried_over(of(A, order("b", 10, "02-02", "02-20")))) == [(day("02-01"), day("02-01"), "a")]


@pytest.mark.parametrize(
    ("begins", "ends", "holes"),
    [
        ("01-05", "01-10", [("02-01", "02-04", "a")]),
        ("01-05", "01-31", [("02-01", "02-04", "b")]),
        ("01-20", "02-02", [("02-03", "02-04", "b")]),
    ],
)
def test_a_hole_begins_where_the_last_record_ends(begins: str, ends: str, holes: list[tuple[str, str, str]]) -> None:
    found = carried_over(of(A, order("b", 30, begins, ends), LATER))
    assert days(found) == [(day(first), day(last), reference) for first, last, reference in holes]


def test_supplies_that_were_handed_out_are_bridged_like_orders() -> None:
    first = replace(order("d", 20, "01-05"), kind="dispense", supply_ends=day("01-14"))
    second = replace(order("e", 20, "01-20"), kind="dispense", supply_ends=day("03-16"))
    (hole,) = carried_over(of(first, second))
    assert (hole.first, hole.last, words(hole.dose), hole.sure) == (day("01-15"), day("01-19"), "20", True)


SERIES = given("g", 20, "03-01"), given("h", 30, "03-04")


def test_days_without_a_signature_may_have_had_the_dose_before_them() -> None:
    (hole,) = possible_between_administrations(of(*SERIES), day("03-04"))
    (first, _) = of(*SERIES)
    assert hole == replace(first, first=day("03-02"), last=day("03-03"), dose=span(0, 20), sure=False, filler=True,
                           flags=first.flags | {"assumed"})  # fmt: skip


@pytest.mark.parametrize(("first", "last", "dose"), [("03-09", "03-13", "0-20"), ("03-08", "03-13", "0"),
                                                     ("03-10", "03-12", "0")])  # fmt: skip
def test_a_series_may_go_on_for_three_days_after_its_last_dose(first: str, last: str, dose: str) -> None:
    assert today(given("g", 20, first), given("h", 20, last)) == dose


@pytest.mark.parametrize(
    "beside",
    [
        (),
        (statement("d", 5, "01-05", standing=Standing.NOT_TAKEN, drug="dexamethasone"),),
        (statement("d", 5, "01-05", standing=Standing.POSSIBLE, drug="dexamethasone"),),
        (given("d", 5, "03-02", drug="dexamethasone"),),
        (given("d", 5, "03-02", standing=Standing.POSSIBLE),),
    ],
    ids=["nothing", "a denial", "what was perhaps taken", "another drug given once", "what was perhaps given"],
)
def test_only_a_sure_dose_that_is_no_administration_makes_them_a_course_of_their_own(
    beside: tuple[MedicationUse, ...],
) -> None:
    holes = possible_between_administrations(of(*SERIES, *beside), day("03-04"))
    assert days(holes) == [(day("03-02"), day("03-03"), "g")]


def test_beside_a_sure_dose_or_one_that_was_not_carried_over_they_are_over_when_they_are_over() -> None:
    taken = of(statement("d", 5, "01-05", drug="dexamethasone"))
    assert possible_between_administrations([*of(*SERIES), *taken], day("03-04")) == []
    carried = [replace(stretch, filler=True) for stretch in taken]
    assert len(possible_between_administrations([*of(*SERIES), *carried], day("03-04"))) == 1


@pytest.mark.parametrize(("refilled", "hole"), [("02-14", "20"), ("02-15", "0-20"), ("03-02", "0-20"), ("03-03", "0")])
def test_a_hole_between_refills_is_carried_for_14_days_and_possible_for_30(refilled: str, hole: str) -> None:
    first = order("o", 20, "01-02", supply_ends=day("01-30"), active=False, standing=Standing.ENDED)
    found = doses(first, order("n", 20, refilled, supply_ends=day("04-15")))
    segment = found.on(day("02-05"))
    assert words(segment.dose) == hole
    assert ("assumed" in segment.flags) is (hole != "0")
    assert words(found.on(day(refilled)).dose) == "20"


def test_a_hole_after_a_stated_end_is_possible_and_not_carried() -> None:
    assert course(order("o", 20, "01-01", "01-31"), order("n", 20, "02-05", "03-31")) == [
        "2026-01-01 2026-01-31 20",
        "2026-02-01 2026-02-04 0-20",
        "2026-02-05 2026-03-16 20",
    ]


def test_a_refilled_supply_is_one_dose_although_the_first_order_is_still_active() -> None:
    refills = [
        order("o", 20, "01-01", supply_ends=day("01-30")),
        order("n", 20, "02-05", supply_ends=day("03-31")),
    ]
    assert [words(s.dose) for s in doses(*refills).segments] == ["20", "20", "20"]


def test_a_hole_between_statements_is_a_possible_dose() -> None:
    assert course(statement("s", 20, "01-01", "01-31"), statement("t", 20, "02-05"))[1] == (
        "2026-02-01 2026-02-04 0-20"
    )


def test_a_hole_that_another_record_fills_is_not_bridged() -> None:
    orders = order("o", 20, "01-01", "01-31"), order("n", 20, "02-05", "03-31")
    assert course(*orders, statement("s", 10, "02-01", "02-04"))[1] == "2026-02-01 2026-02-04 10"


def test_thirty_days_between_two_reports_are_a_hole_and_thirty_one_a_stop() -> None:
    assert course(statement("s", 20, "01-05", "02-03"), statement("t", 20, "02-07")) == [
        "2026-01-05 2026-02-03 20",
        "2026-02-04 2026-02-06 0-20",
        "2026-02-07 2026-03-16 20",
    ]
    thirty = course(statement("s", 20, "01-05", "02-03"), statement("t", 20, "03-06"))
    more = course(statement("s", 20, "01-05", "02-02"), statement("t", 20, "03-06"))
    assert (thirty[1], more[1]) == ("2026-02-04 2026-03-05 0-20", "2026-02-03 2026-03-05 0")
    (_, hole, _) = doses(statement("s", 20, "01-05", "02-03"), statement("t", 10, "02-05")).segments
    assert (words(hole.dose), hole.flags) == ("0-20", frozenset({"assumed"}))


def test_a_denied_dose_and_another_drug_are_carried_nowhere() -> None:
    denied = statement("s", 20, "01-05", "02-03", standing=Standing.NOT_TAKEN)
    assert course(denied, statement("t", 20, "02-06")) == ["2026-01-05 2026-02-05 0", "2026-02-06 2026-03-16 20"]
    other = replace(statement("s", 20, "01-05", "02-03"), drug="prednisolone")
    assert course(other, statement("t", 20, "02-06"))[1] == "2026-02-04 2026-02-05 0"


def series(*days: str, dose: int = 20, drug: str = "prednisone") -> list[MedicationUse]:
    """One administration on each day."""
    return [given(f"a{on}", dose, on, drug=drug) for on in days]


def test_up_to_three_days_without_an_administration_are_possible_in_a_series() -> None:
    """Nobody signed for them, or today's is not due yet."""
    assert course(*series("03-10", "03-11", "03-15", "03-16")) == [
        "2026-03-10 2026-03-10 20", "2026-03-11 2026-03-11 20", "2026-03-12 2026-03-14 0-20",
        "2026-03-15 2026-03-15 20", "2026-03-16 2026-03-16 20",
    ]  # fmt: skip
    assert "2026-03-12 2026-03-15 0" in course(*series("03-10", "03-11", "03-16"))
    assert course(*series("03-12", "03-13"))[-1] == "2026-03-14 2026-03-16 0-20"
    assert course(*series("03-11", "03-12"))[-1] == "2026-03-13 2026-03-16 0"
    assert doses(*series("03-14", "03-15")).on(AS_OF).flags == {"assumed"}


def test_all_doses_of_the_day_before_are_possible() -> None:
    twice = [given("a", 10, "03-14"), given("b", 10, "03-15"), given("c", 20, "03-15")]
    assert today(*twice) == "0-30"


def test_a_single_administration_is_no_series() -> None:
    assert today(given("a", 20, "03-15")) == "0"
    assert today(*series("03-10", "03-15")) == "0"


def test_a_short_course_beside_a_dose_that_is_taken_anyhow_is_over_when_it_is_over() -> None:
    pulse = series("03-14", "03-15", dose=1000, drug="methylprednisolone")
    assert today(statement("s", 20, "01-05"), *pulse) == "20"
    assert today(*pulse) == "0-1250"
