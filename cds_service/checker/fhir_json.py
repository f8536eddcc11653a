"""Whether a resource is valid FHIR JSON, in any version in which the validator knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import ValidationError

# The name of R5 is that of the library itself.
_VERSIONS = ("R4B.", "", "STU3.")
_TYPE = re.compile("[A-Z][A-Za-z]+")


def why_invalid(resource: Mapping[str, Any]) -> str | None:
    """None when the resource is valid in some version of FHIR, else the first thing that is wrong in R4.

    The words name the place and the kind of fault, never the content.
    """
    first = ""
    for version in _VERSIONS:
        try:
            _model(str(resource["resourceType"]), version).model_validate(dict(resource))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
            first = first or ".".join(map(str, fault["loc"])) + f": {fault['type']}"
        except (ImportError, AttributeError):
            first = first or "no such type of resource"
        else:
            return None
    return first


def _model(kind: str, version: str) -> Any:
    """The model of a type of resource. Raises ImportError or AttributeError when that version has none."""
    if not _TYPE.fullmatch(kind):
        raise ImportError
    return getattr(import_module(f"fhir.resources.{version}{kind.lower()}"), kind)
