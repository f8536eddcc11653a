"""Several processes at one database: nothing is lost, nothing counts twice."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import pytest

from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBook
from tests.store import workers
from tests.store.conftest import Clock

PROCESSES = 4


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Processes that share nothing with this one, as workers of a server."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


def test_writers_at_the_same_time_lose_nothing_and_store_nothing_twice(pool: ProcessPoolExecutor, url: str) -> None:
    messages, shared = 20, 3
    new = list(pool.map(workers.keep, repeat(url), range(PROCESSES), repeat(messages), repeat(shared)))
    kept = FeedbackBook(Database(url), Clock()).since()
    assert len(kept) == messages * (PROCESSES + shared) == sum(new)
    assert {one.said for one in kept if len(one.said.reasons) != 1} == set()


def test_each_token_is_first_used_by_one_process(pool: ProcessPoolExecutor, url: str) -> None:
    tokens = 60
    first = [name for names in pool.map(workers.use, repeat(url), range(PROCESSES), repeat(tokens)) for name in names]
    assert sorted(first) == sorted({f"t{number}" for number in range(tokens)})


def test_workers_that_start_at_once_make_one_database(pool: ProcessPoolExecutor, sqlite_url: str) -> None:
    list(pool.map(workers.prepare, repeat(sqlite_url, PROCESSES * 3)))
    assert FeedbackBook(Database(sqlite_url), Clock()).since() == []


def test_of_migrations_at_once_one_does_the_work(pool: ProcessPoolExecutor, bare_url: str) -> None:
    before = list(pool.map(workers.migrate, repeat(bare_url, PROCESSES)))
    assert before.count(None) == 1
