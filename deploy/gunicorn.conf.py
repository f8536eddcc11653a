"""Gunicorn in production form: `gunicorn -c deploy/gunicorn.conf.py "app:create_app()"`.

Put a reverse proxy that buffers request bodies in front: sixteen clients that stall while they send
would otherwise hold every thread of a worker.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

bind = os.environ.get("BIND", "127.0.0.1:8000")  # loopback: the proxy is the way in

# One process computes on one core; threads only cover the waiting for a FHIR server.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 16

# An EHR gives a hook a few seconds. For gthread this is the heartbeat of the whole worker, not the
# limit of one request; outgoing calls have budgets of their own.
timeout = 30
graceful_timeout = 10  # a request that is under way may finish when the server is stopped
keepalive = 5  # EHRs and proxies call in bursts; seconds

# Each worker loads the application itself: nothing opened at start (a database, a socket, a lock) is
# then shared across a fork. The cost is memory, not correctness.
preload_app = False

# No control socket: it lies in the home of the user and nobody here needs it.
control_socket_disable = True

# No access log: query parameters and paths may name a patient. Errors go to stderr.
accesslog = None
errorlog = "-"
loglevel = "info"
capture_output = False

# CDS Hooks addresses are short, but the demo's FHIR server gets the search for labs, which names all their codes in
# its address. A token in the Authorization header can be long.
limit_request_line = 8190  # bytes
limit_request_fields = 64
limit_request_field_size = 16384  # bytes

# Heartbeat files in memory, where there is such a place: a slow disk must not look like a hung worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

# Where metrics are wanted, the workers share a folder, so that any of them can answer for all. Its name has to be known
# before the library is loaded, and stays the same when this file is read again.
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_OWN = None
if os.environ.get("TRIALHOOK_METRICS") and not os.environ.get(_FOLDER):
    os.environ[_FOLDER] = _OWN = tempfile.mkdtemp(prefix="trialhook-metrics-")


def on_starting(server: Any) -> None:
    """The numbers of an earlier run are not those of this one."""
    if folder := os.environ.get(_FOLDER):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        for numbers in Path(folder).glob("*.db"):
            numbers.unlink()


def child_exit(server: Any, worker: Any) -> None:
    if os.environ.get(_FOLDER):
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    if _OWN:
        shutil.rmtree(_OWN, ignore_errors=True)
