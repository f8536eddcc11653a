"""The files of a protocol, read strictly."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from cds_service import strict_yaml
from cds_service.strict_yaml import MalformedFile

P = TypeVar("P", bound=BaseModel)


class MalformedProtocol(MalformedFile):
    """A protocol file is not as it must be. The message names the file, the place and what was expected."""


def read(name: str, content: bytes) -> Any:
    """What the file says. Raises MalformedProtocol for what is not YAML and for a key that stands twice."""
    try:
        return strict_yaml.read_yaml(name, content)
    except MalformedFile as error:
        raise MalformedProtocol(str(error)) from None


def parsed(kind: type[P], place: str, row: Any) -> P:
    """The row as `kind`. Raises MalformedProtocol that names the first key that is unknown, missing or wrong."""
    try:
        return strict_yaml.parsed(kind, place, row)
    except MalformedFile as error:
        raise MalformedProtocol(str(error)) from None
