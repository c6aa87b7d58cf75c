"""The queue on a real PostgreSQL keeps the promises that it keeps on SQLite."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vault.jobs.engine import EngineQueue, open_queue
from vault.jobs.worker import Crew, Worker

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def jobs(postgresql: str) -> Iterator[EngineQueue]:
    found = open_queue(postgresql, Path("/nowhere"), SECRET)
    yield found
    found.close()


def test_messages_come_in_order_and_once(jobs: EngineQueue) -> None:
    jobs.enqueue("render", "m1")
    jobs.enqueue("purge")
    assert jobs.size() == 2
    assert [jobs.take(), jobs.take(), jobs.take()] == [("render", ("m1",)), ("purge", ()), None]


def test_a_fresh_message_starts_at_once(jobs: EngineQueue) -> None:
    started: list[float] = []
    crew = Crew(lambda _under_way: None, 2)
    worker = Worker(jobs, run=lambda _name, _args: started.append(time.monotonic()), crews=[crew])
    worker.start()
    time.sleep(0.5)
    asked = time.monotonic()
    jobs.enqueue("render", "m1")
    while not started and time.monotonic() < asked + 5:
        time.sleep(0.01)
    assert worker.stop(5)
    assert started
    assert started[0] - asked < 0.4
