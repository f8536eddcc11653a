"""How SQLite and PostgreSQL are opened, so that what was accepted is on the disk and no writer is lost."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

# Execution options: a connection that only reads, and one that changes the tables.
READS, MIGRATES = "trialhook_reads", "trialhook_migrates"
_PATIENCE = 5  # seconds: longer than any writer of ours takes, shorter than an EHR waits
_PAUSE = 0.02
# Two connections are kept, and there are as many as a worker has threads.
_THREADS: dict[str, Any] = {"pool_size": 2, "max_overflow": 14, "pool_timeout": _PATIENCE}
_FILE = "trialhook_file"
_UNREACHABLE = {"connect_timeout": "3", "tcp_user_timeout": "5000", "application_name": "trialhook"}


def sqlite(path: Path) -> Engine:
    """An engine for a file that exists: write-ahead log, and each commit on the disk before it returns.

    Connections are kept, since the last one to be closed waits for the disk several times more.
    """
    address = f"file:{quote(str(path.absolute()))}?mode=rw"

    def connect() -> sqlite3.Connection:
        # The pool hands a connection to one thread at a time.
        connection = sqlite3.connect(
            address, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def remember(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info[_FILE] = _identity(path)

    def look(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        # Else it would go on writing into a file that was moved away, and nobody would find what was accepted.
        if record.info[_FILE] != _identity(path):
            raise DisconnectionError

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True, **_THREADS)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", look)
    event.listen(engine, "begin", _begin)
    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switches the write-ahead log on. Of workers that open a new file at once SQLite refuses all but one, however long
    they would wait; they ask again."""
    given_up = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > given_up:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _identity(path: Path) -> tuple[int, int] | None:
    """What stays the same of a file while it is the same; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: Connection) -> None:
    """Begins a writing transaction as a writer.

    With a plain BEGIN two that read before they write would both go on from what they read, or fail at once.
    """
    options = connection.get_execution_options()
    if options.get(MIGRATES):
        # A table is changed by dropping it for a copy; that would delete the rows of others that point to it.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.exec_driver_sql("BEGIN" if options.get(READS) else "BEGIN IMMEDIATE")


def postgresql(url: URL) -> Engine:
    """An engine that notices a server that was restarted, and does not wait long for one that is gone."""
    options = {name: value for name, value in _UNREACHABLE.items() if name not in url.query}
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=options,
        pool_pre_ping=True,
        hide_parameters=True,
        **_THREADS,
    )
