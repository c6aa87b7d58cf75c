"""A piece of a file on its way from its sender to the disk: bounded, compared with its checksum, looked at early.

Floor 3, a hall of this folder. No more than one chunk of it is in memory.
"""

import builtins
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from vault.imaging.identify import HEAD_BYTES
from vault.services import Refused

CHUNK_BYTES = 128 * 1024
ALGORITHMS = ("sha1", "sha256")


class Altered(Refused):
    """The bytes are not those that their sender's checksum speaks of."""

    def __init__(self) -> None:
        super().__init__("The bytes changed on their way, and were not kept. Please send them again.")


class TooLong(Refused):
    """More bytes came than were announced."""

    def __init__(self) -> None:
        super().__init__("More came than was announced of this file, and none of that was kept.")


class Source(Protocol):
    """Where a piece comes from; nothing more comes after an empty answer."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes. Raises OSError when the sender is gone."""


class Target(Protocol):
    """Where a piece goes."""

    @property
    def head(self) -> builtins.bytes:
        """The first bytes of the file that it is a piece of."""

    @property
    def bytes(self) -> int:
        """How many of the file's bytes are there."""

    def write(self, chunk: builtins.bytes, /) -> object:
        """Append a chunk. Raises StorageFull or StorageError."""


class Checksum(NamedTuple):
    """What a sender says of one piece; the algorithm is one of `ALGORITHMS`."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class Piece:
    """Some bytes of a file; `length_bytes` is None where their sender does not say how many."""

    source: Source
    length_bytes: int | None = None
    checksum: Checksum | None = None

    def read(self, size: int) -> bytes:
        """Return at most so many bytes; none when it ended or its sender is gone."""
        try:
            return self.source.read(size)
        except OSError:
            return b""

    def refuse_beyond(self, room_bytes: int) -> None:
        """Refuse a piece that says of itself that it is too long. Raises TooLong."""
        if self.length_bytes is not None and self.length_bytes > room_bytes:
            raise TooLong


class Look:
    """A look at a file's beginning, once, as soon as enough of it is here."""

    def __init__(self, target: Target, size_bytes: int, judge: Callable[[bytes], object]) -> None:
        """`judge` raises when a file that begins so is not to come in."""
        self._target = target
        self._enough_bytes = min(HEAD_BYTES, size_bytes)
        self._judge = judge
        self._is_done = target.bytes >= self._enough_bytes

    def __call__(self) -> None:
        """Look now, if it is time to. Raises what `judge` does."""
        if not self._is_done and self._target.bytes >= self._enough_bytes:
            self._is_done = True
            self._judge(self._target.head)


def pour(piece: Piece, target: Target, until: int, after_each: Callable[[], None]) -> None:
    """Write a piece to where it belongs, a file that will have `until` bytes, and call `after_each` of its chunks.

    A piece without a checksum may break off: as much of it is there then as came.
    Raises TooLong, Altered, StorageFull, StorageError, and what `after_each` does.
    """
    hashed = hashlib.new(piece.checksum.algorithm, usedforsecurity=False) if piece.checksum else None
    piece.refuse_beyond(until - target.bytes)
    left = until - target.bytes if piece.length_bytes is None else piece.length_bytes
    while left and (chunk := piece.read(min(CHUNK_BYTES, left))):
        target.write(chunk)
        left -= len(chunk)
        if hashed is not None:
            hashed.update(chunk)
        after_each()
    if piece.length_bytes is None and not left and piece.read(1):
        raise TooLong
    if hashed is not None and piece.checksum and hashed.digest() != piece.checksum.digest:
        raise Altered
