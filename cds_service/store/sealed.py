"""Sealed content: kept at an address that nobody can guess until it expires, or added to what is known of a name."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Table, insert, select

from cds_service.store.database import Database
from cds_service.store.sealing import Seal
from cds_service.store.tables import SEALED_ENTRY, SEALED_PAGE
from cds_service.store.tidying import Tidying

_ADDRESS_BYTES = 32


class _Expiring:
    """A table of sealed content, each row until its end."""

    _table: Table

    def __init__(self, database: Database, seal: Seal, clock: Callable[[], datetime], lifetime: timedelta) -> None:
        self._database = database
        self._seal = seal
        self._clock = clock
        self._lifetime = lifetime
        self._tidying = Tidying(database, self._table)

    def _insert(self, digest: str, content: bytes) -> None:
        at = self._clock()
        row = {"digest": digest, "sealed": self._seal.seal(content), "until": at + self._lifetime}
        with self._database.writing() as connection:
            connection.execute(insert(self._table).values(row))
        self._tidying.after_writing(at)


class SealedPages(_Expiring):
    """Content at addresses that hold nothing of it, each until its end. `clock` tells the moment."""

    _table = SEALED_PAGE

    def keep(self, content: bytes) -> str:
        """The address of the content, which is on the disk then. Raises StoreUnavailable."""
        address = secrets.token_urlsafe(_ADDRESS_BYTES)
        self._insert(_digest(address), content)
        return address

    def opened(self, address: str) -> bytes | None:
        """The content; None when the address is wrong or has expired, or the key is another one.

        Raises StoreUnavailable.
        """
        wanted = select(SEALED_PAGE.c.sealed).where(
            SEALED_PAGE.c.digest == _digest(address), SEALED_PAGE.c.until > self._clock()
        )
        with self._database.reading() as connection:
            sealed = connection.scalar(wanted)
        return None if sealed is None else self._seal.opened(sealed)


class SealedJournal(_Expiring):
    """What was said of a name, in the order in which it was said."""

    _table = SEALED_ENTRY

    def add(self, name: str, content: bytes) -> None:
        """Adds one entry, which is on the disk then. Raises StoreUnavailable."""
        self._insert(self._seal.pseudonyms(name)[0], content)

    def of(self, name: str) -> list[bytes]:
        """The entries of a name that can be opened. Raises StoreUnavailable."""
        wanted = (
            select(SEALED_ENTRY.c.sealed)
            .where(SEALED_ENTRY.c.digest.in_(self._seal.pseudonyms(name)), SEALED_ENTRY.c.until > self._clock())
            .order_by(SEALED_ENTRY.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.scalars(wanted).all()
        return [content for sealed in rows if (content := self._seal.opened(sealed)) is not None]


def _digest(address: str) -> str:
    """Who reads the database cannot open a page by it: it does not hold the addresses."""
    return sha256(address.encode()).hexdigest()
