"""The dosage instructions of one record, laid out in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from cds_service.clinical.dates import DayRange
from cds_service.clinical.interval import ANYTHING
from cds_service.clinical.medications import DoseStep
from cds_service.clinical.steps import laid_out
from tests.clinical.builders import course, day, order, span, statement, step, unreadable, words


def laid(*steps: DoseStep, begins: date | str | None = "01-01") -> list[str]:
    """The steps in words, such as "2026-01-01 2026-01-07 20"; "?" for a bound that is not known."""
    found = laid_out(statement("s", steps, begins))
    return [f"{s.first or '?'} {s.last or '?'} {words(s.daily)}" for s in found]


def test_one_step_without_bounds_begins_with_the_record() -> None:
    assert laid(step(20)) == ["2026-01-01 ? 20"]
    assert laid(step(20), begins=None) == ["? ? 20"]


def test_a_length_gives_the_end_the_first_day_included() -> None:
    assert laid(step(20, length_days=7)) == ["2026-01-01 2026-01-07 20"]
    assert laid(step(20, length_days=1)) == ["2026-01-01 2026-01-01 20"]


@pytest.mark.parametrize("length", [0, -3])
def test_a_length_of_no_days_is_no_length(length: int) -> None:
    assert laid(step(20, length_days=length)) == ["2026-01-01 ? 20"]


def test_steps_in_sequence_follow_each_other_whatever_their_place_in_the_record() -> None:
    assert laid(step(10, length_days=7, order=2), step(20, length_days=7, order=1), step(5, order=3)) == [
        "2026-01-01 2026-01-07 20",
        "2026-01-08 2026-01-14 10",
        "2026-01-15 ? 5",
    ]
    found = laid_out(statement("s", (step(10, length_days=7, order=1), step(5, order=2)), "01-01"))
    assert [(s.fault, s.pattern) for s in found] == [(None, "daily"), (None, "daily")]


def test_a_step_without_a_number_comes_before_the_numbered_ones() -> None:
    assert laid(step(10, order=1), step(20, length_days=7)) == ["2026-01-01 2026-01-07 20", "2026-01-08 ? 10"]


def test_numbered_steps_that_begin_on_the_same_day_may_be_either() -> None:
    assert laid(step(20, first="01-01", order=1), step(10, first="01-01", order=2)) == ["2026-01-01 ? 10-20"]


def test_steps_that_begin_on_the_same_day_and_end_on_different_ones_add_up() -> None:
    steps = step(20, first="01-01", last="01-31"), step(10, first="01-01", last="02-28")
    assert course(statement("s", steps, "01-01"))[:2] == ["2026-01-01 2026-01-31 30", "2026-02-01 2026-02-28 10"]


def test_steps_that_touch_on_one_day_hand_over_on_it() -> None:
    assert laid(step(40, first="01-01", last="01-08", order=1), step(20, first="01-08", last="01-15", order=2)) == [
        "2026-01-01 2026-01-07 40",
        "2026-01-08 2026-01-15 20",
    ]


def test_a_step_that_ends_the_day_before_keeps_its_last_day() -> None:
    assert laid(step(40, first="01-01", last="01-07", order=1), step(20, first="01-08", last="01-15", order=2)) == [
        "2026-01-01 2026-01-07 40",
        "2026-01-08 2026-01-15 20",
    ]


def test_a_step_that_runs_on_beyond_the_next_beginning_is_only_possible_there() -> None:
    assert laid(step(40, first="01-01", last="01-09", order=1), step(20, first="01-08", last="01-15", order=2)) == [
        "2026-01-01 2026-01-07 40",
        "2026-01-08 2026-01-09 0-40",
        "2026-01-08 2026-01-15 20",
    ]


def test_a_step_without_an_end_lasts_until_the_next_one_begins() -> None:
    assert laid(step(40, order=1), step(20, first="01-08", order=2)) == [
        "2026-01-01 2026-01-07 40",
        "2026-01-08 ? 20",
    ]


def test_from_a_step_without_an_end_on_any_of_the_rest_may_be_it() -> None:
    steps = (step(40, length_days=7, order=1), step(20, order=2), step(5, last="02-28", order=3))
    assert laid(*steps) == ["2026-01-01 2026-01-07 40", "2026-01-08 2026-02-28 5-20"]
    found = laid_out(statement("s", steps, "01-01"))
    assert [s.fault for s in found] == [None, "steps-without-bounds"]
    assert [s.pattern for s in found] == ["daily", "unknown"]
    (without_start,) = laid_out(statement("s", steps))
    assert (without_start.length_days, without_start.last) == (None, DayRange.of(day("02-28")))
    assert laid(step(40, order=1), step(20, last="01-31", order=2), step(5, order=3)) == ["2026-01-01 ? 5-40"]


def test_the_parts_of_a_day_add_up_numbered_or_not() -> None:
    for orders in ((None, None), (1, 1), (1, 2)):
        parts = [step(mg, part_of_day=True, order=place) for mg, place in zip((20, 10), orders, strict=True)]
        assert laid(*parts) == ["2026-01-01 ? 30"]
        assert laid_out(statement("s", tuple(parts), "01-01"))[0].pattern == "daily"


def test_steps_of_one_place_in_the_sequence_are_taken_together() -> None:
    assert laid(step(20, order=1), step(10, order=1)) == ["2026-01-01 ? 30"]
    assert laid(step(20, length_days=7, order=1), step(10, length_days=7, order=1), step(5, order=2)) == [
        "2026-01-01 2026-01-07 30",
        "2026-01-08 ? 5",
    ]


def test_parts_of_a_day_divide_its_dose() -> None:
    parts = step(20, part_of_day=True, shares=(Fraction(1),)), step(10, part_of_day=True, shares=(Fraction(1),))
    assert laid_out(statement("s", parts, "01-01"))[0].shares == (Fraction(2, 3), Fraction(1, 3))
    untold = step(20, part_of_day=True, shares=(Fraction(1),)), step(10, part_of_day=True)
    assert laid_out(statement("s", untold, "01-01"))[0].shares == ()


def test_two_doses_at_one_time_of_the_day_are_no_parts_of_it() -> None:
    """They may be the steps of a taper, or the old dose and the new one."""

    def morning(mg: int, place: int | None = None) -> DoseStep:
        return step(mg, part_of_day=True, times=frozenset({"morning"}), order=place)

    evening = step(10, part_of_day=True, times=frozenset({"evening"}))
    assert laid(morning(20), evening) == ["2026-01-01 ? 30"]
    assert laid(morning(20), morning(10)) == ["2026-01-01 ? 10-30"]
    assert laid(morning(60, 1), morning(40, 2), morning(20, 3)) == ["2026-01-01 ? 20-60"]


def test_what_is_taken_as_needed_comes_on_top_of_the_rest_or_not() -> None:
    needed = step(span(0, 10), pattern="as-needed")
    assert laid(step(20), needed) == ["2026-01-01 ? 20-30"]
    assert laid(step(20), step(5), needed) == ["2026-01-01 ? 5-35"]
    assert laid(needed, needed) == ["2026-01-01 ? 0-20"]
    assert [s.pattern for s in laid_out(statement("s", (step(20), needed), "01-01"))] == ["unknown"]


def test_steps_of_every_other_day_without_bounds_may_alternate() -> None:
    assert laid(step(20, pattern="qod", order=1), step(10, pattern="qod", order=2)) == ["2026-01-01 ? 10-30"]


def test_a_daily_step_beside_one_of_every_other_day_has_no_pattern() -> None:
    found = laid_out(statement("s", (step(20), step(10, pattern="qod")), "01-01"))
    assert [(words(s.daily), s.pattern) for s in found] == [("10-30", "unknown")]


def test_two_every_other_day_steps_alternate() -> None:
    found = laid_out(statement("s", (step(20, pattern="qod"), step(10, pattern="qod")), "01-01"))
    assert [(s.daily, s.pattern, s.per_dose) for s in found] == [(span(30, 30), "alternating", None)]


def test_steps_without_order_may_be_alternatives() -> None:
    assert laid(step(20), step(10)) == ["2026-01-01 ? 10-30"]


def test_steps_with_a_length_and_no_order_may_follow_each_other_or_not() -> None:
    assert laid(step(20, length_days=7), step(10, length_days=14)) == ["2026-01-01 2026-01-21 0-30"]
    assert laid(step(20, length_days=7), step(10, length_days=7)) == ["2026-01-01 2026-01-14 0-30"]
    assert laid(step(20, length_days=7), step(10)) == ["2026-01-01 ? 0-30"]
    mixed = step(20, first="02-01", length_days=7), step(10, length_days=7), step(5, first="01-20", length_days=7)
    assert laid(*mixed) == ["2026-01-20 2026-02-09 0-35"]


def test_steps_in_no_known_order_are_said_to_be_so_and_end_nobody_knows_when() -> None:
    steps = step(20, last="01-31", length_days=7), step(10, length_days=14)
    (found,) = laid_out(statement("s", (steps[0], replace(steps[1], length_days=None)), "01-01"))
    assert (found.pattern, found.fault) == ("unknown", "steps-without-bounds")
    assert (found.last, found.length_days) == (None, None)
    (both,) = laid_out(statement("s", steps))
    assert (both.last, both.length_days) == (None, 21)


def test_dated_steps_need_no_order() -> None:
    assert laid(step(20, first="02-01", last="02-28"), step(40, first="01-01", last="01-31")) == [
        "2026-01-01 2026-01-31 40",
        "2026-02-01 2026-02-28 20",
    ]


def test_dated_steps_may_stand_in_any_order_also_where_one_has_no_end() -> None:
    assert laid(step(20, first="02-01"), step(40, first="01-01", last="01-31")) == [
        "2026-01-01 2026-01-31 40",
        "2026-02-01 ? 20",
    ]


def test_a_step_without_a_number_and_one_with_the_number_zero_have_no_order() -> None:
    assert laid(step(20, length_days=7), step(10, length_days=7, order=0)) == ["2026-01-01 2026-01-14 0-30"]
    assert laid(step(20), step(10, order=0)) == laid(step(20, order=0), step(10)) == ["2026-01-01 ? 10-30"]


def test_steps_of_the_same_days_are_taken_together_or_are_alternatives() -> None:
    bounds = {"first": "01-01", "last": "01-31"}
    assert laid(step(20, **bounds), step(10, **bounds)) == ["2026-01-01 2026-01-31 10-30"]
    assert laid(step(20, order=1, **bounds), step(10, order=1, **bounds)) == ["2026-01-01 2026-01-31 30"]
    week = {"first": "01-01", "length_days": 7}
    assert laid(step(20, **week), step(10, **week)) == ["2026-01-01 2026-01-07 10-30"]


def test_what_cannot_be_read_stays_so_beside_what_can() -> None:
    found = laid_out(statement("s", (step(20, part_of_day=True), unreadable(part_of_day=True)), "01-01"))
    assert [(words(s.daily), s.fault) for s in found] == [("20-any", "timing-not-stated")]


def test_milligrams_and_milligrams_per_kilogram_are_not_added() -> None:
    both = step(20, order=1), step(1, order=1, per_kilogram=True)
    for steps in (both, both[::-1]):
        found = laid_out(statement("s", steps, "01-01"))
        assert [(s.daily, s.per_kilogram, s.fault) for s in found] == [(ANYTHING, False, "unit-not-understood")]


def test_two_doses_per_kilogram_are_added_as_such() -> None:
    found = laid_out(statement("s", tuple(step(1, order=1, per_kilogram=True) for _ in range(2)), "01-01"))
    assert [(words(s.daily), s.per_kilogram, s.fault) for s in found] == [("2", True, None)]


def test_steps_put_together_keep_every_doubt() -> None:
    doubts = (
        step(40, order=1, shares=(Fraction(1),)),
        step(20, order=1, text_only=True),
        step(10, order=1, conflict=True),
        step(5, order=1, added_to=True),
    )
    found = laid_out(statement("s", doubts, "01-01"))
    assert [(s.text_only, s.conflict, s.added_to) for s in found] == [(True, True, True)]
    in_any_order = laid_out(statement("s", (step(20, length_days=7, shares=(Fraction(1),)), step(10)), "01-01"))
    assert [s.shares for s in (*found, *in_any_order)] == [(), ()]


def test_a_published_taper_has_a_gap_that_may_have_been_bridged() -> None:
    """The shape of HL7's example medrx0303: three dated steps, two days between the first two."""
    steps = (
        step(20, first="2015-01-16", last="2015-01-20", order=1),
        step(10, first="2015-01-23", last="2015-01-30", order=2),
        step(5, first="2015-01-31", last="2015-02-06", order=3),
    )
    use = order("medrx0303", steps, "2015-01-15", supply_ends=date(2015, 2, 5), valid_until=date(2016, 1, 15))
    assert course(use, as_of=date(2015, 3, 1)) == [
        "2015-01-16 2015-01-20 20",
        "2015-01-21 2015-01-22 0-20",
        "2015-01-23 2015-01-30 10",
        "2015-01-31 2015-02-06 5",
        "2015-02-07 2015-03-01 0",
    ]


