"""Places for archives that are on their way: so many at once in one process, and of one visitor a single one.

Floor 3. An archive takes memory from its first name to its last byte, and its reader decides how long that is. A place
is left when its answer is closed; one that nobody holds any more is free by itself.
"""

import threading
from types import TracebackType
from typing import Self
from weakref import WeakSet

from vault.policy import Viewer

MOST_OF_PEOPLE, MOST_OF_VISITORS = 12, 6
RETRY_SECONDS = 30


class Crowded(Exception):
    """There is no place for one more archive; try again in `retry_after_seconds`."""

    retry_after_seconds = RETRY_SECONDS


class Place:
    """A place that one archive has. Left when what is done `with` it fails, else by whoever closes the answer."""

    def __init__(self, viewer: Viewer) -> None:
        self.is_visitors, self.visit = viewer.link_id is not None, (viewer.link_id, viewer.visit_id)

    def leave(self) -> None:
        """Let another archive have it; a second call does nothing."""
        with _lock:
            _taken.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.leave()


_taken: WeakSet[Place] = WeakSet()
_lock = threading.RLock()  # what is thrown away while it is held may leave its place in the same thread


def take(viewer: Viewer) -> Place:
    """Return a place for one more archive. Raises Crowded."""
    wanted = Place(viewer)
    most = MOST_OF_VISITORS if wanted.is_visitors else MOST_OF_PEOPLE
    with _lock:
        alike = [each for each in _taken if each.is_visitors == wanted.is_visitors]
        if len(alike) >= most or (wanted.is_visitors and wanted.visit in {each.visit for each in alike}):
            raise Crowded
        _taken.add(wanted)
    return wanted
