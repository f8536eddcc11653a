"""A token counts once, until it runs out."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from cds_service.store.database import Database
from cds_service.store.tokens import UsedTokens
from tests.store.conftest import Clock

ISSUER = "https://ehr.example.org"
SOON = timedelta(minutes=5)
GRACE = timedelta(minutes=5)


@pytest.fixture
def used(database: Database, clock: Clock) -> UsedTokens:
    return UsedTokens(database, clock)


def test_the_first_use_of_a_token_is_the_only_one(used: UsedTokens, clock: Clock) -> None:
    assert used.first_use(ISSUER, "t1", clock.moment + SOON)
    assert not used.first_use(ISSUER, "t1", clock.moment + SOON)
    assert not used.first_use(ISSUER, "t1", clock.moment + 2 * SOON)


@pytest.mark.parametrize(
    ("issuer", "token"),
    [
        (ISSUER, "t2"),
        ("https://other.example.org", "t1"),
        (ISSUER + "t", "1"),
        (ISSUER, "\x00"),
        (ISSUER, "ü" * 9999),
    ],
)
def test_another_issuer_or_another_id_is_another_token(used: UsedTokens, clock: Clock, issuer: str, token: str) -> None:
    assert used.first_use(ISSUER, "t1", clock.moment + SOON)
    assert used.first_use(issuer, token, clock.moment + SOON)


def test_another_worker_knows_of_it(used: UsedTokens, url: str, clock: Clock) -> None:
    assert used.first_use(ISSUER, "t1", clock.moment + SOON)
    assert not UsedTokens(Database(url), clock).first_use(ISSUER, "t1", clock.moment + SOON)


def test_a_token_is_remembered_until_it_ran_out_on_every_clock_and_not_longer(used: UsedTokens, clock: Clock) -> None:
    until = clock.moment + SOON
    used.first_use(ISSUER, "t1", until)
    clock.moment = until + GRACE - timedelta(microseconds=1)
    assert not used.first_use(ISSUER, "t1", until)
    clock.moment = until + GRACE
    assert used.first_use(ISSUER, "t1", until + 3 * GRACE)
    assert not used.first_use(ISSUER, "t1", until + 3 * GRACE)


def test_expired_tokens_are_removed_and_no_others(used: UsedTokens, clock: Clock) -> None:
    for number in range(4):
        used.first_use(ISSUER, str(number), clock.moment + number * SOON)
    clock.moment += GRACE + 2 * SOON
    assert used.forget_expired() == 3
    assert not used.first_use(ISSUER, "3", clock.moment + SOON)


def test_a_use_tidies_now_and_then(used: UsedTokens, clock: Clock) -> None:
    used.first_use(ISSUER, "t1", clock.moment + SOON)
    clock.moment += GRACE + SOON
    used.first_use(ISSUER, "t2", clock.moment + SOON)
    assert used.forget_expired() == 0


def test_the_end_counts_in_every_offset(used: UsedTokens, clock: Clock) -> None:
    china = (clock.moment + SOON).astimezone(timezone(timedelta(hours=8)))
    used.first_use(ISSUER, "t1", china)
    clock.moment += SOON
    assert not used.first_use(ISSUER, "t1", china)
    clock.moment += GRACE
    assert used.first_use(ISSUER, "t1", china)
