"""A whole vault as people run it: `manage.py run` as a process of its own, on a free port, with a home of its own."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.factories import SECRET, House
from tests.live.client import Client
from tests.live.processes import children, descendants, listens
from vault.app import create_app
from vault.config import Settings
from vault.db import db

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"Vault is ready at http://127\.0\.0\.1:([0-9]+)\n")
START_SECONDS = 60.0
# Cheap passwords, so that a test waits for the vault and not for argon2.
CHEAP = {"VAULT_PASSWORD_MEMORY_KIB": "8192", "VAULT_PASSWORD_ROUNDS": "1"}


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a vault in a home, without anything of this machine's own vault."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
    return {**clean, **CHEAP, "VAULT_HOME": str(home), "PYTHONWARNINGS": "default", "NO_COLOR": "1", **more}


def manage(
    home: Path, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py to its end."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    variables = environment(home, **(environ or {}))
    return subprocess.run(
        command, env=variables, cwd=home.parent, input=stdin, capture_output=True, text=True, timeout=100, check=False
    )


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
    shutil.copy(template, home / "vault.db")
    return home


def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds; AssertionError when it does not happen in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
