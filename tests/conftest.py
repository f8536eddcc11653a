"""The option `--skips-fail`: where everything optional must be present, a skipped test is a failure.

No test leaves anything in the checkout: apps that are made with settings of the environment keep feedback elsewhere.
The profile of `--hypothesis-profile=deep` draws twenty times as many examples as usual (run.py test --deep).
"""

import os

import pytest
from hypothesis import settings

from cds_service.fhir.validation import be_tolerant

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
