"""What a history says was deleted: the versions before that are no part of the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_service.fhir import envelope as env

# The instant of each deletion, empty where it is not told, with its place in the Bundle.
Deletions = dict[str, tuple[str, int]]


def deletions(entries: Sequence[tuple[env.Request | None, env.Response | None]]) -> Deletions:
    """The resources that entries of a history delete, by reference; of several deletions the last.

    A history has its newest versions first.
    """
    found: Deletions = {}
    for name, stamp, place in _deletions(entries):
        if name not in found or stamp > found[name][0]:
            found[name] = (stamp, place)
    return found


def _deletions(
    entries: Sequence[tuple[env.Request | None, env.Response | None]],
) -> Iterator[tuple[str, str, int]]:
    for place, (request, response) in enumerate(entries):
        if request and request.url and (request.method or "").strip().upper() == "DELETE":
            name = "/".join(request.url.split("?")[0].strip("/").split("/")[-2:])
            yield name, env.moment(response.lastModified) if response else "", place


def was_deleted(reference: str, edition: env.Edition, place: int, deleted: Deletions) -> bool:
    """True for a version that lies before the deletion: by its instant, else by its place."""
    if reference not in deleted:
        return False
    stamp, at = deleted[reference]
    updated = edition[0]
    return updated <= stamp if stamp and updated else at < place
