"""A demo on loopback, and a browser for it: Debian's Chromium, or whatever TRIALHOOK_TEST_BROWSER leads to."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from werkzeug.serving import make_server

from app import create_demo_app
from cds_service.settings import Settings
from cds_service.store.sealing import new_key

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
DESKTOP = ViewportSize(width=1400, height=900)
PHONE = ViewportSize(width=320, height=640)


def browser_path() -> str | None:
    """Where a Chromium lies; None when there is none."""
    named = os.environ.get("TRIALHOOK_TEST_BROWSER")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or set TRIALHOOK_TEST_BROWSER to one")
    with sync_playwright() as playwright:
        # In a container there is no user namespace for the sandbox; only our own pages are opened.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo that runs for the tests."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    server.app = create_demo_app(_settings(tmp_path_factory.mktemp("demo")), server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def _settings(folder: Path) -> Settings:
    """What is kept is kept for the tests only, with the records of the day that the test sees."""
    return Settings(database_url=f"sqlite:///{folder / 'demo.sqlite'}", review_keys=(new_key(),))


class Visit:
    """A browser window, with everything that went wrong or outside while it was open."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("request", lambda sent: None if sent.url.startswith(site) else self.elsewhere.append(sent.url))

    def violations(self) -> list[str]:
        """What axe-core finds fault with: the rule and the elements."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]

    def is_wider_than_the_window(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visit]:
    """A new window at desktop width; afterwards no page may have failed or asked for anything elsewhere."""
    with browser.new_context(viewport=DESKTOP) as context:
        it = Visit(context.new_page(), site)
        yield it
        assert it.errors == []
        assert it.elsewhere == []
