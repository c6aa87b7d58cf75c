"""The worker: threads that do what the rows say is next, and what the queue asks for besides.

Floor 2: knows messages. Must not know what a task does; `run` and what is next come from above.

A message that rows stand behind only wakes: which of them comes next is asked of the rows each time, so that who came
first with very many does not come before everybody else. So nothing piles up while workers are killed and started
again, and work goes on while the queue is down. Other messages are done in their order, in turns with the rows.
"""

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from vault.jobs import Message, Run

logger = logging.getLogger("vault.jobs")

RECONCILE_SECONDS = 30.0
# A thread that finds nothing looks again soon, then less often: a fresh upload starts within a fifth of a second, and
# five glances a second at an empty queue cost no CPU worth naming.
SHORTEST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.2
PAUSE_GROWTH = 1.5
QUEUE_RETRY_SECONDS = 5.0
# After a task that failed a thread rests: what fails at once, for every row, must fill neither log nor processor.
REST_SECONDS = 0.25
# Messages that only wake are cleared away so many at a time, lest a thread does nothing else.
MOST_CLEARED: Final = 50

Due = Callable[[Collection[Message]], Message | None]


class Source(Protocol):
    """Where messages come from."""

    def take(self) -> Message | None:
        """Take a message, or None at once; may raise anything when it is down."""


@dataclass(frozen=True)
class Crew:
    """So many threads for one kind of work.

    `due` says what comes next by the rows, other than what is under way, None when nothing does. It is asked before
    each task, by one thread at a time. The first crew of a worker also does the messages without rows.
    """

    due: Due
    threads: int
    turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)


class Worker:
    """Threads of one process that work until they are stopped.

    `rows` names the tasks whose messages only wake. Crews share the queue and what is under way, and nothing else: no
    kind of work waits for the threads of another.
    """

    def __init__(
        self,
        source: Source,
        *,
        run: Run,
        crews: Sequence[Crew],
        rows: Collection[str] = (),
        reconcile_seconds: float = RECONCILE_SECONDS,
    ) -> None:
        self._source = source
        self._run = run
        self._rows = frozenset(rows)
        self._reconcile_seconds = reconcile_seconds
        self._stopping = threading.Event()
        self._books = threading.Lock()
        self._backlog: dict[Message, None] = {}
        self._running: set[Message] = set()
        self._retry_at = 0.0
        self._rows_are_next = False
        # When the rows are to be asked at the latest; a message that wakes, and each task they gave, makes it now.
        self._ask_at = [0.0 for _ in crews]
        self._threads = [
            threading.Thread(target=self._work, args=(place, crew), name=f"worker-{place + 1}-{number}", daemon=True)
            for place, crew in enumerate(crews)
            for number in range(1, crew.threads + 1)
        ]

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

    def _work(self, place: int, crew: Crew) -> None:
        while message := self._next(place, crew):
            try:
                self._run(*message)
            except Exception:
                # The row still says that it is due, so it comes back.
                logger.exception("The task %s failed", message[0])
                self._stopping.wait(REST_SECONDS)
            finally:
                with self._books:
                    self._running.discard(message)

    def _next(self, place: int, crew: Crew) -> Message | None:
        """Wait for work and claim it; None when the worker stops. One thread looks, the others wait for their turn."""
        with crew.turn:
            pause = SHORTEST_PAUSE_SECONDS
            while not self._stopping.is_set():
                message = self._choose(place, crew)
                if message:
                    return message
                self._stopping.wait(pause)
                pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
        return None

    def _choose(self, place: int, crew: Crew) -> Message | None:
        if place > 0:
            return self._of_rows(place, crew)
        self._look_into_queue()
        first, second = (self._of_rows, self._of_backlog) if self._rows_are_next else (self._of_backlog, self._of_rows)
        message = first(place, crew) or second(place, crew)
        if message:
            self._rows_are_next = message[0] not in self._rows
        return message

    def _look_into_queue(self) -> None:
        """Let messages that wake do so; the first other one goes into the backlog."""
        for _ in range(MOST_CLEARED):
            message = self._taken()
            if message is None:
                return
            if message[0] not in self._rows:
                with self._books:
                    # Asked for again while it is being done: once more afterwards, with what is true by then.
                    self._backlog.setdefault(message)
                return
            self._ask_at = [0.0 for _ in self._ask_at]

    def _taken(self) -> Message | None:
        if time.monotonic() < self._retry_at:
            return None
        try:
            return self._source.take()
        except Exception as error:  # noqa: BLE001  # every engine has its own errors, and the rows are still there
            logger.warning("The queue is down, working from the rows: %s", error)
            self._retry_at = time.monotonic() + QUEUE_RETRY_SECONDS
            return None

    def _of_backlog(self, _place: int, _crew: Crew) -> Message | None:
        with self._books:
            message = next((known for known in self._backlog if known not in self._running), None)
            if message:
                del self._backlog[message]
                self._running.add(message)
            return message

    def _of_rows(self, place: int, crew: Crew) -> Message | None:
        if time.monotonic() < self._ask_at[place]:
            return None
        # Set before they are asked: a message that comes while they answer is not lost.
        self._ask_at[place] = time.monotonic() + self._reconcile_seconds
        with self._books:
            under_way = frozenset(self._running)
        try:
            message = crew.due(under_way)
        except Exception:
            logger.exception("Could not ask what is due")
            return None
        if message is None:
            return None
        self._ask_at[place] = 0.0
        with self._books:
            if message in self._running:
                return None
            self._running.add(message)
        return message


def work(
    source: Source,
    *,
    run: Run,
    crews: Sequence[Crew],
    rows: Collection[str] = (),
    grace_seconds: float = 4.0,
) -> None:
    """Work until SIGTERM or SIGINT, then end within the grace. Only for a process's main thread."""
    # A handler may interrupt anything, so it may only use what is reentrant, which an Event is not.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    before = {
        number: signal.signal(number, lambda received, _frame: signals.put(received))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    worker = Worker(source, run=run, crews=crews, rows=rows)
    worker.start()
    try:
        signals.get()
        if not worker.stop(grace_seconds):
            logger.warning("Some tasks did not end in time; they will be done again")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
