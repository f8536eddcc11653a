"""The page for whoever connects an EHR."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient

from app import create_app
from cds_service import web
from cds_service.fhir.queries import QUERIES
from cds_service.hooks.clients_file import load_clients
from cds_service.settings import Settings

ENTRY = Path(web.__file__).parent / "templates" / "integrate" / "clients.yaml"
README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("integrate")
    settings = Settings(open_access=True, public_url="https://trialhook.example.org",
                        database_url=f"sqlite:///{folder / 'x.sqlite'}")  # fmt: skip
    return create_app(settings).test_client()


@pytest.fixture(scope="module")
def shown(client: FlaskClient) -> str:
    return html.unescape(client.get("/integrate").get_data(as_text=True))


def test_it_names_every_service_with_its_feedback_at_the_public_address(client: FlaskClient, shown: str) -> None:
    services = client.get("/cds-services").get_json()["services"]
    for service in services:
        address = f"https://trialhook.example.org/cds-services/{service['id']}"
        assert address in shown
        assert f"{address}/feedback" in shown


def test_the_prefetch_list_is_that_of_discovery(client: FlaskClient, shown: str) -> None:
    for service in client.get("/cds-services").get_json()["services"]:
        for key, template in service["prefetch"].items():
            assert re.search(rf"^{key}\n    {re.escape(template)}(</pre>)?$", shown, re.MULTILINE)


def test_the_scopes_are_those_of_the_queries_and_of_medications(shown: str) -> None:
    """A medication order may point to a Medication, which is then read."""
    for kind in {query.type for query in QUERIES.values()} | {"Medication"}:
        assert f"patient/{kind}.read" in shown
        assert f"patient/{kind}.rs" in shown


def test_the_entry_to_copy_is_that_of_the_readme_and_is_taken() -> None:
    entry = ENTRY.read_text(encoding="utf-8")
    assert entry in README.read_text(encoding="utf-8")
    assert load_clients(ENTRY).entries
    assert yaml.safe_load(entry)


def test_open_access_is_said(shown: str) -> None:
    assert "everybody may call without a token" in shown


def test_the_conformance_report_is_shown_with_what_was_not_tried(shown: str) -> None:
    assert re.search(r'<th role="rowheader" scope="row">all</th><td role="cell">\d+</td><td role="cell">0</td>', shown)
    assert "<li>J2: " in shown
