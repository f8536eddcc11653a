"""General pharmacology and laboratory numbers, each table with its source; nothing belongs to a trial."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.clinical.tables.shape import SHAPES, Table
from cds_service.strict_yaml import parsed, read_yaml

_FOLDER = Path(__file__).parent


@cache
def table(name: str) -> dict[str, Any]:
    """The table `name`.yaml, read once. Raises MalformedFile when it is not as it must be."""
    return checked(name, (_FOLDER / f"{name}.yaml").read_bytes())


def checked(name: str, content: bytes) -> dict[str, Any]:
    """The content of a table. Raises MalformedFile for repeated, unknown or missing keys and for wrong values."""
    loaded = read_yaml(f"{name}.yaml", content)
    parsed(SHAPES.get(name, Table), f"{name}.yaml", loaded)
    return dict(loaded)


@cache
def every_table() -> Mapping[str, Mapping[str, Any]]:
    """Every table by its name."""
    return {path.stem: table(path.stem) for path in sorted(_FOLDER.glob("*.yaml"))}


def table_texts() -> list[tuple[str, bytes]]:
    """Every table's file name and bytes, in order: what a ruleset's hash covers."""
    return [(path.name, path.read_bytes()) for path in sorted(_FOLDER.glob("*.yaml"))]