@pytest.mark.parametrize(("resumed", "bridged"), [("02-10", "0-20"), ("02-11", "0")])
def test_a_hole_between_steps_may_be_bridged_for_30_days(resumed: str, bridged: str) -> None:
    steps = (step(20, first="01-01", last="01-10", order=1), step(10, first=resumed, last="02-20", order=2))
    assert course(order("o", steps, "01-01"), as_of=day("02-20"))[1].split()[2] == bridged


def test_a_taper_that_ended_is_over_although_its_order_is_still_valid() -> None:
    taper = tuple(step(mg, length_days=1, order=place) for place, mg in enumerate((60, 50, 40), start=1))
    use = order("o", taper, "03-01", supply_ends=day("03-03"), valid_until=day("03-30"))
    assert course(use) == [
        "2026-03-01 2026-03-01 60",
        "2026-03-02 2026-03-02 50",
        "2026-03-03 2026-03-03 40",
        "2026-03-04 2026-03-16 0",
    ]


def test_sentinels_for_an_unknown_end_or_beginning_do_no_harm() -> None:
    steps = (step(20, first="0001-01-01", last="9999-12-31", order=1), step(10, order=2))
    assert course(order("o", steps, "01-01"))[-1] == "0001-01-01 2026-03-16 20"
    long = step(20, length_days=10**9)
    assert course(statement("s", long, "03-01")) == ["2026-03-01 2026-03-16 20"]
