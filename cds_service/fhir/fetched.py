"""What was fetched for a record, page by page, and why something was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one query as they came, in their order.

    `stopped` says why the rest did not come, None when all did; `offered` is false where the server has no such type.
    """

    bodies: tuple[bytes, ...] = ()
    stopped: str | None = None
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answers by query; where a query came with the request, its pages follow those that came.

    `medications` are those that records of the answers point to.
    `unasked` are the queries that no server was asked for, or that it does not offer, each with the reason.
    """

    answers: Mapping[str, Pages] = field(default_factory=dict)
    medications: tuple[bytes, ...] = ()
    unasked: Mapping[str, str] = field(default_factory=dict)

    def why_not(self, key: str) -> str | None:
        """Why the query brought less than all; None where fetching has nothing to do with it."""
        pages = self.answers.get(key)
        return pages.stopped if pages else self.unasked.get(key)


NOTHING_FETCHED = Fetched()
