"""The option `--skips-fail`: where everything optional must be present, a skipped test is a failure.

No test leaves anything in the checkout: apps that are made with settings of the environment keep feedback elsewhere.
The profile of `--hypothesis-profile=deep` draws twenty times as many examples as usual (run.py test --deep).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from cds_service.fhir.validation import be_tolerant

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# As at the start of the service: before a test module builds a model of its own.
be_tolerant()
settings.register_profile("deep", max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--skips-fail", action="store_true", help="fail if a test was skipped (run.py test --all)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--skips-fail"):
        config.pluginmanager.register(SkipsFail(), "skips-fail")


@pytest.fixture(scope="session", autouse=True)
def _database_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["TRIALHOOK_DATABASE_URL"] = f"sqlite:///{tmp_path_factory.mktemp('database') / 'trialhook.sqlite'}"


_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def browser_path() -> str | None:
    """Where a Chromium lies; None when there is none."""
    named = os.environ.get("TRIALHOOK_TEST_BROWSER")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or set TRIALHOOK_TEST_BROWSER to one")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most runs of a single test need no browser

    with sync_playwright() as playwright:
        # In a container there is no user namespace for the sandbox; only our own pages are opened.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


class SkipsFail:
    """Remembers every skipped test or module and turns a green end red. An expected failure is no skip."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        green = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self.skipped and exitstatus in green:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            count = len(self.skipped)
            terminalreporter.write_line(f"FAILED: {count} skipped, but --all allows none:", red=True)
            for nodeid in self.skipped:
                terminalreporter.write_line(f"  {nodeid}", red=True)
