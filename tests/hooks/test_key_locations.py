"""The keys that a client publishes, fetched over a real socket: kept, rotated, and used on when they cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from cds_service.hooks.key_locations import FRESH, PAUSE, STALE, KeyLocation, PublishedKeys
from cds_service.hooks.public_keys import PublicKey
from cds_service.hooks.signing import half_of, new_key, public_half
from tests.fake_server import Asked, FakeServer, Reply, serving

ISSUER = "https://ehr.example.org"
OLD, NEW = new_key("ES384", "old"), new_key("RS384", "new")
Answer = Callable[[Reply], None]


def jwks(*keys: object) -> Answer:
    return lambda reply: reply.json({"keys": list(keys)}, Content_Type="application/json")


def both() -> Answer:
    return jwks(public_half(OLD), public_half(NEW))


@dataclass
class Ehr:
    """An EHR that publishes its keys at an address, and a clock that is put forward by hand."""

    server: FakeServer
    answers: list[Answer]
    clock: list[float] = field(default_factory=lambda: [1000.0])

    def __post_init__(self) -> None:
        self.keys = PublishedKeys(moment=lambda: self.clock[0])
        self.location = KeyLocation.parse(f"{self.server.origin}/jwks private insecure")

    def publishes(self, answer: Answer) -> None:
        self.answers[:] = [answer]

    def later(self, seconds: float) -> None:
        self.clock[0] += seconds

    def find(self, key: Any = OLD, issuer: str = ISSUER) -> PublicKey | None:
        return self.keys.find(issuer, [self.location], key["kid"], key["alg"])

    @property
    def calls(self) -> int:
        return len(self.server.asked)


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    answers = [jwks(public_half(OLD))]

    def answer(reply: Reply, _: Asked) -> None:
        answers[0](reply)

    with serving(answer) as server:
        yield Ehr(server, answers)


def test_keys_are_fetched_when_first_needed_and_kept(ehr: Ehr) -> None:
    assert ehr.calls == 0
    assert [ehr.find() for _ in range(3)] == [half_of(OLD)] * 3
    assert ehr.calls == 1
    (asked,) = ehr.server.asked
    assert (asked.method, asked.target, asked.headers["Accept"]) == ("GET", "/jwks", "application/json")
    assert "Authorization" not in asked.headers


def test_a_new_key_is_found_at_once(ehr: Ehr) -> None:
    """Rotation: the EHR publishes a second key and signs with it."""
    ehr.find()
    ehr.later(PAUSE)
    ehr.publishes(both())
    assert ehr.find(NEW) == half_of(NEW)
    assert ehr.find(OLD) == half_of(OLD)
    assert ehr.calls == 2


def test_unknown_keys_do_not_make_calls(ehr: Ehr) -> None:
    """Whoever sends tokens with names of keys that there are not makes us call once in a while, and no more."""
    ehr.find()
    for _ in range(20):
        assert ehr.find(NEW) is None
        ehr.later(1)
    assert ehr.calls == 1
    ehr.later(PAUSE)
    assert [ehr.find(NEW) for _ in range(20)] == [None] * 20
    assert ehr.calls == 2


def test_a_key_that_is_withdrawn_is_believed_only_for_a_while(ehr: Ehr) -> None:
    ehr.publishes(both())
    assert ehr.find(OLD)
    ehr.publishes(jwks(public_half(NEW)))
    ehr.later(FRESH - 1)
    assert ehr.find(OLD)
    ehr.later(1)
    assert ehr.find(OLD) is None
    assert ehr.find(NEW)


def failing(reply: Reply) -> None:
    reply.json({}, 503)


@pytest.mark.parametrize(
    "failure",
    [
        failing,
        lambda reply: reply.hang_up(),
        lambda reply: reply.wait(),
        lambda reply: reply.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b" " * 500),
        lambda reply: reply.send(b"<html>", 200),
        lambda reply: reply.json({"keys": []}),
        lambda reply: reply.json([]),
        lambda reply: reply.json({"keys": [{"kty": "oct", "kid": "old", "k": "AAAA"}]}),
        lambda reply: reply.send(b"[" * 100_000, 200),
        lambda reply: reply.send(b'{"keys": [' + b" " * 300_000 + b"]}", 200),
        lambda reply: reply.json({}, 302, Location="https://ehr.example.org/elsewhere"),
    ],
    ids=["503", "hung up", "silent", "drips", "html", "no keys", "a list", "symmetric", "deep", "large", "redirect"],
)
def test_when_the_keys_cannot_be_had_those_that_came_last_go_on(ehr: Ehr, failure: Answer) -> None:
    ehr.find()
    ehr.publishes(failure)
    ehr.later(FRESH)
    assert ehr.find() == half_of(OLD)
    assert ehr.find() == half_of(OLD)
    assert ehr.calls == 2
    ehr.later(PAUSE)
    ehr.publishes(both())
    assert ehr.find(NEW)


def test_keys_that_came_long_ago_are_not_used_any_more(ehr: Ehr) -> None:
    ehr.find()
    ehr.publishes(failing)
    ehr.later(STALE - 1)
    assert ehr.find()
    ehr.later(1)
    assert ehr.find() is None


def test_without_keys_the_next_call_waits(ehr: Ehr, caplog: pytest.LogCaptureFixture) -> None:
    ehr.publishes(failing)
    assert [ehr.find() for _ in range(5)] == [None] * 5
    assert ehr.calls == 1
    assert "was answered with status 503" in caplog.text
    ehr.later(PAUSE)
    ehr.publishes(both())
    assert ehr.find()


def test_what_cannot_be_used_costs_nothing_else(ehr: Ehr) -> None:
    """Private keys, keys for encryption and of other kinds stand in real sets."""
    others = [
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AAAA"},
        {**public_half(NEW), "use": "enc"},
        {"kty": "RSA", "kid": "old", "n": "!", "e": "AQAB"},
        {**new_key("ES384", "leaked")},
        {**public_half(new_key("ES384", "verify")), "key_ops": 5},
        7,
        None,
    ]
    ehr.publishes(jwks(*others, public_half(OLD)))
    assert ehr.find(OLD) == half_of(OLD)
    assert ehr.find(NEW) is None
    assert ehr.keys.find(ISSUER, [ehr.location], "leaked", "ES384") is None


def test_a_key_verifies_its_own_algorithm_only(ehr: Ehr) -> None:
    ehr.find()
    assert ehr.keys.find(ISSUER, [ehr.location], "old", "RS384") is None


def test_issuers_do_not_share_what_was_fetched(ehr: Ehr) -> None:
    ehr.find()
    ehr.find(issuer="https://other.example.org")
    assert ehr.calls == 2


def test_many_threads_make_one_call(ehr: Ehr) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: ehr.find(), range(16)))
    assert found == [half_of(OLD)] * 16
    assert ehr.calls == 1


def test_a_location_without_the_word_private_is_not_called_inside(ehr: Ehr) -> None:
    location = KeyLocation.parse(f"{ehr.server.origin}/jwks insecure")
    assert ehr.keys.find(ISSUER, [location], "old", "ES384") is None
    assert ehr.calls == 0


def test_an_address_may_have_a_query(ehr: Ehr) -> None:
    """Some identity providers choose the key set by one."""
    location = KeyLocation.parse(f"{ehr.server.origin}/jwks?p=policy_1 private insecure")
    assert ehr.keys.find(ISSUER, [location], "old", "ES384") == half_of(OLD)
    assert ehr.server.asked[0].target == "/jwks?p=policy_1"


@pytest.mark.parametrize(
    "written", ["", "jwks", "http://ehr.example.org/jwks", "https://u@ehr.example.org", "https://["]
)
def test_what_is_no_location_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="expected the https address of a JWK set"):
        KeyLocation.parse(written)
