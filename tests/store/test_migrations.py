"""The tables of every revision, from nothing to the newest, and databases that are not ours to use."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Column, Connection, String, Text, inspect, text

import app
from cds_service.errors import StoreUnavailable, WrongDatabase
from cds_service.settings import Settings
from cds_service.store import migrating
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBook
from cds_service.store.migrating import config
from cds_service.store.revisions import revision_of
from cds_service.store.tables import METADATA, REVISIONS
from tests.store.conftest import Clock
from tests.store.said import REASON, accepted, overridden
from tests.synthetic import ROOT

OLD_ROW = (
    "INSERT INTO feedback (id, identity, received_at, service, card, outcome, outcome_at) "
    "VALUES (1, 'x', '2026-03-16 10:00:00+00', 's', 'c', 'accepted', '2026-03-16 10:00:00+00')"
)


def at_revision(url: str, revision: str) -> Database:
    """A database as an older Trialhook left it, with an entry of feedback."""
    database = Database(url)
    if database.file:
        database.file.touch()
    with database.engine.begin() as connection:
        command.upgrade(config(connection), revision)
        connection.execute(text(OLD_ROW))
    return database


def renamed(url: str, revision: str) -> Database:
    """A database whose revision is written over."""
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": revision})
    return database


def test_the_steps_lead_to_the_tables_that_the_code_uses(database: Database) -> None:
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert revision_of(connection) == REVISIONS[-1]


def test_the_revisions_are_those_of_the_files_in_their_order(database: Database) -> None:
    with database.reading() as connection:
        scripts = ScriptDirectory.from_config(config(connection)).walk_revisions()
    assert tuple(one.revision for one in scripts) == REVISIONS[::-1]


def test_a_second_migration_changes_nothing(url: str) -> None:
    assert Database(url).migrate() == (REVISIONS[-1], REVISIONS[-1])


def test_an_older_database_keeps_its_rows(bare_url: str) -> None:
    old = at_revision(bare_url, REVISIONS[0])
    assert old.migrate() == (REVISIONS[0], REVISIONS[-1])
    with old.reading() as connection:
        assert connection.scalar(text("SELECT card FROM feedback")) == "c"


def test_an_older_file_is_brought_up_to_date_at_the_start(sqlite_url: str) -> None:
    at_revision(sqlite_url, REVISIONS[0])
    opened = Database(sqlite_url)
    opened.prepare()
    with opened.reading() as connection:
        assert revision_of(connection) == REVISIONS[-1]


def test_an_older_postgresql_waits_for_a_person(postgresql_url: str) -> None:
    at_revision(postgresql_url, REVISIONS[0])
    with pytest.raises(WrongDatabase, match=r"at revision 0001\. Run once: python -m cds_service migrate"):
        Database(postgresql_url).prepare()


def test_a_database_of_a_newer_trialhook_is_left_alone(url: str) -> None:
    newer = renamed(url, "9999")
    for attempt in (newer.prepare, newer.migrate):
        with pytest.raises(WrongDatabase, match="revision 9999, which a newer Trialhook made"):
            attempt()
    with newer.engine.connect() as connection:
        assert revision_of(connection) == "9999"


def test_a_step_that_fails_leaves_the_database_as_it_was(bare_url: str) -> None:
    """A table stands in the way of the last step."""
    old = at_revision(bare_url, REVISIONS[0])
    with old.engine.begin() as connection:
        connection.execute(text("CREATE TABLE used_token (x INTEGER)"))
    with pytest.raises((WrongDatabase, StoreUnavailable)):
        old.migrate()
    with old.engine.connect() as connection:
        assert revision_of(connection) == REVISIONS[0]
        assert "ix_used_token_until" not in str(inspect(connection).get_indexes("used_token"))


def test_a_first_migration_that_fails_leaves_no_tables(bare_url: str) -> None:
    database = Database(bare_url)
    if database.file:
        database.file.touch()
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE used_token (x INTEGER)"))
    with pytest.raises((WrongDatabase, StoreUnavailable)):
        database.migrate()
    with database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["used_token"]


def test_a_step_that_changes_a_table_keeps_what_points_to_it(
    url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite drops the table for a copy, and takes what points to it for orphans."""

    def change(connection: Connection) -> None:
        steps = Operations(MigrationContext.configure(connection, opts={"render_as_batch": True}))
        with steps.batch_alter_table("feedback", recreate="auto") as batch:
            batch.alter_column("card", type_=String(256))
            batch.add_column(Column("more", Text))

    book = FeedbackBook(Database(url), clock)
    book.keep("s", [accepted(), overridden("2", 0, REASON)])
    before = book.since()
    monkeypatch.setattr(migrating, "upgrade", change)
    changed = Database(url)
    changed.migrate()
    assert FeedbackBook(changed, clock).since() == before
    with changed.writing() as connection:
        assert changed.file is None or connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize("url", ["postgresql://u:Zebrafink@db.lan:port/x", "postgresql://u:Zebrafink@db.lan:1:2/x"])
