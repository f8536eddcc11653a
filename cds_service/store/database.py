"""The database: opened when it is needed, brought to the newest revision where that is ours to do."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from cds_service.errors import StoreUnavailable, WrongDatabase
from cds_service.store.engines import MIGRATES, READS, postgresql, sqlite
from cds_service.store.revisions import revision_of
from cds_service.store.tables import REVISIONS

_LOG = logging.getLogger(__name__)
_EXAMPLE = "postgresql://trialhook:secret@db.lan:5432/trialhook"
# What comes of the rows and not of the database: a defect of ours.
_DEFECTS = (IntegrityError, DataError)


class Database:
    """The one database of a service: `url` as the settings have it, `name` without the password.

    Raises WrongDatabase for a `url` that is none.
    """

    def __init__(self, url: str) -> None:
        try:
            self._url = make_url(url.replace("postgres://", "postgresql://", 1))
        except (ArgumentError, ValueError):  # the second: a port that is no number
            raise WrongDatabase("TRIALHOOK_DATABASE_URL cannot be read; expected, for example, " + _EXAMPLE) from None
        self.name = self._url.render_as_string(hide_password=True)
        self._is_ready = False

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self._url.database or "") if self._url.get_backend_name() == "sqlite" else None

    @cached_property
    def engine(self) -> Engine:
        return sqlite(self.file) if self.file else postgresql(self._url)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block has ended.

        Raises StoreUnavailable; only where the answer to the commit was lost may it be there all the same.
        """
        self._make_ready()
        with self._reachable(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that keeps no writer out."""
        self._make_ready()
        with self._reachable(), self.engine.connect().execution_options(**{READS: True}) as connection:
            yield connection

    def prepare(self) -> None:
        """Afterwards the database can be used. An SQLite file is made and migrated; PostgreSQL is only looked at.

        Raises WrongDatabase where a person must act, StoreUnavailable where it cannot be reached.
        """
        with self._reachable():
            self._make_file()
            try:
                self._bring_up_to_date()
            except (OperationalError, InterfaceError):
                raise  # may be over soon
            except DatabaseError as error:  # another kind of file, or no right to read
                raise WrongDatabase(f"{self.name} cannot be used: {_first_line(error)}.") from None
            finally:
                self.engine.dispose()  # a connection must not be shared with a process that is forked later
        self._is_ready = True

    def migrate(self) -> tuple[str | None, str]:
        """Brings the tables to the newest revision, in one transaction, and returns the revision before and after.

        Raises WrongDatabase where a step is refused, StoreUnavailable where the database cannot be reached.
        """
        from cds_service.store.migrating import upgrade  # noqa: PLC0415 - Alembic is loaded for a migration only

        with self._reachable():
            self._make_file()
            try:
                with self.engine.execution_options(**{MIGRATES: True}).begin() as connection:
                    before = upgrade(connection)
            except ProgrammingError as error:  # a table that is not ours stands in the way, or no right to make one
                raise WrongDatabase(f"{self.name} was left as it is: {_first_line(error)}.") from None
            finally:
                self.engine.dispose()  # with what was switched off for the migration
        return before, REVISIONS[-1]

    def _bring_up_to_date(self) -> None:
        with self.engine.connect().execution_options(**{READS: True}) as connection:
            revision = revision_of(connection)
        if revision == REVISIONS[-1]:
            return
        if revision is not None and revision not in REVISIONS:
            raise WrongDatabase(
                f"{self.name} is at revision {revision}, which a newer Trialhook made; this one knows "
                f"{REVISIONS[-1]}. Start the newer version, or name another database in TRIALHOOK_DATABASE_URL."
            )
        if not self.file:
            state = f"is at revision {revision}" if revision else "has no tables of Trialhook"
            raise WrongDatabase(f"{self.name} {state}. Run once: python -m cds_service migrate")
        self.migrate()

    def _make_file(self) -> None:
        """An empty file that only its owner can read: what people write about a patient will stand in it."""
        if self.file and not self.file.exists():
            with suppress(FileExistsError):  # another worker was first
                os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _make_ready(self) -> None:
        if self._is_ready:
            return
        try:
            self.prepare()
        except WrongDatabase as error:
            _LOG.error("%s", error)
            raise StoreUnavailable from None

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Whatever keeps the database from answering is one error; its cause is logged, without what was stored."""
        try:
            yield
        except (DBAPIError, NoFreeConnection, OSError) as error:
            if isinstance(error, _DEFECTS):
                raise
            _LOG.error("The database %s cannot be used: %s", self.name, _first_line(error))
            raise StoreUnavailable from None


def _first_line(error: BaseException) -> str:
    """The driver's own words: SQLAlchemy's would add the statement."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    said = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {said[0] if said else 'no reason given'}"
