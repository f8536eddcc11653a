"""Numbers for the operator at GET /metrics, in the form of Prometheus. No label ever names a person or a call."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import cache
from time import perf_counter

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.clinical.facts import State
from cds_service.trials.screening import Screening, Verdict

# Seconds: a clinician hardly notices the first, and an EHR gives up at the last.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STATUSES = frozenset({200, 204, 304, 400, 401, 403, 404, 405, 412, 413, 415, 422, 500, 503})
_OTHER = "other"


class Meter:
    """What is counted, by service, status, verdict and state of a query: all of them closed lists."""

    def __init__(self, services: Collection[str]) -> None:
        self.registry = CollectorRegistry()
        self._addresses = {one: (one, f"{one}/feedback") for one in services}
        self._answers = Counter(
            "trialhook_answers", "Answers by address and HTTP status.", ["service", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "trialhook_answer_seconds", "Time to an answer.", ["service"], buckets=_BUCKETS, registry=self.registry
        )
        self._verdicts = Counter(
            "trialhook_screenings", "Opened charts by verdict.", ["verdict"], registry=self.registry
        )
        self._queries = Counter(
            "trialhook_queries_not_whole", "Queries of screened records that brought no whole answer, by state.",
            ["query", "state"], registry=self.registry,
        )  # fmt: skip
        # The library checks and locks whenever it looks a line up; here each is looked up once.
        self._count = cache(self._answers.labels)
        self._time = cache(self._seconds.labels)
        self._verdict = cache(self._verdicts.labels)
        self._query = cache(self._queries.labels)
        for verdict in Verdict:  # a line that stands at 0 can be watched from the start
            self._verdict(verdict.value)

    def answered(self, address: str, status: int, seconds: float) -> None:
        self._count(address, str(status) if status in _STATUSES else _OTHER).inc()
        self._time(address).observe(seconds)

    def passed_over(self) -> None:
        """Counts a patient of whom a first look told that there is nothing to screen; no query was looked at."""
        self._verdict(Verdict.NOT_APPLICABLE.value).inc()

    def screened(self, screening: Screening) -> None:
        """Counts one patient's screening, and which of its queries were not whole."""
        self._verdict(screening.verdict.value).inc()
        for query, source in screening.sources.items():
            if source.state is not State.FOUND and source.state is not State.NONE:
                self._query(query, source.state.value).inc()

    def address(self) -> str:
        """What the request is for: discovery, a service, feedback on one, or anything else."""
        known = self._addresses.get((request.view_args or {}).get("service_id", ""))
        if known is not None:
            return known[request.path.rstrip("/").endswith("/feedback")]
        return "discovery" if request.path.rstrip("/") == "/cds-services" else _OTHER


def register_metrics(app: Flask, services: Collection[str]) -> Meter:
    """Measures every answer of the app and serves the numbers; the meter that comes back counts opened charts."""
    meter = Meter(services)

    @app.before_request
    def begin() -> None:
        g.began = perf_counter()

    @app.after_request
    def count(answer: Response) -> Response:
        meter.answered(meter.address(), answer.status_code, perf_counter() - g.get("began", perf_counter()))
        return answer

    door = Blueprint("metrics", __name__)

    @door.get("/metrics")
    def show() -> Response:
        return Response(_written(meter), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    app.register_blueprint(door)
    return meter


def _written(meter: Meter) -> bytes:
    """The numbers of this process; where several share a folder, those of all."""
    registry = meter.registry
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return bytes(generate_latest(registry))
