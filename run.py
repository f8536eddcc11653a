#!/usr/bin/env python3
"""Sets Trialhook up, shows it, tests it: `python3 run.py setup | demo | test`.

Standard library only: this file runs before anything is installed, and it is the only place that
knows about environments. Everything it makes stands in `.venv` and `.demo`.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

# Checked before the first annotation is evaluated, so that an old Python says this and not a traceback.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Trialhook needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info[:2]))

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
DEMO = ROOT / ".demo"
ON_WINDOWS = os.name == "nt"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if ON_WINDOWS else "bin/python")

RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"  # holds all of RUNTIME_LOCK

STORY = "nearly-a-candidate"
SERVICE = "nct06920199-patient-view"
START_LIMIT = 60.0  # seconds until the server must answer
STOP_LIMIT = 10.0  # seconds the server gets to finish its requests

Command = Sequence[str | Path]


class Failure(Exception):
    """Stops the command. The message says what is wrong and what to do."""


def say(line: str) -> None:
    # Flushed, because the programs we start write to the same output.
    print(line, flush=True)


# The environment -------------------------------------------------------------------------------------


def succeeds(command: Command) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def installer() -> list[str | Path] | None:
    """The pip that can install into the environment: its own, else the one of the Python that runs us."""
    own: list[str | Path] = [PYTHON, "-m", "pip"]
    if succeeds([*own, "--version"]):
        return own
    outer: list[str | Path] = [sys.executable, "-m", "pip", "--python", PYTHON]
    return outer if succeeds([*outer, "--version"]) else None


def made_for_this_python() -> bool:
    """True when the environment has the minor version that runs us; compiled packages fit no other."""
    try:
        settings = (ENVIRONMENT / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}."
    return any(line.replace(" ", "").startswith(f"version={wanted}") for line in settings.splitlines())


def make_environment() -> list[str | Path]:
    """Makes `.venv` anew and returns the command that installs into it.

    Debian and Ubuntu split ensurepip off into python3-venv. Without it the environment gets no pip of
    its own, and the pip of the system (22.3 or newer) installs into it from outside.
    """
    say(f"Making the environment {ENVIRONMENT.name} (Python {sys.version.split()[0]})")
    make = [sys.executable, "-m", "venv", "--clear"]
    if succeeds([*make, ENVIRONMENT]) or succeeds([*make, "--without-pip", ENVIRONMENT]):
        pip = installer()
        if pip is not None:
            return pip
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    raise Failure(
        f"{sys.executable} can make no environment: it has neither ensurepip nor pip 22.3 or newer.\n"
        "Install one of them and try again. Debian, Ubuntu: apt install python3-venv"
        " (or python3-pip). Fedora: dnf install python3-pip."
    )


def stamp_of(lock: Path) -> Path:
    """The file in the environment that says which content of this lock is installed."""
    return ENVIRONMENT / f"{lock.name}.sha256"


def fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def is_installed(lock: Path) -> bool:
    stamp = stamp_of(lock)
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == fingerprint(lock)


def install(lock: Path, pip: Command) -> None:
    say(f"Installing {lock.name}")
    # No stamp may outlive what it speaks of: not when we are interrupted, nor under another lock's versions.
    for stale in (RUNTIME_LOCK, DEV_LOCK):
        stamp_of(stale).unlink(missing_ok=True)
    quietly = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-warn-script-location"]
    command = [*pip, "install", *quietly, "--require-hashes", "-r", lock]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise Failure(f"{lock.name} could not be installed; pip says why above.")
    stamp_of(lock).write_text(fingerprint(lock) + "\n", encoding="ascii")


def ensure(lock: Path) -> None:
    """Afterwards `.venv` holds the lock's packages. Does nothing when it does already."""
    usable = PYTHON.exists() and made_for_this_python()
    if usable and (is_installed(lock) or is_installed(DEV_LOCK)):
        return
    started = time.monotonic()
    pip = installer() if usable else None
    install(lock, pip or make_environment())
    say(f"Environment ready after {time.monotonic() - started:.0f} s")


def setup() -> int:
    ensure(DEV_LOCK)
    say(f"Ready. Next: {me('demo')}   or   {me('test')}")
    return 0


def me(*arguments: str) -> str:
    """This script's call as the reader would type it."""
    return " ".join(["py" if ON_WINDOWS else "python3", "run.py", *arguments])


# The demo --------------------------------------------------------------------------------------------


def why_unusable(port: int) -> str | None:
    """None when a server could listen on the port, else the system's reason."""
    with socket.socket() as probe:
        if not ON_WINDOWS:
            # As servers do: connections of a server that has just stopped are no obstacle.
            # On Windows the same option would take over the port of a running server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def free_port(after: int) -> int:
    """The next free port after this one; if the fifty that follow are taken, one that the system picks."""
    for port in range(after + 1, min(after + 51, 65536)):
        if why_unusable(port) is None:
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    reason = why_unusable(port)
    if reason is not None:
        free = free_port(max(port, 1023))  # the ports up to 1023 want an administrator
        raise Failure(
            f"Port {port} cannot be used: {reason}.\nPort {free} is free: {me('demo', '--port', str(free))}"
        )


