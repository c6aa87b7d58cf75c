"""The worker as a process: killed at any moment it loses nothing, and it ends when it is asked to."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vault.jobs.engine import EngineQueue, open_queue

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[EngineQueue]:
    found = open_queue("sqlite", tmp_path, SECRET)
    yield found
    found.close()


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


# A worker as a process: a row is a file, done when it is empty; a task takes a while.
PROCESS = """
import sys, time
from pathlib import Path
from vault.jobs.engine import open_queue
from vault.jobs.worker import Crew, work

home, rows = Path(sys.argv[1]), Path(sys.argv[2])

def run(task_name, args):
    time.sleep(float(sys.argv[3]))
    (rows / args[0]).write_bytes(b"")

def due(under_way):
    left = (("render", (row.name,)) for row in rows.iterdir() if row.stat().st_size)
    return next((row for row in left if row not in under_way), None)

queue = open_queue("sqlite", home, %r)
print("working", flush=True)
work(queue, run=run, crews=[Crew(due, 2)], rows={"render"}, grace_seconds=1.0)
print("stopped", flush=True)
"""


class TestProcess:
    @pytest.fixture
    def rows(self, tmp_path: Path) -> Path:
        (tmp_path / "rows").mkdir()
        return tmp_path / "rows"

    def start(self, home: Path, task_seconds: float) -> subprocess.Popen[str]:
        arguments = [str(home), str(home / "rows"), str(task_seconds)]
        process = subprocess.Popen(
            [sys.executable, "-c", PROCESS % SECRET, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "working\n"
        return process

    @pytest.mark.torture
    def test_killed_again_and_again_it_loses_nothing(self, jobs: EngineQueue, tmp_path: Path, rows: Path) -> None:
        for number in range(60):
            (rows / str(number)).write_bytes(b"pending")
            jobs.enqueue("render", str(number))
        for _ in range(8):
            with self.start(tmp_path, 0.02) as process:
                time.sleep(0.08)
                process.kill()
        assert any(row.stat().st_size for row in rows.iterdir()), "the kills came too late to prove anything"
        with self.start(tmp_path, 0.001) as process:
            eventually(lambda: not any(row.stat().st_size for row in rows.iterdir()), 20)
            process.terminate()
            assert process.wait(10) == 0
        assert jobs.size() == 0

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    @pytest.mark.parametrize("task_seconds", [0.0, 30.0])
    def test_it_ends_within_seconds_when_asked(
        self, jobs: EngineQueue, tmp_path: Path, rows: Path, number: signal.Signals, task_seconds: float
    ) -> None:
        (rows / "1").write_bytes(b"pending")
        with self.start(tmp_path, task_seconds) as process:
            time.sleep(0.3)
            began = time.monotonic()
            process.send_signal(number)
            assert process.wait(10) == 0
            assert time.monotonic() - began < 3
            assert process.stdout
            assert process.stdout.read() == "stopped\n"
        assert (rows / "1").stat().st_size == (len(b"pending") if task_seconds else 0)
