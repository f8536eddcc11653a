"""Feedback as tests send it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cds_service.hooks.feedback import Feedback, OverrideReason

CARD = "8c1e9866-1d9f-5177-9fcf-f010380798f8"
SUGGESTION = "0de9b208-b1e3-56be-94e5-e0583042c273"
AT = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
REASON = OverrideReason("patient-refuses", "http://example.org/reasons", "Patient declined", "Does not want to travel")


def accepted(card: str = CARD, minutes: int = 0) -> Feedback:
    return Feedback(card, "accepted", AT + timedelta(minutes=minutes), (SUGGESTION,))


def overridden(card: str = CARD, minutes: int = 0, *reasons: OverrideReason) -> Feedback:
    return Feedback(card, "overridden", AT + timedelta(minutes=minutes), (), reasons)


def entry(**changes: Any) -> dict[str, Any]:
    """One entry of a message; a change to None leaves the key out."""
    whole = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-03-16T09:30:00Z"} | changes
    return {key: value for key, value in whole.items() if value is not None}


def message(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"feedback": list(entries or (entry(),))}
