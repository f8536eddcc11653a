"""At which revision the tables of a database are."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select
from sqlalchemy.sql import column, table

_VERSION = table("alembic_version", column("version_num"))


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None where there are none."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))
