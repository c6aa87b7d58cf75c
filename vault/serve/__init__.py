"""The whole vault under one command: gunicorn and a worker as children of one supervisor.

Floor 5: knows processes, sockets and signals. Must not know pages, rows or what a task does.

The supervisor holds the listening socket, so a web server that is started again loses no connection; it starts a child
that died again, and no child outlives it, even when it is killed.
"""

import http.client
import os
import queue
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import click

from vault.serve import child

FACTORY = "vault.app:create_app"

STOP_SECONDS = 6.0
WATCH_SECONDS = 0.5
PROBE_SECONDS = 0.1
PAUSE_SECONDS = 0.02
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A child that lived this long and then died is not one that cannot start.
SETTLED_SECONDS = 60.0

Signals = queue.SimpleQueue[int]


class Child:
    """A copy of this process that does one thing, in its own process group, begun again when it ends by itself.

    A copy, because all that the vault imports is in memory already: it starts at once, and a new one after a crash too.
    """

    def __init__(self, title: str, deed: Callable[[], None]) -> None:
        self.title = title
        self._deed = deed
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._start_at = 0.0
        self._pid = 0
        self._has_ended = False

    def tend(self) -> bool:
        """Start the child when it is time to; say whether it has just ended by itself."""
        now = time.monotonic()
        if self.is_running():
            return False
        if not self._pid:
            if now >= self._start_at:
                self._start_at, self._pid = now, child.begin(self._deed)
            return False
        if now - self._start_at > SETTLED_SECONDS:
            self._pause_seconds = FIRST_PAUSE_SECONDS
        self._start_at = now + self._pause_seconds
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        self.kill()
        return True

    def is_running(self) -> bool:
        """Say whether the process has not ended yet."""
        if self._pid and not self._has_ended:
            self._has_ended = os.waitpid(self._pid, os.WNOHANG)[0] == self._pid
        return self._pid != 0 and not self._has_ended

    def ask_to_end(self) -> None:
        """Begin an orderly end."""
        if self.is_running():
            os.kill(self._pid, signal.SIGTERM)

    def kill(self) -> None:
        """End the process and all that it started, now."""
        if self._pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
            if not self._has_ended:
                os.waitpid(self._pid, 0)
            self._pid, self._has_ended = 0, False


class Probe:
    """One request for the health page, by the only host name that the vault answers to."""

    def __init__(self, address: str, origin: str) -> None:
        self._address = urlsplit(address).netloc
        self._host = urlsplit(origin).netloc
        self._connection: http.client.HTTPConnection | None = None

    def answered(self) -> bool:
        """Wait a moment for a good answer; say whether it came. Until the server accepts, the request stays queued."""
        try:
            connection = self._connection or self._asked()
            if not select.select([connection.sock], [], [], PROBE_SECONDS)[0]:
                return False
            good = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            good = False
        self.close()
        return good

    def close(self) -> None:
        """Give the request up; the next one begins anew."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _asked(self) -> http.client.HTTPConnection:
        self._connection = http.client.HTTPConnection(self._address, timeout=STOP_SECONDS)
        self._connection.request("GET", "/healthz", headers={"Host": self._host, "Connection": "close"})
        return self._connection


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    web_workers: int = 2,
    with_worker: bool = True,
    origin: str | None = None,
    worker_command: Sequence[str] | None = None,
    factory: str = FACTORY,
    on_ready: Callable[[str], None] | None = None,
) -> int:
    """Serve until Ctrl-C or SIGTERM and return the exit status. Only for a process's main thread.

    The process must have neither threads nor open connections, because its children are copies of it.
    Port 0 takes a free one. `origin` is what the operator has configured; without it, it is the address itself.
    `worker_command` is the worker's script and arguments. `on_ready` is called once with the origin.
    """
    os.umask(0o077)
    try:
        listener = socket.create_server((host, port), family=_family(host), backlog=socket.SOMAXCONN)
    except OSError as error:
        click.echo(f"Cannot listen on {host}, port {port}: {_reason(error)}", err=True)
        return 1
    with listener, _signals() as signals:
        address = f"http://{_reachable(host)}:{listener.getsockname()[1]}"
        os.environ["VAULT_ORIGIN"] = origin = origin or os.environ.get("VAULT_ORIGIN") or address
        children = [Child("web server", lambda: child.serve_web(listener.fileno(), web_workers, factory))]
        if with_worker:
            script, *arguments = worker_command or (sys.argv[0], "worker")
            children.append(Child("worker", lambda: child.run_script(listener, script, arguments)))
        try:
            return _supervise(children, signals, address, origin, on_ready or (lambda _origin: None))
        finally:
            _end(children, signals)


def _supervise(
    children: list[Child], signals: Signals, address: str, origin: str, on_ready: Callable[[str], None]
) -> int:
    ready = False
    with closing(Probe(address, origin)) as probe:
        while not _received(signals, WATCH_SECONDS if ready else PAUSE_SECONDS):
            for each in children:
                if each.tend():
                    if not ready:
                        click.echo(f"The {each.title} did not start", err=True)
                        return 1
                    click.echo(f"The {each.title} ended unexpectedly and is started again", err=True)
            if not ready and probe.answered():
                ready = True
                click.echo(f"Vault is ready at {address}")
                on_ready(origin)
    return 0


def _end(children: list[Child], signals: Signals) -> None:
    for each in children:
        each.ask_to_end()
    deadline = time.monotonic() + STOP_SECONDS
    while any(each.is_running() for each in children) and time.monotonic() < deadline:
        # Asked a second time, the person does not want to wait.
        if _received(signals, PAUSE_SECONDS):
            break
    for each in children:
        each.kill()


@contextmanager
def _signals() -> Iterator[Signals]:
    """Collect the signals that ask us to end."""
    # A handler may interrupt anything, so it may only use what is reentrant.
    received: Signals = queue.SimpleQueue()
    numbers = [signal.SIGINT, signal.SIGTERM]
    # Under nohup the end of the terminal is not ours.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, lambda caught, _frame: received.put(caught)) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _received(signals: Signals, seconds: float) -> bool:
    with suppress(queue.Empty):
        signals.get(timeout=seconds)
        return True
    return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _reason(error: OSError) -> str:
    # Python adds the address once more to what the system says, but leaves a failed look-up of a name as it is.
    if error.errno is None or isinstance(error, socket.gaierror):
        return str(error.strerror or error)
    return os.strerror(error.errno)


def _reachable(host: str) -> str:
    """Return how this machine reaches what listens on a host."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        return "[::1]" if ":" in host else "127.0.0.1"
    return f"[{host}]" if ":" in host else host
