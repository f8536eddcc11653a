"""A malformed protocol stops the start, at every door."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

import app
from cds_service import assembly, cli
from cds_service.net.servers import Server
from cds_service.settings import Settings
from cds_service.store.sealing import Seal
from cds_service.trials import protocol as loader
from cds_service.trials.protocol import Protocol, protocol_in


@pytest.fixture
def malformed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The protocol with a window that has no unit, where every door looks for it."""
    folder = Path(shutil.copytree(Path(loader.__file__).parent / "nct06920199", tmp_path / "trial"))
    path = folder / "exclusion.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("window: 100 d", "window: 100", 1), encoding="utf-8")

    def load(name: str) -> Protocol:
        return protocol_in(folder)

    monkeypatch.setattr(assembly, "load_protocol", load)
    monkeypatch.setattr(cli, "load_protocol", load)


@pytest.mark.usefixtures("malformed")
@pytest.mark.parametrize("start", [app.create_app, app.create_demo_app])
def test_the_service_does_not_start_and_says_where_the_protocol_is_malformed(
    start: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit is the one of a wrong setting, which gunicorn does not repeat."""
    with pytest.raises(SystemExit) as stopped:
        start(Settings())  # type: ignore[operator]
    assert stopped.value.code == 3
    said = capsys.readouterr()
    assert "Trialhook does not start. exclusion.yaml, criterion E10, window: expected a span" in said.err
    assert not said.out


@pytest.mark.usefixtures("malformed")
def test_the_command_line_says_so_and_exits_with_2(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text('{"resourceType": "Patient", "id": "p1"}')
    result = CliRunner().invoke(cli.main, ["screen", str(record)])
    assert result.exit_code == 2
    assert "exclusion.yaml, criterion E10, window" in result.output
    assert "Traceback" not in result.output


def test_the_demo_may_call_its_own_fhir_server_and_the_service_nobody() -> None:
    """Both stand on the port that they were told; settings of the site stay in force."""
    theirs = Server("https://ehr.example.org/fhir")
    own = app.demo_settings(Settings(fhir_servers=(theirs,)), port=8123).fhir_servers
    assert own == (
        theirs,
        Server("http://127.0.0.1:8123/fhir", private=True),
        Server("http://localhost:8123/fhir", private=True),
    )
    assert not Settings().fhir_servers


def test_all_workers_of_the_demo_seal_under_one_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with ThreadPoolExecutor(8) as workers:
        keys = set(workers.map(lambda _: app._demo_key(folder), range(32)))
    assert len(keys) == 1
    assert Seal(*keys).opened(Seal(*keys).seal(b"a record")) == b"a record"
    assert [(one.name, one.stat().st_mode & 0o777) for one in folder.iterdir()] == [("review.key", 0o600)]


def test_a_demo_that_cannot_keep_its_key_says_that_it_has_no_review_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    folder.write_text("no folder")
    assert app._demo_key(folder) == ()
    assert "The demo has no review page" in capsys.readouterr().err
