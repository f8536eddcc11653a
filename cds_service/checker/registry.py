"""The checks, each registered under the requirement that it tries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cds_service.checker.requirement import requirements
from cds_service.checker.result import Seen
from cds_service.checker.subject import Subject

Check = Callable[[Subject], Iterable[Seen]]
_CHECKS: dict[str, Check] = {}
_LAST: set[str] = set()


def check(requirement_id: str, last: bool = False) -> Callable[[Check], Check]:
    """Registers a check under the requirement that it tries; `last`, when it looks at all that came back.

    Raises ValueError when there is no such requirement, or none that is still to be tried.
    """
    if requirement_id not in requirements() or requirement_id in _CHECKS or requirements()[requirement_id].skipped:
        raise ValueError(f"{requirement_id} is no requirement that is still to be checked")

    def register(function: Check) -> Check:
        _CHECKS[requirement_id] = function
        if last:
            _LAST.add(requirement_id)
        return function

    return register


def checks() -> Mapping[str, Check]:
    """All checks by requirement, in the order in which they are made."""
    return dict(sorted(_CHECKS.items(), key=lambda row: row[0] in _LAST))
