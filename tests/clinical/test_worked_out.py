"""Counts and percentages worked out from other results of the same sample."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.clinical.interval import Interval
from cds_service.clinical.labs import Chosen, Result
from cds_service.clinical.worked_out import computed, proportion, same_sample
from tests.clinical.builders import day, exactly, result, span

PERCENTAGES = [("neutrophils-percent",), ("segs-percent", "bands-percent")]
COUNTS = [("segs", "bands")]


def of(analyte: str, value: Interval | int | str, on: str = "03-10", sample: str | None = "a", **parts: Any) -> Result:
    return result(analyte, value, on, parts.pop("reference", f"Observation/{analyte}"), specimen=sample, **parts)


def count(*results: Result) -> Chosen | None:
    return computed(results, "wbc", PERCENTAGES, COUNTS)


def test_a_total_times_the_percentage_of_its_sample() -> None:
    total, share = of("wbc", 5), of("neutrophils-percent", 60)
    assert count(total, share) == Chosen((total, share), exactly(3), day("03-10"), disagree=False)


def test_several_percentages_of_a_sample_add_up_and_so_do_counts() -> None:
    total, segs, bands = of("wbc", 5), of("segs-percent", 50), of("bands-percent", 10)
    assert count(total, segs, bands) == Chosen((total, segs, bands), exactly(3), day("03-10"), disagree=False)
    counts = of("segs", "2.5"), of("bands", "0.5")
    assert count(*counts) == Chosen(counts, exactly(3), day("03-10"), disagree=False)


def test_nothing_comes_out_of_half_or_of_two_samples() -> None:
    assert count(of("wbc", 5)) is None
    assert count(of("wbc", 5), of("segs-percent", 50)) is None
    assert count(of("wbc", 5), of("neutrophils-percent", 60, sample="b")) is None
    assert count() is None


@pytest.mark.parametrize(("share", "comes_out"), [(100, True), (101, False), (span(90, 110), True)])
def test_more_than_all_of_it_is_a_slip(share: Interval | int, comes_out: bool) -> None:
    assert (count(of("wbc", 5), of("neutrophils-percent", share)) is not None) is comes_out


def test_it_is_dated_by_the_total_and_the_newest_counts() -> None:
    """A percentage may be reported on the day after."""
    total, share = of("wbc", 5, "03-09"), of("neutrophils-percent", 60, "03-10")
    assert count(total, share) == Chosen((total, share), exactly(3), day("03-09"), disagree=False)
    newer = of("wbc", 4, "03-10", "b"), of("neutrophils-percent", 50, "03-09", "b")
    assert count(total, share, *newer) == Chosen(newer, exactly(2), day("03-10"), disagree=False)


def test_two_ways_of_one_day_that_differ_are_one_range_and_disagree() -> None:
    total, share = of("wbc", 5), of("neutrophils-percent", 60)
    other = of("neutrophils-percent", 40, reference="Observation/other")
    found = count(total, share, other)
    assert found is not None
    assert (found.quantity, found.disagree) == (span(2, 3), True)
    assert sorted(part.reference for part in found.results) == [
        "Observation/neutrophils-percent", "Observation/other", "Observation/wbc",
    ]  # fmt: skip
    same = of("neutrophils-percent", 60, reference="Observation/other")
    again = count(total, share, same)
    assert again is not None
    assert (again.quantity, again.disagree) == (exactly(3), False)


@pytest.mark.parametrize("doubt", ["preliminary", "estimated"])
def test_a_final_count_goes_before_one_with_a_part_that_is_not(doubt: str) -> None:
    total, share = of("wbc", 5), of("neutrophils-percent", 60)
    other = of("neutrophils-percent", 40, reference="Observation/other")
    doubted = replace(other, preliminary=doubt == "preliminary", estimated=doubt == "estimated")
    assert count(total, share, doubted) == Chosen((total, share), exactly(3), day("03-10"), disagree=False)
    assert count(total, doubted) == Chosen((total, doubted), exactly(2), day("03-10"), disagree=False)


def test_a_measured_volume_in_per_cent_of_the_predicted_one() -> None:
    measured, expected = of("fev1-volume", "1.6"), of("fev1-predicted", "3.2")
    found = proportion((expected, measured), "fev1-volume", "fev1-predicted")
    assert found == Chosen((measured, expected), exactly(50), day("03-10"), disagree=False)
    assert proportion((measured,), "fev1-volume", "fev1-predicted") is None


@pytest.mark.parametrize(
    ("specimens", "ties", "same"),
    [
        (("a", "a"), ("", ""), True),
        (("a", "b"), ("r", "r"), False),
        (("a", None), ("r", "r"), True),
        ((None, "a"), ("r", "r"), True),
        ((None, None), ("r", "r"), True),
        ((None, None), ("rq", "qs"), True),
        (("a", None), ("r", "s"), False),
        ((None, None), ("r", "s"), False),
        ((None, None), ("", ""), False),
    ],
)
def test_one_sample_is_one_specimen_or_one_report(
    specimens: tuple[str | None, str | None], ties: tuple[str, str], same: bool
) -> None:
    one, other = (of("wbc", 5, sample=name, tied=frozenset(tie)) for name, tie in zip(specimens, ties, strict=True))
    assert same_sample(one, other) is same
