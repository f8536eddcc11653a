"""The commands migrate and feedback, over a real database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBook
from cds_service.store.tables import REVISIONS
from tests.store.said import REASON, accepted, overridden

SERVICE = "nct06920199-patient-view"
LATE_EVENING = datetime(2026, 3, 15, 16, 0, tzinfo=UTC)  # midnight in Shanghai


def run(monkeypatch: pytest.MonkeyPatch, url: str, *arguments: str, zone: str = "UTC") -> Result:
    monkeypatch.setenv("TRIALHOOK_DATABASE_URL", url)
    monkeypatch.setenv("TRIALHOOK_SITE_TIMEZONE", zone)
    return CliRunner().invoke(main, arguments)


def test_migrate_says_where_it_is_and_may_be_repeated(bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (run(monkeypatch, bare_url, "migrate") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert f"is at revision {REVISIONS[-1]} (before: no tables)." in first.output
    assert f"is at revision {REVISIONS[-1]} (before: {REVISIONS[-1]})." in second.output


def test_feedback_lists_what_was_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FeedbackBook(Database(url), lambda: LATE_EVENING).keep(SERVICE, [accepted(), overridden("2", 0, REASON)])
    assert len(json.loads(run(monkeypatch, url, "feedback", "--format", "json").output)["entries"]) == 2
    assert str(REASON.comment) not in run(monkeypatch, url, "feedback").output
    assert str(REASON.comment) in run(monkeypatch, url, "feedback", "--comments").output
    assert run(monkeypatch, url, "feedback", "--format", "csv").output.startswith("received,service,")


@pytest.mark.parametrize(("zone", "listed"), [("Asia/Shanghai", 1), ("UTC", 0)])
def test_since_is_a_day_at_the_site(url: str, monkeypatch: pytest.MonkeyPatch, zone: str, listed: int) -> None:
    FeedbackBook(Database(url), lambda: LATE_EVENING).keep(SERVICE, [accepted()])
    found = run(monkeypatch, url, "feedback", "--since", "2026-03-16", "--format", "json", zone=zone)
    assert len(json.loads(found.output)["entries"]) == listed


def test_a_database_without_tables_is_named_with_what_to_do(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(monkeypatch, postgresql_url, "feedback")
    assert found.exit_code == 2
    assert "python -m cds_service migrate" in found.output


def test_listing_makes_no_file(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(monkeypatch, sqlite_url, "feedback")
    assert found.exit_code == 2
    assert "is not there" in found.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["feedback", "migrate"])
def test_a_database_out_of_reach_ends_with_2_and_no_traceback(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(monkeypatch, "postgresql://trialhook:word@127.0.0.1:9/x", command)
    assert found.exit_code == 2
    assert "cannot be used" in found.output
    assert "word" not in found.output


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(monkeypatch, "mysql://db.lan/x", "migrate")
    assert found.exit_code == 2
    assert "TRIALHOOK_DATABASE_URL: expected a database" in found.output
