"""A FHIR server on loopback that holds one answer for each query of the record, and may misbehave in any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cds_service.fhir.queries import QUERIES, search_parameters
from tests.fake_server import Asked, FakeServer, Reply, serving

EMPTY: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
# A resource to be sent, or what is done with the connection.
Given = Mapping[str, Any] | Callable[[Reply, Asked], None]


def key_of(asked: Asked) -> str:
    """The query that was asked; the path where it is none, as the following pages are."""
    kind = asked.path.removeprefix("/fhir/").removesuffix("/_search").partition("/")[0]
    code = asked.parameters.get("code")
    for key, query in QUERIES.items():
        if query.type == kind and search_parameters(query, "p1").get("code") == code:
            return key
    return asked.path


@contextmanager
def fhir_server(given: Mapping[str, Given]) -> Iterator[FakeServer]:
    """Answers by query or, of a following page, by path; a search that is not given finds nothing."""

    def answer(reply: Reply, asked: Asked) -> None:
        found = given.get(key_of(asked), EMPTY)
        if callable(found):
            found(reply, asked)
        else:
            reply.json(found)

    with serving(answer) as running:
        yield running


def status(code: int, **headers: str) -> Given:
    return lambda reply, _: reply.json({"resourceType": "OperationOutcome"}, code, **headers)


def body(content: bytes, **headers: str) -> Given:
    return lambda reply, _: reply.send(content, 200, **headers)
