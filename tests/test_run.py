"""run.py without network, and the rules for the files it installs from."""

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import run

LOCKS = [run.RUNTIME_LOCK, run.DEV_LOCK]
NOT_OURS = {".git", ".venv", ".demo", ".bench", ".hypothesis", "__pycache__", "mutants"}

# Written so that the patterns do not match their own text.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root)/")
REGISTRY_HOST = re.compile(r"pypi[.]org|python[h]osted")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty environment and two small locks, in place of the real ones."""
    made = tmp_path / ".venv"
    made.mkdir()
    monkeypatch.setattr(run, "ENVIRONMENT", made)
    for name in ("RUNTIME_LOCK", "DEV_LOCK"):
        lock = tmp_path / f"{name}.lock"
        lock.write_text(f"{name}==1\n", encoding="ascii")
        monkeypatch.setattr(run, name, lock)
    return made


def install_as(monkeypatch: pytest.MonkeyPatch, lock: Path, exit_code: int = 0) -> None:
    """Installs with a pip that only ends."""
    pip = [sys.executable, "-c", f"raise SystemExit({exit_code})"]
    monkeypatch.setattr(run, "ROOT", lock.parent)
    run.install(lock, pip)


class TestPort:
    def test_a_free_port_is_accepted(self, taken_port: int) -> None:
        run.require_free(run.free_port(taken_port))

    def test_the_message_for_a_taken_port_names_a_free_one_and_the_command(self, taken_port: int) -> None:
        with pytest.raises(run.Failure) as raised:
            run.require_free(taken_port)
        offered = re.search(r"run\.py demo --port (\d+)", str(raised.value))
        assert offered is not None
        assert f"Port {taken_port} cannot be used" in str(raised.value)
        assert run.why_unusable(int(offered[1])) is None

    def test_demo_ends_with_1_before_it_installs_anything(
        self, taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def must_not_install(lock: Path) -> None:
            pytest.fail(f"installed {lock.name}")

        monkeypatch.setattr(run, "ensure", must_not_install)
        assert run.main(["demo", "--port", str(taken_port)]) == 1
        assert "is free" in capsys.readouterr().err

    def test_after_the_last_port_the_system_picks_one(self) -> None:
        assert 1 <= run.free_port(65535) <= 65535

    @pytest.mark.parametrize("text", ["0", "65536", "-1", "http", ""])
    def test_what_is_no_port_is_refused(self, text: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            run.main(["demo", f"--port={text}"])
        assert ended.value.code == 2
        assert "from 1 to 65535" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["1", "65535"])
    def test_the_outermost_ports_are_ports(self, text: str) -> None:
        assert run.port_number(text) == int(text)


class TestStamps:
    def test_nothing_is_installed_in_a_new_environment(self, environment: Path) -> None:
        assert not run.is_installed(run.RUNTIME_LOCK)
        assert not run.is_installed(run.DEV_LOCK)

    def test_an_installed_lock_counts_until_it_changes(
        self, environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install_as(monkeypatch, run.RUNTIME_LOCK)
        assert run.is_installed(run.RUNTIME_LOCK)
        run.RUNTIME_LOCK.write_text("another==2\n", encoding="ascii")
        assert not run.is_installed(run.RUNTIME_LOCK)

    def test_a_failed_installation_leaves_no_stamp(self, environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        install_as(monkeypatch, run.DEV_LOCK)
        with pytest.raises(run.Failure, match="could not be installed"):
            install_as(monkeypatch, run.DEV_LOCK, exit_code=1)
        assert not run.is_installed(run.DEV_LOCK)

    def test_installing_one_lock_voids_the_stamp_of_the_other(
        self, environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install_as(monkeypatch, run.DEV_LOCK)
        install_as(monkeypatch, run.RUNTIME_LOCK)
        assert not run.is_installed(run.DEV_LOCK)

    @pytest.mark.parametrize(
        ("installed", "wanted", "again"),
        [
            ("DEV_LOCK", "RUNTIME_LOCK", False),
            ("DEV_LOCK", "DEV_LOCK", False),
            ("RUNTIME_LOCK", "RUNTIME_LOCK", False),
            ("RUNTIME_LOCK", "DEV_LOCK", True),
        ],
    )
    def test_the_dev_lock_satisfies_the_demo_but_not_the_other_way_round(
        self, environment: Path, monkeypatch: pytest.MonkeyPatch, installed: str, wanted: str, again: bool
    ) -> None:
        install_as(monkeypatch, getattr(run, installed))
        monkeypatch.setattr(run, "PYTHON", environment)  # anything that exists
        monkeypatch.setattr(run, "made_for_this_python", lambda: True)
        monkeypatch.setattr(run, "installer", lambda: ["pip"])
        asked: list[Path] = []
        monkeypatch.setattr(run, "install", lambda lock, pip: asked.append(lock))
        run.ensure(getattr(run, wanted))
        assert asked == ([getattr(run, wanted)] if again else [])


class TestEnvironment:
    @pytest.mark.parametrize(
        ("settings", "fits"),
        [
            ("version = {major}.{minor}.9\n", True),
            ("home = somewhere\nversion = {major}.{minor}.0\n", True),
            ("version = {major}.{minor}0.1\n", False),
            ("version = 3.2.1\n", False),
            ("", False),
        ],
    )
    def test_only_the_same_minor_version_fits(self, environment: Path, settings: str, fits: bool) -> None:
        major, minor = sys.version_info[:2]
        text = settings.format(major=major, minor=minor)
        (environment / "pyvenv.cfg").write_text(text, encoding="utf-8")
        assert run.made_for_this_python() is fits

    def test_where_nothing_can_install_the_message_says_what_to_install(
        self, environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run, "succeeds", lambda command: False)
        with pytest.raises(run.Failure, match="apt install python3-venv"):
            run.make_environment()
        assert not environment.exists()

    def test_without_ensurepip_the_pip_of_the_system_installs(
        self, environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def only_without_pip(command: run.Command) -> bool:
            return "--without-pip" in command or "--python" in command

        monkeypatch.setattr(run, "succeeds", only_without_pip)
        assert run.make_environment() == [sys.executable, "-m", "pip", "--python", run.PYTHON]


class TestChecks:
    @pytest.fixture
    def performed(self, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
        """The commands that `test` ran; the first of them fails."""
        commands: list[list[str]] = []

        def record(name: str, arguments: list[str]) -> bool:
            commands.append(arguments)
            return len(commands) > 1

        monkeypatch.setattr(run, "ensure", lambda lock: None)
        monkeypatch.setattr(run, "passes", record)
        return commands

    def test_all_checks_run_after_a_failure_and_pytest_is_last(self, performed: list[list[str]]) -> None:
        assert run.main(["test"]) == 1
        assert [command[0] for command in performed] == ["ruff", "ruff", "mypy", "pytest"]

    def test_what_follows_two_dashes_goes_to_pytest(self, performed: list[list[str]]) -> None:
        run.main(["test", "--all", "--", "-k", "E10", "--", "x"])
        assert performed[-1] == ["pytest", "--skips-fail", "-k", "E10", "--", "x"]

    def test_deep_also_changes_the_code_and_does_it_last(self, performed: list[list[str]]) -> None:
        run.main(["test", "--deep", "--", "-k", "E10"])
        assert performed[-2:] == [["pytest", "--hypothesis-profile=deep", "-k", "E10"], ["tests.mutation.deep"]]


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
    def test_every_package_has_hashes(self, lock: Path) -> None:
        entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
        assert entries
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []

    @pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
    @pytest.mark.parametrize("place", ["://", "--index-url", "--extra-index-url", "--find-links"])
    def test_no_place_of_download_is_named(self, lock: Path, place: str) -> None:
        assert place not in lock.read_text(encoding="utf-8")

    def test_the_dev_lock_holds_all_of_the_runtime_lock(self) -> None:
        runtime, dev = ({*lock.read_text(encoding="utf-8").splitlines()} for lock in LOCKS)
        pinned = {line for line in runtime if "==" in line}
        assert pinned
        assert pinned <= dev


def text_files(folder: Path) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir()):
        if entry.name in NOT_OURS or entry.name.endswith("_cache"):
            continue
        if entry.is_dir():
            yield from text_files(entry)
        else:
            try:
                yield entry.relative_to(run.ROOT), entry.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


class TestTree:
    @pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY_HOST], ids=["machine path", "registry host"])
    def test_no_file_names_a_place_that_only_one_machine_has(self, pattern: re.Pattern[str]) -> None:
        found = [str(path) for path, text in text_files(run.ROOT) if pattern.search(text)]
        assert found == []

    @pytest.mark.parametrize("start", ["", '"', "=", " ", "file:/", "\n"])
    def test_the_pattern_knows_a_machine_path_where_it_starts(self, start: str) -> None:
        assert MACHINE_PATH.search(start + "/" + "root/x")

    @pytest.mark.parametrize("text", ["site.example/" + "work/x", "../" + "work/x", "home/" + "root/"])
    def test_the_pattern_leaves_other_paths_alone(self, text: str) -> None:
        assert MACHINE_PATH.search(text) is None
