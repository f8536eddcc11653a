"""What must hold of every record, held against records that are drawn at random.

The same records are drawn every time; `run.py test --deep` draws many more of them.
"""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trials.drawn import Drawn, as_others, drawn_records, losses_of
from tests.trials.losses import assert_not_helped
from tests.trials.record_of import as_json, printed

_LOSSES = 6


def examples(count: int) -> settings:
    """So many records, times what the profile asks for beyond hypothesis' own hundred."""
    deeper = max(1, settings.default.max_examples // 100) if settings.default else 1
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count * deeper, derandomize=True, deadline=None, suppress_health_check=slow)


@examples(130)
@given(record=drawn_records(), data=st.data())
def test_a_loss_makes_nothing_pass_and_nothing_fail(record: Drawn, data: st.DataObject) -> None:
    before = record.screened(record.answers)
    for loss in data.draw(st.lists(losses_of(record), min_size=_LOSSES, max_size=_LOSSES)):
        assert_not_helped(before, record.screened(loss.answers, loss.states), loss)


@examples(40)
@given(record=drawn_records(), seed=st.integers(0, 2**32))
def test_the_order_of_entries_changes_no_byte(record: Drawn, seed: int) -> None:
    shuffled = {key: random.Random(seed).sample(r, len(r)) for key, r in record.answers.items()}
    first, second = (as_json(printed(record.screened(answers))) for answers in (record.answers, shuffled))
    assert first == second


@examples(40)
@given(record=drawn_records(), other=drawn_records())
def test_what_is_another_patients_is_listed_and_changes_nothing_else(record: Drawn, other: Drawn) -> None:
    theirs = as_others(other.answers, "x")
    mixed = {key: [*resources, *theirs.get(key, [])] for key, resources in record.answers.items()}
    before, after = printed(record.screened(record.answers)), printed(record.screened(mixed))
    listed = [one for one in after.pop("skipped") if one["reason"] != "other-patient"]
    assert listed == before.pop("skipped")
    assert after == before
