"""A file that comes in pieces: it outlives the process that takes a piece, and only one at a time writes to it.

Floor 1: knows the storage. Must not know who sends, or which row says how much is acknowledged.

The lock is the kernel's own on the open file, so that one who is killed holds nothing. Whatever lies beyond the offset
that was acknowledged is cut off before the next piece is written.
"""

import fcntl
import hashlib
import io
import os
import shutil
from contextlib import suppress
from typing import Self

from vault.storage import InUse, Missing, Storage, StorageError, StorageFull
from vault.storage.durable import sync_folder, translated, write_all
from vault.storage.incoming import HEAD_BYTES, ROOM_CHECK_BYTES

READ_BYTES = 1024**2
FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Partial:
    """One writer's hold on a partial file. Used by one thread."""

    def __init__(self, storage: Storage, name: str) -> None:
        """Take hold of the file, made where nothing came yet. Raises InUse when another has it, StorageFull."""
        self._storage = storage
        self._path = storage.partial(name)
        self._digest: hashlib._Hash | None = None
        self.bytes = self.durable_bytes = 0
        with translated():
            self._file = io.FileIO(os.open(self._path, FLAGS, 0o600), "r+b")
        try:
            self._hold()
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

    def begin(self, offset: int) -> None:
        """Go to where the next piece begins, and cut off what lies beyond. Raises Missing when less than that is here.

        A file that has a second name may be somebody's picture, and is never changed: it goes on as a copy.
        """
        with translated():
            found = os.fstat(self._file.fileno())
            if found.st_size < offset:
                raise Missing("fewer bytes are here than were acknowledged")
            if found.st_nlink > 1:
                self._go_on_as_a_copy()
            self._file.truncate(offset)
            self._file.seek(offset)
        self.bytes = self.durable_bytes = offset
        self._digest = None if offset else hashlib.sha256()
        self._next_check = offset + ROOM_CHECK_BYTES

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
            if self.durable_bytes == 0:
                sync_folder(self._path.parent)
        self.durable_bytes = self.bytes

    def rewind(self) -> None:
        """Cut off what is not durable, unless the file has a second name already. Raises StorageError."""
        with translated():
            # Whatever was counted: a write that a full disk broke off has left a part of itself.
            if os.fstat(self._file.fileno()).st_nlink == 1:
                self._file.truncate(self.durable_bytes)
                self.bytes = self.durable_bytes

    def keep(self, key: str) -> None:
        """Let the bytes be found under a key, durable on return. Raises StorageFull or StorageError.

        What was durable before stays here as well, because no row speaks of the key yet; `remove` ends that.
        """
        self._storage.put(key, self._path, stays=self.durable_bytes > 0)
        self.durable_bytes = self.bytes

    def discard(self) -> None:
        """Do nothing: what was acknowledged goes by `remove`, when a row says that nobody will ask for it."""

    def remove(self) -> None:
        """Remove the file and let go. What its bytes are called otherwise is not touched."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        self.close()

    def remove_if_empty(self) -> None:
        """Remove a file that nothing came of yet: made by taking hold of it, perhaps for nothing."""
        if os.fstat(self._file.fileno()).st_size == 0:
            self.remove()

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
        # Whoever had it may have removed or replaced it in the same moment: then nobody finds this one again.
        try:
            is_it = os.path.samestat(os.fstat(self._file.fileno()), self._path.lstat())
        except FileNotFoundError:
            is_it = False
        if not is_it:
            raise InUse("another request has just ended this file")

    def _go_on_as_a_copy(self) -> None:
        with self._storage.temporary() as path:
            copy = io.FileIO(os.open(path, FLAGS), "r+b")
            fcntl.flock(copy, fcntl.LOCK_EX)
            self._file.seek(0)
            shutil.copyfileobj(self._file, copy, READ_BYTES)
            os.fsync(copy.fileno())
            path.rename(self._path)
        sync_folder(self._path.parent)
        self._file.close()
        self._file = copy

    def _read_again(self) -> "hashlib._Hash":
        digest, at = hashlib.sha256(), 0
        with translated():
            while chunk := os.pread(self._file.fileno(), READ_BYTES, at):
                digest.update(chunk)
                at += len(chunk)
        if at != self.bytes:
            raise StorageError("the file changed while it was read")
        return digest
