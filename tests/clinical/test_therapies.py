"""Several records of one drug: which are one therapy, which takes over, and what the days between come to."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical.coded import Certainty
from cds_service.clinical.exposure import Stretch, stretches
from cds_service.clinical.interval import ANYTHING, ZERO, Interval
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.clinical.therapies import are_taken_for_one, counted, dose_of, possible, split, therapies
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
    unreadable,
    when,
    words,
)


def today(*uses: MedicationUse) -> str:
    return words(doses(*uses).on(AS_OF).dose)


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


@pytest.mark.parametrize("authored", ["01-03", "01-05", "01-07"])
def test_after_a_reported_end_the_linked_order_is_only_possible(authored: str) -> None:
    ended = statement("s", 20, "01-05", "02-01", links=["o"], standing=Standing.ENDED)
    found = doses(ended, order("o", 20, authored))
    assert [words(found.on(day(text)).dose) for text in ("01-07", "02-01", "02-02", "03-16")] == [
        "20",
        "20",
        "0-20",
        "0-20",
    ]


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


def test_a_newer_order_supersedes_an_open_ended_one_after_7_days_in_which_both_are_possible() -> None:
    assert course(order("o", 40, "01-01"), order("n", 20, "02-01")) == [
        "2026-01-01 2026-01-31 40",
        "2026-02-01 2026-02-07 20-60",
        "2026-02-08 2026-03-16 20",
    ]


def test_a_renewal_supersedes_without_an_overlap() -> None:
    renewed = order("n", 20, "02-01", links=["o"])
    assert course(order("o", 40, "01-01"), renewed) == [
        "2026-01-01 2026-01-31 40",
        "2026-02-01 2026-03-16 20",
    ]
    assert course(order("o", 20, "01-01"), order("n", 20, "02-01")) == [
        "2026-01-01 2026-01-31 20",
        "2026-02-01 2026-03-16 20",
    ]


def test_a_chain_of_open_ended_orders_leaves_the_newest() -> None:
    chain = [order(str(mg), mg, start) for mg, start in ((40, "01-01"), (30, "02-01"), (20, "03-01"))]
    assert course(*chain) == [
        "2026-01-01 2026-01-31 40",
        "2026-02-01 2026-02-07 30-70",
        "2026-02-08 2026-02-28 30",
        "2026-03-01 2026-03-07 20-50",
        "2026-03-08 2026-03-16 20",
    ]


def test_an_order_with_an_end_is_not_superseded() -> None:
    assert course(order("o", 40, "01-01", "02-28"), order("n", 20, "02-01")) == [
        "2026-01-01 2026-01-31 40",
        "2026-02-01 2026-02-28 20-60",
        "2026-03-01 2026-03-16 20",
    ]


def test_after_a_short_order_the_open_ended_one_may_be_taken_again() -> None:
    uses = order("o", 20, "01-01"), order("burst", 40, "02-01", "02-05")
    assert course(*uses) == [
        "2026-01-01 2026-01-31 20",
        "2026-02-01 2026-02-05 40-60",
        "2026-02-06 2026-03-16 0-20",
    ]
    assert [sorted(segment.flags) for segment in doses(*uses).segments][-1] == ["assumed"]


def test_every_part_of_an_order_counts_until_a_newer_one_begins() -> None:
    """Of an order of some day in January its first days are possible and the others sure."""
    assert course(order("o", 20, "2026-01"), order("n", 30, "02-15")) == [
        "2026-01-01 2026-01-30 0-20",
        "2026-01-31 2026-02-14 20",
        "2026-02-15 2026-02-21 30-50",
        "2026-02-22 2026-03-16 30",
    ]


@pytest.mark.parametrize(
    ("cut", "before", "after"),
    [
        ("01-05", None, ("01-05", "01-10")),
        ("01-06", ("01-05", "01-05"), ("01-06", "01-10")),
        ("01-10", ("01-05", "01-09"), ("01-10", "01-10")),
        ("01-11", ("01-05", "01-10"), None),
    ],
)
def test_a_stretch_is_cut_before_a_day(cut: str, before: tuple[str, str] | None, after: tuple[str, str] | None) -> None:
    (stretch,) = stretches(statement("s", 20, "01-05", "01-10"), AS_OF)
    expected = [days and (day(days[0]), day(days[1])) for days in (before, after)]
    assert [part and (part.first, part.last) for part in split(stretch, day(cut))] == expected


def test_the_order_of_a_report_without_a_dose_is_sure_until_the_end_that_it_reports() -> None:
    ended = statement("s", unreadable("dose-not-stated"), "01-05", "02-01", links=["o"], standing=Standing.ENDED)
    found = doses(ended, order("o", 20, "01-05"))
    assert [words(found.on(day(text)).dose) for text in ("01-31", "02-01", "02-02")] == ["20", "20", "0-20"]


@pytest.mark.parametrize(
    "other",
    [
        order("n", 5, "02-01", standing=Standing.POSSIBLE),
        order("n", 5, "02-01", standing=Standing.HELD),
        order("n", 5, "02-01", route="unknown"),
        order("n", 5, "02-01", certainty=Certainty.UNVERIFIED),
        statement("n", 5, "02-01"),
        order("n", 5, "02-01", drug="hydrocortisone"),
    ],
    ids=["of unknown status", "on hold", "of unknown route", "of an unverified code", "a statement", "of another drug"],
)
def test_what_is_no_surely_given_order_of_the_drug_does_not_supersede(other: MedicationUse) -> None:
    high = doses(order("o", 20, "01-01"), other).on(AS_OF).dose.high
    assert high is not None
    assert high > 20


def test_a_record_that_ends_on_the_day_the_next_begins_hands_over() -> None:
    for write in (statement, order):
        assert course(write("s", 40, "01-01", "02-01"), write("t", 20, "02-01", "03-01"))[:2] == [
            "2026-01-01 2026-01-31 40",
            "2026-02-01 2026-03-01 20",
        ]


def test_a_record_hands_over_to_none_of_its_own_therapy() -> None:
    """What was reported of the day goes before what was ordered on it."""
    found = doses(statement("s", 30, "01-05", "02-10"), order("o", 20, "02-10", links=["s"]))
    assert words(found.on(day("02-10")).dose) == "30"


def test_a_record_hands_over_to_none_that_begins_when_it_was_written_itself() -> None:
    written = order("o", step(30, first="02-20", last="02-28"), "02-28")
    assert course(written, statement("t", 20, "02-28", "03-10"))[:3] == [
        "2026-02-20 2026-02-27 30",
        "2026-02-28 2026-02-28 30-50",
        "2026-03-01 2026-03-10 20",
    ]


def test_what_a_draft_takes_over_from_hands_over_on_its_last_day_as_well() -> None:
    taken_over = replace(statement("s", 30, "01-05"), superseded_on=AS_OF)
    assert course(taken_over, statement("t", 20, "03-15")) == ["2026-01-05 2026-03-14 30", "2026-03-15 2026-03-16 20"]


def test_a_record_that_ends_the_day_after_the_next_begins_overlaps_for_two_days() -> None:
    assert course(statement("s", 40, "01-01", "02-02"), statement("t", 20, "02-01", "03-01"))[:2] == [
        "2026-01-01 2026-01-31 40",
        "2026-02-01 2026-02-02 20-60",
    ]


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


def test_not_taken_against_an_order_leaves_the_order_possible() -> None:
    denied = statement("s", 20, "02-01", standing=Standing.NOT_TAKEN)
    assert today(denied, order("o", 20, "01-01")) == "0-20"
    assert today(denied, order("o", 20, "01-01", links=["s"])) == "0"


def test_a_linked_order_that_has_ended_leaves_nothing_of_its_predecessor() -> None:
    renewed = order("n", 20, "02-01", "02-10", links=["o"])
    assert course(order("o", 40, "01-01"), renewed)[-1] == "2026-02-11 2026-03-16 0"


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


def test_a_report_ends_on_the_day_of_an_administration_and_not_before_it() -> None:
    found = doses(statement("a", 20, "01-05", "02-01"), given("g", 40, "02-01"))
    assert words(found.on(day("02-01")).dose) == "40-60"


@pytest.mark.parametrize(
    "report",
    [
        statement("s", 20, "01-05", "02-01", standing=Standing.ENDED),
        statement("s", 20, "01-05", "02-01", standing=Standing.ENDED, links=["o"], drug="hydrocortisone"),
        statement("s", 20, "01-05", "02-01", links=["o"]),
        given("s", 20, "02-01", links=["o"], standing=Standing.ENDED),
    ],
    ids=["of no order", "of another drug", "of a record that is not said to be over", "that something was given"],
)
def test_only_a_report_of_the_very_order_ends_it(report: MedicationUse) -> None:
    assert words(doses(report, order("o", 20, "01-05")).on(day("02-10")).dose) == "20"


def test_what_may_be_taken_again_after_a_short_order_is_an_assumption() -> None:
    old = order("o", 20, "01-01", standing=Standing.POSSIBLE)
    assert doses(old, order("burst", 40, "02-01", "02-05")).on(AS_OF).flags == {"assumed"}


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


def test_a_newer_order_that_was_not_taken_supersedes_none() -> None:
    denied = order("n", 5, "02-01", standing=Standing.NOT_TAKEN)
    assert course(order("o", 20, "01-01"), denied) == ["2026-01-01 2026-01-31 20", "2026-02-01 2026-03-16 0-20"]
