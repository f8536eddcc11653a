"""The service under load: many clients at once, then with others that stall while they send."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence

from benchmarks.bodies import Body
from benchmarks.client import request_of
from benchmarks.measure import burst, percentile
from benchmarks.servers import OURS, Running, running, warm

CLIENTS = 32
SECONDS = 30.0
STALLING = 16
OTHERS = 4
SECONDS_BESIDE_STALLING = 10.0


def run(bodies: Sequence[Body]) -> int:
    """Prints how the service bears it; 1 when a request was not answered with 200."""
    with running(OURS, bodies[0]) as ours:
        warm([ours], bodies)
        clean = _told(f"{CLIENTS} clients, {SECONDS:.0f} s", *burst(ours, bodies, CLIENTS, SECONDS))
        with stalled(ours, bodies[-1]):
            what = f"{OTHERS} clients beside {STALLING} that stall"
            clean &= _told(what, *burst(ours, bodies, OTHERS, SECONDS_BESIDE_STALLING))
    return 0 if clean else 1


def _told(what: str, latencies: Sequence[float], errors: Sequence[str]) -> bool:
    """Prints a line; True when nothing went wrong and something went at all."""
    figures = "no answer at all"
    if latencies:
        p50, p99, most = (1000 * percentile(latencies, share) for share in (0.5, 0.99, 1.0))
        figures = f"{len(latencies)} answers, p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {most:.0f} ms"
    print(f"{what}: {figures}, {len(errors)} errors{': ' + errors[0] if errors else ''}", flush=True)
    return bool(latencies) and not errors


@contextlib.contextmanager
def stalled(server: Running, body: Body) -> Iterator[None]:
    """Connections that have sent half of a body, and wait."""
    half = request_of(server.service.path, body)[: len(body.json) // 2]
    with contextlib.ExitStack() as stack:
        for _ in range(STALLING):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            connection.sendall(half)
        yield
