"""The description at /openapi.json is true: of every address, and of whatever is sent there.

`python3 run.py test --deep` draws twenty times as many requests.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as drawing
from schemathesis import APIOperation, Case, GenerationMode, checks

from app import assembled, wire
from cds_service.settings import Settings
from cds_service.store.database import Database
from fhir_fixtures.drafts import DRAFTS, order_request_of
from fhir_fixtures.story import Story, load_stories, story
from tests.synthetic import ROOT
from tests.web.calls import SERVICE, TODAY

DESCRIPTION: Mapping[str, Any] = json.loads((ROOT / "cds_service" / "web" / "openapi.json").read_bytes())
OPERATIONS = [(method.upper(), path) for path, item in DESCRIPTION["paths"].items() for method in item]
POSTS = [path for method, path in OPERATIONS if method == "POST"]
# Not those by which a body that CDS Hooks does not allow has to be refused: the service takes more than it allows.
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]
EXAMPLES = 15


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The service with everything switched on."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'trialhook.sqlite'}")
    database.prepare()
    settings = Settings(open_access=True, metrics=True, show_not_yet=True)
    return assembled(replace(wire(settings, database), today=lambda: TODAY))


@pytest.fixture(scope="module")
def schema(service: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", service)


def served(service: Flask) -> set[str]:
    """The addresses of the service, with the ids of its services written out."""
    ids = [one["id"] for one in service.test_client().get("/cds-services").get_json()["services"]]
    rules = [rule.rule for rule in service.url_map.iter_rules() if "<path:" not in rule.rule]
    return {rule.replace("<service_id>", one).replace("<trial>", "nct06920199") for rule in rules for one in ids}


def test_every_address_is_described(service: Flask) -> None:
    assert served(service) == set(DESCRIPTION["paths"])


def test_it_names_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert DESCRIPTION["info"]["version"] == project["version"]


def test_the_prefetch_keys_are_those_that_are_published(service: Flask) -> None:
    published = service.test_client().get("/cds-services").get_json()["services"][0]["prefetch"]
    assert list(DESCRIPTION["components"]["schemas"]["Prefetch"]["properties"]) == list(published)


def assert_true(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
    """Every drawn request is answered as it is described."""
    many = bool(drawing.default and drawing.default.max_examples > 100)

    @seed(7)
    @drawing(
        max_examples=EXAMPLES * (20 if many else 1), deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(mode))
    def answered(case: Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS)

    answered()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_is_right_is_answered_as_described(schema: Any, method: str, path: str) -> None:
    assert_true(schema[path][method], GenerationMode.POSITIVE)


@pytest.mark.parametrize("path", POSTS)
def test_what_is_wrong_is_answered_as_described(schema: Any, path: str) -> None:
    assert_true(schema[path]["POST"], GenerationMode.NEGATIVE)


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_the_answer_to_a_draft_order_is_described(schema: Any, hook: str) -> None:
    told = story("supported-count")
    request = order_request_of(hook, told.hook_request(TODAY), [DRAFTS["ruxolitinib"](told.patient_id)])
    case = schema[SERVICE.replace("patient-view", hook)]["POST"].Case(body=request, media_type="application/json")
    assert case.call_and_validate(checks=CHECKS).json()["cards"]


@pytest.mark.parametrize("told", load_stories(), ids=lambda told: told.id)
def test_the_answer_to_every_story_is_described(schema: Any, told: Story) -> None:
    """Drawn requests seldom get a card; those of the stories do."""
    case = schema[SERVICE]["POST"].Case(body=dict(told.hook_request(TODAY)), media_type="application/json")
    assert case.call_and_validate(checks=CHECKS).status_code == 200
