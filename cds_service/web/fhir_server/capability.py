"""What the server says of itself: its CapabilityStatement."""

from __future__ import annotations

from datetime import date
from typing import Any

from cds_service.web.fhir_server.parameters import parameters_of
from cds_service.web.fhir_server.resource_types import RESOURCE_TYPES
from cds_service.web.fhir_server.search import LARGEST_COUNT, USUAL_COUNT

_SUPPORTED = f"""\
Read and search only. Searches take the parameters listed for each type, `_sort` by any date parameter or `_id`, and
`_count` (usually {USUAL_COUNT}, at most {LARGEST_COUNT}; 0 for the total alone). Dates may be partial and have the
prefixes eq, ne, gt, lt, ge, le, sa and eb. Not supported: `_include`, `_revinclude`, chains, modifiers other than
`:Patient`, versions, `_summary`, `_elements`. Parameters that are not known are ignored and missing from the `self`
link, or refused with `Prefer: handling=strict`. POST [type]/_search takes the same as a form. No token is needed."""


def capability_statement(base: str, version: str, today: date) -> dict[str, Any]:
    """The CapabilityStatement of the server at `base`."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": today.isoformat(),
        "kind": "instance",
        "software": {"name": "Trialhook", "version": version},
        "implementation": {"description": "Made-up patients of the Trialhook demonstration", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _SUPPORTED.replace("\n", " "),
                "security": {"cors": True},
                "resource": [_resource(name) for name in sorted(RESOURCE_TYPES)],
            }
        ],
    }


def _resource(type_name: str) -> dict[str, Any]:
    return {
        "type": type_name,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": one.name, "type": one.kind} for one in parameters_of(type_name).values()],
    }
