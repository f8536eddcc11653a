"""An insertion that leaves a row alone that is there; both databases know it, each in a dialect of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insertion = postgresql.Insert | sqlite.Insert


def insertion(connection: Connection, table: Table, row: dict[str, Any]) -> Insertion:
    """An INSERT that can be told what to do about a row that is there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    made: Insertion = dialect.insert(table).values(row)
    return made


def insert_unless_known(connection: Connection, table: Table, row: dict[str, Any]) -> Insertion:
    return insertion(connection, table, row).on_conflict_do_nothing()
