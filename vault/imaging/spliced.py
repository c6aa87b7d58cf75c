"""A cut file, read as if it lay on the disk.

Floor 0. Holds no more in memory than the bytes that were written anew.
"""

import io
import os
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO

from vault.imaging.cuts import Cut

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Spliced(io.RawIOBase):
    """The pieces of a `Cut` of an open original, one after the other. Closing it closes the original."""

    def __init__(self, original: BinaryIO | io.FileIO, cut: Cut) -> None:
        super().__init__()
        self._original = original
        self._pieces = cut.pieces
        lengths = (len(piece) if isinstance(piece, bytes) else piece.length for piece in cut.pieces)
        self._starts = [0, *accumulate(lengths)]
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that `seek` works."""
        return True

    def tell(self) -> int:
        """Return the present place."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place and return it. Raises `ValueError` for one before the beginning."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        if start + offset < 0:
            raise ValueError("a place before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer as far as the pieces reach. Raises `OSError` when the original has grown shorter."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._at < self._starts[-1]:
            taken = self._from_piece(view[done:])
            done += taken
            self._at += taken
        return done

    def close(self) -> None:
        """Close the original, too; a second call does nothing."""
        if not self.closed:
            self._original.close()
        super().close()

    def _from_piece(self, view: memoryview) -> int:
        """Read from the piece at the present place, up to its end."""
        number = bisect_right(self._starts, self._at) - 1
        piece, within = self._pieces[number], self._at - self._starts[number]
        if isinstance(piece, bytes):
            part = piece[within : within + len(view)]
            view[: len(part)] = part
            return len(part)
        self._original.seek(piece.offset + within)
        part = self._original.read(min(len(view), piece.length - within)) or b""
        if not part:
            raise OSError("the original has grown shorter")
        view[: len(part)] = part
        return len(part)
