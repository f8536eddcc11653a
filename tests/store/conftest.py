"""An empty database for each test, in SQLite and in PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.schema import CreateSchema

from cds_service.store.database import Database
from tests.store.postgres import cluster, why_missing

KINDS = ("sqlite", "postgresql")
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The folder of the socket of the one server of this run."""
    if reason := why_missing():
        pytest.skip(reason)
    with cluster() as folder:
        yield folder


@pytest.fixture
def postgresql_url(postgres: str) -> str:
    """The address of a new schema without tables; a database for each test would be ten thousand files."""
    name, place = f"test{next(_NUMBERS)}", f"postgres?host={postgres}"
    administrator = create_engine(f"postgresql+psycopg://postgres@/{place}")
    with administrator.begin() as connection:
        connection.execute(CreateSchema(name))
    administrator.dispose()
    return f"postgresql://postgres@/{place}&options=-csearch_path%3D{name}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a file that is not there yet."""
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture(params=KINDS)
def bare_url(request: pytest.FixtureRequest) -> str:
    """The address of a database without tables."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def url(bare_url: str) -> str:
    """The address of a database that is migrated and empty."""
    migrated = Database(bare_url)
    migrated.migrate()
    migrated.engine.dispose()
    return bare_url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.engine.dispose()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()
