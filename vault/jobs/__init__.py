"""Do it later: the protocol of the queue and the tasks, registered by name.

Floor 2: knows names and strings. Must not know rows, Flask or what a task does. The rows are the truth and the queue is
a hint: a message may be lost or come twice, so a task is idempotent and a row that is not finished says so itself.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Message = tuple[str, tuple[str, ...]]
Run = Callable[[str, tuple[str, ...]], None]

Context = TypeVar("Context")
Deed = TypeVar("Deed", bound=Callable[..., None])


class UnknownTask(LookupError):
    """No task has that name, for instance because an older version queued it."""


class Queue(Protocol):
    """Where a use case leaves a hint that a row wants work."""

    def enqueue(self, task_name: str, *args: str) -> None:
        """Leave a hint. Never raises: when the queue is down, the reconciler finds the row."""

    def size(self) -> int:
        """Count the hints that wait. Raises the engine's own errors."""


class Tasks(Generic[Context]):
    """Tasks by name; each takes the context that it is run in and then strings."""

    def __init__(self) -> None:
        self._deeds: dict[str, Callable[..., None]] = {}

    def task(self, name: str) -> Callable[[Deed], Deed]:
        """Register the decorated function. Raises ValueError for a name that is taken."""

        def register(deed: Deed) -> Deed:
            if name in self._deeds:
                raise ValueError(f"two tasks are named {name!r}")
            self._deeds[name] = deed
            return deed

        return register

    def run(self, context: Context, task_name: str, args: tuple[str, ...]) -> None:
        """Do a task now. Raises UnknownTask and whatever the task raises."""
        if task_name not in self._deeds:
            raise UnknownTask(task_name)
        self._deeds[task_name](context, *args)

    def __contains__(self, task_name: str) -> bool:
        return task_name in self._deeds
