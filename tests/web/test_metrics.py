"""The operator's numbers: what is counted, by which labels, and at what cost."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from cds_service.hooks.request import HookRequest
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import Screening
from cds_service.web.metrics import Meter
from tests.web.calls import SERVICE, app_of, call, call_with_card, condition, patient, wiring
from tests.web.test_gunicorn import client as session  # noqa: F401 - a fixture
from tests.web.test_gunicorn import running

ID = SERVICE.rpartition("/")[2]


@pytest.fixture
def measured(protocol: Protocol) -> FlaskClient:
    return app_of(wiring(protocol, settings=Settings(metrics=True))).test_client()


def numbers(client: FlaskClient) -> dict[str, float]:
    """Each line of /metrics that counts something."""
    return parsed(client.get("/metrics").get_data(as_text=True))


def parsed(text: str) -> dict[str, float]:
    rows = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows if float(value) and "_created" not in name}


def test_answers_are_counted_by_address_and_status(measured: FlaskClient) -> None:
    measured.get("/cds-services")
    measured.post(SERVICE, json=call_with_card())
    measured.post(SERVICE, json={})
    measured.post("/cds-services/nope", json={})
    measured.get("/nowhere/else")
    seen = numbers(measured)
    assert {name: count for name, count in seen.items() if name.startswith("trialhook_answers")} == {
        'trialhook_answers_total{service="discovery",status="200"}': 1,
        f'trialhook_answers_total{{service="{ID}",status="200"}}': 1,
        f'trialhook_answers_total{{service="{ID}",status="422"}}': 1,
        'trialhook_answers_total{service="other",status="404"}': 2,
    }
    assert seen[f'trialhook_answer_seconds_count{{service="{ID}"}}'] == 2


def test_screenings_are_counted_by_verdict_and_queries_that_are_not_whole(measured: FlaskClient) -> None:
    measured.post(SERVICE, json=call_with_card())
    measured.post(SERVICE, json=call(condition("Essential hypertension")))
    body = call_with_card()
    del body["prefetch"]["labs"]
    measured.post(SERVICE, json=body)
    seen = numbers(measured)
    assert seen['trialhook_screenings_total{verdict="needs-review"}'] == 2
    assert seen['trialhook_screenings_total{verdict="not-applicable"}'] == 1
    queries = {name: count for name, count in seen.items() if name.startswith("trialhook_queries")}
    assert queries == {'trialhook_queries_not_whole_total{query="labs",state="absent"}': 1}


def test_a_defect_is_counted_and_found_in_the_log_by_the_id_on_its_answer(
    protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(screening: Screening, message: HookRequest) -> list[Mapping[str, object]]:
        raise ZeroDivisionError

    client = app_of(wiring(protocol, broken, Settings(metrics=True))).test_client()
    answer = client.post(SERVICE, json=call_with_card())
    assert numbers(client)[f'trialhook_answers_total{{service="{ID}",status="500"}}'] == 1
    assert answer.headers["X-Request-Id"] in caplog.text
    assert answer.headers["X-Request-Id"] in answer.get_data(as_text=True)


def test_no_line_names_a_person_or_a_call(measured: FlaskClient) -> None:
    """Whatever a caller writes into address and body, it becomes no label."""
    for address in (SERVICE, "/cds-services/Zebrafink", "/Zebrafink?patient=Zebrafink"):
        context = {"patientId": "Zebrafink", "userId": "Practitioner/Zebrafink"}
        body = call(condition("Chronic GVHD", "Zebrafink"), context=context, hookInstance="Zebrafink")
        del body["prefetch"]["labs"]
        body["prefetch"]["patient"] = patient("Zebrafink")
        measured.post(address, json=body)
        measured.open(address, method="ZEBRAFINK")
    text = measured.get("/metrics").get_data(as_text=True)
    assert "Zebrafink".lower() not in text.lower()
    labels = set(re.findall(r'(\w+)="', text))
    assert labels == {"service", "status", "le", "verdict", "query", "state"}


def test_there_are_none_unless_they_are_switched_on(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404


def test_counting_costs_little_beside_an_answer() -> None:
    """Some ten microseconds; the bound is generous, and counts what the processor did and not what others did."""
    meter, calls = Meter([ID]), 2000
    best = float("inf")
    for _ in range(5):
        start = time.thread_time()
        for _ in range(calls):
            meter.answered(ID, 200, 0.01)
        best = min(best, time.thread_time() - start)
    assert best / calls < 100e-6


def test_every_answer_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = [client.get("/cds-services").headers["X-Request-Id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


def test_an_id_that_a_caller_makes_up_is_not_taken(client: FlaskClient) -> None:
    answer = client.get("/cds-services", headers={"X-Request-Id": "Zebrafink"})
    assert "Zebrafink" not in answer.headers["X-Request-Id"]


@pytest.fixture
def own_log() -> Iterator[None]:
    """Our own loggers without a handler, and afterwards as they were before."""
    names = ("app", "cards", "cds_service")
    before = {name: (list(logging.getLogger(name).handlers), logging.getLogger(name).level) for name in names}
    for name in names:
        logging.getLogger(name).handlers.clear()
    yield
    for name, (handlers, level) in before.items():
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).setLevel(level)


def test_each_line_of_the_log_names_the_request(
    own_log: None, protocol: Protocol, capsys: pytest.CaptureFixture[str]
) -> None:
    from cds_service.web.request_ids import log_with_request_ids  # noqa: PLC0415

    def chatty(screening: Screening, message: HookRequest) -> list[Mapping[str, object]]:
        logging.getLogger("cds_service.anything").info("a line")
        return []

    log_with_request_ids()
    log_with_request_ids()
    answer = app_of(wiring(protocol, chatty)).test_client().post(SERVICE, json=call_with_card())
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "a line" in one]
    assert f"INFO cds_service.anything, request {answer.headers['X-Request-Id']}: a line" in line


def test_workers_are_counted_together(session: Any) -> None:  # noqa: F811 - the fixture
    with running(session, WEB_CONCURRENCY="2", TRIALHOOK_METRICS="true") as address:
        for _ in range(20):
            requests.post(address + SERVICE, json={}, timeout=10, proxies={"http": ""})  # a connection each
        text = session.get(f"{address}/metrics", timeout=10).text
    assert parsed(text)[f'trialhook_answers_total{{service="{ID}",status="422"}}'] == 20
