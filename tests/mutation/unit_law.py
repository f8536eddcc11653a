"""Whether the unit tests of the clinical arithmetic notice that something was changed, called directly.

Only tests without fixtures are called, once for each row of their table; drawn examples (hypothesis) are not, nor
tests that may be skipped.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from inspect import signature
from itertools import product
from pathlib import Path
from typing import Any

from _pytest.mark.structures import ParameterSet

_FOLDER = Path(__file__).parents[1] / "clinical"


@cache
def checks() -> tuple[tuple[str, Callable[[], None]], ...]:
    """Every row of every such test with the test's name."""
    names = sorted(path.stem for path in _FOLDER.glob("test_*.py"))
    return tuple(check for name in names for check in _checks_of(f"tests.clinical.{name}"))


def _checks_of(module: str) -> Iterator[tuple[str, Callable[[], None]]]:
    for name, test in vars(importlib.import_module(module)).items():
        marks = getattr(test, "pytestmark", ())
        left_out = hasattr(test, "is_hypothesis_test") or any(mark.name.startswith("skip") for mark in marks)
        if name.startswith("test_") and callable(test) and not left_out:
            tables = [list(_rows(mark)) for mark in marks if mark.name == "parametrize"]
            for rows in product(*tables):
                arguments = {key: value for row in rows for key, value in row.items()}
                if set(signature(test).parameters) == set(arguments):
                    yield f"{module}::{name}", partial(test, **arguments)


def _rows(mark: Any) -> Iterator[dict[str, Any]]:
    names, table = mark.args[:2]
    keys: Sequence[str] = [one.strip() for one in names.split(",")] if isinstance(names, str) else names
    for row in table:
        values = row.values if isinstance(row, ParameterSet) else row if len(keys) > 1 else (row,)
        yield dict(zip(keys, values, strict=True))


def first_objection() -> str | None:
    """The first test that fails; None when all still hold."""
    for name, check in checks():
        try:
            check()
        except BaseException:  # a failed pytest.raises is no Exception
            return name
    return None
