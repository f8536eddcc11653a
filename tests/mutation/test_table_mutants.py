"""Every number of general pharmacology and of the laboratory that an answer rests on: changed, a test notices.

First the case tables are asked, then the unit tests of the clinical arithmetic.

The unit table has its own second opinion in tests/clinical/test_units.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from cds_service.clinical import tables
from cds_service.clinical.tables import table
from tests.mutation.case_law import first_dissent, law
from tests.mutation.mutator import Mutant, mutants
from tests.mutation.test_protocol_mutants import equivalent
from tests.mutation.unit_law import checks, first_objection
from tests.trials.record_of import PROTOCOL

ELSEWHERE = {"units"}


@cache
def names() -> tuple[str, ...]:
    return tuple(name.removesuffix(".yaml") for name, _ in tables.table_texts() if name[:-5] not in ELSEWHERE)


def table_mutants() -> list[Mutant]:
    return [mutant for name in names() for mutant in mutants(f"{name}.yaml", table(name))]


def caches() -> Iterator[Any]:
    """What was worked out of a table once and is kept."""
    for name, module in list(sys.modules.items()):
        if name.startswith("cds_service.clinical") and module is not tables:
            kept = [one for one in vars(module).values() if hasattr(one, "cache_clear") and one is not table]
            yield from (one for one in kept if one.__module__ == name)


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Nothing worked out of a table outlives a change of it, and the unit tests are loaded before the first one."""
    checks()
    for one in caches():
        one.cache_clear()
    yield
    for one in caches():
        one.cache_clear()


def change(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes the table in place: who asked for it before sees the change, too."""
    rows = table(mutant.owner)
    key = str(mutant.path[0])
    monkeypatch.setitem(rows, key, mutant.applied_to(rows)[key])


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("mutant", table_mutants(), ids=str)
def test_a_case_or_a_unit_test_notices(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    change(mutant, monkeypatch)
    noticed = first_objection() or first_dissent(PROTOCOL, law(), anew=True)
    if reason := equivalent().get(str(mutant)):
        assert not noticed, f"{mutant} is noticed; take it off equivalent.yaml, which says: {reason}"
        return
    assert noticed, f"{mutant}: nothing notices; add a case at this bound, or say why none can"


def test_the_unit_tests_agree_before_anything_is_changed() -> None:
    """Otherwise a mutant would seem to be noticed by a test that always fails."""
    assert len(checks()) > 300
    assert first_objection() is None
