"""The README shows what the service really answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app import create_demo_app
from cards.compose import Site, composer
from cds_service.hooks.clients import Client
from cds_service.hooks.clients_file import load_clients
from cds_service.hooks.request import read_request
from cds_service.pipeline import patient_view
from cds_service.settings import Settings
from fhir_fixtures.story import story
from tests.synthetic import INDEX_DAY, ROOT, protocol

README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown_card() -> dict[str, Any]:
    call = json.dumps(story("supported-count").hook_request(INDEX_DAY)).encode()
    answer = patient_view(read_request(call, "patient-view"), protocol(), composer(Site()), INDEX_DAY)
    cards: Any = answer["cards"]
    assert len(cards) == 1
    return dict(cards[0])


def test_the_clients_file_can_be_copied(tmp_path: Path) -> None:
    """With the address of the EHR and its keys put in, it is one that the service starts with."""
    (block,) = re.findall(r"```yaml\n(clients:.*?)```", README, re.DOTALL)
    path = tmp_path / "clients.yaml"
    path.write_text(block, encoding="utf-8")
    (client,) = load_clients(path).entries
    named = {name for name in Client.model_fields if f"    {name}:" in block or f"- {name}:" in block}
    assert named == set(Client.model_fields)
    assert (client.dialect, client.evidence, len(client.fhir_servers)) == ("epic", True, 2)


def test_both_commands_come_first() -> None:
    assert README.index("python3 run.py demo") < README.index("python3 run.py test") < README.index("## A card")


SANDBOX_LINKS = re.findall(r"^http://localhost:8080/\?(\S+)$", README, re.MULTILINE)


@pytest.mark.parametrize("link", SANDBOX_LINKS)
def test_a_link_to_the_sandbox_names_what_the_demo_has(link: str) -> None:
    """And asks for nothing beyond it, by the address at which the demo says that it runs."""
    asked = {name: value for name, (value,) in parse_qs(link).items()}
    demo = create_demo_app(Settings()).test_client()
    for address in (f"{asked['fhirServiceUrl']}/Patient/{asked['patientId']}", asked["serviceDiscoveryURL"]):
        assert address.startswith("http://localhost:8000/")
        answer = demo.get(
            urlsplit(address).path, headers={"Accept": "application/json+fhir", "Origin": "http://localhost:8080"}
        )
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "http://localhost:8080")


def test_each_hook_has_a_link_to_its_screen_of_the_sandbox() -> None:
    """With the hook alone the Sandbox shows the patient's screen, and sends that hook to services of another one."""
    asked = [parse_qs(link) for link in SANDBOX_LINKS]
    screens = {hook: screen for one in asked for hook, screen in zip(one["hook"], one["screen"], strict=True)}
    assert screens == {"patient-view": "patient-view", "order-select": "rx-view", "order-sign": "rx-sign"}


def test_the_card_is_the_one_that_comes_back() -> None:
    card = shown_card()
    block = re.search(r"```json\n(.*?)```", README, re.DOTALL)
    assert block
    (printed,) = json.loads(block[1])["cards"]
    for key in ("uuid", "summary", "indicator", "source", "suggestions", "selectionBehavior", "links"):
        assert printed[key] == card[key]
    assert set(printed) == set(card)


def test_the_detail_is_the_one_that_comes_back() -> None:
    quoted = [line.removeprefix(">").removeprefix(" ") for line in README.splitlines() if line.startswith(">")]
    assert "\n".join(quoted) == shown_card()["detail"]
