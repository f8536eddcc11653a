"""Results that a report or a panel holds inside it: no query brings them by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cds_service.fhir import elements as el
from cds_service.fhir.entries import Entry
from cds_service.fhir.wire import read_answer

# Of such a report nobody may use the results.
_NO_RESULT = frozenset({"entered-in-error", "cancelled", "registered"})


def members_of(seen: el.Resource | None) -> list[el.Reference]:
    """The results that a report or a panel is made of."""
    found = seen.result if isinstance(seen, el.DiagnosticReport) else getattr(seen, "hasMember", None)
    return found or []


def name_inside(whole: Entry, reference: str) -> str:
    """The reference of a resource; of one that is contained in the whole, by the whole's name."""
    return f"{whole.reference}{reference}" if reference.startswith("#") else reference


def contained_results(whole: Entry) -> Iterator[Entry]:
    """The contained Observations that the whole names as its results."""
    seen = whole.resource
    if seen is None or not seen.contained:
        return
    status = (getattr(seen, "status", None) or "").strip().lower()
    if whole.problem or status in _NO_RESULT:
        return
    named = {one.reference for one in members_of(seen) if one.reference}
    for raw in seen.contained if named else ():
        for one in read_answer(raw, whole.reference).entries:
            inside = f"#{one.reference.rpartition('/')[2]}"
            if one.type == "Observation" and inside in named:
                yield replace(one, reference=name_inside(whole, inside), queries=whole.queries)
