"""A whole vault as people run it: `manage.py run` as a process of its own, on a free port, with a home of its own."""

import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.factories import SECRET, House
from tests.live.client import Client
from tests.live.commands import ROOT, environment
from tests.live.processes import children, descendants, listens
from vault.app import create_app
from vault.config import Settings
from vault.db import db

READY = re.compile(r"Vault is ready at http://127\.0\.0\.1:([0-9]+)\n")
START_SECONDS = 60.0


class LiveVault:
    """A running vault: where it answers, which processes it consists of, and what it has said."""

    def __init__(self, home: Path, arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.errors = home.parent / f"{home.name}.stderr"
        self.printed: list[str] = []
        self._ready = threading.Event()
        began = time.monotonic()
        with self.errors.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "run", "--port", "0", *arguments],
                env=environment(home, **(environ or {})),
                cwd=home.parent,
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                text=True,
                process_group=0,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = self._wait_for_port()
        self.start_seconds = time.monotonic() - began

    def client(self, token: str = "", cookie: str = "") -> Client:
        """Return somebody who asks this vault."""
        return Client(self.port, token=token, cookie=cookie)

    def web_processes(self) -> list[int]:
        """Return the processes that answer requests: below gunicorn's own, and holding the listening socket."""
        masters = [pid for pid in children(self.process.pid) if listens(pid, self.port)]
        return [pid for master in masters for pid in children(master) if listens(pid, self.port)]

    def workers(self) -> list[int]:
        """Return the background worker: the supervisor's other child."""
        return [pid for pid in children(self.process.pid) if not listens(pid, self.port)]

    def said(self) -> str:
        """Return what went to standard error so far."""
        return self.errors.read_text(errors="replace")

    def end(self, number: int) -> int:
        """Send the supervisor a signal and return its exit status, when it has one."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        return self.process.wait(20)

    def clear_away(self) -> None:
        """Kill whatever is left of it."""
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.process.wait(20)
        self._reader.join(20)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.printed.append(line)
                self._ready.set()
        self._ready.set()

    def _wait_for_port(self) -> int:
        self._ready.wait(START_SECONDS)
        found = READY.fullmatch(self.printed[0]) if self.printed else None
        if found is None:
            self.clear_away()
            raise AssertionError(f"it did not become ready: {self.printed} {self.said()[-2000:]}")
        return int(found[1])


@contextmanager
def running(home: Path, *arguments: str, **environ: str) -> Iterator[LiveVault]:
    """Run a vault for the length of a `with`."""
    vault = LiveVault(home, arguments, {"VAULT_SECRET_KEY": SECRET, **environ})
    try:
        yield vault
    finally:
        vault.clear_away()


@contextmanager
def looking_inside(home: Path) -> Iterator[House]:
    """Open the same home in this process: to make people and pictures quickly, and to look at rows."""
    settings = Settings(home=home, secret_keys=(SECRET,), password_memory_kib=8_192, password_rounds=1)
    app = create_app(settings)
    with app.app_context():
        try:
            yield House(app)
        finally:
            db.session.remove()
            db.engine.dispose()


def new_home(folder: Path, template: Path, name: str = "home") -> Path:
    """Make a home with an empty, migrated database."""
    home = folder / name
    home.mkdir(mode=0o700)
    (home / "vault.db").touch(mode=0o600)
    # Not by copying the file: what was written last may still lie in the log beside it.
    with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(home / "vault.db")) as target:
        source.backup(target)
    return home


def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds; AssertionError when it does not happen in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
