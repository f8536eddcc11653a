"""What the benchmark makes of its figures."""

from __future__ import annotations

import pytest

from benchmarks.measure import Cell, cpu_ratio, percentile
from benchmarks.report import TARGETS, Outcome, outcomes, table
from benchmarks.servers import FLOOR, OURS
from tests.benchmarks.test_bodies import BODIES


def cells(ratio: float) -> dict[str, dict[str, Cell]]:
    """Our service at so many times the floor, in every body."""
    floor = Cell([0.001, 0.002], [0.001] * 200, 100)
    ours = Cell([0.001 * ratio, 0.002 * ratio], [0.001 * ratio] * 200, 100 / ratio)
    return {name: {FLOOR.name: floor, OURS.name: ours} for name in TARGETS}


def test_batches_are_compared_with_those_that_ran_beside_them() -> None:
    """A machine that slows down for a while changes no ratio."""
    assert cpu_ratio(Cell([2.0, 20.0, 2.0]), Cell([1.0, 10.0, 1.0])) == 2


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(range(1, 101), share) == value


@pytest.mark.parametrize(("measured", "held"), [(1.5, True), (1.51, False)])
def test_a_target_is_held_up_to_its_limit(measured: float, held: bool) -> None:
    outcome = Outcome("a", "CPU", measured, 1.5)
    assert outcome.is_held is held
    assert str(outcome).endswith("held" if held else "MISSED")


def test_every_body_has_its_targets() -> None:
    assert list(TARGETS) == list(BODIES)
    assert all(outcome.is_held for outcome in outcomes(cells(0.9)))
    assert {outcome.body for outcome in outcomes(cells(1.4)) if not outcome.is_held} == {"b", "c"}
    assert not any(outcome.is_held for outcome in outcomes(cells(6.1)))


def test_the_table_has_a_row_for_each_service_and_body() -> None:
    lines = list(table(list(BODIES.values()), cells(2.0), {FLOOR.name: 100, OURS.name: 150}))
    rows = [line for line in lines if "bytes" in line]
    assert len(rows) == len(BODIES) * 2
    assert "| trialhook | 3.00 | 2.00 | 2.00 | 2.00 | 2.00 | 50 | 0.50 |" in rows[1]
    assert "150 MB (1.50)" in lines[-1]
