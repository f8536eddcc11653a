"""The records that the server holds, as they are on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

Resource = Mapping[str, Any]


class Chart(Protocol):
    """The record of one patient, whose dates move with the day."""

    @property
    def patient_id(self) -> str: ...
    def resources(self, today: date) -> Sequence[Resource]: ...


@dataclass(frozen=True, slots=True)
class Filed:
    """A resource, and the patient in whose chart it lies; nobody's when it is about no patient.

    The chart decides, not the resource: a story may tell of a record that holds another patient's data.
    """

    resource: Resource
    patient_id: str | None

    @property
    def id(self) -> str:
        return str(self.resource["id"])


class Archive:
    """The charts, and resources that belong to no chart, by type in the order in which they were handed in."""

    def __init__(self, charts: Iterable[Chart], others: Iterable[Resource] = ()) -> None:
        self._charts = tuple(charts)
        self._others = tuple(others)
        # A search is paged within two days at most: that on which it began, and the next.
        self._on = lru_cache(maxsize=2)(self._filed)

    def of_type(self, type_name: str, day: date) -> Sequence[Filed]:
        """Everything of the type, as it is on the day."""
        return self._on(day).get(type_name, [])

    def find(self, type_name: str, resource_id: str, day: date) -> Resource | None:
        """The resource of the type and id; None when there is none."""
        return next((one.resource for one in self.of_type(type_name, day) if one.id == resource_id), None)

    def _filed(self, day: date) -> Mapping[str, Sequence[Filed]]:
        shelves: dict[str, list[Filed]] = {}
        in_charts = [Filed(one, chart.patient_id) for chart in self._charts for one in chart.resources(day)]
        for one in [*in_charts, *(Filed(other, None) for other in self._others)]:
            shelves.setdefault(one.resource["resourceType"], []).append(one)
        return shelves
