"""A file on its way in: written to its final disk and hashed while it arrives.

Floor 1: knows the storage. Must not know who sends or where the bytes come from.
"""

import hashlib
import io
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from vault.storage import Storage, StorageError, StorageFull, TooLarge
from vault.storage.durable import write_all

HEAD_BYTES = 4096
# How much may arrive before the room left on the disk is looked at again.
ROOM_CHECK_BYTES = 16 * 1024**2


class Incoming:
    """A file-like object that takes one upload; what is not kept is gone when it is closed.

    It fits werkzeug's `stream_factory`, holds no more than the chunk being written, and is used by one thread.
    """

    def __init__(self, storage: Storage, max_bytes: int) -> None:
        """Begin with nothing written. Raises StorageFull."""
        self._lent = ExitStack()
        self.max_bytes = max_bytes
        self.bytes = 0
        self.head = b""
        self._storage = storage
        self._digest = hashlib.sha256()
        self._next_check = ROOM_CHECK_BYTES
        self.path: Path = self._lent.enter_context(storage.temporary())
        self._file = self._lent.enter_context(self.path.open("r+b", buffering=0))

    @property
    def sha256(self) -> str:
        """The SHA-256 of everything that arrived, as 64 hex digits."""
        return self._digest.hexdigest()

    @property
    def closed(self) -> bool:
        """Whether the bytes were kept or discarded."""
        return self._file.closed

    def write(self, chunk: bytes | bytearray | memoryview) -> int:
        """Append a chunk and return its length. Raises TooLarge or StorageFull."""
        view = memoryview(chunk).cast("B")
        if self.bytes + len(view) > self.max_bytes:
            raise TooLarge(self.max_bytes)
        if self._file.tell() != self.bytes:
            raise io.UnsupportedOperation("an upload only grows at its end")
        self._append(view)
        self._digest.update(view)
        self.bytes += len(view)
        if len(self.head) < HEAD_BYTES:
            self.head += bytes(view[: HEAD_BYTES - len(self.head)])
        self._look_for_room()
        return len(view)

    def read(self, size: int = -1) -> bytes:
        """Read from where `seek` went."""
        return self._file.read(size) or b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place for reading and return it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the present place."""
        return self._file.tell()

    def flush(self) -> None:
        """Do nothing: no byte waits in memory."""

    def readable(self) -> bool:
        """Say that what arrived can be read again."""
        return True

    def writable(self) -> bool:
        """Say that more may arrive."""
        return True

    def seekable(self) -> bool:
        """Say that `seek` works."""
        return True

    def keep(self, key: str) -> None:
        """Move the bytes to their key, durable on return. Raises StorageFull or StorageError; then nothing is kept."""
        if self.closed:
            raise StorageError("this upload is over")
        try:
            self._storage.put(key, self.path)
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what was not kept; a second call does nothing."""
        self._lent.close()

    close = discard

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_refusal: object) -> None:
        self.discard()

    def __del__(self) -> None:
        # Nobody closes the file of a form that broke off in the middle.
        self.discard()

    def _append(self, view: memoryview) -> None:
        write_all(self._file, view)

    def _look_for_room(self) -> None:
        if self.bytes >= self._next_check:
            self._next_check = self.bytes + ROOM_CHECK_BYTES
            if self._storage.free_bytes() == 0:
                raise StorageFull("the disk is full")
