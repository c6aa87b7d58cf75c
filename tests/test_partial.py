"""Files that come in pieces: one writer at a time, and every acknowledged byte there after a kill."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vault.storage import InUse
from vault.storage.local import LocalStorage
from vault.storage.partial import Partial

ROOT = Path(__file__).resolve().parents[1]
NAME = "n" * 22


class TestPartialFiles:
    def test_one_that_has_another_name_is_never_changed(self, tmp_path: Path) -> None:
        storage = LocalStorage(tmp_path / "blobs")
        with Partial(storage, NAME) as first:
            first.begin(0)
            first.write(b"0123456789")
            first.sync()
        os.link(storage.partial(NAME), tmp_path / "kept")

        with Partial(storage, NAME) as second:
            second.begin(4)
            second.write(b"xyz")
            assert second.sha256
            with pytest.raises(InUse):
                Partial(storage, NAME)

        assert (tmp_path / "kept").read_bytes() == b"0123456789"
        assert storage.partial(NAME).read_bytes() == b"0123xyz"

    def test_a_killed_writer_holds_nothing(self, tmp_path: Path) -> None:
        storage = LocalStorage(tmp_path / "blobs")
        script = (
            "import sys, time\nfrom pathlib import Path\nfrom vault.storage.local import LocalStorage\n"
            "from vault.storage.partial import Partial\n"
            f"held = Partial(LocalStorage(Path(sys.argv[1])), {NAME!r})\nprint('held', flush=True)\ntime.sleep(60)\n"
        )
        command = [sys.executable, "-c", script, str(storage.root)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == "held\n"
            with pytest.raises(InUse):
                Partial(storage, NAME)
            writer.kill()
        with Partial(storage, NAME) as held:
            held.begin(0)

    def test_two_threads_hold_it_one_after_the_other(self, tmp_path: Path) -> None:
        storage, refused = LocalStorage(tmp_path / "blobs"), threading.Event()

        def try_it() -> None:
            try:
                Partial(storage, NAME).close()
            except InUse:
                refused.set()

        with Partial(storage, NAME):
            other = threading.Thread(target=try_it)
            other.start()
            other.join(10)
        assert refused.is_set()
        Partial(storage, NAME).close()


KILLED = """
import io, os, sys
from pathlib import Path
from vault.storage.local import LocalStorage
from vault.storage.partial import Partial

storage, name = LocalStorage(Path(sys.argv[1])), sys.argv[2]
offset = int(sys.argv[3])
while True:
    with Partial(storage, name) as held:
        held.begin(offset)
        piece = bytes([offset // 10_000 % 251]) * 10_000
        for at in range(0, 10_000, 1_000):
            held.write(piece[at : at + 1_000])
        held.sync()
        offset = held.bytes
    print(offset, flush=True)
"""


@pytest.mark.torture
def test_every_acknowledged_byte_is_there_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    storage, offset = LocalStorage(tmp_path / "blobs"), 0
    for turn in range(10):
        command = [sys.executable, "-c", KILLED, str(storage.root), NAME, str(offset)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            said = [writer.stdout.readline()]
            time.sleep(0.003 * turn)
            writer.kill()
            said += [line for line in writer.stdout if line.endswith("\n")]
        offset = int(said[-1])
        with Partial(storage, NAME) as held:
            held.begin(offset)
        data = storage.partial(NAME).read_bytes()
        assert data == b"".join(bytes([at % 251]) * 10_000 for at in range(offset // 10_000))
