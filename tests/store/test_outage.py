"""A database that cannot be reached: everything is said, nothing is lost silently, and it comes back by itself."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, text

import app
from cds_service.errors import StoreUnavailable
from cds_service.settings import Settings
from cds_service.store import engines
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBook
from tests.store.conftest import Clock
from tests.store.postgres import cluster, start, stop, why_missing
from tests.store.said import REASON, accepted, entry, message, overridden
from tests.web.calls import SERVICE, call_with_card
from tests.web.test_errors import outcome

NAME = "nct06920199-patient-view"


def told(service: Flask, status: int = 204) -> None:
    answer = service.test_client().post(f"{SERVICE}/feedback", data=json.dumps(message(entry())).encode())
    assert answer.status_code == status, answer.data
    if status != 204:
        assert outcome(answer, status)["code"] == "transient"


def screens(service: Flask) -> None:
    answer = service.test_client().post(SERVICE, data=json.dumps(call_with_card()).encode())
    assert len(answer.get_json()["cards"]) == 1


def test_a_service_starts_screens_and_says_503_until_the_folder_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "later"
    service = app.create_app(Settings(open_access=True, database_url=f"sqlite:///{folder / 'x.sqlite'}"))
    assert "x.sqlite cannot be used" in caplog.text
    told(service, 503)
    screens(service)
    folder.mkdir()
    told(service)


def test_a_file_that_was_moved_away_is_not_written_on_and_not_replaced(sqlite_url: str, clock: Clock) -> None:
    database = Database(sqlite_url)
    book = FeedbackBook(database, clock)
    book.keep(NAME, [accepted()])
    assert database.file is not None
    moved = database.file.rename(database.file.with_suffix(".moved"))
    with pytest.raises(StoreUnavailable):
        book.keep(NAME, [overridden()])
    assert not database.file.exists()
    moved.rename(database.file)
    assert book.keep(NAME, [overridden()]) == 1
    assert len(book.since()) == 2


def test_readers_do_not_wait_for_a_writer_and_a_second_writer_gives_up(
    sqlite_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_PATIENCE", 0.2)
    database = Database(sqlite_url)
    book = FeedbackBook(database, clock)
    book.keep(NAME, [accepted()])
    with database.writing() as connection:
        connection.execute(text("DELETE FROM feedback"))
        assert len(book.since()) == 1
        with pytest.raises(StoreUnavailable):
            FeedbackBook(Database(sqlite_url), clock).keep(NAME, [overridden()])


def test_a_full_disk_is_said_and_nothing_of_the_message_is_kept(
    sqlite_url: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(sqlite_url)
    book = FeedbackBook(database, clock)
    book.keep(NAME, [accepted()])
    large = [overridden(str(number), 0, REASON) for number in range(1000)]

    database.engine.dispose()

    @event.listens_for(database.engine, "connect")
    def limit(connection: object, record: object) -> None:
        connection.execute("PRAGMA max_page_count=20")  # type: ignore[attr-defined]

    with pytest.raises(StoreUnavailable):
        book.keep(NAME, large)
    assert len(book.since()) == 1
    assert "full" in caplog.text
    assert str(REASON.comment) not in caplog.text


def test_the_password_stands_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    database = Database("postgresql://trialhook:Zebrafink@127.0.0.1:9/x")
    with pytest.raises(StoreUnavailable):
        database.prepare()
    assert "127.0.0.1" in caplog.text
    assert "Zebrafink" not in caplog.text + database.name


def test_a_file_that_was_put_in_its_place_is_written_from_then_on(
    sqlite_url: str, tmp_path: Path, clock: Clock
) -> None:
    """As when a backup is restored between two messages."""
    database, other = Database(sqlite_url), Database(f"sqlite:///{tmp_path / 'backup.sqlite'}")
    book = FeedbackBook(database, clock)
    book.keep(NAME, [accepted()])
    FeedbackBook(other, clock).keep(NAME, [overridden()])
    for opened in (database, other):
        opened.engine.dispose()
    assert other.file is not None
    assert database.file is not None
    other.file.replace(database.file)
    book.keep(NAME, [accepted("3")])
    assert [one.said for one in book.since()] == [overridden(), accepted("3")]


@pytest.fixture
def own_cluster() -> Iterator[Path]:
    """A server that the test may stop."""
    if reason := why_missing():
        pytest.skip(reason)
    with cluster() as folder:
        yield Path(folder)


def test_a_server_that_goes_and_comes_back_costs_no_entry_and_no_restart(own_cluster: Path) -> None:
    """It is stopped under open connections, and started again in the same place."""
    url = f"postgresql://postgres@/postgres?host={own_cluster}"
    Database(url).migrate()
    service = app.create_app(Settings(open_access=True, database_url=url))
    told(service)
    halt(own_cluster)
    began = time.monotonic()
    told(service, 503)
    assert time.monotonic() - began < 5
    screens(service)
    again = start(own_cluster)
    try:
        told(service)
        kept = FeedbackBook(Database(url), Clock()).since()
        assert len(kept) == 1
    finally:
        stop(again)


def halt(folder: Path) -> None:
    """Ends the server that runs in a folder, by the number that it wrote there."""
    os.kill(int((folder / "made" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    limit = time.monotonic() + 10
    while (folder / "made" / "postmaster.pid").exists() and time.monotonic() < limit:
        time.sleep(0.05)
