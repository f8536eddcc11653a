"""How SQLite and PostgreSQL are opened, so that what was accepted is on the disk and no writer is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

# Execution option of a connection that only reads.
READS = "trialhook_reads"
_PATIENCE = 5  # seconds: longer than any writer of ours takes, shorter than an EHR waits
_UNREACHABLE = {"connect_timeout": "3", "tcp_user_timeout": "5000", "application_name": "trialhook"}


def sqlite(path: Path) -> Engine:
    """An engine for a file that exists: write-ahead log, and each commit on the disk before it returns.

    A connection for each transaction: one that is kept would go on writing into a file that was moved away.
    """
    address = f"file:{quote(str(path.absolute()))}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begins a writing transaction as a writer.

    With a plain BEGIN two that read before they write would both go on from what they read, or fail at once.
    """
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def postgresql(url: URL) -> Engine:
    """An engine that notices a server that was restarted, and does not wait long for one that is gone."""
    options = {name: value for name, value in _UNREACHABLE.items() if name not in url.query}
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=options,
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=14,  # as many as a worker has threads
        pool_timeout=_PATIENCE,
        hide_parameters=True,
    )
