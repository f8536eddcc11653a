"""HealthChain, from its published package, in an environment of its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.client import Refused
from benchmarks.servers import ROOT, Service

LOCK = Path(__file__).parent / "peer.lock"
PLACE = ROOT / ".bench" / "peer"
_PYTHON = PLACE / "bin" / "python"
_STAMP = PLACE / "installed.sha256"
_QUIETLY = ("--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes")


def peer() -> Service:
    """The peer, installed where it is not yet. Raises Refused when that fails."""
    fingerprint = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not _STAMP.is_file() or _STAMP.read_text(encoding="ascii") != fingerprint:
        _install()
        _STAMP.write_text(fingerprint, encoding="ascii")
    command = (str(_PYTHON), "-m", "uvicorn", "peer_app:app", "--port", "{port}", "--log-level", "warning")
    return Service("healthchain", (*command, "--no-access-log"), "/cds/cds-services/floor", Path(__file__).parent)


def _install() -> None:
    print(f"Installing HealthChain into {PLACE.relative_to(ROOT)}", flush=True)
    # The Python that ours was made with has pip where Debian keeps it out of environments.
    outer = [str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"), "-m", "pip", "--python"]
    pip = [*outer, str(_PYTHON), "install", *_QUIETLY, "-r", str(LOCK)]
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(PLACE)], check=False)
    if made.returncode or subprocess.run(pip, check=False, env={**os.environ, "PIP_USER": "0"}).returncode:
        raise Refused("HealthChain could not be installed; pip says why above. The rest runs without --with-peer.")
