"""Sealed content: found by its address or its name until it expires, and by nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from cds_service.store.database import Database
from cds_service.store.sealed import SealedJournal, SealedPages
from cds_service.store.sealing import Seal, UnusableKey, new_key
from tests.store.conftest import Clock

KEY = new_key()
DAY = timedelta(days=1)
CONTENT = "Severe chronic GVHD, 张".encode()


def pages(database: Database, clock: Clock, *keys: str) -> SealedPages:
    return SealedPages(database, Seal(keys or (KEY,)), clock, DAY)


def journal(database: Database, clock: Clock, *keys: str) -> SealedJournal:
    return SealedJournal(database, Seal(keys or (KEY,)), clock, DAY)


def everything(database: Database) -> str:
    """All that somebody sees who reads the database."""
    with database.reading() as connection:
        rows = [
            row
            for table in ("sealed_page", "sealed_entry")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    return repr([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in rows])


def test_a_page_is_found_at_its_address_and_no_other(database: Database, clock: Clock) -> None:
    address = pages(database, clock).keep(CONTENT)
    assert pages(database, clock).opened(address) == CONTENT
    assert pages(database, clock).opened(address + "A") is None
    assert pages(database, clock).opened("") is None


def test_the_same_content_gets_another_address_each_time(database: Database, clock: Clock) -> None:
    addresses = {pages(database, clock).keep(CONTENT) for _ in range(3)}
    assert len(addresses) == 3
    assert all(len(address) >= 43 for address in addresses)  # 256 bits


def test_a_page_is_there_until_its_end_and_not_at_it(database: Database, clock: Clock) -> None:
    address = pages(database, clock).keep(CONTENT)
    clock.moment += DAY - timedelta(seconds=1)
    assert pages(database, clock).opened(address) == CONTENT
    clock.moment += timedelta(seconds=1)
    assert pages(database, clock).opened(address) is None


def test_what_has_expired_is_removed_when_something_new_is_kept(database: Database, clock: Clock) -> None:
    kept = pages(database, clock)
    kept.keep(CONTENT)
    clock.moment += DAY
    kept.keep(CONTENT)
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sealed_page")) == 1


def test_who_reads_the_database_learns_neither_content_nor_address_nor_name(database: Database, clock: Clock) -> None:
    address = pages(database, clock).keep(CONTENT)
    journal(database, clock).add("Patient/p1", CONTENT)
    seen = everything(database)
    for secret in ("GVHD", "Patient/p1", address, KEY):
        assert secret not in seen


def test_another_key_opens_nothing(database: Database, clock: Clock) -> None:
    address = pages(database, clock).keep(CONTENT)
    journal(database, clock).add("Patient/p1", CONTENT)
    assert pages(database, clock, new_key()).opened(address) is None
    assert journal(database, clock, new_key()).of("Patient/p1") == []


def test_after_a_change_of_key_the_old_content_can_still_be_read(database: Database, clock: Clock) -> None:
    address = pages(database, clock).keep(CONTENT)
    journal(database, clock).add("Patient/p1", b"one")
    newer = new_key()
    journal(database, clock, newer, KEY).add("Patient/p1", b"two")
    assert pages(database, clock, newer, KEY).opened(address) == CONTENT
    assert journal(database, clock, newer, KEY).of("Patient/p1") == [b"one", b"two"]
    assert journal(database, clock, newer).of("Patient/p1") == [b"two"]


def test_a_journal_keeps_the_order_and_the_names_apart(database: Database, clock: Clock) -> None:
    for number in range(5):
        journal(database, clock).add(f"Patient/p{number % 2}", bytes([number]))
    assert journal(database, clock).of("Patient/p0") == [b"\0", b"\2", b"\4"]
    assert journal(database, clock).of("Patient/p") == []


def test_an_entry_ends_with_its_time(database: Database, clock: Clock) -> None:
    journal(database, clock).add("Patient/p1", CONTENT)
    clock.moment += DAY
    assert journal(database, clock).of("Patient/p1") == []


@pytest.mark.parametrize("keys", [[], [""], ["secret"], [KEY, "short"], ["ü" * 44]])
def test_what_is_no_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(UnusableKey):
        Seal(keys)
