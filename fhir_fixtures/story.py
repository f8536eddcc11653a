"""The stories: one named synthetic patient each, with the record of any day and the verdict it must get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from fhir_fixtures.hook_request import bundle_of, hook_request_of
from fhir_fixtures.relative_dates import dated
from fhir_fixtures.sheets import (
    FOLDER,
    MalformedStory,
    Resource,
    Sheet,
    Status,
    Verdict,
    read_sheet,
    resources_of,
)

SYNTHETIC = {"system": "urn:trialhook:record", "code": "synthetic", "display": "Invented: no real person"}
# Where a resource names the patient that it is about, when that is not `subject`.
_PATIENT_ELEMENT = {"AllergyIntolerance": "patient", "ResearchSubject": "individual"}


@dataclass(frozen=True)
class Story:
    """A synthetic patient and what the screening must say of it.

    `criteria` are the statuses that the story is about, not all of them; `recheck` is the verdict's expected
    recheckOn as days after the index date.
    """

    id: str
    title: str
    line: str
    verdict: Verdict
    shows_card: bool
    criteria: Mapping[str, Status]
    recheck: int | None
    templates: tuple[tuple[Resource, timedelta], ...]

    @property
    def patient_id(self) -> str:
        """The id of the one Patient that the story is about: that of the story."""
        return self.id

    def bundle(self, today: date) -> dict[str, Any]:
        """The whole record as a collection Bundle, dated for the index date `today`."""
        return bundle_of("collection", self.resources(today))

    def hook_request(self, today: date) -> dict[str, Any]:
        """What an EHR sends when this patient's chart is opened on `today`, with every prefetch key."""
        return hook_request_of(self.id, self.patient_id, self.resources(today))

    def resources(self, today: date) -> list[Resource]:
        """The whole record, dated for the index date `today`."""
        return [self._resource(template, today - earlier) for template, earlier in self.templates]

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        """What each resource of the record is called in the sheet -> its id, which no other story has.

        One FHIR server can hold all stories at once.
        """
        ids = {}
        for one, _ in self.templates:
            is_patient = one["resourceType"] == "Patient"
            ids[f"{one['resourceType']}/{one['id']}"] = self.id if is_patient else f"{self.id}-{one['id']}"
        return ids

    def _resource(self, template: Resource, today: date) -> Resource:
        """The resource with its dates, marked as synthetic; this patient's unless it says whose it is."""
        written = self._addressed(dated(template, today))
        assert isinstance(written, dict)
        if written["resourceType"] != "Patient":
            element = _PATIENT_ELEMENT.get(written["resourceType"], "subject")
            written.setdefault(element, {"reference": f"Patient/{self.patient_id}"})
        head = {
            "resourceType": written["resourceType"],
            "id": self._ids[f"{template['resourceType']}/{template['id']}"],
            "meta": {"tag": [dict(SYNTHETIC)]},
        }
        return head | written | {"id": head["id"]}

    def _addressed(self, value: object) -> object:
        """The value with every reference inside the record leading to the id that the resource gets."""
        if isinstance(value, list):
            return [self._addressed(one) for one in value]
        if not isinstance(value, dict):
            return value
        inside = {key: self._addressed(one) for key, one in value.items()}
        kind, _, local = str(value.get("reference", "")).partition("/")
        if named := self._ids.get(f"{kind}/{local}"):
            inside["reference"] = f"{kind}/{named}"
        return inside


@cache
def load_stories() -> tuple[Story, ...]:
    """Every story, in the order of the numbers of their files. Raises MalformedStory."""
    stories = tuple(_story(read_sheet(path)) for path in sorted((FOLDER / "stories").glob("*.yaml")))
    names = [one.id for one in stories]
    if len(names) > len(set(names)):
        raise MalformedStory("two stories have the same id")
    return stories


def story(story_id: str) -> Story:
    """The story of that id. Raises KeyError when there is none."""
    return {one.id: one for one in load_stories()}[story_id]


def _story(sheet: Sheet) -> Story:
    return Story(
        sheet.id, sheet.title, sheet.line, sheet.verdict, sheet.card, MappingProxyType(dict(sheet.criteria)),
        sheet.recheck, tuple(resources_of(sheet)),
    )  # fmt: skip


__all__ = ["MalformedStory", "Story", "load_stories", "story"]
