"""Several records of one drug: which are one therapy, and what they come to on a day."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.exposure import Stretch, stretches
from cds_service.clinical.interval import ANYTHING, ZERO, Interval
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.clinical.therapies import are_taken_for_one, counted, dose_of, possible, therapies
from tests.clinical.builders import (
    AS_OF,
    ago,
    course,
    day,
    doses,
    exactly,
    given,
    order,
    span,
    statement,
    step,
    today,
    unreadable,
    when,
    words,
)


def test_a_linked_statement_and_its_order_count_once() -> None:
    reported = statement("s", 20, "01-05", links=["o"])
    assert today(reported, order("o", 20, "01-05")) == "20"
    assert today(statement("s", 15, "01-05", links=["o"]), order("o", 20, "01-05")) == "15"


@pytest.mark.parametrize(
    ("records", "flags"),
    [
        ([statement("s", 20, "01-05"), statement("t", 20, "01-10")], {"assumed"}),
        ([statement("s", 20, "01-05"), order("o", 20, "01-05", "04-01")], {"assumed"}),
        ([statement("s", 20, "01-05", links=["o"]), order("o", 20, "01-05", "04-01")], set()),
        ([statement("s", 20, "01-05"), statement("t", 10, "01-10")], set()),
        ([statement("s", 20, "01-05"), statement("t", step(20, added_to=True), "01-10")], set()),
        ([given("a", 20, AS_OF), given("b", 20, AS_OF)], set()),
        ([given("a", 10, AS_OF), given("b", 10, AS_OF), statement("s", 20, "01-05")], {"assumed"}),
    ],
)
def test_unlinked_records_of_one_dose_are_taken_for_one_and_that_is_said(
    records: list[MedicationUse], flags: set[str]
) -> None:
    assert doses(*records).on(AS_OF).flags == flags


def test_records_that_share_an_identifier_or_an_order_are_linked() -> None:
    records = statement("s", 20, "01-05", links=["urn:x|1"]), order("o", 15, "02-01", links=["urn:x|1"])
    assert today(*records) == "20"
    chained = order("o", 10, "01-10"), statement("s", 20, "01-05", links=["o", "p"]), order("p", 15, "01-05")
    assert today(*chained) == "20"


def test_a_linked_statement_without_a_dose_takes_that_of_its_order() -> None:
    silent = statement("s", unreadable("dose-not-stated"), "01-05", links=["o"])
    assert today(silent, order("o", 20, "01-05")) == "20"
    assert today(silent) == "0-any"
    unread = statement("s", unreadable("timing-not-understood"), "01-05", links=["o"])
    assert today(unread, order("o", 20, "01-05")) == "0-any"


def test_a_linked_statement_on_hold_without_a_dose_lowers_its_order() -> None:
    held = statement("s", unreadable("dose-not-stated"), "01-05", links=["o"], standing=Standing.HELD, written=ago(9))
    assert today(held, order("o", 20, "01-05")) == "0-20"


def test_what_was_given_goes_before_what_was_ordered_on_its_day() -> None:
    ordered, infused = order("o", 20, "02-01", "02-03"), given("a", 40, "02-02", links=["o"])
    assert course(ordered, infused)[:3] == [
        "2026-02-01 2026-02-01 20",
        "2026-02-02 2026-02-02 40",
        "2026-02-03 2026-02-03 20",
    ]


def test_administrations_of_one_day_add_up() -> None:
    assert course(given("a", 20, AS_OF), given("b", 20, AS_OF)) == ["2026-03-16 2026-03-16 40"]
    assert today(given("a", 20, AS_OF, links=["o"]), given("b", 20, AS_OF, links=["o"])) == "40"


def test_an_administration_does_not_end_an_order() -> None:
    assert today(order("o", 20, "01-05"), given("a", 40, "02-02")) == "20"


def test_an_unlinked_administration_may_be_that_of_an_order_or_come_on_top() -> None:
    assert today(order("o", 20, "01-05"), given("a", 40, AS_OF)) == "40-60"
    assert today(order("o", 20, "01-05"), given("a", 10, AS_OF), given("b", 10, AS_OF)) == "20"


def test_what_was_given_is_sure_although_a_newer_record_cannot_be_read() -> None:
    infusion = replace(given("a", 20, AS_OF), begins=when(ago(2)))
    assert today(infusion, statement("s", unreadable(), ago(1))) == "20-any"
    assert today(infusion, statement("s", 5, ago(1))) == "20-25"
    assert today(infusion, statement("s", 30, ago(1))) == "30-50"


def test_a_linked_record_that_replaces_a_newer_one_is_as_new_as_that() -> None:
    ordered, other = order("o", 5, "02-01"), statement("s", 20, "01-15")
    reported = statement("r", unreadable(), "01-01", links=["o"])
    assert today(ordered, other) == "5-25"
    assert today(ordered, other, reported) == "0-any"


def test_unlinked_records_of_the_same_daily_dose_are_one_therapy() -> None:
    assert today(statement("s", 20, "01-05"), order("o", 20, "01-10", valid_until=day("12-31"))) == "20"
    assert today(statement("s", 20, "01-05"), order("o", 20, ago(300))) == "20"
    assert today(statement("s", 20, "01-05"), statement("t", 20, "01-05"), statement("u", 5, "01-01")) == "20-25"


def test_unlinked_records_of_unequal_doses_are_the_newest_or_all_together() -> None:
    assert today(statement("s", 20, "01-10"), statement("t", 5, "01-05")) == "20-25"
    assert today(statement("s", 20, "01-05"), statement("t", 5, "01-10")) == "5-25"
    assert today(statement("s", 20, "01-05"), statement("t", 5, "01-05")) == "20-25"


def test_a_later_step_of_an_older_report_is_no_newer_report() -> None:
    older = (step(40, first="01-05", last="01-31"), step(20, first="02-01"))
    assert today(statement("a", older, "01-05"), statement("b", 30, "01-20")) == "30-50"


def test_a_record_that_is_taken_with_another_adds_up() -> None:
    beside = order("n", step(5, added_to=True), "02-01")
    assert today(statement("s", 20, "01-05", links=["o"]), order("o", 20, "01-05"), beside) == "25"
    assert today(order("o", 20, "01-05"), beside) == "25"


def test_not_taken_against_an_order_leaves_the_order_possible() -> None:
    denied = statement("s", 20, "02-01", standing=Standing.NOT_TAKEN)
    assert today(denied, order("o", 20, "01-01")) == "0-20"
    assert today(denied, order("o", 20, "01-01", links=["s"])) == "0"


def test_of_linked_orders_of_the_same_days_the_newest_counts() -> None:
    first, second = order("o", 40, "01-01", "03-31"), order("n", 20, "02-01", "03-31", links=["o"])
    assert course(first, second) == ["2026-01-01 2026-01-31 40", "2026-02-01 2026-03-16 20"]


def test_an_order_that_names_its_report_is_linked_to_it() -> None:
    ended = statement("s", 20, "01-05", "02-01", standing=Standing.ENDED)
    assert today(ended, order("o", 20, "01-05", links=["s"])) == "0-20"


def test_a_report_that_goes_on_outweighs_one_that_ended() -> None:
    reports = [
        statement("s", 20, "01-05", "02-01", links=["o"], standing=Standing.ENDED),
        statement("t", 20, "02-10", "02-20", links=["o"], standing=Standing.ENDED),
    ]
    found = doses(order("o", 20, "01-05"), *reports)
    assert [words(found.on(day(text)).dose) for text in ("02-05", "02-20", "02-21")] == ["20", "20", "0-20"]
    ongoing = statement("u", 20, "03-01", links=["o"])
    for several in ([*reports, ongoing], [ongoing, *reports]):
        assert words(doses(order("o", 20, "01-05"), *several).on(day("02-25")).dose) == "20"


def test_a_therapy_recorded_twice_is_as_new_as_its_newest_record() -> None:
    assert today(statement("s", 20, "01-05"), statement("t", 20, "02-20"), statement("u", 5, "02-01")) == "20-25"


def test_of_the_same_day_an_unreadable_dose_counts_as_the_newest() -> None:
    assert today(statement("s", 20, "01-05"), statement("t", unreadable(), "01-05")) == "0-any"


@pytest.mark.parametrize(("ordered", "dose"), [("01-04", "20-any"), ("01-05", "20-any"), ("01-06", "0-any")])
def test_an_unlinked_order_without_a_dose_takes_nothing_from_a_report_as_new(ordered: str, dose: str) -> None:
    """A newer one may be of another dose instead."""
    assert today(statement("s", 20, "01-05"), order("o", unreadable("dose-not-stated"), ordered)) == dose


def test_two_reports_and_an_order_without_a_dose_leave_the_newest_report_sure() -> None:
    reports = statement("s", 20, "01-05"), statement("t", 30, "01-10")
    assert today(*reports, order("o", unreadable("dose-not-stated"), "01-01")) == "30-any"


def test_records_are_one_therapy_by_way_of_others() -> None:
    a, b = order("a", 20, "01-01", links=["x", "z"]), order("b", 20, "01-01", links=["y"])
    c, d = order("c", 20, "01-01", links=["x", "y"]), order("d", 20, "01-01", links=["z"])
    assert len(set(therapies([a, b, c, d]).values())) == 1
    assert len(set(therapies([a, b]).values())) == 2


def test_a_denial_lowers_an_order_that_is_newer_too() -> None:
    denied = statement("s", 20, "02-01", standing=Standing.NOT_TAKEN)
    assert today(denied, order("o", 20, "02-10")) == "0-20"


def test_a_dose_of_one_day_beside_a_newer_record_is_not_lost() -> None:
    steps = (step(40, first="01-05", last="01-09"), step(30, first="01-10", last="01-10"))
    found = doses(statement("a", steps, "01-05"), statement("b", 20, "01-10"))
    assert words(found.on(day("01-10")).dose) == "20-50"


def test_what_is_possible_is_not_sure() -> None:
    (stretch,) = stretches(statement("s", 20, "01-05"), AS_OF)
    assert possible(stretch) == replace(stretch, dose=span(0, 20), sure=False)


def part(reference: str, dose: Interval | int, began: str = "01-05", **parts: Any) -> Stretch:
    """A day on which a report gives a dose."""
    (stretch,) = stretches(statement(reference, 20, began, "2026-03-16"), AS_OF)
    amount = exactly(dose) if isinstance(dose, int) else dose
    return replace(stretch, dose=amount, **{"stated": amount, **parts})


def test_what_counts_of_nothing_is_nothing() -> None:
    assert dose_of([]) == ZERO


def test_of_two_fillers_of_a_record_the_larger_counts() -> None:
    small, large = part("a", span(0, 10), filler=True), part("a", span(0, 20), filler=True)
    anything = part("a", ANYTHING, filler=True)
    for found, expected in (([small, large], large), ([large, small], large), ([large, anything], anything)):
        assert counted("prednisone", found, {"a": 0}) == [expected]


def test_only_doses_that_count_by_themselves_are_taken_for_one() -> None:
    one, same = part("a", 20), part("b", 20)
    assert are_taken_for_one([one, same])
    assert not are_taken_for_one([one, replace(same, filler=True)])
    assert not are_taken_for_one([one, replace(same, added_to=True)])
    assert not are_taken_for_one([part("a", 0), part("b", 0)])
    assert not are_taken_for_one([one])


def test_open_ends_stay_open() -> None:
    told = part("a", Interval(Fraction(5), None, low_open=True))
    untold = part("b", ANYTHING, fault="dose-not-stated")
    assert dose_of([told, untold]) == Interval(Fraction(5), None, low_open=True)
    below = part("c", Interval(Fraction(0), Fraction(10), high_open=True))
    assert dose_of([part("d", 5), below]) == Interval(Fraction(5), Fraction(15), high_open=True)


def test_of_two_unbounded_doses_of_one_day_the_lower_beginning_is_sure() -> None:
    ten, twenty = part("a", Interval(Fraction(10), None)), part("b", Interval(Fraction(20), None))
    assert dose_of([ten, twenty]) == dose_of([twenty, ten]) == Interval(Fraction(10), None)


def test_administrations_of_one_order_add_up_whenever_they_began() -> None:
    whole = replace(given("g", 20, "03-01", links=["o"]), ends=when("03-03"))
    found = doses(whole, given("h", 20, "03-02", links=["o"]))
    assert words(found.on(day("03-02")).dose) == "40"
