"""The services that are measured, each started on a free port of loopback, and what the system says they use.

All are read from `/proc`: the benchmark runs on Linux only.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bodies import Body
from benchmarks.client import Client, Refused, request_of

ROOT = Path(__file__).parent.parent
PATH = "/cds-services/nct06920199-patient-view"
_START_LIMIT = 60.0  # seconds
_GUNICORN = ("-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is started; `{port}` stands for the port."""

    name: str
    command: tuple[str, ...]
    path: str = PATH
    folder: Path = ROOT


OURS = Service("trialhook", (sys.executable, *_GUNICORN, "--bind", "127.0.0.1:{port}", "app:create_app()"))
FLOOR = Service("floor", (sys.executable, *_GUNICORN, "--bind", "127.0.0.1:{port}", "benchmarks.floor:create_app()"))


@dataclass(slots=True)
class Running:
    """A service that answers. `workers` are the processes that do so."""

    service: Service
    port: int
    workers: tuple[int, ...]
    client: Client = field(repr=False)

    @property
    def name(self) -> str:
        return self.service.name

    def post(self, body: Body) -> float:
        """Sends the body; the seconds until the answer was there."""
        return self.client.post(request_of(self.service.path, body))[0]

    def has_card(self, body: Body) -> bool:
        """True when the answer to the body holds a card."""
        return bool(json.loads(self.client.post(request_of(self.service.path, body))[1])["cards"])

    def cpu(self) -> float:
        """Seconds of CPU, of user and system together, that the workers have used since they were started."""
        return sum(_cpu_of(pid) for pid in self.workers)

    def memory(self) -> float:
        """Megabytes that the workers hold; a page that several share counts in part for each."""
        return sum(_memory_of(pid) for pid in self.workers)


@contextlib.contextmanager
def running(service: Service, first: Body) -> Iterator[Running]:
    """The service, until the end of the block. Raises Refused when it does not answer the first body in time."""
    port = _free_port()
    command = [part.format(port=port) for part in service.command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIALHOOK_")}
    environment["TRIALHOOK_OPEN_ACCESS"] = "true"
    child = subprocess.Popen(command, cwd=service.folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        with Client(port) as client:
            _wait(child, client, request_of(service.path, first), service.name)
            yield Running(service, port, _workers(child.pid), client)
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait(child: subprocess.Popen[bytes], client: Client, request: bytes, name: str) -> None:
    limit = time.monotonic() + _START_LIMIT
    while time.monotonic() < limit and child.poll() is None:
        try:
            client.post(request)
        except Refused:
            time.sleep(0.1)
        else:
            return
    raise Refused(f"{name} does not answer; its own words stand above")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _workers(master: int) -> tuple[int, ...]:
    """The children of a process; the process itself where it has none."""
    everybody = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return tuple(pid for pid in everybody if _parent(pid) == master) or (master,)


def _parent(pid: int) -> int | None:
    try:
        stated = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1")
    except OSError:  # it has ended meanwhile
        return None
    return int(stated.rpartition(")")[2].split()[1])


def _cpu_of(pid: int) -> float:
    """By the scheduler's count, in nanoseconds for each thread: the usual one goes by hundredths of a second."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9


def _memory_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def warm(services: Sequence[Running], bodies: Sequence[Body]) -> None:
    """Every worker answers every body some times; a new connection may reach another worker."""
    for one in services:
        for _ in range(8):
            one.client.close()
            for body in bodies:
                one.post(body)
