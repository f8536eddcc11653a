"""Our own YAML, read strictly: what is wrong in a file is refused with its file, its place and what fits."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

try:
    # libyaml reads our code sets many times faster; PyYAML may have been built without it.
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

P = TypeVar("P", bound=BaseModel)
_MERGE = "tag:yaml.org,2002:merge"


class MalformedFile(Exception):
    """A file of ours is not as it must be. The message names the file, the place and what was expected."""


class _StrictLoader(SafeLoader):
    """YAML in which a key stands once: the usual loader would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        place = node.start_mark.line + 1
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != _MERGE]
        if not all(isinstance(key, Hashable) for key in keys):
            raise MalformedFile(f"in what begins at line {place} a key is a list or a map; expected a word")
        repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
        if repeated:
            raise MalformedFile(f"in what begins at line {place} the key {repeated[0]!r} stands twice")
        return super().construct_mapping(node, deep)


def read_yaml(name: str, content: bytes) -> Any:
    """What the file says. Raises MalformedFile for what is not YAML and for a key that stands twice."""
    try:
        return yaml.load(content, Loader=_StrictLoader)
    except MalformedFile as error:
        raise MalformedFile(f"{name}: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # bytes that are not UTF-8, 2026-02-30
        raise MalformedFile(f"{name}: expected YAML in UTF-8: {error}") from None


def parsed(kind: type[P], place: str, row: Any) -> P:
    """The row as `kind`. Raises MalformedFile that names the first key that is unknown, missing or wrong."""
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "as a whole"
        raise MalformedFile(f"{place}, {where}: {_expected(first, kind)}") from None


def _expected(error: ErrorDetails, kind: type[BaseModel]) -> str:
    known = f"; expected some of {', '.join(kind.model_fields)}" if len(error["loc"]) == 1 else ""
    if error["type"] == "extra_forbidden":
        return f"this key is not known{known}"
    if error["type"] == "missing":
        return "this key is missing"
    return error["msg"].removeprefix("Value error, ")
