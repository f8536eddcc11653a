"""The parts of a card, with the limits that the CDS Hooks specification sets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

# CDS Hooks 2.0, "Card attributes": the summary has fewer than 140 characters.
LONGEST_SUMMARY = 139


def is_made_here(card_id: str) -> bool:
    """True when the id can be that of one of our cards, which are UUIDs made from a name."""
    try:
        return UUID(card_id).version == 5
    except ValueError:
        return False


class TooLong(ValueError):
    """A summary that the specification does not allow."""


@dataclass(frozen=True, slots=True)
class Link:
    """An absolute link."""

    label: str
    url: str

    def as_json(self) -> dict[str, Any]:
        return {"label": self.label, "url": self.url, "type": "absolute"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggestion with its one action: the creation of a resource.

    Label and description are equal, since some EHRs show only one of them.
    """

    label: str
    uuid: str
    resource: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        action = {"type": "create", "description": self.label, "resource": dict(self.resource)}
        return {"label": self.label, "uuid": self.uuid, "actions": [action]}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a card comes from; `topic` is static, since some EHRs remember overrides by it."""

    label: str
    url: str
    topic: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"label": self.label, "url": self.url, "topic": dict(self.topic)}


@dataclass(frozen=True, slots=True)
class Card:
    """One card, always of indicator info: a trial is never urgent."""

    uuid: str
    summary: str
    detail: str
    source: Source
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[Mapping[str, str], ...] = ()
    links: tuple[Link, ...] = ()
    extension: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < len(self.summary.encode("utf-16-le")) // 2 <= LONGEST_SUMMARY:
            raise TooLong(f"a summary has 1 to {LONGEST_SUMMARY} characters")

    def as_json(self) -> dict[str, Any]:
        """The card without keys that have no value, which the specification does not allow."""
        suggested = [one.as_json() for one in self.suggestions]
        card: dict[str, Any] = {
            "uuid": self.uuid,
            "summary": self.summary,
            "indicator": "info",
            "detail": self.detail,
            "source": self.source.as_json(),
            "suggestions": suggested,
            "selectionBehavior": "any" if suggested else "",
            "overrideReasons": [dict(reason) for reason in self.override_reasons],
            "links": [link.as_json() for link in self.links],
            "extension": dict(self.extension),
        }
        return {key: value for key, value in card.items() if value}
