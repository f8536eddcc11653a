"""Short holes between the records of a drug, and within a series of administrations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.clinical.exposure import Stretch, stretches
from cds_service.clinical.holes import carried_over, possible_between_administrations
from cds_service.clinical.medications import MedicationUse, Standing
from tests.clinical.builders import AS_OF, day, doses, given, order, span, statement, words


def of(*uses: MedicationUse) -> list[Stretch]:
    return [stretch for use in uses for stretch in stretches(use, AS_OF)]


def days(holes: list[Stretch]) -> list[tuple[date, date, str]]:
    return [(hole.first, hole.last, hole.use.reference) for hole in holes]


def today(*uses: MedicationUse) -> str:
    return words(doses(*uses).on(AS_OF).dose)


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
