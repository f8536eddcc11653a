"""The stories' titles and lines in other languages than English."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cds_service.strict_yaml import read_yaml

_FOLDER = Path(__file__).parent
# Language -> id of a story -> "title" and "line".
Told = Mapping[str, Mapping[str, Mapping[str, str]]]


@cache
def told_in_other_languages() -> Told:
    """Every language that the stories are told in besides English."""
    return {path.stem: read_yaml(path.name, path.read_bytes()) for path in [_FOLDER / "zh-CN.yaml"]}
