"""Supplies that were handed out: what they prove of the order that they fill, and what alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.clinical.dispenses import with_dispenses
from cds_service.clinical.exposure import covered, possible_between, stretches
from cds_service.clinical.medications import MedicationUse, Standing
from tests.clinical.builders import AS_OF, course, day, doses, order, span, statement, step, unreadable, when

SILENT = unreadable("dose-not-stated")


def handed_out(reference: str, on: str, days: int | None = 30, dose: object = SILENT, of: str = "o") -> MedicationUse:
    """A supply of the order `of`, handed out on a day, for so many days."""
    use = order(reference, dose, on, links=[of])
    return replace(use, kind="dispense", supply_ends=day(on) + timedelta(days=days - 1) if days else None)


def courses(*uses: MedicationUse) -> list[str]:
    return course(*with_dispenses(uses))


def test_an_order_is_sure_while_its_supplies_last_and_possible_afterwards() -> None:
    """It says itself that it goes on, and other pharmacies may have filled it."""
    assert courses(order("o", 20, "01-05"), handed_out("d", "01-05")) == [
        "2026-01-05 2026-02-03 20",
        "2026-02-04 2026-03-16 0-20",
    ]


@pytest.mark.parametrize(("refilled", "hole"), [("02-18", "20"), ("02-19", "0-20")])
def test_a_hole_of_fourteen_days_between_supplies_is_carried_over(refilled: str, hole: str) -> None:
    found = courses(order("o", 20, "01-05"), handed_out("d", "01-05"), handed_out("e", refilled, 60))
    first = ["2026-01-05 2026-03-16 20"]
    broken = ["2026-01-05 2026-02-03 20", f"2026-02-04 2026-02-18 {hole}", "2026-02-19 2026-03-16 20"]
    assert found == (first if hole == "20" else broken)


@pytest.mark.parametrize(("filled", "before"), [("01-19", "20"), ("01-20", "0-20")])
def test_an_order_that_was_filled_late_was_only_possible_before(filled: str, before: str) -> None:
    found = courses(order("o", 20, "01-05"), handed_out("d", filled, 90))
    assert found[0] == (f"2026-01-05 2026-03-16 {before}" if before == "20" else f"2026-01-05 2026-01-19 {before}")


def test_a_supply_of_one_day_and_a_last_day_without_one_are_told() -> None:
    assert courses(order("o", 20, "01-05"), handed_out("d", "01-05", 1))[0] == "2026-01-05 2026-01-05 20"
    assert courses(order("o", 20, "01-05"), handed_out("d", "01-05", 70)) == [
        "2026-01-05 2026-03-15 20",
        "2026-03-16 2026-03-16 0-20",
    ]


def test_a_supply_that_was_used_up_before_the_order_proves_nothing_of_it() -> None:
    found = courses(order("o", 20, "01-05"), handed_out("d", "01-01", 3, 20), handed_out("e", "01-20", 90))
    assert found == ["2026-01-05 2026-01-19 0-20", "2026-01-20 2026-03-16 20"]


def test_on_days_without_a_supply_the_dose_is_only_possible() -> None:
    (stretch,) = stretches(statement("s", 20, "01-05"), AS_OF)
    (found,) = possible_between(stretch, day("02-01"), day("02-01"))
    assert found == replace(stretch, first=day("02-01"), last=day("02-01"), dose=span(0, 20), sure=False)
    assert list(possible_between(stretch, day("02-02"), day("02-01"))) == []


@pytest.mark.parametrize(
    ("supplies", "begins", "days"),
    [
        ([("01-01", "01-10"), ("01-11", "01-20")], None, [("01-01", "01-20", False)]),
        ([("01-01", "01-10"), ("01-12", "01-20")], None, [("01-01", "01-20", True)]),
        ([("01-01", "01-10"), ("01-12", "01-20"), ("01-21", "01-30")], None, [("01-01", "01-30", True)]),
        ([("01-01", "01-10"), ("01-26", "01-30")], None, [("01-01", "01-10", False), ("01-26", "01-30", False)]),
        ([("01-02", "01-10")], "01-01", [("01-01", "01-10", True)]),
        ([("01-02", "01-10")], "01-02", [("01-02", "01-10", False)]),
    ],
)
def test_days_for_which_supplies_lasted_and_whether_a_hole_was_carried_over(
    supplies: list[tuple[str, str]], begins: str | None, days: list[tuple[str, str, bool]]
) -> None:
    found = covered([(day(first), day(last)) for first, last in supplies], when(begins))
    assert found == [(day(first), day(last), holed) for first, last, holed in days]


def test_an_order_counts_while_its_supplies_last_also_after_it_expired() -> None:
    expired = replace(order("o", 20, "01-05"), valid_until=day("01-31"))
    assert courses(expired, handed_out("d", "01-05", 60))[0] == "2026-01-05 2026-03-05 20"


def test_supplies_prove_an_order_that_was_written_long_ago() -> None:
    old = order("o", 20, "2025-03-01")
    assert courses(old, handed_out("d", "2025-03-01", 365), handed_out("e", "2026-03-01", 30)) == [
        "2025-03-01 2026-03-16 20"
    ]


def test_a_stated_supply_is_made_longer_by_refills() -> None:
    supplied = order("o", 20, "01-05", supply_ends=day("02-03"))
    assert courses(supplied, handed_out("d", "02-04", 60)) == ["2026-01-05 2026-03-16 20"]


def test_an_order_that_is_over_counts_for_its_supplies() -> None:
    over = order("o", 20, "2025-11-05", standing=Standing.ENDED, active=False)
    assert courses(over, handed_out("d", "2025-11-05")) == ["2025-11-05 2025-12-04 20", "2025-12-05 2026-03-16 0"]


def test_an_order_with_an_end_of_its_own_keeps_it() -> None:
    ended = replace(order("o", 20, "01-05"), ends=when("03-10"))
    assert courses(ended, handed_out("d", "01-05", 30))[0] == "2026-01-05 2026-03-10 20"


def test_a_report_is_not_bounded_by_supplies() -> None:
    assert courses(statement("s", 20, "01-05"), handed_out("d", "01-05", 30, of="s")) == ["2026-01-05 2026-03-16 20"]


def test_an_order_that_states_its_end_keeps_it() -> None:
    assert courses(order("o", 20, "01-05", "03-10"), handed_out("d", "01-05", 30))[0] == "2026-01-05 2026-03-10 20"
    assert courses(order("o", 20, "01-05", "01-31"), handed_out("d", "01-05", 90)) == [
        "2026-01-05 2026-01-31 20",
        "2026-02-01 2026-03-16 0",
    ]


def test_a_dose_that_was_handed_out_goes_before_the_order() -> None:
    assert courses(order("o", unreadable("as-directed"), "01-05"), handed_out("d", "01-05", 90, 20)) == [
        "2026-01-05 2026-03-16 20"
    ]


def test_a_dispense_without_an_order_stands_alone() -> None:
    assert courses(handed_out("d", "01-15", 90, 20)) == ["2026-01-15 2026-03-16 20"]
    assert courses(handed_out("d", "01-15", 30, 20)) == [
        "2026-01-15 2026-02-13 20", "2026-02-14 2026-03-15 0-20", "2026-03-16 2026-03-16 0",
    ]  # fmt: skip
    assert courses(handed_out("d", "01-15", None, 20)) == ["2026-01-15 2026-01-15 20", "2026-01-16 2026-03-16 0-20"]
    assert courses(handed_out("d", "01-15", 90)) == ["2026-01-15 2026-03-16 0-any"]


def test_a_dispense_without_a_dose_takes_nothing_from_another_record_of_the_drug() -> None:
    assert courses(statement("s", 20, "01-05"), handed_out("d", "02-01")) == ["2026-01-05 2026-03-16 20"]
    ended = statement("s", 20, "01-05", "01-20")
    assert courses(ended, handed_out("d", "02-01", 60))[-1] == "2026-02-01 2026-03-16 0-any"
    later = statement("s", 20, "02-10")
    assert courses(later, handed_out("d", "02-01", 60))[0] == "2026-02-01 2026-02-09 0-any"
    denied = statement("s", 20, "01-05", standing=Standing.NOT_TAKEN)
    assert courses(denied, handed_out("d", "02-01", 60))[-1] == "2026-02-01 2026-03-16 0-any"


def test_a_supply_that_was_perhaps_not_handed_over_or_is_of_another_drug_proves_nothing() -> None:
    plain = ["2026-01-05 2026-03-16 20"]
    perhaps = replace(handed_out("d", "01-05"), standing=Standing.POSSIBLE)
    assert courses(order("o", 20, "01-05"), perhaps) == plain
    assert courses(order("o", 20, "01-05"), handed_out("d", "01-05", None)) == plain
    undated = replace(handed_out("d", "01-05"), begins=None)
    assert courses(order("o", 20, "01-05"), undated) == plain
    assert courses(order("o", 20, "01-05"), handed_out("d", "01-05", of="x")) == plain


def test_unequal_doses_of_an_order_and_its_supply_follow_the_supply_while_it_lasts() -> None:
    found = courses(order("o", 40, "01-05"), handed_out("d", "02-05", 90, step(20)))
    assert found == ["2026-01-05 2026-02-04 0-40", "2026-02-05 2026-03-16 20"]


def test_a_hole_that_was_carried_over_is_an_assumption() -> None:
    (late, *_) = doses(*with_dispenses([order("o", 20, "01-05"), handed_out("d", "01-10", 90)])).segments
    assert late.flags == {"assumed"}
    (prompt, *_) = doses(*with_dispenses([order("o", 20, "01-05"), handed_out("d", "01-05", 90)])).segments
    assert prompt.flags == frozenset()


def kept(*uses: MedicationUse) -> list[str]:
    return [use.reference for use in with_dispenses(uses)]


def test_a_supply_of_the_very_dose_that_was_ordered_tells_nothing_more() -> None:
    ordered = order("o", 20, "01-05")
    assert kept(ordered, handed_out("d", "01-05", dose=20)) == ["o"]
    assert kept(ordered, handed_out("d", "01-05", dose=10)) == ["o", "d"]


@pytest.mark.parametrize(("ended", "told"), [("01-31", ["s", "d"]), ("02-01", ["s"])])
def test_a_dispense_without_a_dose_on_the_last_day_of_another_record_tells_nothing_more(
    ended: str, told: list[str]
) -> None:
    assert kept(statement("s", 20, "01-05", ended), handed_out("d", "02-01")) == told


def test_another_drug_before_the_order_changes_nothing() -> None:
    other = order("x", 20, "01-01", drug="hydrocortisone")
    assert kept(other, order("o", 20, "01-05"), handed_out("d", "01-05", dose=20)) == ["x", "o"]


def test_a_supply_of_another_order_tells_more() -> None:
    assert kept(order("o", 20, "01-05"), handed_out("d", "02-01", dose=20, of="another")) == ["o", "d"]


def test_an_order_that_states_its_end_is_not_changed_by_the_dose_that_was_handed_out() -> None:
    assert kept(order("o", 20, "01-05", "01-31"), handed_out("d", "01-05", dose=10)) == ["o"]


def test_a_supply_with_a_dose_beside_an_instruction_without_one_is_not_silent() -> None:
    supply = replace(handed_out("d", "01-15", of="another"), steps=(SILENT, step(20)))
    assert kept(order("o", 20, "01-05"), supply) == ["o", "d"]
    assert kept(order("o", 20, "01-05"), handed_out("d", "01-15", of="another")) == ["o"]
