"""Starts the zygote, talks to it, and starts it anew when it is gone.

Floor 0. Knows processes and sockets, nothing of pictures.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from vault.imaging.lending import READY, Report

_START_SECONDS: Final = 30.0
# The zygote keeps the time of its children; this much later it is the zygote itself that hangs.
_GRACE_SECONDS: Final = 5.0
_MAX_LINE_BYTES: Final = 1 << 20
# Isolated mode reads neither PYTHON* variables nor the working directory, so the way to this package is named here.
_START: Final = """
import sys
sys.path.insert(0, sys.argv[1])
from vault.imaging import zygote
zygote.main(int(sys.argv[2]), sys.argv[3])
"""
_PACKAGE_ROOT: Final = str(Path(__file__).resolve().parents[2])
# Every child begins with a fresh heap, and takes ten thousand small pages for a common picture otherwise.
_LARGE_PAGES: Final = "glibc.malloc.hugetlb=1"
# All that a child may know of the world: where some systems keep Python's own library.
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class SandboxUnavailable(RuntimeError):
    """No confined child can be had at the moment; the picture is not at fault."""


class ZygoteLost(Exception):
    """The zygote ended, or fell silent and was ended, before it had answered."""


class Nursery:
    """One zygote at a time. Not for two threads at once."""

    def __init__(self, limits_json: str, *, patience_seconds: float) -> None:
        self._limits_json = limits_json
        self._patience_seconds = patience_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def ask(self, word: str, descriptors: list[int]) -> Report:
        """Lend a child the open files and answer what became of it.

        Raises `ZygoteLost` when nothing can be said of it, `SandboxUnavailable` when no zygote can be started.
        """
        control = self._control or self._start()
        try:
            socket.send_fds(control, [f"{word}\n".encode()], descriptors)
            line = _read_line(control, self._patience_seconds + _GRACE_SECONDS)
            return Report(**json.loads(line))
        except (OSError, ValueError, TypeError) as error:
            self.close()
            raise ZygoteLost from error

    def close(self) -> None:
        """End the zygote and, with it, any child."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = self._launch(theirs.fileno())
            self._await_ready(ours, self._process)
        except BaseException:
            ours.close()
            self.close()
            raise
        self._control = ours
        return ours

    def _launch(self, control_fd: int) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # One heap: the arenas that glibc makes for threads only eat address space, which is limited. And one thread of
        # the libraries below the decoders of RAW, which would start one for each core as soon as they are loaded.
        alone = dict.fromkeys(("MALLOC_ARENA_MAX", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        environment = {"LC_ALL": "C.UTF-8", "GLIBC_TUNABLES": _LARGE_PAGES, **alone, **kept}
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-c", _START, _PACKAGE_ROOT, str(control_fd), self._limits_json],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[control_fd],
                env=environment,
                cwd="/",
                # Ctrl-C is for the parent, which then ends the zygote in its own time.
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxUnavailable(f"the zygote could not be started: {error}") from error

    def _await_ready(self, control: socket.socket, process: subprocess.Popen[bytes]) -> None:
        stderr = process.stderr
        try:
            if _read_line(control, _START_SECONDS) + b"\n" != READY:
                raise SandboxUnavailable("the zygote did not say that it is ready")
        except OSError as error:
            process.kill()
            words = stderr.read().decode("utf-8", "replace")[-500:] if stderr is not None else ""
            raise SandboxUnavailable(f"the zygote did not start: {words.strip() or error}") from error
        finally:
            if stderr is not None:
                # The zygote has turned to silence by now; nobody would read what it says.
                stderr.close()


def _read_line(control: socket.socket, seconds: float) -> bytes:
    """One line without its end; raises `OSError` when there is none in time."""
    deadline = time.monotonic() + seconds
    heard = b""
    with contextlib.ExitStack() as restored:
        restored.callback(control.settimeout, None)
        while not heard.endswith(b"\n"):
            control.settimeout(max(0.001, deadline - time.monotonic()))
            part = control.recv(65_536)
            if not part or len(heard) > _MAX_LINE_BYTES:
                raise ConnectionResetError("the zygote closed its end")
            heard += part
    return heard[:-1]
