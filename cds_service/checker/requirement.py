"""The requirements in their order, as `requirements.yaml` states them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cds_service.strict_yaml import parsed, read_yaml

Level = Literal["SHALL", "SHOULD", "MAY", "BP", "IMPL", "CLIENT"]
Words = Annotated[str, Field(min_length=1)]
_FILE = Path(__file__).with_name("requirements.yaml")


class Requirement(BaseModel):
    """One row. `skipped` is the reason why it is never tried; `group` is the heading that it stands under."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    id: Words
    level: Level
    text: Words
    versions: Words | None = None
    skipped: Words | None = None
    group: str = ""


@cache
def requirements() -> dict[str, Requirement]:
    """All requirements by their id. Raises MalformedFile."""
    found: dict[str, Requirement] = {}
    for group in read_yaml(_FILE.name, _FILE.read_bytes()):
        for row in group["rows"]:
            one = parsed(Requirement, f"{_FILE.name}, {row['id']}", {**row, "group": group["group"]})
            found[one.id] = one
    return found
