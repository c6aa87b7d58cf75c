"""A few sandboxes that the threads of one process share, and nobody making the same thing twice.

Floor 0. Knows names of things and how many may be made at a time, nothing of where they are kept.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Final

from vault.imaging.refusals import Reason
from vault.imaging.sandbox import Sandbox

_MOST_REMEMBERED: Final = 1000
# So many threads of a process may be busy with making or waiting: all others go on answering.
_SEATS: Final = 8
_SEATS_EACH: Final = 3


class Occupied(Exception):
    """All seats are taken; or all benches are, or another is still making the same, and the time to wait is over."""


class Workshop:
    """Benches with a sandbox each, started when they are first needed. For one process: not to be used after a fork."""

    def __init__(self, new_sandbox: Callable[[], Sandbox], *, benches: int) -> None:
        self._free: LifoQueue[Sandbox] = LifoQueue()
        # The one that was used last is lent first, so that a second child is only started for two at a time.
        for _ in range(benches):
            self._free.put(new_sandbox())
        self._guard = threading.Lock()
        self._seated: Counter[str] = Counter()
        self._turns: dict[str, tuple[threading.Lock, int]] = {}
        self._hopeless: dict[str, Reason] = {}

    @contextmanager
    def seat(self, guest: str) -> Iterator[None]:
        """Be one of the few who work or wait at a time, and of the fewer of one guest. Raises `Occupied` at once.

        The house itself, a guest without a name, takes no seat.
        """
        if guest:
            with self._guard:
                if self._seated.total() >= _SEATS or self._seated[guest] >= _SEATS_EACH:
                    raise Occupied
                self._seated[guest] += 1
        try:
            yield
        finally:
            if guest:
                with self._guard:
                    self._seated[guest] -= 1
                    self._seated += Counter()  # forgets those who have left

    @contextmanager
    def turn(self, name: str, *, until: float) -> Iterator[None]:
        """Be the only one of this process who makes a thing. Raises `Occupied` at `until`, a monotonic time."""
        with self._guard:
            lock, waiting = self._turns.get(name, (threading.Lock(), 0))
            self._turns[name] = (lock, waiting + 1)
        try:
            if not lock.acquire(timeout=max(0.0, until - time.monotonic())):
                raise Occupied
            try:
                yield
            finally:
                lock.release()
        finally:
            self._leave(name)

    @contextmanager
    def bench(self, *, until: float) -> Iterator[Sandbox]:
        """Lend a sandbox. Raises `Occupied` when none is free before `until` (monotonic)."""
        try:
            sandbox = self._free.get(timeout=max(0.001, until - time.monotonic()))
        except Empty:
            raise Occupied from None
        try:
            yield sandbox
        finally:
            self._free.put(sandbox)

    def give_up(self, name: str, reason: Reason) -> None:
        """Remember that this thing cannot be made, so that nobody tries again as long as the process lives."""
        if len(self._hopeless) >= _MOST_REMEMBERED:
            self._hopeless.clear()
        self._hopeless[name] = reason

    def is_hopeless(self, name: str) -> bool:
        """Whether making it has failed before."""
        return name in self._hopeless

    def close(self) -> None:
        """End the children of all benches that are free."""
        for sandbox in tuple(self._free.queue):
            sandbox.close()

    def _leave(self, name: str) -> None:
        with self._guard:
            lock, waiting = self._turns[name]
            if waiting > 1:
                self._turns[name] = (lock, waiting - 1)
            else:
                del self._turns[name]
