"""What was measured, as a table: ratios to the floor, and each target as held or missed."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.bodies import Body
from benchmarks.measure import Cell, cpu_ratio
from benchmarks.servers import FLOOR, OURS

# Body -> service -> what it did.
Cells = Mapping[str, Mapping[str, Cell]]
_PACKAGES = ("flask", "gunicorn", "msgspec", "orjson", "pydantic", "fhir.resources")


@dataclass(frozen=True, slots=True)
class Target:
    """The most that a body may cost, as a multiple of the floor's CPU and of the floor's p99 with one client."""

    cpu: float
    p99: float


TARGETS: Mapping[str, Target] = {
    "a": Target(1.5, 2),
    "b": Target(1.3, 2),
    "c": Target(0.9, 1.5),
    "d": Target(6, 6),
    "e": Target(2.0, 2.5),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target, and what came out."""

    body: str
    what: str
    measured: float
    limit: float

    @property
    def is_held(self) -> bool:
        return self.measured <= self.limit

    def __str__(self) -> str:
        verdict = "held" if self.is_held else "MISSED"
        return f"{self.body}  {self.what:<4}  {self.measured:6.2f}  at most {self.limit:<4g}  {verdict}"


def outcomes(cells: Cells) -> list[Outcome]:
    """Each target of each body."""
    return [outcome for name, target in TARGETS.items() for outcome in _outcomes(name, target, cells[name])]


def _outcomes(name: str, target: Target, of_body: Mapping[str, Cell]) -> Iterator[Outcome]:
    mine, floor = of_body[OURS.name], of_body[FLOOR.name]
    yield Outcome(name, "CPU", cpu_ratio(mine, floor), target.cpu)
    yield Outcome(name, "p99", mine.percentile(0.99) / floor.percentile(0.99), target.p99)


def table(bodies: Sequence[Body], cells: Cells, memory: Mapping[str, float]) -> Iterator[str]:
    """The lines of the report, in Markdown."""
    yield "| body | service | CPU ms | x floor | p50 ms | p99 ms | x floor | req/s, 4 clients | x floor |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for body in bodies:
        for name, cell in cells[body.name].items():
            yield _row(f"{body.name}, {len(body.json):,} bytes", name, cell, cells[body.name][FLOOR.name])
    yield ""
    held = (f"{name} {megabytes:.0f} MB ({megabytes / memory[FLOOR.name]:.2f})" for name, megabytes in memory.items())
    yield f"Memory of the workers afterwards (x floor): {', '.join(held)}"


def _row(body: str, name: str, cell: Cell, floor: Cell) -> str:
    cpu = 1000 * sum(cell.cpu) / len(cell.cpu)
    p50, p99 = (1000 * cell.percentile(share) for share in (0.5, 0.99))
    figures = (
        f"{cpu:.2f}", f"{cpu_ratio(cell, floor):.2f}", f"{p50:.2f}", f"{p99:.2f}",
        f"{cell.percentile(0.99) / floor.percentile(0.99):.2f}",
        f"{cell.throughput:.0f}", f"{cell.throughput / floor.throughput:.2f}",
    )  # fmt: skip
    return f"| {body} | {name} | {' | '.join(figures)} |"


def machine() -> Iterator[str]:
    """What it ran on: nobody can compare figures without that."""
    cpu = _field("/proc/cpuinfo", "model name") or platform.processor()
    memory = int((_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) // 1024**2
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    yield f"{os.cpu_count()} x {cpu}, {memory} GB, {platform.system()} {platform.release()}; load before: {load}"
    yield f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in _PACKAGES)}"


def _field(path: str, name: str) -> str | None:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
