"""A file that comes in pieces: it outlives the process that takes a piece, and only one at a time writes to it.

Floor 1: knows the storage. Must not know who sends, or which row says how much is acknowledged.

The lock is the kernel's own on the open file, so that one who is killed holds nothing. Whatever lies beyond the offset
that was acknowledged is cut off before the next piece is written.
"""

import fcntl
import hashlib
import io
import os
from contextlib import suppress
from typing import Self

from vault.storage import InUse, Missing, Storage, StorageError, StorageFull
from vault.storage.durable import sync_folder, translated, write_all
from vault.storage.incoming import HEAD_BYTES, ROOM_CHECK_BYTES

READ_BYTES = 1024**2


class Partial:
    """One writer's hold on a partial file, from its offset on. Used by one thread."""

    def __init__(self, storage: Storage, name: str, offset: int) -> None:
        """Take hold of the file, made where nothing came yet, and go to the offset.

        Raises InUse when another writes, Missing when fewer bytes are there than `offset`, StorageFull, StorageError.
        """
        self._storage = storage
        self._path = storage.partial(name)
        self._begun_at = self.bytes = self.acknowledged_bytes = offset
        self._digest: hashlib._Hash | None = None
        self._next_check = offset + ROOM_CHECK_BYTES
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with translated():
            self._file = io.FileIO(os.open(self._path, flags, 0o600), "r+b")
        try:
            self._hold()
            self._go_to(offset)
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> bytes:
        """The file's first bytes."""
        with translated():
            return os.pread(self._file.fileno(), HEAD_BYTES, 0)

    @property
    def sha256(self) -> str:
        """The SHA-256 of all that is here, as 64 hex digits; read once more unless all of it came just now."""
        if self._digest is None:
            self._digest = self._read_again()
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append a chunk. Raises StorageFull or StorageError."""
        write_all(self._file, memoryview(chunk))
        if self._digest is not None:
            self._digest.update(chunk)
        self.bytes += len(chunk)
        if self.bytes >= self._next_check:
            self._next_check = self.bytes + ROOM_CHECK_BYTES
            if self._storage.free_bytes() == 0:
                raise StorageFull("the disk is full")

    def sync(self) -> None:
        """Make all that is here durable, and its name where that is new. Raises StorageFull or StorageError."""
        with translated():
            os.fsync(self._file.fileno())
            if self.acknowledged_bytes == 0:
                sync_folder(self._path.parent)
        self.acknowledged_bytes = self.bytes

    def rewind(self) -> None:
        """Cut off what came after the last acknowledged byte. Raises StorageError."""
        if not self._file.closed and self.bytes > self.acknowledged_bytes:
            self._go_to(self.acknowledged_bytes)

    def keep(self, key: str) -> None:
        """Let the bytes be found under a key, durable on return. Raises StorageFull or StorageError.

        What was acknowledged stays here as well, because no row speaks of the key yet; `remove` ends that.
        """
        self._storage.put(key, self._path, stays=self._begun_at > 0)

    def discard(self) -> None:
        """Do nothing: what was acknowledged goes by `remove`, when a row says that nobody will ask for it."""

    def remove(self) -> None:
        """Remove the file and let go. What else happens to its bytes under a key is not touched."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        self.close()

    def close(self) -> None:
        """Let go; the file stays as it is."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_refusal: object) -> None:
        self.close()

    def _hold(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse("another request is writing to this file") from None
        # Whoever held it may have removed it in the same moment: then this is a file that nobody finds again.
        with translated():
            if os.fstat(self._file.fileno()).st_nlink == 0:
                raise InUse("another request has just ended this file")

    def _go_to(self, offset: int) -> None:
        with translated():
            there = os.fstat(self._file.fileno()).st_size
            if there < offset:
                raise Missing("fewer bytes are here than were acknowledged")
            if there > offset:
                self._file.truncate(offset)
            self._file.seek(offset)
        self.bytes = self.acknowledged_bytes = offset
        self._digest = None if offset else hashlib.sha256()

    def _read_again(self) -> "hashlib._Hash":
        digest, at = hashlib.sha256(), 0
        with translated():
            while chunk := os.pread(self._file.fileno(), READ_BYTES, at):
                digest.update(chunk)
                at += len(chunk)
        if at != self.bytes:
            raise StorageError("the file changed while it was read")
        return digest
