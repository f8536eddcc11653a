"""The YAML sheets of the stories and of the fragments that they share, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FOLDER = Path(__file__).parent
Resource = dict[str, Any]
Verdict = Literal["not-applicable", "ruled-out", "not-yet", "needs-review", "candidate"]
Status = Literal["pass", "fail", "review", "unknown", "human"]


class MalformedStory(Exception):
    """A sheet is not as it must be. The message names the file, the place and what was expected."""


class Fragment(BaseModel):
    """Resources that a sheet takes from fragments.yaml, `earlier` by so many days than they stand there."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    fragment: str
    earlier: int = 0


class Sheet(BaseModel):
    """One story file as written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str
    title: str
    line: str
    verdict: Verdict
    card: bool
    criteria: Mapping[str, Status]
    recheck: int | None = None
    includes: list[str | Fragment] = Field(default_factory=list)
    resources: list[Resource]


class _ExactLoader(yaml.SafeLoader):
    """YAML in which a number is what is written, a date stays text, and a key stands once."""

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        number = float(node.value)
        if repr(number) != node.value:
            raise MalformedStory(f"line {node.start_mark.line + 1}: write {node.value} as {number!r}, as JSON will")
        return number

    def construct_text(self, node: yaml.ScalarNode) -> str:
        return str(node.value)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if len(keys) > len(set(keys)):
            raise MalformedStory(f"line {node.start_mark.line + 1}: a key stands twice")
        return super().construct_mapping(node, deep)


_ExactLoader.add_constructor("tag:yaml.org,2002:float", _ExactLoader.construct_yaml_float)
_ExactLoader.add_constructor("tag:yaml.org,2002:timestamp", _ExactLoader.construct_text)


def read_sheet(path: Path) -> Sheet:
    """The story in a file. Raises MalformedStory for anything that is not understood."""
    try:
        sheet = Sheet.model_validate(_document(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedStory(f"{path.name}, {place or 'whole'}: {first['msg']}") from None
    if not path.stem.endswith(f"-{sheet.id}"):
        raise MalformedStory(f"{path.name}: expected a number and the id, such as 01-{sheet.id}.yaml")
    return sheet


def resources_of(sheet: Sheet) -> list[tuple[Resource, timedelta]]:
    """The sheet's resources, those of its fragments first, each with how much earlier it is dated.

    A resource of the sheet takes the place of the one of the same type and id in a fragment.
    """
    own = {(one.get("resourceType"), one.get("id")) for one in sheet.resources}
    shared = [
        (resource, timedelta(days=part.earlier))
        for part in (Fragment(fragment=one) if isinstance(one, str) else one for one in sheet.includes)
        for resource in _fragment(sheet, part.fragment)
        if (resource["resourceType"], resource["id"]) not in own
    ]
    return shared + [(one, timedelta()) for one in sheet.resources]


def _fragment(sheet: Sheet, name: str) -> list[Resource]:
    fragments = _fragments()
    if name not in fragments:
        raise MalformedStory(f"{sheet.id}: fragments.yaml has no {name!r}, only {', '.join(fragments)}")
    return fragments[name]


@cache
def _fragments() -> dict[str, list[Resource]]:
    fragments: dict[str, list[Resource]] = _document(FOLDER / "fragments.yaml")
    return fragments


def _document(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_ExactLoader)
    except MalformedStory as error:
        raise MalformedStory(f"{path.name}, {error}") from None
    except yaml.YAMLError as error:
        raise MalformedStory(f"{path.name}: not YAML: {error}") from None
