"""What rules say of drafts: which records they look at."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from tests.trials.record_of import PROTOCOL, screened

RULES = {criterion.id: criterion.rule for criterion in PROTOCOL.criteria}


@pytest.mark.parametrize(
    ("criterion", "concepts", "read"),
    [
        ("E12", {"ruxolitinib"}, True),
        ("E12", {"filgrastim"}, False),
        ("E12", {"filgrastim", "ruxolitinib"}, True),
        ("I03a", {"prednisone"}, True),
        ("I03a", {"weight"}, True),
        ("I03a", {"filgrastim"}, False),
        ("I03a", {"filgrastim", "prednisone"}, True),
        ("I03a", (), False),
    ],
)
def test_a_rule_reads_records_of_what_it_is_about(criterion: str, concepts: Collection[str], read: bool) -> None:
    assert RULES[criterion].reads(screened({}).case, concepts) is read
