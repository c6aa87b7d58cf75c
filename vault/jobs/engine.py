"""The queue between processes, kept by one of huey's storages: SQLite, PostgreSQL or Redis.

Floor 2: knows how a message is kept and signed. Must not know what it means.

Only huey's storages are used. Its consumer takes over signals, logging and, on a hang-up, the whole process, and its
messages are pickles; ours are two strings and a signature, so whoever can write to the queue cannot make us run code.
"""

import hashlib
import hmac
import json
import logging
import os
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

from huey import storage as engines

from vault.jobs import Message

logger = logging.getLogger("vault.jobs")

NAME = "vault"
BUSY_SECONDS = 2
CONNECT_SECONDS = 3
SHORTEST_SECRET_BYTES = 16
DRIVERS = {"postgresql": "psycopg", "postgres": "psycopg", "redis": "redis", "rediss": "redis"}


class QueueError(Exception):
    """The queue's address or secret cannot be used."""


class Engine(Protocol):
    """What is used of a huey storage."""

    def enqueue(self, data: bytes) -> None:
        """Append a message."""

    def dequeue(self) -> object:
        """Take the oldest message, or None, at once."""

    def queue_size(self) -> int:
        """Count the messages."""

    def close(self) -> object:
        """Close the connection."""


class EngineQueue:
    """A queue that outlives its processes; safe for many threads, and opened anew after a fork."""

    def __init__(self, open_engine: Callable[[], Engine], secret: bytes) -> None:
        """Open nothing yet. Raises QueueError for a secret of fewer than 16 bytes."""
        if len(secret) < SHORTEST_SECRET_BYTES:
            raise QueueError("the queue's secret is too short")
        self._open_engine = open_engine
        self._secret = secret
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._opened_by = 0

    def enqueue(self, task_name: str, *args: str) -> None:
        """Leave a hint for a worker. Never raises; a queue that is down is logged."""
        try:
            self._opened().enqueue(self._sealed((task_name, args)))
        except Exception as error:  # noqa: BLE001  # every engine has its own errors, and the row is safe already
            logger.warning("The queue is down, %s waits for the reconciler: %s", task_name, error)

    def take(self) -> Message | None:
        """Take the oldest genuine message, or None at once. Raises the engine's own errors."""
        while (data := self._opened().dequeue()) is not None:
            message = self._unsealed(data)
            if message:
                return message
            logger.error("A message in the queue is not ours, dropped")
        return None

    def size(self) -> int:
        """Count the waiting messages. Raises the engine's own errors."""
        return self._opened().queue_size()

    def close(self) -> None:
        """Close the connection of this process; the next use opens it again."""
        with self._opening:
            if self._engine and self._opened_by == os.getpid():
                self._engine.close()
            self._engine = None

    def _opened(self) -> Engine:
        with self._opening:
            # A connection must not be shared with the process that forked us, not even to close it.
            if self._engine is None or self._opened_by != os.getpid():
                self._engine, self._opened_by = self._open_engine(), os.getpid()
            return self._engine

    def _sealed(self, message: Message) -> bytes:
        body = json.dumps(message).encode()
        return self._signature(body) + body

    def _unsealed(self, data: object) -> Message | None:
        # Whoever can write to the database can also write something that is not bytes.
        if not isinstance(data, bytes):
            return None
        signature, body = data[:64], data[64:]
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        task_name, args = json.loads(body)
        return task_name, tuple(args)

    def _signature(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest().encode()


def open_queue(url: str, home: Path, secret: bytes) -> EngineQueue:
    """Return the queue that an address names, opened at its first use.

    `sqlite` (or nothing) is `queue.db` in the vault's home; also `sqlite:////a/path`, `postgresql://…`, `redis://…`.
    Raises QueueError.
    """
    scheme = urlsplit(url).scheme or url or "sqlite"
    if scheme == "sqlite":
        path = Path(unquote(urlsplit(url).path[1:])) if "://" in url else home / "queue.db"
        if not path.is_absolute():
            raise QueueError("the queue's file needs an absolute path, like sqlite:////srv/vault/queue.db")
        return EngineQueue(lambda: _sqlite(path), secret)
    if scheme not in DRIVERS:
        raise QueueError(f"no queue for addresses beginning with {scheme}, only sqlite, postgresql:// and redis://")
    if not find_spec(DRIVERS[scheme]):
        raise QueueError(f"a queue at {scheme}:// needs the package {DRIVERS[scheme]}")
    return EngineQueue(lambda: (_postgresql if DRIVERS[scheme] == "psycopg" else _redis)(url), secret)


def _sqlite(path: Path) -> Engine:
    # Made before SQLite does, which would let the umask decide who may read it; its side files take the same mode.
    path.touch(mode=0o600)
    engine = engines.SqliteStorage(NAME, str(path), timeout=BUSY_SECONDS)
    # In WAL mode this survives every crash of ours; a power cut may cost hints, which is what the rows are for.
    engine.conn.execute("PRAGMA synchronous=NORMAL")
    return cast("Engine", engine)


def _postgresql(url: str) -> Engine:
    storage = engines.PostgresStorage(NAME, dsn=url, blocking=False, connect_timeout=CONNECT_SECONDS)
    return cast("Engine", storage)


def _redis(url: str) -> Engine:
    return cast("Engine", engines.RedisStorage(NAME, url=url, blocking=False))
