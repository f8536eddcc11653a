"""The measuring: services in turn, batch by batch, so that whatever else the machine does falls on all alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.bodies import Body
from benchmarks.client import Client, Refused, request_of
from benchmarks.servers import Running

_BATCH = 0.15  # seconds that a batch is meant to take
_MOST_IN_A_BATCH = 200


@dataclass(slots=True)
class Cell:
    """What one service did with one body.

    `cpu` is seconds per request of each batch, `latencies` are the seconds of each request of one client,
    `throughput` requests per second of several clients.
    """

    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    throughput: float = 0.0

    def percentile(self, share: float) -> float:
        """The latency, in seconds, that this share of the requests does not exceed."""
        return percentile(self.latencies, share)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_ratio(cell: Cell, floor: Cell) -> float:
    """The median of the ratios of those batches that ran right after each other."""
    return median(mine / theirs for mine, theirs in zip(cell.cpu, floor.cpu, strict=True))


def one_client(services: Sequence[Running], body: Body, seconds: float) -> dict[str, Cell]:
    """Each service's cell, by its name, from batches of requests one after another."""
    cells = {one.name: Cell() for one in services}
    size = _batch_size(services, body)
    until = time.monotonic() + seconds
    order = list(services)
    while time.monotonic() < until or not cells[order[0].name].cpu:
        for one in order:
            _batch(one, body, size, cells[one.name])
        order.reverse()
    return cells


def _batch_size(services: Sequence[Running], body: Body) -> int:
    """So many requests that the slowest service takes about one batch's time for them."""
    slowest = max(median(one.post(body) for _ in range(5)) for one in services)
    return max(3, min(_MOST_IN_A_BATCH, int(_BATCH / slowest)))


def _batch(one: Running, body: Body, size: int, cell: Cell) -> None:
    request = request_of(one.service.path, body)
    # A new connection, since a worker keeps the one that it has: each worker gets its turn.
    one.client.close()
    one.client.post(request)
    before = one.cpu()
    cell.latencies += [one.client.post(request)[0] for _ in range(size)]
    cell.cpu.append((one.cpu() - before) / size)


def several_clients(one: Running, body: Body, clients: int, seconds: float) -> float:
    """Requests per second that the service answers to so many clients. Raises Refused when one gets no answer."""
    latencies, errors = burst(one, [body], clients, seconds)
    if errors:
        raise Refused(f"{one.name}: {errors[0]}")
    return len(latencies) / seconds


def burst(one: Running, bodies: Sequence[Body], clients: int, seconds: float) -> tuple[list[float], list[str]]:
    """The latencies of all requests, and what went wrong with the others; each client sends the bodies in turn."""
    requests = [request_of(one.service.path, body) for body in bodies]
    latencies: list[float] = []
    errors: list[str] = []
    until = time.monotonic() + seconds

    def send(first: int) -> None:
        with Client(one.port) as client:
            at = first
            while time.monotonic() < until:
                at += 1
                try:
                    latencies.append(client.post(requests[at % len(requests)])[0])
                except Refused as error:
                    errors.append(str(error))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies, errors
