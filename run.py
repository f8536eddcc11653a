#!/usr/bin/env python3
"""Sets Trialhook up, shows it, tests it, times it: `python3 run.py setup | demo | test | bench`.

Standard library only: this file runs before anything is installed, and it is the only place that
knows about environments. Everything it makes stands in `.venv` and `.demo`.
"""

import argparse
import contextlib
import hashlib
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
from functools import partial
from pathlib import Path
from types import FrameType

# Checked before the first annotation is evaluated, so that an old Python says this and not a traceback.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Trialhook needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info[:2]))

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
DEMO = ROOT / ".demo"
LOG = DEMO / "server.log"
ON_WINDOWS = os.name == "nt"
STAMP = "installed.sha256"  # in the environment: which content of which lock it holds
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if ON_WINDOWS else "bin/python")
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"  # holds all of RUNTIME_LOCK

ME = "py run.py" if ON_WINDOWS else "python3 run.py"
STORY = "nearly-a-candidate"
SERVICE = "cds-services/nct06920199-patient-view"
START_LIMIT = 60.0  # seconds until the server must answer
STOP_LIMIT = 10.0  # seconds the server gets to finish its requests

Command = Sequence[str | Path]


class Failure(Exception):
    """Stops the command. The message says what is wrong and what to do."""


say = partial(print, flush=True)  # the programs we start write to the same output


def succeeds(command: Command) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


def installer() -> list[str | Path] | None:
    """The pip that can install into the environment: its own, else the one of the Python that runs us."""
    own: list[str | Path] = [PYTHON, "-m", "pip"]
    outer: list[str | Path] = [sys.executable, "-m", "pip", "--python", PYTHON]
    return next((pip for pip in (own, outer) if succeeds([*pip, "--version"])), None)


def made_for_this_python() -> bool:
    """True when the environment has the minor version that runs us; compiled packages fit no other."""
    made = ENVIRONMENT / "pyvenv.cfg"
    lines = made.read_text(encoding="utf-8").splitlines() if made.is_file() else []
    wanted = f"version={sys.version_info.major}.{sys.version_info.minor}."
    return any(line.replace(" ", "").startswith(wanted) for line in lines)


def make_environment() -> list[str | Path]:
    """Makes `.venv` anew and returns the command that installs into it."""
    # Debian and Ubuntu split ensurepip off into python3-venv. Without it the environment gets no pip of
    # its own, and the pip of the system (22.3 or newer) installs into it from outside.
    say(f"Making the environment {ENVIRONMENT.name} (Python {sys.version.split()[0]})")
    make = [sys.executable, "-m", "venv", "--clear"]
    made = succeeds([*make, ENVIRONMENT]) or succeeds([*make, "--without-pip", ENVIRONMENT])
    if made and (pip := installer()):
        return pip
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    raise Failure(
        f"{sys.executable} can make no environment: it has neither ensurepip nor pip 22.3 or newer.\n"
        "Install one of them and try again. Debian, Ubuntu: apt install python3-venv"
        " (or python3-pip). Fedora: dnf install python3-pip."
    )


