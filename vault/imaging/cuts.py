"""What is left of a file when something was cut out of it: parts of the original, and bytes written anew.

Floor 0. The words that the four cutters share, and the one way in which they read a stranger's bytes: never beyond the
end, never more than a bounded piece. Knows no format.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, NamedTuple

Rule = Literal["location", "all"]
"""What goes: "all" metadata, or all but a short list of harmless facts written anew."""

MOST_BYTES_AT_ONCE: Final = 4 * 1024 * 1024
"""No piece of metadata that is kept or read is larger."""
_MOST_PIECES: Final = 10_000
_WINDOW_BYTES: Final = 4096


class Uncuttable(Exception):
    """The file is not understood well enough to leave something out of it."""


class Span(NamedTuple):
    """A part of the original, in bytes."""

    offset: int
    length: int


Piece = Span | bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file as pieces in order: spans of its original, and bytes that stand in none."""

    pieces: tuple[Piece, ...]
    size_bytes: int


class Pieces:
    """Collects the pieces of a `Cut`; neighbours become one."""

    def __init__(self) -> None:
        self._found: list[Piece] = []

    def keep(self, offset: int, length: int) -> None:
        """Add a part of the original. Raises `Uncuttable` when there are too many."""
        last = self._found[-1] if self._found else None
        if isinstance(last, Span) and last.offset + last.length == offset:
            self._found[-1] = Span(last.offset, last.length + length)
        elif length:
            self._append(Span(offset, length))

    def write(self, body: bytes) -> None:
        """Add new bytes. Raises `Uncuttable` when there are too many pieces."""
        last = self._found[-1] if self._found else None
        if isinstance(last, bytes):
            self._found[-1] = last + body
        elif body:
            self._append(body)

    def extend(self, pieces: "Pieces") -> None:
        """Add all pieces of another collection."""
        for piece in pieces.cut().pieces:
            if isinstance(piece, bytes):
                self.write(piece)
            else:
                self.keep(*piece)

    @property
    def size_bytes(self) -> int:
        """How long the pieces are together."""
        return sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in self._found)

    def cut(self) -> Cut:
        """Return what was collected."""
        return Cut(tuple(self._found), self.size_bytes)

    def _append(self, piece: Piece) -> None:
        if len(self._found) >= _MOST_PIECES:
            raise Uncuttable("a file of too many pieces")
        self._found.append(piece)


class Source:
    """A stranger's file, read at any place and never beyond its end."""

    def __init__(self, file: BinaryIO, *, window_bytes: int = _WINDOW_BYTES) -> None:
        self._file = file
        self.size_bytes = file.seek(0, os.SEEK_END)
        self._window_bytes = window_bytes
        self._window = b""
        self._start = 0

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes. Raises `Uncuttable` when there are not so many, or they are too many."""
        if offset < 0 or not 0 <= length <= MOST_BYTES_AT_ONCE or offset + length > self.size_bytes:
            raise Uncuttable("a length that leads beyond the end, or beyond all measure")
        at = offset - self._start
        if not 0 <= at <= len(self._window) - length:
            self._window, self._start, at = self._exactly(offset, max(length, self._window_bytes)), offset, 0
        found = self._window[at : at + length]
        if len(found) != length:
            raise Uncuttable("a file that grew shorter while it was read")
        return found

    def upto(self, offset: int, length: int) -> bytes:
        """Return these bytes, or as many as there are."""
        return self._exactly(offset, min(length, MOST_BYTES_AT_ONCE))

    def _exactly(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        found = self._file.read(length)
        # An unbuffered file may give less than it was asked for.
        while 0 < len(found) < length and (more := self._file.read(length - len(found))):
            found += more
        return found