def server_command(port: int) -> list[str | Path]:
    application = "app:create_demo_app()"
    if ON_WINDOWS:  # gunicorn needs fork
        return [PYTHON, "-m", "flask", "--app", application, "run", "--port", str(port)]
    address = f"127.0.0.1:{port}"
    return [PYTHON, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", address, application]


@contextlib.contextmanager
def server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The demo server, stopped at the end whatever happens. Its output goes to `.demo/server.log`."""
    DEMO.mkdir(exist_ok=True)
    with (DEMO / "server.log").open("wb") as log:
        # In a session of its own Ctrl-C reaches only us, and the server is stopped in one way: by us.
        child = subprocess.Popen(
            server_command(port), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield child
        finally:
            stop(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    on_stop_signals(signal.SIG_IGN)  # an impatient second Ctrl-C would leave the server running
    child.terminate()
    try:
        child.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def on_stop_signals(action: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Ctrl-C, a polite kill and a closed terminal are all the same wish: stop."""
    signal.signal(signal.SIGINT, action)
    signal.signal(signal.SIGTERM, action)
    # Windows has no SIGHUP, and nohup asks to outlive the terminal.
    if not ON_WINDOWS and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, action)


def fetch(url: str) -> bytes:
    """The body of a 200 answer. A proxy in the environment is passed by: the server is on this machine."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=10) as answer:
        return bytes(answer.read())


def wait_until_ready(child: subprocess.Popen[bytes], site: str) -> None:
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        if child.poll() is not None:
            raise Failure(f"The server stopped while it started. Its last words:\n{last_words()}")
        with contextlib.suppress(OSError):  # not listening yet, or not yet well
            fetch(f"{site}/cds-services")
            return
        time.sleep(0.1)
    raise Failure(f"No answer from {site}/cds-services in {START_LIMIT:.0f} s. Last words:\n{last_words()}")


def last_words() -> str:
    """The end of the server's output; long, because under the cause two tracebacks of gunicorn follow."""
    lines = (DEMO / "server.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-200:]) or "  (none)"


def save_story(site: str) -> Path:
    """Puts the story's hook request where the curl command finds it."""
    address = f"{site}/demo/stories/{STORY}/request"
    try:
        request = fetch(address)
        json.loads(request)
    except (OSError, ValueError) as error:
        raise Failure(f"{address} gave no hook request: {error}. Last words:\n{last_words()}") from error
    saved = DEMO / f"{STORY}.json"
    saved.write_bytes(request)
    return saved


def curl_command(site: str, request: Path) -> str:
    here = Path.cwd()
    path = request.relative_to(here) if request.is_relative_to(here) else request
    words = ["curl", "-s", "-H", "Content-Type: application/json", "-d", f"@{path}"]
    words.append(f"{site}/cds-services/{SERVICE}")
    return subprocess.list2cmdline(words) if ON_WINDOWS else shlex.join(words)


def demo(port: int) -> int:
    require_free(port)
    ensure(RUNTIME_LOCK)
    site = f"http://127.0.0.1:{port}"
    say(f"Starting the server on port {port}")
    on_stop_signals(signal.default_int_handler)  # raises KeyboardInterrupt
    try:
        with server(port) as child:
            wait_until_ready(child, site)
            introduce(site, save_story(site))
            child.wait()
            raise Failure(f"The server stopped by itself. Its last words:\n{last_words()}")
    except KeyboardInterrupt:
        say("\nStopped.")
    return 0


def introduce(site: str, request: Path) -> None:
    say(f"\n  Open         {site}/")
    say(f"  Discovery    {site}/cds-services")
    say(f"  Ask it       {curl_command(site, request)}")
    say("\nCtrl-C stops it.")


# The tests -------------------------------------------------------------------------------------------


def checks(pytest_arguments: Sequence[str]) -> dict[str, list[str]]:
    """Every check by name, pytest last so that its closing lines are near the end."""
    return {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "pytest": ["pytest", *pytest_arguments],
    }


def passes(name: str, arguments: Sequence[str]) -> bool:
    say(f"\n== {name}")
    started = time.monotonic()
    passed = subprocess.run([PYTHON, "-m", *arguments], cwd=ROOT, check=False).returncode == 0
    say(f"== {name}: {'ok' if passed else 'FAILED'} ({time.monotonic() - started:.0f} s)")
    return passed


def test(skips_fail: bool, pytest_arguments: Sequence[str]) -> int:
    """Runs all checks, even after one failed: a person wants to see everything at once."""
    ensure(DEV_LOCK)
    strictly = ["--skips-fail"] if skips_fail else []
    steps = checks([*strictly, *pytest_arguments])
    failed = [name for name, arguments in steps.items() if not passes(name, arguments)]
    say(f"\nFailed: {', '.join(failed)}" if failed else f"\nAll well: {', '.join(steps)}")
    return 1 if failed else 0


# The command line ------------------------------------------------------------------------------------


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1 to 65535, like 8000")
    return int(text)


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Sets Trialhook up, shows it, tests it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="make .venv with everything that demo and test need")
    demo_command = commands.add_parser("demo", help="start the service with made-up patients")
    demo_command.add_argument("--port", type=port_number, default=8000, help="default: 8000")
    test_command = commands.add_parser(
        "test",
        help="style, types and tests",
        usage="run.py test [--all] [-- PYTEST_ARGUMENT ...]",
    )
    test_command.add_argument("--all", action="store_true", help="a skipped test is a failure")
    return parser


def perform(arguments: Sequence[str]) -> int:
    # Split by hand: what argparse does with "--" before a subcommand's rest differs between Pythons.
    own = list(arguments)
    split = own.index("--") if "--" in own else len(own)
    wish = command_line().parse_args(own[:split])
    if wish.command == "setup":
        return setup()
    if wish.command == "demo":
        return demo(wish.port)
    return test(wish.all, own[split + 1 :])


def main(arguments: Sequence[str]) -> int:
    try:
        return perform(arguments)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
