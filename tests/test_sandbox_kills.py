"""kill -9 at the child, the zygote and the parent, in the middle of the work."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pictures
from tests.sandboxes import ENDLESS, SLOW, assert_failed, names, new_sandbox, put, zygote_pid
from vault.imaging.refusals import Reason
from vault.imaging.render import TARGETS
from vault.imaging.sandbox import Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ps --ppid")
NAMES = sorted(target.file_name for target in TARGETS)


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def _children(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607 - ps stands where the system puts it
    return [int(word) for word in listing.stdout.split()]


def _eventually(holds: Callable[[], object], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


def _is_gone(pid: int) -> bool:
    """Ended, or a zombie that only waits to be counted."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607 - as above
    return state.stdout.strip().startswith("Z") or not state.stdout.strip()


@pytest.mark.parametrize("who", ["child", "zygote"])
def test_a_kill_in_the_middle_costs_nothing(tmp_path: Path, out_dir: Path, who: str) -> None:
    with new_sandbox() as sandbox:
        assert sandbox.render(put(tmp_path, pictures.jpeg()), out_dir).ok is not None
        path = put(tmp_path, SLOW)
        zygote = zygote_pid(sandbox)
        outcomes: list[Outcome] = []
        rendering = threading.Thread(target=lambda: outcomes.append(sandbox.render(path, out_dir)))
        rendering.start()
        assert _eventually(lambda: _children(zygote))
        (child,) = _children(zygote)
        os.kill(child if who == "child" else zygote, signal.SIGKILL)
        rendering.join(30)
        assert [outcome.failure for outcome in outcomes] == [None]
        assert names(out_dir) == NAMES
        assert _eventually(lambda: _is_gone(child)), "no child outlives its zygote"
        assert (zygote_pid(sandbox) == zygote) == (who == "child")


def test_a_decoder_that_crashes_is_a_failure_of_the_picture(tmp_path: Path, out_dir: Path) -> None:
    with new_sandbox() as sandbox:
        sandbox.render(put(tmp_path, pictures.jpeg()), out_dir)
        path = put(tmp_path, SLOW)
        zygote = zygote_pid(sandbox)
        outcomes: list[Outcome] = []
        rendering = threading.Thread(target=lambda: outcomes.append(sandbox.render(path, out_dir)))
        rendering.start()
        assert _eventually(lambda: _children(zygote))
        os.kill(_children(zygote)[0], signal.SIGSEGV)
        rendering.join(30)
        assert_failed(outcomes[0], Reason.CRASHED, out_dir)
        assert zygote_pid(sandbox) == zygote


_PARENT = """
import sys, threading, time
from pathlib import Path
from vault.imaging.sandbox import Sandbox
sandbox = Sandbox(memory_bytes=1 << 29, cpu_seconds=20, wall_seconds=20, max_pixels=10**8, max_frames=9)
sandbox.render(Path(sys.argv[2]), Path(sys.argv[3]))
print(sandbox._nursery._process.pid, flush=True)
sandbox.render(Path(sys.argv[1]), Path(sys.argv[3]))
"""


def test_zygote_and_child_end_with_a_parent_that_is_killed(tmp_path: Path, out_dir: Path) -> None:
    slow, quick = tmp_path / "slow", tmp_path / "quick"
    slow.write_bytes(ENDLESS)
    quick.write_bytes(pictures.jpeg())
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(slow), str(quick), str(out_dir)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    with parent:
        assert parent.stdout is not None
        zygote = int(parent.stdout.readline())
        assert _eventually(lambda: _children(zygote))
        (child,) = _children(zygote)
        parent.kill()
    assert _eventually(lambda: _is_gone(zygote) and _is_gone(child), 5)