def fingerprint(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def is_installed(lock: Path) -> bool:
    return (ENVIRONMENT / STAMP).is_file() and (ENVIRONMENT / STAMP).read_text("ascii") == fingerprint(lock)


def install(lock: Path, pip: Command) -> None:
    say(f"Installing {lock.name}")
    # The stamp may not outlive what it speaks of, even when we are interrupted.
    (ENVIRONMENT / STAMP).unlink(missing_ok=True)
    quietly = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-warn-script-location"]
    command = [*pip, "install", *quietly, "--require-hashes", "-r", lock]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise Failure(f"{lock.name} could not be installed; pip says why above.")
    (ENVIRONMENT / STAMP).write_text(fingerprint(lock), encoding="ascii")


def ensure(lock: Path) -> None:
    """Afterwards `.venv` holds the lock's packages. Does nothing when it does already."""
    usable = PYTHON.exists() and made_for_this_python()
    if not usable or not (is_installed(lock) or is_installed(DEV_LOCK)):
        install(lock, (usable and installer()) or make_environment())


def why_unusable(port: int) -> str | None:
    """None when a server could listen on the port, else the system's reason."""
    with socket.socket() as probe:
        if not ON_WINDOWS:  # there it would take over a running server's port; here all servers do so
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def free_port(after: int) -> int:
    """The next free port after this one; if the fifty that follow are taken, one that the system picks."""
    near = (port for port in range(after + 1, min(after + 51, 65536)) if why_unusable(port) is None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return next(near, int(probe.getsockname()[1]))


def require_free(port: int) -> None:
    if reason := why_unusable(port):
        free = free_port(max(port, 1023))  # the ports up to 1023 want an administrator
        raise Failure(f"Port {port} cannot be used: {reason}.\nPort {free} is free: {ME} demo --port {free}")


def server_command(port: int) -> list[str | Path]:
    app = f"app:create_demo_app(port={port})"
    if ON_WINDOWS:  # gunicorn needs fork
        return [PYTHON, "-m", "flask", "--app", app, "run", "--port", str(port)]
    return [PYTHON, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", app]


@contextlib.contextmanager
def server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The demo server, stopped at the end whatever happens. Its output goes to `.demo/server.log`."""
    DEMO.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        # In a session of its own Ctrl-C reaches only us, and the server is stopped in one way: by us.
        child = subprocess.Popen(server_command(port), cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        try:
            yield child
        finally:
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
    while time.monotonic() < limit and child.poll() is None:
        with contextlib.suppress(OSError):  # not listening yet, or not yet well
            fetch(f"{site}/cds-services")
            return
        time.sleep(0.1)
    raise Failure(f"The server did not start. {last_words()}")


def last_words() -> str:
    """The end of the server's output; long, because under the cause two tracebacks of gunicorn follow."""
    lines = LOG.read_text(encoding="utf-8", errors="replace").splitlines()
    return "Its last words:\n" + "\n".join(f"  {line}" for line in lines[-200:])


def curl_command(site: str) -> str:
    """A call of the service with a story's hook request, which is saved where curl finds it."""
    address = f"{site}/demo/stories/{STORY}/request"
    saved = DEMO / f"{STORY}.json"
    try:
        saved.write_bytes(fetch(address))
    except OSError as error:
        raise Failure(f"{address} gave no hook request: {error}. {last_words()}") from error
    path = saved.relative_to(Path.cwd()) if saved.is_relative_to(Path.cwd()) else saved
    words = ["curl", "-s", "-H", "Content-Type: application/json", "-d", f"@{path}", f"{site}/{SERVICE}"]
    return subprocess.list2cmdline(words) if ON_WINDOWS else shlex.join(words)


def demo(port: int) -> int:
    require_free(port)
    ensure(RUNTIME_LOCK)
    site = f"http://127.0.0.1:{port}"
    say(f"Starting the server on port {port}, with open access: it asks nobody for a token")
    on_stop_signals(signal.default_int_handler)  # raises KeyboardInterrupt
    with contextlib.suppress(KeyboardInterrupt), server(port) as child:
        wait_until_ready(child, site)
        say(f"\n  Open         {site}/\n  Discovery    {site}/cds-services\n  FHIR server  {site}/fhir/Patient")
        say(f"  Ask it       {curl_command(site)}\n\nCtrl-C stops it.")
        child.wait()
        raise Failure(f"The server stopped by itself. {last_words()}")
    say("\nStopped.")
    return 0


def passes(name: str, arguments: Sequence[str]) -> bool:
    say(f"\n== {name}")
    passed = subprocess.run([PYTHON, "-m", *arguments], cwd=ROOT, check=False).returncode == 0
    say(f"== {name}: {'ok' if passed else 'FAILED'}")
    return passed


def test(skips_fail: bool, deep: bool, pytest_arguments: Sequence[str]) -> int:
    """Runs all checks, even after one failed, the longest last: a person wants to see everything at once."""
    ensure(DEV_LOCK)
    options = [*(["--skips-fail"] if skips_fail else []), *(["--hypothesis-profile=deep"] if deep else [])]
    checks = {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "pytest": ["pytest", *options, *pytest_arguments],
        **({"mutmut": ["tests.mutation.deep"]} if deep else {}),
    }
    failed = [name for name, arguments in checks.items() if not passes(name, arguments)]
    say(f"\nFailed: {', '.join(failed)}" if failed else f"\nAll well: {', '.join(checks)}")
    return 1 if failed else 0


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1 to 65535, like 8000")
    return int(text)


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Sets Trialhook up, shows, tests and times it.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="make .venv with everything that demo and test need")
    shown = commands.add_parser("demo", help="start the service with made-up patients")
    shown.add_argument("--port", type=port_number, default=8000, help="default: 8000")
    usage = "run.py test [--all] [--deep] [-- PYTEST_ARGUMENT ...]"
    tested = commands.add_parser("test", help="style, types and tests", usage=usage)
    tested.add_argument("--all", action="store_true", help="a skipped test is a failure")
    tested.add_argument("--deep", action="store_true", help="draw more, also change the code itself: takes an hour")
    timed = commands.add_parser("bench", help="what a chart opening costs, beside a service that does nothing")
    timed.add_argument("--with-peer", action="append_const", dest="words", const="--with-peer", help="and HealthChain")
    timed.add_argument("--load", action="append_const", dest="words", const="--load", help="instead: many clients")
    return parser


def main(arguments: Sequence[str]) -> int:
    # Split by hand: what argparse does with "--" before a subcommand's rest differs between Pythons.
    split = arguments.index("--") if "--" in arguments else len(arguments)
    wish = command_line().parse_args(arguments[:split])
    try:
        if wish.command == "demo":
            return demo(wish.port)
        if wish.command == "test":
            return test(wish.all, wish.deep, arguments[split + 1 :])
        ensure(DEV_LOCK)
        if wish.command == "bench":
            return 0 if passes("bench", ["benchmarks", *(wish.words or ())]) else 1
        say(f"Ready. Next: {ME} demo   or   {ME} test")
        return 0
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
