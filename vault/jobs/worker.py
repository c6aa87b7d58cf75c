"""The worker: threads that do what the queue hints at and what the rows say is due.

Floor 2: knows messages. Must not know what a task does; `run` and `due` come from above.

What the rows say is kept in this worker's own memory and not put into the queue. So nothing piles up in the queue while
workers are killed and started again, and work goes on while the queue is down.
"""

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol

from vault.jobs import Message, Run

logger = logging.getLogger("vault.jobs")

RECONCILE_SECONDS = 30.0
LARGEST_BACKLOG = 10_000
# A thread that finds nothing looks again soon, then less often: a fresh upload starts within a fifth of a second, and
# five glances a second at an empty queue cost no CPU worth naming.
SHORTEST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.2
PAUSE_GROWTH = 1.5
QUEUE_RETRY_SECONDS = 5.0


class Source(Protocol):
    """Where messages come from."""

    def take(self) -> Message | None:
        """Take a message, or None at once; may raise anything when it is down."""


class Worker:
    """Threads of one process that work until they are stopped."""

    def __init__(
        self,
        source: Source,
        *,
        run: Run,
        due: Callable[[], Iterable[Message]],
        threads: int,
        reconcile_seconds: float = RECONCILE_SECONDS,
    ) -> None:
        self._source = source
        self._run = run
        self._due = due
        self._reconcile_seconds = reconcile_seconds
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._books = threading.Lock()
        self._backlog: dict[Message, None] = {}
        self._running: set[Message] = set()
        self._retry_at = 0.0
        names = [f"worker-{number}" for number in range(1, threads + 1)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        self._threads.append(threading.Thread(target=self._keep_reconciling, name="reconciler", daemon=True))

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self, grace_seconds: float) -> bool:
        """Take nothing new and wait for what is under way; say whether all of it ended in time."""
        self._stopping.set()
        deadline = time.monotonic() + grace_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def reconcile(self) -> None:
        """Note what the rows say is due and is neither noted nor under way. Raises what `due` raises."""
        for task_name, args in islice(self._due(), LARGEST_BACKLOG):
            message = (task_name, tuple(args))
            with self._books:
                if message not in self._running:
                    self._backlog.setdefault(message)

    def _keep_reconciling(self) -> None:
        while not self._stopping.is_set():
            try:
                self.reconcile()
            except Exception:
                logger.exception("Could not ask what is due")
            self._stopping.wait(self._reconcile_seconds)

    def _work(self) -> None:
        while message := self._next():
            try:
                self._run(*message)
            except Exception:
                # The row still says that it is due, so the next reconciliation brings the task back.
                logger.exception("The task %s failed", message[0])
            finally:
                with self._books:
                    self._running.discard(message)

    def _next(self) -> Message | None:
        """Wait for work and claim it; None when the worker stops. One thread looks, the others wait for their turn."""
        with self._turn:
            pause = SHORTEST_PAUSE_SECONDS
            while not self._stopping.is_set():
                message = self._claim(self._taken())
                if message:
                    return message
                self._stopping.wait(pause)
                pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
        return None

    def _taken(self) -> Message | None:
        if time.monotonic() < self._retry_at:
            return None
        try:
            return self._source.take()
        except Exception as error:  # noqa: BLE001  # every engine has its own errors, and the rows are still there
            logger.warning("The queue is down, working from the rows: %s", error)
            self._retry_at = time.monotonic() + QUEUE_RETRY_SECONDS
            return None

    def _claim(self, fresh: Message | None) -> Message | None:
        with self._books:
            if fresh in self._running:
                # Asked for again while it is being done: once more afterwards, with what is true by then.
                self._backlog.setdefault(fresh)
                fresh = None
            message = fresh or next((known for known in self._backlog if known not in self._running), None)
            if message:
                self._backlog.pop(message, None)
                self._running.add(message)
            return message


def work(
    source: Source,
    *,
    run: Run,
    due: Callable[[], Iterable[Message]],
    threads: int,
    grace_seconds: float = 4.0,
) -> None:
    """Work until SIGTERM or SIGINT, then end within the grace. Only for a process's main thread."""
    # A handler may interrupt anything, so it may only use what is reentrant, which an Event is not.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    before = {
        number: signal.signal(number, lambda received, _frame: signals.put(received))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    worker = Worker(source, run=run, due=due, threads=threads)
    worker.start()
    try:
        signals.get()
        if not worker.stop(grace_seconds):
            logger.warning("Some tasks did not end in time; they will be done again")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
