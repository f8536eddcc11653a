"""The review page without a browser: who can open it, what is logged, what fails."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

import app
from cds_service.cli import main
from cds_service.review import Reviews
from cds_service.settings import Settings, WrongSetting
from cds_service.store.sealing import new_key
from cds_service.trials.finding import Answer
from tests.trials.record_of import PROTOCOL
from tests.web.calls import SERVICE, call_with_card

KEY = new_key()
NAME = "Zebrafink"


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 16, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(app, "_now", clock)
    return clock


@pytest.fixture
def serve(tmp_path: Path, clock: Clock) -> Callable[..., FlaskClient]:
    """A service on one database, with settings beside the usual ones."""

    def served(**settings: Any) -> FlaskClient:
        usual = {"open_access": True, "public_url": "https://trialhook.example.org", "review_keys": (KEY,)}
        database = f"sqlite:///{tmp_path / 'x.sqlite'}"
        return app.create_app(Settings(database_url=database, **{**usual, **settings})).test_client()

    return served


def card_of(client: FlaskClient) -> dict[str, Any]:
    body = call_with_card()
    body["prefetch"]["patient"]["name"] = [{"family": NAME}]
    (card,) = client.post(SERVICE, json=body).get_json()["cards"]
    return dict(card)


def review_of(card: dict[str, Any]) -> str:
    """The path of the card's review."""
    (address,) = [link["url"] for link in card["links"] if "/review/" in link["url"]]
    assert address.startswith("https://trialhook.example.org/review/")
    return str(address.removeprefix("https://trialhook.example.org"))


def test_the_review_can_be_opened_until_it_expires(serve: Callable[..., FlaskClient], clock: Clock) -> None:
    client = serve(review_hours=2)
    path = review_of(card_of(client))
    clock.moment += timedelta(hours=2) - timedelta(seconds=1)
    assert client.get(path).status_code == 200
    clock.moment += timedelta(seconds=1)
    answer = client.get(path)
    assert (answer.status_code, answer.get_json()["issue"][0]["code"]) == (404, "not-found")


def test_another_worker_opens_it_and_another_key_does_not(serve: Callable[..., FlaskClient]) -> None:
    path = review_of(card_of(serve()))
    assert serve().get(path).status_code == 200
    assert serve(review_keys=(new_key(),)).get(path).status_code == 404
    assert serve(review_keys=(new_key(), KEY)).get(path).status_code == 200


def test_no_cache_and_no_referrer_learns_of_it(serve: Callable[..., FlaskClient]) -> None:
    client = serve()
    path = review_of(card_of(client))
    for answer in (client.get(path), client.get(f"{path}/fhir"), client.post(path, data={"by": "AB"})):
        assert "no-store" in answer.headers["Cache-Control"]
    assert client.get(path).headers["Referrer-Policy"] == "no-referrer"
    assert "form-action 'self'" in client.get(path).headers["Content-Security-Policy"]
    assert "script-src" not in client.get(path).headers["Content-Security-Policy"]


