"""The case law: every criterion's table of cases, each a patient in shorthand and the answer it must get.

What a case does not state must not be there: no flag, no cure, no date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.trials.record_of import SCREENED_ON, CaseLoader, criterion, screened

TABLES = Path(__file__).parents[1] / "criteria"
DECIDED = (
    "AGE", "SEX", "I01", "I02.dx", "I02.sev", "I02a", "I02b", "I03a", "I03b", "I03c", "I04", "I05", "I06a", "I06b",
    "I06b.ecg", "I06c", "I06d.bil", "I06d.alt", "I06d.ast", "I07a", "I07b", "D03", "E01", "E02", "E04", "E05a",
    "E05b", "E05c", "E05d", "E05e", "E05f", "E06", "E07", "E08", "E09", "E10", "E11", "E12", "E13", "E14", "E15",
    "E16", "E17", "E18",
)  # fmt: skip


@dataclass(frozen=True)
class Ruling:
    """One case: the facts, and what the criterion must say of them."""

    criterion: str
    name: str
    status: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    curable: str | None = None
    recheckOn: date | None = None  # noqa: N815 - as the contract spells it
    reason: str | None = None
    asOf: date = SCREENED_ON  # noqa: N815
    infusionOn: date | None = None  # noqa: N815

    def __str__(self) -> str:
        return f"{self.criterion}: {self.name}"


def tables() -> dict[str, dict[str, Any]]:
    return {path.stem: yaml.load(path.read_bytes(), Loader=CaseLoader) for path in sorted(TABLES.glob("*.yaml"))}


def rulings() -> Iterator[Ruling]:
    for name, table in tables().items():
        yield from (Ruling(name, **row) for row in table["cases"])


@pytest.mark.parametrize("ruling", list(rulings()), ids=str)
def test_case(ruling: Ruling) -> None:
    found = criterion(screened(ruling.facts, ruling.asOf, ruling.infusionOn), ruling.criterion)
    answer = (found["status"], set(found["flags"]), found["curable"], found["recheckOn"])
    recheck = ruling.recheckOn.isoformat() if ruling.recheckOn else None
    assert answer == (ruling.status, set(ruling.flags), ruling.curable, recheck), found["because"]
    if ruling.reason:
        assert found["reason"]["code"] == ruling.reason, found["because"]


def test_every_criterion_that_is_decided_has_a_table() -> None:
    assert set(DECIDED) <= set(tables())


@pytest.mark.parametrize("name", list(tables()))
def test_a_table_has_cases_for_every_status_that_the_criterion_can_take(name: str) -> None:
    table = tables()[name]
    assert {row["status"] for row in table["cases"]} == set(table["can_be"])


@pytest.mark.parametrize("name", list(tables()))
def test_the_names_of_cases_are_sentences_and_tell_them_apart(name: str) -> None:
    names = [row["name"] for row in tables()[name]["cases"]]
    assert len(set(names)) == len(names)
    assert all(len(one.split()) >= 4 for one in names)
