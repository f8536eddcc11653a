"""A request to one service that is answered, to be sent again with something changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from uuid import uuid4

from cds_service.checker.conversation import Exchange
from cds_service.checker.synthetic import nothing_found


class Caller(Protocol):
    """Whoever calls a service with a body."""

    def call(self, entry: Entry, body: Any, **headers: str) -> Exchange: ...


@dataclass(frozen=True)
class Entry:
    """One service as discovery names it, as far as it can be called at all."""

    id: str
    hook: str
    url: str
    prefetch: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """A request that is answered with 200, to be sent again with something changed."""

    caller: Caller
    entry: Entry
    body: dict[str, Any]
    exchange: Exchange

    @property
    def cards(self) -> list[Any]:
        return cards_of(self.exchange)

    @cached_property
    def again(self) -> Exchange:
        """The same request once more, byte for byte."""
        return self.caller.call(self.entry, self.body)

    @cached_property
    def is_stable(self) -> bool:
        """True when the same request gives the same answer, so that answers can be compared at all."""
        return bool(essence(self.again) == essence(self.exchange))

    @property
    def searches(self) -> list[str]:
        """The prefetch keys that are searches and were answered."""
        templates = self.entry.prefetch
        return [key for key in self.prefetch if "?" in templates.get(key, "")]

    @property
    def prefetch(self) -> dict[str, Any]:
        answers = self.body.get("prefetch")
        return dict(answers) if isinstance(answers, dict) else {}

    def changed(self, **changes: Any) -> Exchange:
        """The answer to the request with other values at its top level; None takes one away."""
        body = {key: one for key, one in (copy.deepcopy(self.body) | changes).items() if one is not None}
        return self.caller.call(self.entry, body)

    def prefetching(self, changes: Mapping[str, Any], without: Sequence[str] = ()) -> Exchange:
        """The answer when some keys of the prefetch have other answers, or are missing."""
        answers = {key: one for key, one in (self.prefetch | dict(changes)).items() if key not in without}
        return self.changed(prefetch=answers)

    @cached_property
    def lacking(self) -> dict[str, Exchange]:
        """By key of the prefetch the answer without that key."""
        return {key: self.prefetching({}, without=[key]) for key in self.prefetch}

    @cached_property
    def empty(self) -> Exchange:
        """The answer when all searches found nothing."""
        return self.prefetching(dict.fromkeys(self.searches, nothing_found()))


def new_instance() -> str:
    return str(uuid4())


def cards_of(exchange: Exchange) -> list[Any]:
    body = exchange.answer.json
    cards = body.get("cards") if isinstance(body, dict) else None
    return cards if isinstance(cards, list) and exchange.answer.status == 200 else []


def essence(exchange: Exchange) -> Any:
    """An answer without the ids that may differ from call to call."""
    return exchange.answer.status, _without_ids(exchange.answer.json)


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ids(one) for key, one in value.items() if key != "uuid"}
    return [_without_ids(one) for one in value] if isinstance(value, list) else value
