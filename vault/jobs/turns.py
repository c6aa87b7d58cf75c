"""Whose turn it is: owners in a circle, and what somebody waits for before what came in bulk.

Floor 2: knows names and numbers. Must not know rows, nor what waits.

What is remembered is only who was served when, in the memory of one worker. So nothing is written to be fair, a worker
that is started again is fair from its first picture on, and several of them are together as fair as each alone.
"""

import threading
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

# Of so many turns one is for another lane than the first that has something, so that none waits for ever.
FRESH_EVERY: Final = 4
BULK_EVERY: Final = 16
_MOST_REMEMBERED: Final = 10_000


class Lane(IntEnum):
    """How urgent something is; less is sooner."""

    WANTED = 0
    """Somebody looks at its place at this moment."""
    FRESH = 1
    """Somebody brought it by hand."""
    BULK = 2
    """It came with the mass of an import."""


class Front(NamedTuple):
    """What is first in line of one owner in one lane."""

    owner: int
    lane: Lane
    name: str


class Turns:
    """Chooses what comes next; for many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._count = 0
        self._served: dict[int, int] = {}

    def next(self, fronts: Iterable[Front]) -> Front | None:
        """Choose, and count it as the owner's turn; None when nothing waits."""
        with self._guard:
            lanes = _lanes(self._count + 1)
            chosen = min(
                fronts, key=lambda front: (lanes.index(front.lane), self._served.get(front.owner, 0)), default=None
            )
            if chosen is not None:
                self._count += 1
                if len(self._served) >= _MOST_REMEMBERED:
                    self._served.clear()
                self._served[chosen.owner] = self._count
            return chosen


def _lanes(count: int) -> tuple[Lane, ...]:
    """The lanes in their order at the n-th turn."""
    if count % BULK_EVERY == 0:
        return Lane.BULK, Lane.WANTED, Lane.FRESH
    if count % FRESH_EVERY == 0:
        return Lane.FRESH, Lane.WANTED, Lane.BULK
    return Lane.WANTED, Lane.FRESH, Lane.BULK
