"""Several records of one drug: which takes over from which, and from what day on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.clinical.coded import Certainty
from cds_service.clinical.exposure import stretches
from cds_service.clinical.medications import MedicationUse, Standing
from cds_service.clinical.therapies import split
from tests.clinical.builders import (
    AS_OF,
    course,
    day,
    doses,
    given,
    order,
    statement,
    step,
    unreadable,
    words,
)


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


def test_a_linked_order_that_has_ended_leaves_nothing_of_its_predecessor() -> None:
    renewed = order("n", 20, "02-01", "02-10", links=["o"])
    assert course(order("o", 40, "01-01"), renewed)[-1] == "2026-02-11 2026-03-16 0"


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


def test_a_newer_order_that_was_not_taken_supersedes_none() -> None:
    denied = order("n", 5, "02-01", standing=Standing.NOT_TAKEN)
    assert course(order("o", 20, "01-01"), denied) == ["2026-01-01 2026-01-31 20", "2026-02-01 2026-03-16 0-20"]
