"""General pharmacology and laboratory numbers, each table with its source; nothing belongs to a trial."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent


@cache
def table(name: str) -> dict[str, Any]:
    """The table `name`.yaml, read once."""
    loaded = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return dict(loaded)


def table_texts() -> list[tuple[str, bytes]]:
    """Every table's file name and bytes, in order: what a ruleset's hash covers."""
    return [(path.name, path.read_bytes()) for path in sorted(_FOLDER.glob("*.yaml"))]