def test_each_opening_is_logged_without_content(
    serve: Callable[..., FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the address, which is the key to the page, nor anything of the patient, nor who answered."""
    client = serve()
    path = review_of(card_of(client))
    with caplog.at_level(logging.DEBUG):
        client.get(path)
        client.post(path, data={"by": "XYZZY", "I05": "met"})
        client.get(f"{path}/fhir")
    said = [one for one in caplog.messages if "review page" in one]
    assert [re.search("opened|answered|exported", one)[0] for one in said] == ["opened", "answered", "exported"]  # type: ignore[index]
    for secret in (path.rpartition("/")[2], NAME, "p1", "XYZZY", "I05"):
        assert secret not in caplog.text


def test_a_site_without_a_key_has_no_reviews(serve: Callable[..., FlaskClient]) -> None:
    client = serve(review_keys=())
    assert [link for link in card_of(client)["links"] if "/review/" in link["url"]] == []
    assert client.get("/review/anything").status_code == 404


def test_while_the_database_is_gone_the_card_comes_without_a_link(
    serve: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    """A chart never waits for a review, and never fails for it."""
    client = serve()
    path = review_of(card_of(client))
    (tmp_path / "x.sqlite").rename(tmp_path / "elsewhere.sqlite")
    assert [link for link in card_of(client)["links"] if "/review/" in link["url"]] == []
    assert client.get(path).status_code == 503


def test_two_clients_may_each_have_a_patient_of_that_id() -> None:
    """What is answered for one says nothing of the other."""
    named: list[str] = []

    class Journal:
        def add(self, name: str, content: bytes) -> None: ...
        def of(self, name: str) -> list[bytes]:
            named.append(name)
            return []

    reviews = Reviews(PROTOCOL, None, Journal(), Clock())  # type: ignore[arg-type]
    for client, patient in (("a", "p1"), ("b", "p1"), (None, "p1"), ("a", "p2")):
        reviews.answers(client, patient)
    assert len(set(named)) == 4


@pytest.mark.parametrize("content", [b"", b"\xc1", msgspec.msgpack.encode({"criterion": "I05"})])
def test_what_another_version_kept_in_its_own_form_is_left_out_and_logged(
    content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """An upgrade must not keep a chart from opening."""
    said = msgspec.msgpack.encode(Answer("I05", False, "AB", Clock()(), "rests"))

    class Kept:
        def of(self, name: str) -> list[bytes]:
            return [content, said]

        def opened(self, address: str) -> bytes:
            return content

    reviews = Reviews(PROTOCOL, Kept(), Kept(), Clock())  # type: ignore[arg-type]
    assert [one.criterion for one in reviews.answers(None, "p1")] == ["I05"]
    assert reviews.opened("x") is None
    assert [record.getMessage() for record in caplog.records] == [
        "an entry of a review cannot be read: another version of the service kept it"
    ] * 2


def test_an_answer_is_about_one_patient(serve: Callable[..., FlaskClient]) -> None:
    client = serve()
    path = review_of(card_of(client))
    client.post(path, data={"by": "AB", "I05": "against"})
    body = call_with_card()
    assert client.post(SERVICE, json=body).get_json() == {"cards": []}
    body["context"]["patientId"] = "p2"
    body["prefetch"]["patient"]["id"] = "p2"
    for answer in body["prefetch"].values():
        for entry in answer.get("entry", []):
            entry["resource"]["subject"] = {"reference": "Patient/p2"}
    assert client.post(SERVICE, json=body).get_json()["cards"]


@pytest.mark.parametrize("data", [
    {"I05": "against"}, {"by": "", "I05": "against"}, {"by": "A" * 13, "I05": "against"},
    {"by": "a\x00b", "I05": "against"},
    {"by": "AB", "AGE": "against"}, {"by": "AB", "I99": "against"}, {"by": "AB", "I05": "perhaps"}, {"by": "AB"},
])  # fmt: skip
def test_what_is_no_answer_changes_nothing(serve: Callable[..., FlaskClient], data: dict[str, str]) -> None:
    client = serve()
    path = review_of(card_of(client))
    before = card_of(client)["summary"]
    assert client.post(path, data=data).status_code in (200, 303)
    assert card_of(client)["summary"] == before
    assert "Answered" not in client.get(path).get_data(as_text=True)


def test_markup_of_a_record_stays_text(serve: Callable[..., FlaskClient]) -> None:
    client = serve()
    body = call_with_card()
    hostile = "<img src=x onerror=alert(1)>"
    body["prefetch"]["conditions"]["entry"][0]["resource"]["code"]["text"] = (
        f"Chronic graft-versus-host disease {hostile}"
    )
    (card,) = client.post(SERVICE, json=body).get_json()["cards"]
    page = client.get(review_of(card)).get_data(as_text=True)
    assert "<img" not in page
    assert "&lt;img" in page


def test_without_a_public_address_nothing_starts(tmp_path: Path) -> None:
    settings = Settings(open_access=True, review_keys=(KEY,), database_url=f"sqlite:///{tmp_path / 'x.sqlite'}")
    with pytest.raises(WrongSetting, match="TRIALHOOK_PUBLIC_URL"):
        app.wire(settings, app._opened(settings.database_url or ""))


def test_the_command_makes_a_key_that_is_taken(serve: Callable[..., FlaskClient]) -> None:
    made = CliRunner().invoke(main, ["review-key"]).output.strip()
    assert review_of(card_of(serve(review_keys=(made,))))
