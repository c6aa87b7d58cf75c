"""The worker: a hint starts work at once, and what the rows say is due is done whatever gets lost."""

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vault.jobs import Message
from vault.jobs.engine import EngineQueue, open_queue
from vault.jobs.worker import Crew, Worker

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[EngineQueue]:
    found = open_queue("sqlite", tmp_path, SECRET)
    yield found
    found.close()


class Log:
    """What a worker did, and when."""

    def __init__(self) -> None:
        self.done: list[Message] = []
        self.times: list[float] = []

    def run(self, task_name: str, args: tuple[str, ...]) -> None:
        self.times.append(time.monotonic())
        self.done.append((task_name, args))


def nothing(_under_way: Collection[Message]) -> Message | None:
    return None


class Rows:
    """Rows that are due until they are done, in their order."""

    def __init__(self, log: Log, names: Iterable[str]) -> None:
        self.log = log
        self.left: list[Message] = [("render", (name,)) for name in names]

    def due(self, under_way: Collection[Message]) -> Message | None:
        return next((row for row in self.left if row not in under_way and row not in self.log.done), None)


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


@contextmanager
def working(worker: Worker) -> Iterator[Worker]:
    worker.start()
    try:
        yield worker
    finally:
        assert worker.stop(5)


class TestWorker:
    def test_a_fresh_message_starts_at_once(self, jobs: EngineQueue) -> None:
        log = Log()
        with working(Worker(jobs, run=log.run, crews=[Crew(nothing, 2)])):
            for number in range(5):
                time.sleep(0.4)
                asked = time.monotonic()
                jobs.enqueue("render", str(number))
                eventually(lambda: len(log.done) == number + 1, 2)  # noqa: B023  # called within this turn
                assert log.times[-1] - asked < 0.4

    def test_an_idle_worker_costs_next_to_nothing(self, jobs: EngineQueue) -> None:
        with working(Worker(jobs, run=Log().run, crews=[Crew(nothing, 8)])):
            time.sleep(0.5)
            before = resource.getrusage(resource.RUSAGE_SELF)
            time.sleep(2)
            after = resource.getrusage(resource.RUSAGE_SELF)
        assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.1

    def test_due_rows_are_done_without_any_message(self, jobs: EngineQueue) -> None:
        log = Log()
        rows = Rows(log, map(str, range(20)))
        with working(Worker(jobs, run=log.run, crews=[Crew(rows.due, 3)])):
            eventually(lambda: len(log.done) == 20)
        assert sorted(log.done) == sorted(rows.left)

    def test_a_message_with_a_row_only_wakes_and_the_rows_say_what_comes_next(self, jobs: EngineQueue) -> None:
        log = Log()
        rows = Rows(log, [])
        with working(Worker(jobs, run=log.run, crews=[Crew(rows.due, 1)], rows={"render"})):
            time.sleep(0.3)
            rows.left = [("render", ("first",)), ("render", ("second",))]
            jobs.enqueue("render", "second")
            eventually(lambda: len(log.done) == 2)
            jobs.enqueue("render", "gone")
            eventually(lambda: jobs.size() == 0)
            time.sleep(0.2)
        assert log.done == rows.left

    def test_messages_without_rows_take_turns_with_the_rows(self, jobs: EngineQueue) -> None:
        log = Log()
        rows = Rows(log, map(str, range(4)))
        for number in range(4):
            jobs.enqueue("editions", str(number))
        with working(Worker(jobs, run=log.run, crews=[Crew(rows.due, 1)], rows={"render"})):
            eventually(lambda: len(log.done) == 8)
        assert [name for name, _ in log.done] == ["editions", "render"] * 4

    def test_one_crew_does_not_wait_for_the_threads_of_another(self, jobs: EngineQueue) -> None:
        log, gate = Log(), threading.Event()
        together, most = 0, 0
        counting = threading.Lock()

        def run(task_name: str, args: tuple[str, ...]) -> None:
            nonlocal together, most
            if task_name == "playback":
                with counting:
                    together += 1
                    most = max(most, together)
                gate.wait(10)
                together -= 1
            log.run(task_name, args)

        films: list[Message] = [("playback", (str(number),)) for number in range(3)]

        def film(under_way: Collection[Message]) -> Message | None:
            return next((row for row in films if row not in under_way and row not in log.done), None)

        pictures = Rows(log, map(str, range(10)))
        with working(Worker(jobs, run=run, crews=[Crew(pictures.due, 1), Crew(film, 1)])):
            eventually(lambda: len(log.done) == 10)
            assert together == 1
            gate.set()
            eventually(lambda: len(log.done) == 13)
        assert most == 1

    def test_asked_again_while_under_way_is_done_once_more_afterwards(self, jobs: EngineQueue) -> None:
        started, gate = threading.Event(), threading.Event()
        together, most = 0, 0
        done: list[str] = []

        def run(_task_name: str, args: tuple[str, ...]) -> None:
            nonlocal together, most
            together += 1
            most = max(most, together)
            started.set()
            gate.wait(10)
            together -= 1
            done.append(args[0])

        with working(Worker(jobs, run=run, crews=[Crew(nothing, 3)])):
            jobs.enqueue("render", "m1")
            assert started.wait(5)
            jobs.enqueue("render", "m1")
            jobs.enqueue("render", "m1")
            eventually(lambda: jobs.size() == 0)
            time.sleep(0.1)
            gate.set()
            eventually(lambda: len(done) == 2)
        assert most == 1

    def test_a_failing_task_is_logged_and_the_worker_lives(
        self, jobs: EngineQueue, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = Log()

        def run(task_name: str, args: tuple[str, ...]) -> None:
            log.run(task_name, args)
            if args == ("bad",):
                raise RuntimeError("boom")

        with working(Worker(jobs, run=run, crews=[Crew(nothing, 1)])):
            jobs.enqueue("render", "bad")
            jobs.enqueue("render", "good")
            eventually(lambda: len(log.done) == 2)
        assert "boom" in caplog.text

    def test_a_failed_row_comes_back_with_the_next_reconciliation(self, jobs: EngineQueue) -> None:
        tries: list[str] = []

        def run(_task_name: str, args: tuple[str, ...]) -> None:
            tries.append(args[0])
            if len(tries) < 3:
                raise RuntimeError("not yet")

        def due(under_way: Collection[Message]) -> Message | None:
            return ("render", ("m1",)) if len(tries) < 3 and not under_way else None

        with working(Worker(jobs, run=run, crews=[Crew(due, 2)], reconcile_seconds=0.05)):
            eventually(lambda: len(tries) == 3)
            time.sleep(0.2)
        assert tries == ["m1"] * 3

    def test_work_goes_on_while_the_queue_and_the_rows_are_down(self, caplog: pytest.LogCaptureFixture) -> None:
        log = Log()
        asked = 0

        class Down:
            def take(self) -> Message | None:
                raise OSError("gone")

        rows = Rows(log, map(str, range(30)))

        def due(under_way: Collection[Message]) -> Message | None:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise OSError("the database is away for a moment")
            return rows.due(under_way)

        with working(Worker(Down(), run=log.run, crews=[Crew(due, 2)], reconcile_seconds=0.05)):
            eventually(lambda: len(log.done) == 30)
        assert caplog.text.count("working from the rows") == 1
        assert caplog.text.count("Could not ask what is due") == 1

    def test_stopping_waits_for_what_is_under_way(self, jobs: EngineQueue) -> None:
        started, done = threading.Event(), threading.Event()

        def run(_task_name: str, _args: tuple[str, ...]) -> None:
            started.set()
            time.sleep(0.4)
            done.set()

        worker = Worker(jobs, run=run, crews=[Crew(nothing, 1)])
        worker.start()
        jobs.enqueue("render", "m1")
        jobs.enqueue("render", "m2")
        assert started.wait(5)
        assert worker.stop(5)
        assert done.is_set()
        assert jobs.size() == 1

    def test_stopping_does_not_wait_for_ever(self, jobs: EngineQueue) -> None:
        started, gate = threading.Event(), threading.Event()

        def run(_task_name: str, _args: tuple[str, ...]) -> None:
            started.set()
            gate.wait(30)

        worker = Worker(jobs, run=run, crews=[Crew(nothing, 1)])
        worker.start()
        jobs.enqueue("render", "m1")
        assert started.wait(5)
        began = time.monotonic()
        assert not worker.stop(0.2)
        assert time.monotonic() - began < 2
        gate.set()
        assert worker.stop(5)

    def test_many_processes_and_threads_share_it(self, jobs: EngineQueue, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from vault.jobs.engine import open_queue\n"
            f"q = open_queue('sqlite', Path({str(tmp_path)!r}), {SECRET!r})\n"
            "for n in range(50): q.enqueue('render', sys.argv[1], str(n))\n"
        )
        writers = [subprocess.Popen([sys.executable, "-c", script, str(number)]) for number in range(3)]
        log = Log()
        with working(Worker(jobs, run=log.run, crews=[Crew(nothing, 4)])):
            eventually(lambda: len(log.done) == 150, 30)
        assert [writer.wait() for writer in writers] == [0, 0, 0]
        assert len(set(log.done)) == 150
