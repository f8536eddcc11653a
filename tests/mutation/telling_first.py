"""The order in which tests judge a change of the code: those first that tell most about the function it is in.

A plugin of pytest that mutmut loads. A test that runs few of the changed functions is about them; one that screens a
whole record runs nearly all, and mostly finds nothing that a case of one criterion has not found.
"""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from mutmut.state import state  # noqa: PLC0415 - only there where mutmut runs

    runs = Counter(test for tests in state().tests_by_mangled_function_name.values() for test in tests)
    seconds = state().duration_by_test
    items.sort(key=lambda item: (runs[item.nodeid], seconds.get(item.nodeid, 0)))
