"""A PostgreSQL server of our own that is thrown away: found, made and started with the programs of the system."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

START_LIMIT = 30.0  # seconds
_SERVER_USER = "postgres"  # PostgreSQL refuses to run as root


def programs() -> Path | None:
    """The folder of initdb and postgres: Debian keeps them off the path, a folder for each version."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return next((folder for folder in reversed(folders) if (folder / "postgres").is_file()), None)


def why_missing() -> str | None:
    """None when a server can be made, else what is missing."""
    if sys.platform == "win32":
        return "PostgreSQL is tried on Unix only"
    if programs() is None:
        return "PostgreSQL is not installed (Debian: apt install postgresql)"
    if os.geteuid() == 0 and _user() is None:
        return f"PostgreSQL refuses to run as root, and there is no user {_SERVER_USER}"
    return None


def _user() -> str | None:
    import pwd  # noqa: PLC0415 - not on Windows

    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_SERVER_USER).pw_name
    return None


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """The folder of the socket of a running server. It listens on no port, and nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="trialhook-pg-"))
    user = _SERVER_USER if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    server: subprocess.Popen[bytes] | None = None
    try:
        _run([_program("initdb"), "-D", folder / "made", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"], user)
        server = start(folder)
        yield str(folder)
    finally:
        if server is not None:
            stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The server, ready. It does not wait for the disk: only our own processes are killed, never the machine."""
    options = ["fsync=off", "listen_addresses=", f"unix_socket_directories={folder}", "max_connections=60"]
    command: list[str | Path] = [_program("postgres"), "-D", folder / "made"]
    command += [part for one in options for part in ("-c", one)]
    user = _SERVER_USER if os.geteuid() == 0 else None
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=log)
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit and server.poll() is None:
        ask: list[str | Path] = [_program("pg_isready"), "-q", "-h", folder]
        if subprocess.run(ask, check=False).returncode == 0:
            return server
        time.sleep(0.05)
    stop(server)
    raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text(errors='replace')}")


def stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT)  # at once, without waiting for clients
    server.wait(timeout=30)


def _program(name: str) -> Path:
    folder = programs()
    assert folder is not None
    return folder / name


def _run(command: list[str | Path], user: str | None) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr.decode(errors='replace')}")
