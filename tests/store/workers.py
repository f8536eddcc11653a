"""What the processes of a test do: functions that a new process can import."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBook
from cds_service.store.tokens import UsedTokens
from tests.store.said import REASON, overridden

SERVICE = "nct06920199-patient-view"
MOMENT = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)


def keep(url: str, worker: int, messages: int, shared: int) -> int:
    """Stores messages of which each holds the same shared entries, in an order of its own, and one that is new."""
    book = FeedbackBook(Database(url), lambda: MOMENT)
    new = 0
    for number in range(messages):
        own = overridden(f"{worker}-{number}", 0, REASON)
        others = [overridden(f"shared-{number}-{one}", 0, REASON) for one in range(shared)]
        new += book.keep(SERVICE, [*(reversed(others) if worker % 2 else others), own])
    return new


def use(url: str, worker: int, tokens: int) -> list[str]:
    """Uses the same tokens as every other worker, and returns those of which it was the first."""
    used = UsedTokens(Database(url), lambda: MOMENT)
    names = [f"t{(number + 7 * worker) % tokens}" for number in range(tokens)]
    return [name for name in names if used.first_use("https://ehr.example.org", name, MOMENT + timedelta(minutes=5))]


def prepare(url: str) -> None:
    Database(url).prepare()


def migrate(url: str) -> str | None:
    return Database(url).migrate()[0]
