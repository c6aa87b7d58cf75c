"""Where pictures come from in bulk: trees of folders and zip archives, read and never written.

Floor 0: knows bytes, names and limits. Must not know people, rows or what becomes of a file. No name that is found in
here is ever used as a path.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

# Of a sidecar no more is read.
LARGEST_SIDECAR_BYTES = 1024 * 1024


class BadArchive(Exception):
    """An archive as a whole cannot be read or must not be. The text is a sentence for people."""


class Unreadable(Exception):
    """One file of many cannot be taken. The text is a sentence for people."""


class Unwanted(Unreadable):
    """One file of many is not to be taken, and nothing is wrong with it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that was found, not yet read.

    `path` is how it is shown: relative to where the search began. `place` names the very file on this machine, and
    `mtime_ns` says when that, or the archive it is in, was changed. `chunks` reads it from its beginning and raises
    Unreadable. `trouble` says why it cannot be read, where that is known before, `left_out` why it is not looked at.
    """

    path: str
    name: str
    size_bytes: int
    chunks: Callable[[], Iterator[bytes]]
    modified_at: datetime | None = None
    place: str = ""
    mtime_ns: int = 0
    trouble: str = ""
    left_out: str = ""

    def text(self) -> bytes:
        """Return all of a small file. Raises Unreadable for one that is not small."""
        found = b""
        for chunk in self.chunks():
            found += chunk
            if len(found) > LARGEST_SIDECAR_BYTES:
                raise Unreadable("It is too large for a description of a picture.")
        return found


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with the files right in it, sorted by name; `parts` lead to it from where the search began."""

    parts: tuple[str, ...]
    place: str
    entries: list[Entry]


HIDDEN = "hidden"
LINK = "a link to something else"
SPECIAL = "no ordinary file"
