"""POST /cds-services/<id>/feedback."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.errors import StoreUnavailable
from cds_service.hooks.feedback import Feedback
from cds_service.settings import Settings
from cds_service.trials.protocol import Protocol
from cds_service.web.feedback import LARGEST_FEEDBACK
from tests.store.said import entry, message
from tests.web.calls import SERVICE, app_of, call_with_card, wiring
from tests.web.test_errors import CANARY, outcome

ADDRESS = f"{SERVICE}/feedback"


@dataclass
class Kept:
    """Remembers what it is told to keep, or fails."""

    entries: list[Feedback] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    is_down: bool = False

    def __call__(self, service: str, entries: Sequence[Feedback], client: str | None) -> int:
        if self.is_down:
            raise StoreUnavailable
        self.services.add(service)
        self.entries += entries
        return len(entries)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def client(protocol: Protocol, kept: Kept) -> FlaskClient:
    return app_of(replace(wiring(protocol), keep=kept)).test_client()


def send(client: FlaskClient, body: Any, address: str = ADDRESS) -> Any:
    return client.post(address, data=body if isinstance(body, bytes) else json.dumps(body).encode())


def test_what_was_stored_is_answered_with_204_and_nothing_else(client: FlaskClient, kept: Kept) -> None:
    answer = send(client, message(entry(), entry(card="123456")))
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Type" not in answer.headers
    assert [one.card for one in kept.entries] == [entry()["card"], "123456"]
    assert kept.services == {"nct06920199-patient-view"}


def test_every_listed_service_takes_feedback(client: FlaskClient) -> None:
    for one in client.get("/cds-services").get_json()["services"]:
        assert send(client, message(), f"/cds-services/{one['id']}/feedback").status_code == 204


def test_any_content_type_and_a_trailing_slash_are_taken(client: FlaskClient) -> None:
    body = json.dumps(message())
    for kind in ("application/json; charset=utf-8", "text/plain", "application/fhir+json"):
        assert client.post(f"{ADDRESS}/", data=body, content_type=kind).status_code == 204


def test_an_unknown_service_is_404_and_names_the_known(client: FlaskClient, kept: Kept) -> None:
    issue = outcome(send(client, message(), f"/cds-services/{CANARY}/feedback"), 404)
    assert issue["code"] == "not-found"
    assert "nct06920199-patient-view" in issue["diagnostics"]
    assert CANARY not in issue["diagnostics"]
    assert kept.entries == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_taken(client: FlaskClient, method: str) -> None:
    answer = client.open(ADDRESS, method=method)
    assert outcome(answer, 405)["code"] == "not-supported"
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"", 400), (b"[]", 422), (b"{}", 422), (b'{"feedback": []}', 422), (b'{"feedback": [{}]}', 422)],
)
def test_what_cannot_be_read_is_refused_and_not_kept(client: FlaskClient, kept: Kept, body: bytes, status: int) -> None:
    outcome(send(client, body), status)
    assert kept.entries == []


def test_of_a_batch_the_good_entries_are_kept_and_the_bad_one_is_named(client: FlaskClient, kept: Kept) -> None:
    issue = outcome(send(client, message(entry(card="1"), entry(outcome=CANARY), entry(card="3"))), 422)
    assert issue["code"] == "invalid"
    assert "feedback[1].outcome: expected accepted or overridden." in issue["diagnostics"]
    assert "The other entries (2) were stored" in issue["diagnostics"]
    assert CANARY not in issue["diagnostics"]
    assert [one.card for one in kept.entries] == ["1", "3"]


def test_a_message_without_a_good_entry_says_that_nothing_was_stored(client: FlaskClient, kept: Kept) -> None:
    assert "Nothing was stored" in outcome(send(client, message(entry(card=None))), 422)["diagnostics"]
    assert kept.services == set()


class TestSize:
    def test_a_body_of_the_largest_size_is_taken_and_one_byte_more_is_not(self, client: FlaskClient) -> None:
        body = json.dumps(message()).encode()
        assert send(client, body.ljust(LARGEST_FEEDBACK)).status_code == 204
        issue = outcome(send(client, body.ljust(LARGEST_FEEDBACK + 1)), 413)
        assert issue["code"] == "too-long"
        assert "fewer entries" in issue["diagnostics"]

    def test_a_site_may_set_the_limit_lower(self, protocol: Protocol, kept: Kept) -> None:
        parts = wiring(protocol, settings=Settings.model_validate({"largest_body": 500}))
        client = app_of(replace(parts, keep=kept)).test_client()
        outcome(send(client, json.dumps(message()).encode().ljust(501)), 413)
        assert send(client, message()).status_code == 204


class TestLog:
    def test_cards_that_were_not_made_here_are_stored_and_counted_in_the_log(
        self, client: FlaskClient, kept: Kept, caplog: pytest.LogCaptureFixture
    ) -> None:
        strangers = [entry(card=CANARY), entry(card="00000000-0000-4000-8000-000000000000"), entry()]
        assert send(client, message(*strangers)).status_code == 204
        assert len(kept.entries) == 3
        (record,) = [one for one in caplog.records if one.levelno == logging.WARNING]
        assert "on cards that were not made here: 2" in record.getMessage()

    def test_our_own_cards_are_no_strangers(self, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
        send(client, message(entry(overrideReason={"userComment": "x"})))
        assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []

    def test_a_refusal_is_logged_since_clients_rarely_read_it(
        self, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        send(client, message(entry(), entry(outcome=CANARY)))
        assert "feedback was refused: feedback[1].outcome: expected accepted or overridden." in caplog.text

    def test_neither_the_log_nor_an_answer_repeats_what_was_sent(
        self, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        reason = {"reason": {"code": CANARY, "system": CANARY, "display": CANARY}, "userComment": CANARY}
        said = [entry(card=CANARY, overrideReason=reason), entry(card=None, overrideReason=reason)]
        answer = send(client, message(*said))
        assert answer.status_code == 422
        assert CANARY not in answer.get_data(as_text=True)
        assert CANARY not in caplog.text


class TestNoDatabase:
    def test_while_the_database_is_down_the_answer_is_503_and_says_to_send_again(
        self, client: FlaskClient, kept: Kept
    ) -> None:
        kept.is_down = True
        issue = outcome(send(client, message()), 503)
        assert issue["code"] == "transient"
        assert "again" in issue["diagnostics"]

    def test_a_bad_entry_does_not_hide_that_the_others_were_not_stored(self, client: FlaskClient, kept: Kept) -> None:
        kept.is_down = True
        outcome(send(client, message(entry(), entry(card=None))), 503)

    def test_screening_goes_on(self, client: FlaskClient, kept: Kept) -> None:
        kept.is_down = True
        assert len(client.post(SERVICE, data=json.dumps(call_with_card())).get_json()["cards"]) == 1

    def test_without_any_it_is_503(self, protocol: Protocol) -> None:
        outcome(send(app_of(wiring(protocol)).test_client(), message()), 503)
