"""Reading stored bytes from one end to the other, as fast as the disk gives them.

Floor 3: knows keys, bytes and digests. Must not know rows, nor what is done about what it finds.

Several threads, because hashing leaves Python alone and a disk likes to be asked ahead. What was read is dropped from
the machine's cache at once: an archive that is read once must not push out what people are looking at.
"""

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto

from vault.storage import Missing, Storage, StorageError

THREADS = max(2, min(4, os.cpu_count() or 1))
CHUNK_BYTES = 1024 * 1024
DROPPED_BYTES = 16 * CHUNK_BYTES
# How many files are asked ahead for each thread: results come in the order that was asked for.
AHEAD = 8
CHANGED = "its bytes have changed"
UNSTEADY = "it is read differently each time: the disk, its cable or the memory may be failing"


class Outcome(Enum):
    """What became of one file. Only ROT says that the bytes on the disk are others than they were."""

    WHOLE = auto()
    ROT = auto()
    MISSING = auto()
    UNREADABLE = auto()
    STOPPED = auto()


@dataclass(frozen=True)
class Wanted:
    """A blob to be read, with what its row says of it; `name` is empty for an original."""

    media_id: int
    public_id: str
    name: str
    key: str
    size_bytes: int
    sha256: str

    @property
    def subject(self) -> str:
        """What a finding calls it."""
        return f"variant {self.public_id} {self.name}" if self.name else f"original {self.public_id}"


# Which file was read and when it was written last: inode, nanoseconds, bytes.
Mark = tuple[int, int, int]


@dataclass(frozen=True)
class Read:
    """A blob that was looked at; `wrong` says what does not agree, as a part of a sentence.

    `mark` tells the file that was found rotten from one that came into its place.
    """

    wanted: Wanted
    outcome: Outcome
    wrong: str = ""
    mark: Mark | None = None


def marked(storage: Storage, key: str) -> Mark | None:
    """Return the mark of a blob as it is now; None where there is none, or it cannot be read."""
    try:
        with storage.unbuffered(key) as file:
            return _mark(file.fileno())
    except (StorageError, OSError):
        return None


class _Stopped(Exception):
    pass


class Reader:
    """Reads blobs until it is told to stop. `told` is given the number of bytes of every piece that was read.

    `look` may object to a key whose bytes are as they were written.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        stop: Callable[[], bool],
        told: Callable[[int], None],
        look: Callable[[str], str | None],
    ) -> None:
        self._storage = storage
        self._stop = stop
        self._told = told
        self._look = look
        self._turn = threading.Lock()

    def read(self, wanted: Iterable[Wanted]) -> Iterator[Read]:
        """Yield what became of each, in order; what was not read any more is STOPPED or left out."""
        ahead: deque[Future[Read]] = deque()
        with ThreadPoolExecutor(THREADS, thread_name_prefix="reader") as threads:
            for each in wanted:
                if self._stop():
                    break
                ahead.append(threads.submit(self._one, each))
                if len(ahead) > THREADS * AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _one(self, wanted: Wanted) -> Read:
        try:
            return self._compared(wanted)
        except _Stopped:
            return Read(wanted, Outcome.STOPPED)
        except Missing:
            return Read(wanted, Outcome.MISSING, "its bytes are missing")
        except StorageError as error:
            return Read(wanted, Outcome.UNREADABLE, f"cannot be read: {error}")
        except OSError as error:
            return Read(wanted, Outcome.UNREADABLE, f"cannot be read: {error.strerror}")

    def _compared(self, wanted: Wanted) -> Read:
        size, found, mark = self._digest(wanted.key, self._told)
        if (size, found) == (wanted.size_bytes, wanted.sha256):
            objection = self._look(wanted.key)
            return Read(wanted, Outcome.ROT, objection, mark) if objection else Read(wanted, Outcome.WHOLE)
        # Not believed at once: memory and cables err too, and what they say differs each time.
        if self._digest(wanted.key, lambda _bytes: None) != (size, found, mark):
            return Read(wanted, Outcome.UNREADABLE, UNSTEADY)
        wrong = CHANGED if size == wanted.size_bytes else f"{size} bytes instead of {wanted.size_bytes}"
        return Read(wanted, Outcome.ROT, wrong, mark)

    def _digest(self, key: str, told: Callable[[int], None]) -> tuple[int, str, Mark]:
        found, size, dropped = hashlib.sha256(), 0, 0
        buffer = memoryview(bytearray(CHUNK_BYTES))
        with self._storage.unbuffered(key) as file:
            mark = _mark(file.fileno())
            _advise(file.fileno(), 0, 0, "POSIX_FADV_SEQUENTIAL")
            while count := file.readinto(buffer):
                found.update(buffer[:count])
                size += count
                if size - dropped >= DROPPED_BYTES:
                    _advise(file.fileno(), dropped, size - dropped, "POSIX_FADV_DONTNEED")
                    dropped = size
                with self._turn:
                    told(count)
                if self._stop():
                    raise _Stopped
            _advise(file.fileno(), dropped, 0, "POSIX_FADV_DONTNEED")
        return size, found.hexdigest(), mark


def _mark(descriptor: int) -> Mark:
    seen = os.fstat(descriptor)
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def _advise(descriptor: int, offset: int, length: int, advice: str) -> None:
    # Only Linux and the BSDs have it, and it is never more than an advice.
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, length, getattr(os, advice))
