"""A demo on loopback, and windows of the browser on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize
from werkzeug.serving import make_server

from app import create_demo_app
from cds_service.settings import Settings
from cds_service.store.sealing import new_key

DESKTOP = ViewportSize(width=1400, height=900)
PHONE = ViewportSize(width=320, height=640)


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
