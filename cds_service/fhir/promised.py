"""Results whose value is worked out when somebody asks: of the hundreds in a record only the newest few count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from cds_service.clinical.dates import DayRange
from cds_service.clinical.labs import Result

_READ = frozenset(field.name for field in fields(Result)) - {"reference", "analyte", "when"}
_PUT = object.__setattr__  # a result is frozen


class Promised(Result):
    """A result of which only reference, analyte and days are known yet; whatever else is asked for is read then, once.

    `read` must give a result with the same reference, analyte and days.
    """

    __slots__ = ("_read",)
    _read: Callable[[], Result]

    @classmethod
    def of(cls, reference: str, analyte: str, when: DayRange, read: Callable[[], Result]) -> Promised:
        made = object.__new__(cls)
        _PUT(made, "reference", reference)
        _PUT(made, "analyte", analyte)
        _PUT(made, "when", when)
        _PUT(made, "_read", read)
        return made

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet: a slot that nothing was put into."""
        if name not in _READ:
            raise AttributeError(name)
        read = self._read()
        for element in _READ:
            _PUT(self, element, getattr(read, element))
        return getattr(read, name)
