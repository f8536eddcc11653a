"""What several records of one drug say together of when it was begun and last given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.clinical.medications import MedicationUse
from cds_service.trials.rules.new_therapy import therapy_of
from cds_service.trials.rules.washout import last_dose
from tests.clinical.builders import AS_OF, day, given, order, statement, step, when


def days(*uses: MedicationUse) -> tuple[date | None, date | None]:
    found = therapy_of("ruxolitinib", [replace(use, drug="ruxolitinib") for use in uses], AS_OF)
    return found.last_sure, found.last_possible


def test_a_record_all_of_whose_doses_lie_ahead_has_no_last_dose() -> None:
    ahead = order("r", step(10, first="03-20", last="04-20"), "03-10")
    assert days(ahead) == (None, None)


def test_the_last_of_all_doses_counts_and_a_start_only_where_each_record_states_one() -> None:
    over, later = statement("s", 10, "01-05", "01-20"), statement("t", 10, "02-01", "02-10")
    assert days(over, later) == (day("02-10"), day("02-10"))
    uses = [replace(use, drug="ruxolitinib") for use in (later, over)]
    assert therapy_of("ruxolitinib", uses, AS_OF).started == when("01-05")
    assert therapy_of("ruxolitinib", [*uses, replace(uses[0], begins=None)], AS_OF).started is None


@pytest.mark.parametrize(
    ("use", "events"),
    [
        (statement("s", 10, "03-01", "03-10"), [(day("03-10"), True)]),
        (statement("s", 10, "03-10", "03-01"), [(AS_OF, False)]),
        (given("g", 10, "03-10"), [(day("03-10"), True)]),
        (replace(given("g", 10, "03-10"), begins=None), [(day("03-10"), True)]),
        (replace(given("g", 10, AS_OF), begins=None), [(AS_OF, True)]),
        (replace(given("g", 10, "03-10"), ends=when("04-01")), [(AS_OF, True)]),
    ],
    ids=["a report", "a report that ends before it begins", "a dose", "a dose of which the end alone is known",
         "one that ends today", "one that goes on"],
)  # fmt: skip
def test_the_last_sure_and_the_last_possible_day_of_a_record(
    use: MedicationUse, events: list[tuple[date, bool]]
) -> None:
    assert [(event.when and event.when.last, event.sure) for event in last_dose(use, AS_OF)] == events
