"""The command line of the benchmark: measures, prints, and ends with 1 when a target is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks import load
from benchmarks.bodies import Body, bodies
from benchmarks.client import Refused
from benchmarks.measure import one_client, several_clients
from benchmarks.peer import peer
from benchmarks.report import machine, outcomes, table
from benchmarks.servers import FLOOR, OURS, Running, Service, running, warm
from cds_service.settings import load_settings

CLIENTS = 4
SHARE_OF_ONE_CLIENT = 0.85

say = partial(print, flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py bench", description="What a chart opening costs.")
    parser.add_argument("--with-peer", action="store_true", help="measure HealthChain as well (installs it once)")
    parser.add_argument("--seconds", type=float, default=85.0, help="how long to measure (default: 85)")
    parser.add_argument("--load", action="store_true", help="instead: 30 s at 32 clients, and 16 that stall")
    wish = parser.parse_args(arguments)
    if not Path("/proc/self/schedstat").exists():
        say("The benchmark reads what a process uses from /proc, which this system has not: it runs on Linux.")
        return 2
    made = bodies(datetime.now(ZoneInfo(load_settings().site_timezone)).date())
    try:
        if wish.load:
            return load.run(made)
        services = [FLOOR, OURS, *([peer()] if wish.with_peer else [])]
        return measured(services, made, wish.seconds)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1


def measured(services: Sequence[Service], made: Sequence[Body], seconds: float) -> int:
    """Measures and prints everything; 1 when a target is missed."""
    for line in machine():
        say(line)
    with ExitStack() as stack:
        up = [stack.enter_context(running(service, made[0])) for service in services]
        must_answer_rightly(up, made)
        warm(up, made)
        each = seconds * SHARE_OF_ONE_CLIENT / len(made)
        cells = {body.name: one_client(up, body, each) for body in made}
        each = seconds * (1 - SHARE_OF_ONE_CLIENT) / len(made) / len(up)
        for body in made:
            for one in up:
                cells[body.name][one.name].throughput = several_clients(one, body, CLIENTS, each)
        memory = {one.name: one.memory() for one in up}
    say("", *table(made, cells, memory), "", sep="\n")
    found = outcomes(cells)
    say(*found, sep="\n")
    missed = [outcome for outcome in found if not outcome.is_held]
    say(f"\n{len(missed)} of {len(found)} targets missed." if missed else "\nEvery target held.")
    return 1 if missed else 0


def must_answer_rightly(up: Sequence[Running], made: Sequence[Body]) -> None:
    """A quick answer that is wrong counts for nothing. Raises Refused."""
    ours = next(one for one in up if one.service is OURS)
    for body in made:
        if ours.has_card(body) is not body.shows_card:
            raise Refused(f"{ours.name} answers body {body.name} wrongly; its figures would be worthless")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
