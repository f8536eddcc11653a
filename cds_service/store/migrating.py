"""Alembic, run from inside: no ini file, the connection of the caller."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from cds_service.errors import WrongDatabase
from cds_service.store.revisions import revision_of
from cds_service.store.tables import REVISIONS

# Any number: whoever migrates holds it, and a second one waits.
_LOCK = 6920199


def upgrade(connection: Connection) -> str | None:
    """Takes all steps that are missing, within the transaction, and returns the revision before.

    Raises WrongDatabase for a revision that nobody here knows.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = revision_of(connection)
    if before is not None and before not in REVISIONS:
        raise WrongDatabase(f"The database is at revision {before}, which a newer Trialhook made. Nothing was changed.")
    command.upgrade(config(connection), REVISIONS[-1])
    return before


def config(connection: Connection) -> Config:
    made = Config()
    # Alembic reads a percent sign in a path as the start of a variable.
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    made.attributes["connection"] = connection
    return made
