"""Jobs: a hint is kept for a worker, a forged one does nothing, and a queue that is down hurts nobody."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from huey import storage as engines

from vault.jobs import Tasks, UnknownTask
from vault.jobs.engine import Engine, EngineQueue, QueueError, open_queue

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[EngineQueue]:
    found = open_queue("sqlite", tmp_path, SECRET)
    yield found
    found.close()


class TestTasks:
    def test_a_task_is_run_by_its_name(self) -> None:
        tasks: Tasks[list[str]] = Tasks()

        @tasks.task("render")
        def render(seen: list[str], media_id: str) -> None:
            seen.append(media_id)

        seen: list[str] = []
        tasks.run(seen, "render", ("m1",))
        assert seen == ["m1"]
        assert "render" in tasks
        with pytest.raises(UnknownTask):
            tasks.run(seen, "other", ())
        with pytest.raises(ValueError, match="render"):
            tasks.task("render")(render)


class TestEngine:
    def test_messages_come_in_order_and_once(self, jobs: EngineQueue) -> None:
        jobs.enqueue("render", "m1", "3")
        jobs.enqueue("purge")
        assert jobs.size() == 2
        assert [jobs.take(), jobs.take(), jobs.take()] == [("render", ("m1", "3")), ("purge", ()), None]

    def test_a_forged_message_is_dropped_and_the_next_one_taken(
        self, jobs: EngineQueue, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        for media in ("m1", "m2", "m3"):
            jobs.enqueue("render", media)
        with sqlite3.connect(tmp_path / "queue.db") as database:
            forge = "UPDATE task SET data = {} WHERE id = ?"
            database.execute(forge.format("CAST(replace(data, 'm1', 'm9') AS BLOB)"), (1,))
            database.execute(forge.format("CAST(data AS TEXT)"), (2,))
            database.execute("INSERT INTO task (queue, data, priority) VALUES ('vault', X'80049501', 9)")
            assert database.execute("SELECT count(*) FROM task WHERE instr(CAST(data AS TEXT), 'm9')").fetchone() == (
                1,
            )
        database.close()
        assert jobs.take() == ("render", ("m3",))
        assert jobs.take() is None
        assert caplog.text.count("not ours") == 3

    def test_another_secret_does_not_verify(self, jobs: EngineQueue, tmp_path: Path) -> None:
        jobs.enqueue("render", "m1")
        other = open_queue("", tmp_path, SECRET[::-1])
        assert other.take() is None
        other.close()

    def test_nothing_is_opened_before_the_first_use(self, tmp_path: Path) -> None:
        found = open_queue(f"sqlite:///{tmp_path}/odd name.db", tmp_path, SECRET)
        assert list(tmp_path.iterdir()) == []
        found.enqueue("render")
        assert (tmp_path / "odd name.db").exists()
        found.close()

    def test_its_files_are_0600(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            found = open_queue("sqlite", tmp_path, SECRET)
            found.enqueue("render")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        finally:
            os.umask(before)
        found.close()
        assert modes == dict.fromkeys(["queue.db", "queue.db-shm", "queue.db-wal"], 0o600)

    def test_a_queue_that_is_down_is_logged_and_no_error(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "queue.db").write_bytes(b"this is no database" * 100)
        found = open_queue("sqlite", tmp_path, SECRET)
        found.enqueue("render", "m1")
        assert "waits for the reconciler" in caplog.text

    @pytest.mark.parametrize("url", ["amqp://host", "sqlite:///relative.db", "nonsense", "file:///x"])
    def test_an_unusable_address_is_refused(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(QueueError):
            open_queue(url, tmp_path, SECRET)

    def test_an_address_whose_driver_is_not_installed_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vault.jobs.engine.find_spec", lambda _name: None)
        with pytest.raises(QueueError, match="needs the package psycopg"):
            open_queue("postgresql://localhost/vault", tmp_path, SECRET)

    # The test runner may have threads of its own; the copy only ever runs the next three lines.
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
    def test_a_copy_of_the_process_opens_its_own_connection(self, tmp_path: Path) -> None:
        opened: list[int] = []

        def open_engine() -> Engine:
            opened.append(os.getpid())
            return cast("Engine", engines.SqliteStorage("vault", str(tmp_path / "queue.db")))

        jobs = EngineQueue(open_engine, SECRET)
        assert jobs.size() == 0
        child = os.fork()
        if child == 0:
            jobs.enqueue("render", "from the copy")
            os._exit(0 if opened[1:] == [os.getpid()] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert jobs.take() == ("render", ("from the copy",))
        assert opened == [os.getpid()]
        jobs.close()

    def test_a_short_secret_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(QueueError):
            open_queue("sqlite", tmp_path, b"short")
