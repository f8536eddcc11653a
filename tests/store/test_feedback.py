"""What is kept of feedback: everything once, and nothing half."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from cds_service.hooks.feedback import Feedback, KeptFeedback, OverrideReason
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBook, identity
from cds_service.store.tables import FEEDBACK, REASON, SUGGESTION
from tests.store.conftest import Clock
from tests.store.said import AT, CARD, accepted, overridden  # fmt: skip
from tests.store.said import REASON as WHY

SERVICE = "nct06920199-patient-view"


@pytest.fixture
def book(database: Database, clock: Clock) -> FeedbackBook:
    return FeedbackBook(database, clock)


def test_what_was_said_comes_back_whole(book: FeedbackBook, clock: Clock) -> None:
    said = [accepted(), overridden("123456", 1, WHY, OverrideReason(comment="白血病 😀")), overridden(minutes=2)]
    assert book.keep(SERVICE, said, "Example Hospital") == 3
    kept = book.since()
    assert {one.said for one in kept} == set(said)
    assert {(one.received, one.service, one.client) for one in kept} == {(clock.moment, SERVICE, "Example Hospital")}


def test_the_order_of_suggestions_and_reasons_is_kept(book: FeedbackBook) -> None:
    several = tuple(OverrideReason(str(number)) for number in range(12))
    said = Feedback(CARD, "accepted", AT, tuple("zyxwvutsrqponml"), several)
    book.keep(SERVICE, [said])
    assert book.since()[0].said == said


def test_a_repetition_is_stored_once_and_keeps_the_first_time(book: FeedbackBook, clock: Clock) -> None:
    first = clock.moment
    assert book.keep(SERVICE, [accepted()]) == 1
    clock.moment += timedelta(hours=1)
    assert book.keep(SERVICE, [accepted(), overridden()]) == 1
    assert [one.received for one in book.since()] == [first, clock.moment]


def test_a_repetition_within_a_message_is_stored_once(book: FeedbackBook) -> None:
    assert book.keep(SERVICE, [accepted(), accepted()]) == 1


@pytest.mark.parametrize(
    "other",
    [
        overridden("another card", 0, WHY),
        overridden(CARD, 1, WHY),
        overridden(CARD, 0),
        overridden(CARD, 0, WHY, WHY),
        Feedback(CARD, "accepted", AT, ("x",), (WHY,)),
        overridden(CARD, 0, OverrideReason(WHY.code, WHY.system, WHY.display, "another comment")),
        overridden(CARD, 0, OverrideReason(WHY.code, WHY.system, WHY.display)),
    ],
)
def test_whatever_differs_in_what_was_said_is_another_entry(book: FeedbackBook, other: Feedback) -> None:
    assert book.keep(SERVICE, [overridden(CARD, 0, WHY), other]) == 2


def test_the_same_words_about_another_service_or_of_another_client_are_another_entry() -> None:
    senders = ((SERVICE, None), (SERVICE, "A"), (SERVICE, "B"), ("another-service", None))
    assert len({identity(service, accepted(), client) for service, client in senders}) == len(senders)


def test_the_same_moment_in_another_offset_and_order_is_the_same_entry() -> None:
    china = datetime.fromisoformat("2026-03-16T17:30:00+08:00")
    one, same = Feedback(CARD, "accepted", AT, ("a", "b")), Feedback(CARD, "accepted", china, ("b", "a"))
    assert identity(SERVICE, one, None) == identity(SERVICE, same, None)


def test_of_a_message_that_cannot_be_stored_nothing_is(book: FeedbackBook, database: Database) -> None:
    """One entry in the midst of others breaks the rule of the table."""
    entries = [overridden(str(number), 0, WHY) for number in range(20)]
    broken = Feedback(CARD, "ignored", AT)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="feedback_outcome"):
        book.keep(SERVICE, [*entries, broken])
    with database.reading() as connection:
        counts = [connection.scalar(select(func.count()).select_from(one)) for one in (FEEDBACK, SUGGESTION, REASON)]
    assert counts == [0, 0, 0]


def test_only_what_came_at_or_after_a_moment_is_listed_in_order(book: FeedbackBook, clock: Clock) -> None:
    start = clock.moment
    for number in range(3):
        clock.moment = start + timedelta(days=number)
        book.keep(SERVICE, [overridden(str(number), 0, OverrideReason(str(number)))])

    def cards(found: list[KeptFeedback]) -> list[str]:
        return [one.said.card for one in found]

    assert cards(book.since()) == ["0", "1", "2"]
    later = book.since(start + timedelta(days=1))
    assert cards(later) == ["1", "2"]
    assert [one.said.reasons for one in later] == [(OverrideReason("1"),), (OverrideReason("2"),)]
    assert book.since(clock.moment + timedelta(microseconds=1)) == []


def test_moments_are_kept_to_the_microsecond_in_utc(book: FeedbackBook) -> None:
    odd = datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    book.keep(SERVICE, [Feedback(CARD, "overridden", odd)])
    assert book.since()[0].said.at == odd


def test_an_exception_of_the_database_never_shows_what_was_said(book: FeedbackBook) -> None:
    broken = Feedback(CARD, "ignored", AT, (), (WHY,))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="feedback_outcome") as raised:
        book.keep(SERVICE, [broken])
    assert str(WHY.comment) not in str(raised.value)
