"""A server that is killed without warning: what it answered for is there after the restart."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import requests
from click.testing import CliRunner

from cds_service.cli import main
from tests.store.said import entry, message
from tests.synthetic import ROOT
from tests.web.calls import SERVICE
from tests.web.test_gunicorn import free_port, wait_until_ready

SENDERS = 3
ENOUGH = 40  # answers before the server is killed
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")


@contextlib.contextmanager
def server(port: int, url: str, workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, which is killed at the end at the latest."""
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"]
    settings = {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": str(workers), "TRIALHOOK_DATABASE_URL": url}
    settings["TRIALHOOK_OPEN_ACCESS"] = "true"
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        kill(running)


def kill(running: subprocess.Popen[bytes]) -> None:
    """Ends all processes of a server at once, without a chance to write anything more."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=30)


def send_until_killed(address: str, sender: int, answered: list[str], enough: Event) -> None:
    """Sends entry after entry, each once, and notes those that were answered for."""
    with requests.Session() as session:
        session.trust_env = False
        for number in range(10_000):
            card = f"{sender}-{number}"
            try:
                status = session.post(address, json=message(entry(card=card)), timeout=20).status_code
            except requests.RequestException:
                return
            assert status == 204
            answered.append(card)
            if len(answered) >= ENOUGH:
                enough.set()


def test_no_entry_that_was_answered_for_is_lost(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port, answered, enough = free_port(), list[str](), Event()
    address = f"http://127.0.0.1:{port}{SERVICE}/feedback"
    with requests.Session() as client, server(port, url, 2) as running, ThreadPoolExecutor(SENDERS) as senders:
        client.trust_env = False
        wait_until_ready(client, f"http://127.0.0.1:{port}", running)
        sent = [senders.submit(send_until_killed, address, one, answered, enough) for one in range(SENDERS)]
        assert enough.wait(60)
        kill(running)
        for one in sent:
            one.result(timeout=60)
    with requests.Session() as client, server(port, url) as again:
        client.trust_env = False
        wait_until_ready(client, f"http://127.0.0.1:{port}", again)
        assert client.post(address, json=message(entry(card=answered[0])), timeout=20).status_code == 204
    monkeypatch.setenv("TRIALHOOK_DATABASE_URL", url)
    listed = json.loads(CliRunner().invoke(main, ["feedback", "--format", "json"]).output)["entries"]
    cards = [one["card"] for one in listed]
    assert set(answered) <= set(cards)
    assert len(cards) == len(set(cards))
