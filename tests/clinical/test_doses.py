"""The dose timeline: several records of corticosteroids as one dose on every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from cds_service.clinical.doses import DoseSegment, Timeline, equivalence, in_milligrams, merged
from cds_service.clinical.exposure import stretches
from cds_service.clinical.interval import ANYTHING, ZERO, Interval
from cds_service.clinical.medications import DoseStep, Standing
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
    weights,
    words,
)


@pytest.mark.parametrize(
    ("drug", "factor"),
    [
        ("prednisone", exactly(1)), ("prednisolone", exactly(1)), ("methylprednisolone", exactly("1.25")),
        ("triamcinolone", exactly("1.25")), ("hydrocortisone", exactly("0.25")),
        ("cortisone", exactly("0.2")), ("dexamethasone", exactly(Fraction(20, 3))),
        ("deflazacort", exactly(Fraction(5, 6))),
        ("betamethasone", span(Fraction(20, 3), Fraction(25, 3))),
    ],
)  # fmt: skip
def test_each_corticosteroid_has_its_prednisone_equivalent(drug: str, factor: Interval) -> None:
    assert equivalence(drug) == factor


def test_a_corticosteroid_without_an_equivalent_is_any_dose_and_says_so() -> None:
    segment = doses(statement("s", 20, "01-05", drug="meprednisone")).on(AS_OF)
    assert equivalence("meprednisone") == ANYTHING
    assert (segment.dose, segment.faults, segment.per_dose) == (ANYTHING, ("no-equivalent",), ANYTHING)
    assert "equivalent" not in segment.flags


@pytest.mark.parametrize(
    ("dose", "flagged"),
    [(step(30), True), (step(31), False), (step(span(0, 100), pattern="as-needed"), True), (step(span(0, 100)), False)],
)
def test_a_dose_that_may_replace_what_the_adrenal_gland_lacks_is_counted_and_flagged(
    dose: DoseStep, flagged: bool
) -> None:
    segment = doses(statement("s", dose, "01-05", drug="hydrocortisone")).on(AS_OF)
    assert segment.dose == dose.daily.times(exactly("0.25"))
    assert ("assumed" in segment.flags) == flagged
    assert "assumed" not in doses(statement("s", 5, "01-05")).on(AS_OF).flags


def test_a_corticosteroid_without_an_equivalent_that_is_not_taken_is_zero() -> None:
    assert today(statement("s", 20, "01-05", drug="meprednisone", standing=Standing.NOT_TAKEN)) == "0"


@pytest.mark.parametrize(
    ("drug", "marked"),
    [("prednisone", False), ("prednisolone", False), ("methylprednisolone", True), ("betamethasone", True)],
)
def test_only_a_factor_other_than_one_marks_a_dose_as_equivalent(drug: str, marked: bool) -> None:
    assert ("equivalent" in doses(statement("s", 24, "01-05", drug=drug)).on(AS_OF).flags) is marked


def test_doses_of_different_drugs_add_up_as_equivalents() -> None:
    both = statement("s", 20, "01-05"), statement("m", 8, "02-01", drug="methylprednisolone")
    found = doses(*both)
    assert [words(s.dose) for s in found.segments] == ["20", "30"]
    assert found.on(AS_OF).sources == ("m", "s")
    assert found.on(AS_OF).per_dose is None


def test_an_every_other_day_dose_keeps_its_mean_and_the_dose_of_a_day() -> None:
    every_other = step(30, pattern="qod", per_dose=exactly(60))
    segment = doses(statement("s", every_other, "01-19")).on(AS_OF)
    assert (segment.dose, segment.per_dose, segment.pattern) == (exactly(30), exactly(60), "qod")
    converted = doses(statement("s", every_other, "01-19", drug="methylprednisolone")).on(AS_OF)
    assert (converted.dose, converted.per_dose) == (exactly("37.5"), exactly(75))


def test_as_needed_beside_a_scheduled_dose_is_added_as_possible() -> None:
    as_needed = statement("p", step(span(0, 10), pattern="as-needed"), "01-01")
    segment = doses(statement("s", 20, "01-05"), as_needed).on(AS_OF)
    assert (segment.dose, segment.pattern) == (span(20, 30), "unknown")


def test_a_dose_per_kilogram_is_multiplied_by_the_weight() -> None:
    per_kilogram = step("0.5", per_kilogram=True)
    found = doses(statement("s", per_kilogram, "01-05"), kilograms=weights((ago(5), 70))).on(AS_OF)
    assert (found.dose, found.per_dose) == (exactly(35), exactly(35))


def test_a_dose_per_kilogram_without_a_weight_is_any_dose() -> None:
    found = doses(statement("s", step("0.5", per_kilogram=True), "01-05")).on(AS_OF)
    assert (found.dose, found.faults, found.per_dose) == (ANYTHING, ("no-weight",), None)


def test_every_stretch_is_in_milligrams_afterwards() -> None:
    per_kg = step(1, per_kilogram=True)
    (plain,) = stretches(statement("a", 20, "02-01"), AS_OF)
    (heavy,) = stretches(statement("b", per_kg, "02-01"), AS_OF)
    mean = replace(heavy, per_dose=None)
    unweighed = list(in_milligrams([heavy, plain], weights()))
    assert unweighed == [
        replace(heavy, dose=ANYTHING, stated=ANYTHING, per_dose=None, per_kilogram=False, fault="no-weight"), plain,
    ]  # fmt: skip
    weighed = list(in_milligrams([heavy, mean, plain], weights((AS_OF, 60))))
    sixty = replace(heavy, dose=exactly(60), stated=exactly(60), per_dose=exactly(60), per_kilogram=False)
    assert weighed == [sixty, replace(sixty, per_dose=None), plain]


def test_how_a_dose_is_divided_is_told_by_orders_and_reports_that_count() -> None:
    once, twice = (Fraction(1),), (Fraction(1, 2),) * 2
    orders = [
        order("a", step(20, shares=once, first="01-05", last="01-31"), "01-05"),
        order("b", step(20, shares=twice, first="02-10", last="03-16"), "02-10"),
    ]
    assert [segment.divided for segment in doses(*orders).segments] == [{once}, frozenset(), {twice}]
    denied = statement("s", step(20, shares=once), "01-05", standing=Standing.NOT_TAKEN)
    assert [segment.divided for segment in doses(denied).segments] == [frozenset()]
    assert doses(given("g", step(20, shares=once), AS_OF)).on(AS_OF).divided == {()}


def test_neighbours_that_differ_in_nothing_but_their_days_are_one() -> None:
    january = DoseSegment(day("01-01"), day("01-31"), exactly(20), "daily", ("a",), divided=frozenset({()}))
    once = frozenset({(Fraction(1),)})
    february = replace(january, first=day("02-01"), last=AS_OF, goes_on=True, divided=once)
    whole = replace(january, last=AS_OF, goes_on=True, divided=once | january.divided)
    assert list(merged([january, february])) == [whole]
    other = replace(february, sources=("b",))
    assert list(merged([january, other])) == [january, other]
    assert list(merged([])) == []


def test_nothing_is_taken_daily() -> None:
    assert [segment.pattern for segment in doses(statement("s", 20, "01-05", "01-20")).segments] == ["daily", "daily"]
    mixed = statement("s", step(20, pattern="qod"), "01-05"), statement("t", 10, "01-05", drug="dexamethasone")
    assert [segment.pattern for segment in doses(*mixed).segments] == ["unknown"]


def test_without_records_every_day_is_zero() -> None:
    found = doses()
    assert found.segments == ()
    assert found.on(AS_OF).dose == ZERO
    assert [(s.first, s.last, s.dose) for s in found.between(ago(28), AS_OF)] == [(ago(28), AS_OF, ZERO)]


def test_between_cuts_and_fills_the_timeline_and_ends_with_it() -> None:
    found = doses(statement("s", 20, "02-01", "02-10"))

    def between(first: str, last: str) -> list[tuple[date, date, str]]:
        return [(s.first, s.last, words(s.dose)) for s in found.between(day(first), day(last))]

    assert between("01-30", "02-02") == [
        (day("01-30"), day("01-31"), "0"),
        (day("02-01"), day("02-02"), "20"),
    ]
    assert between("02-10", "02-11") == [
        (day("02-10"), day("02-10"), "20"),
        (day("02-11"), day("02-11"), "0"),
    ]
    assert between("02-05", "02-05") == [(day("02-05"), day("02-05"), "20")]
    assert between("01-01", "01-31") == [(day("01-01"), day("01-31"), "0")]
    assert between("03-10", "04-30") == [(day("03-10"), AS_OF, "0")]
    assert between("03-17", "04-30") == []


def test_on_finds_the_segment_of_each_day() -> None:
    found = doses(statement("s", 20, "02-01", "02-10"))
    assert [words(found.on(day(text)).dose) for text in ("01-31", "02-01", "02-10", "02-11")] == [
        "0",
        "20",
        "20",
        "0",
    ]
    assert found.on(day("02-01")).days == 10
    assert found.on(day("01-31")) == DoseSegment(day("01-31"), day("01-31"), ZERO, "daily", ())


def test_only_the_segment_of_the_day_of_screening_goes_on() -> None:
    found = doses(order("o", 40, "01-01"), order("n", 20, "02-01"))
    assert [s.goes_on for s in found.segments] == [False, False, True]


def per_kilogram(found: Timeline, *readings: tuple[date, int]) -> list[tuple[date, date, str]]:
    parts = found.weighed(weights(*readings))
    return [(p.first, p.last, words(p.per_kg) if p.per_kg else "?") for p in parts]


def test_the_weighed_timeline_is_cut_where_another_weight_begins_to_count() -> None:
    found = doses(statement("s", 30, ago(60)))
    assert per_kilogram(found, (ago(60), 60), (ago(20), 75)) == [
        (ago(60), ago(30), "1/2"),
        (ago(29), AS_OF, "2/5"),
    ]


def test_the_weighed_timeline_has_no_dose_per_kilogram_where_no_weight_counts() -> None:
    found = doses(statement("s", 30, ago(60), ago(10)))
    assert per_kilogram(found, (ago(20), 75)) == [
        (ago(60), ago(51), "?"),
        (ago(50), ago(10), "2/5"),
        (ago(9), AS_OF, "0"),
    ]


def test_nothing_needs_no_weight_to_be_nothing() -> None:
    assert per_kilogram(doses(statement("s", 30, ago(60), ago(10)))) == [(ago(60), ago(10), "?"), (ago(9), AS_OF, "0")]


def test_milligrams_and_as_many_per_kilogram_are_not_one_dose() -> None:
    both = statement("a", 20, "01-05"), statement("b", step(20, per_kilogram=True), "01-05")
    assert today(*both) == "0-any"


def test_an_old_weight_is_marked_stale_from_its_31st_day_on() -> None:
    parts = doses(statement("s", 30, ago(60))).weighed(weights((ago(60), 60)))
    assert [(p.first, p.last, p.stale_weight) for p in parts] == [
        (ago(60), ago(30), False),
        (ago(29), AS_OF, True),
    ]
    assert all(isinstance(p.segment, DoseSegment) for p in parts)


@pytest.mark.parametrize(("kilograms", "expected"), [("80", "1/4"), ("79.9", "200/799"), ("80.1", "200/801")])
def test_the_dose_per_kilogram_is_exact(kilograms: str, expected: str) -> None:
    parts = doses(statement("s", 20, ago(60))).weighed(weights((AS_OF, kilograms)))
    assert words(parts[-1].per_kg or ZERO) == expected


def test_a_range_of_weights_is_a_range_of_doses() -> None:
    parts = doses(statement("s", 30, AS_OF)).weighed(weights((AS_OF, 60), (AS_OF, 75)))
    assert [p.per_kg for p in parts] == [span(Fraction(2, 5), Fraction(1, 2))]


def test_a_taper_and_its_flare_stand_on_the_timeline() -> None:
    """clinical.md, vignette 8: 40 to 15 mg, back to 40 for a flare, tapered again, back to 20."""
    found = course(
        order("a", 40, "2025-05-05", "2025-05-18"),
        order("b", 15, "2025-05-19", "2025-06-01"),
        order("c", 40, "2025-06-02", "2025-07-06"),
        order("d", 15, "2025-07-07", "2025-08-03"),
        statement("e", 20, "2025-08-04"),
    )
    assert [line.split()[2] for line in found] == ["40", "15", "40", "15", "20"]
