"""Feedback as it is kept: each entry once, whoever sends it how often."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from cds_service.hooks.feedback import Feedback, KeptFeedback, OverrideReason
from cds_service.store.database import Database
from cds_service.store.inserting import insert_unless_known
from cds_service.store.tables import FEEDBACK, REASON, SUGGESTION


class FeedbackBook:
    """All feedback of a service. `clock` tells the moment at which an entry comes."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def keep(self, service: str, entries: Sequence[Feedback], client: str | None = None) -> int:
        """Stores all entries or none, and returns how many were new; they are on the disk when it returns.

        Raises StoreUnavailable.
        """
        received = self._clock()
        known = {identity(service, entry, client): entry for entry in entries}
        with self._database.writing() as connection:
            # In one order, so that two that store the same entries never wait for each other.
            rows = ({"identity": key, "received_at": received, "service": service, "client": client}
                    | {"card": known[key].card, "outcome": known[key].outcome, "outcome_at": known[key].at}
                    for key in sorted(known))  # fmt: skip
            return sum(_insert(connection, row, known[str(row["identity"])]) for row in rows)

    def since(self, moment: datetime | None = None) -> list[KeptFeedback]:
        """The entries that came at or after a moment, in the order in which they came."""
        chosen = select(FEEDBACK).order_by(FEEDBACK.c.received_at, FEEDBACK.c.id)
        if moment is not None:
            chosen = chosen.where(FEEDBACK.c.received_at >= moment)
        with self._database.reading() as connection:
            rows = connection.execute(chosen).all()
            first = min((row.id for row in rows), default=0)
            suggestions, reasons = (_parts(connection, part, first) for part in (SUGGESTION, REASON))
        return [_kept(row, suggestions[row.id], reasons[row.id]) for row in rows]


def identity(service: str, entry: Feedback, client: str | None) -> str:
    """What makes two entries the same: all that was said, about which service, by whom; never when it came.

    The same card with another outcome, time, reason or comment is another entry.
    """
    said = asdict(entry) | {"at": entry.at.astimezone(UTC).isoformat(), "accepted": sorted(entry.accepted)}
    whole = json.dumps([client, service, said], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(whole.encode("ascii")).hexdigest()


def _insert(connection: Connection, row: dict[str, Any], entry: Feedback) -> bool:
    """True when the entry was new."""
    number = connection.scalar(insert_unless_known(connection, FEEDBACK, row).returning(FEEDBACK.c.id))
    if number is None:
        return False
    parts: Iterable[tuple[Table, list[dict[str, Any]]]] = (
        (SUGGESTION, [{"suggestion": one} for one in entry.accepted]),
        (REASON, [asdict(one) for one in entry.reasons]),
    )
    for part, rows in parts:
        if rows:
            places = [{"feedback_id": number, "position": position} for position in range(len(rows))]
            connection.execute(part.insert(), [place | one for place, one in zip(places, rows, strict=True)])
    return True


def _parts(connection: Connection, part: Table, first: int) -> defaultdict[int, list[Row[Any]]]:
    """The rows of a part by the entry that they belong to, from an entry on."""
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    chosen = select(part).where(part.c.feedback_id >= first).order_by(part.c.feedback_id, part.c.position)
    for row in connection.execute(chosen):
        found[row.feedback_id].append(row)
    return found


def _kept(row: Row[Any], suggestions: Iterable[Row[Any]], reasons: Iterable[Row[Any]]) -> KeptFeedback:
    said = Feedback(
        card=row.card,
        outcome=row.outcome,
        at=row.outcome_at,
        accepted=tuple(one.suggestion for one in suggestions),
        reasons=tuple(OverrideReason(one.code, one.system, one.display, one.comment) for one in reasons),
    )
    return KeptFeedback(row.received_at, row.service, row.client, said)
