"""How much memory may be lent at a time, and the line of those who wait for some.

Floor 2: knows numbers. Must not know what the memory is for.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


class Budget:
    """So many bytes, lent in the order in which they were asked for: who wants much is not passed for ever."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lent_bytes = 0
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def lend(self, wanted_bytes: int) -> Iterator[None]:
        """Wait until so many bytes are free, and lend them; who wants more than there is gets all of it, alone."""
        wanted_bytes = min(wanted_bytes, self._most_bytes)
        place = object()
        with self._changed:
            self._line.append(place)
            try:
                self._changed.wait_for(
                    lambda: self._line[0] is place and self._lent_bytes + wanted_bytes <= self._most_bytes
                )
                self._lent_bytes += wanted_bytes
            finally:
                self._line.remove(place)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._lent_bytes -= wanted_bytes
                self._changed.notify_all()


@cache
def of_process(most_bytes: int) -> Budget:
    """Return the one budget of this size that all threads of this process share."""
    return Budget(most_bytes)
