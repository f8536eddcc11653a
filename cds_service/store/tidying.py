"""Rows that have run out are removed now and then, by whoever has written a new one."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import Table, delete

from cds_service.errors import StoreUnavailable
from cds_service.store.database import Database

_BETWEEN_TIDYINGS = timedelta(minutes=5)


class Tidying:
    """Keeps a table with a column `until` small; its rows stay for the time of `grace` after that moment."""

    def __init__(self, database: Database, table: Table, grace: timedelta = timedelta()) -> None:
        self._database = database
        self._table = table
        self._grace = grace
        self._last: datetime | None = None

    def after_writing(self, at: datetime) -> None:
        """Removes what has run out by a moment, unless that was done shortly before. It never raises StoreUnavailable:
        the new row is written, and the tidying comes round again."""
        if self._last is None or at - self._last > _BETWEEN_TIDYINGS:
            self._last = at
            with suppress(StoreUnavailable):
                self.remove_expired(at)

    def remove_expired(self, at: datetime) -> int:
        """Removes what has run out by a moment, and returns how many rows that were. Raises StoreUnavailable."""
        with self._database.writing() as connection:
            return connection.execute(delete(self._table).where(self._table.c.until <= at - self._grace)).rowcount