def test_an_address_that_cannot_be_read_is_said_without_its_password(url: str) -> None:
    with pytest.raises(WrongDatabase, match="TRIALHOOK_DATABASE_URL cannot be read") as raised:
        Database(url)
    assert "Zebrafink" not in str(raised.value)


def test_another_file_is_no_database_of_ours(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("something else" * 100)
    with pytest.raises(WrongDatabase, match=r"x\.sqlite cannot be used: DatabaseError: file is not a database"):
        Database(f"sqlite:///{tmp_path / 'x.sqlite'}").prepare()


@pytest.mark.parametrize("name", ["store.sqlite", "a b#c?%41ü.sqlite"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_new_file_is_for_its_owner_only(tmp_path: Path, name: str) -> None:
    opened = Database(f"sqlite:///{quote(str(tmp_path / name))}")
    opened.prepare()
    with opened.writing():
        files = list(tmp_path.iterdir())
        assert {name} < {one.name for one in files}
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


def test_sqlite_writes_ahead_and_waits_for_the_disk(sqlite_url: str) -> None:
    opened = Database(sqlite_url)
    with opened.writing() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


class TestStart:
    @pytest.mark.parametrize(
        ("start", "place"), [(app.create_app, "trialhook.sqlite"), (app.create_demo_app, ".demo/trialhook.sqlite")]
    )
    def test_without_a_setting_a_file_is_made_beside_the_code_or_with_the_demo(
        self, start: Callable[[Settings], Flask], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app, "_ROOT", tmp_path)
        monkeypatch.setattr(app, "_DEMO", tmp_path / ".demo")
        start(Settings(open_access=True, database_url=None))
        assert [one for one in tmp_path.rglob("*") if one.is_file()] == [tmp_path / place]

    def test_the_service_does_not_start_with_a_database_of_a_newer_one(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        renamed(url, "9999")
        with pytest.raises(SystemExit) as stopped:
            app.create_app(Settings(open_access=True, database_url=url))
        assert stopped.value.code == 3
        said = capsys.readouterr().err
        assert said.startswith("Trialhook does not start. ")
        assert "a newer Trialhook" in said
        assert len(said.splitlines()) == 1

    def test_nor_before_postgresql_was_migrated(self, postgresql_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            app.create_app(Settings(open_access=True, database_url=postgresql_url))
        assert "python -m cds_service migrate" in capsys.readouterr().err


def loaded_by(statement: str, **environment: str) -> set[str]:
    """Which of the libraries of the store a new process has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*({{'sqlalchemy', 'alembic', 'psycopg'}} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
    return set(done.stdout.decode().split())


class TestLoading:
    def test_what_stores_nothing_loads_nothing_of_it(self) -> None:
        assert loaded_by("import app, cds_service.cli, cds_service.web.feedback") == set()

    def test_a_worker_does_not_load_what_migrates(self, url: str) -> None:
        kind = {"sqlalchemy"} if url.startswith("sqlite") else {"sqlalchemy", "psycopg"}
        start = "from cds_service.store.database import Database as D\nimport os\nD(os.environ['URL']).prepare()"
        assert loaded_by(start, URL=url) == kind
