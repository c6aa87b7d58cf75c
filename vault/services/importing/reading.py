"""Reading ahead: several files at once are copied into the storage and hashed, and handed on one by one in their order.

Floor 3. Only reading and copying happens in these threads; rows are written by whoever takes what was read.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from vault.archives import Entry, Unreadable
from vault.imaging.claims import NOTHING, Told
from vault.imaging.identify import HEAD_BYTES, Unsupported, identify
from vault.services import Vault
from vault.storage import StorageError
from vault.storage.incoming import Incoming

# How many files are under way for each reader: all of them on the disk, none in memory.
AHEAD = 2
Place = TypeVar("Place")


@dataclass(frozen=True)
class Job(Generic[Place]):
    """A file whose turn comes, and the place it is for. `told` reads what lies beside it.

    Without it there is nothing to read: `what` the file counts as is known before, and the `reason`.
    """

    entry: Entry
    told: Callable[[], Told] | None = None
    place: Place | None = None
    what: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Read(Generic[Place]):
    """A file that was read: its bytes are in `incoming`, or `error` says why not."""

    job: Job[Place]
    incoming: Incoming | None = None
    told: Told = NOTHING
    error: Exception | None = None


def ahead(vault: Vault, jobs: Iterable[Job[Place]], *, readers: int) -> Generator[Read[Place]]:
    """Yield jobs in their order, read by several threads; whoever takes one owns its `incoming`.

    Closed early, it leaves nothing behind.
    """
    waiting: deque[Future[Read[Place]] | Read[Place]] = deque()
    pool = ThreadPoolExecutor(readers, thread_name_prefix="import-reader")
    try:
        for job in jobs:
            waiting.append(Read(job) if job.told is None else pool.submit(_read, vault, job))
            if len(waiting) >= readers * AHEAD:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        for left in waiting:
            if isinstance(left, Future):
                left.cancel()
        pool.shutdown(wait=True)
        for left in waiting:
            _forget(left)


def _result(found: "Future[Read[Place]] | Read[Place]") -> Read[Place]:
    return found.result() if isinstance(found, Future) else found


def _forget(left: "Future[Read[Place]] | Read[Place]") -> None:
    read = left.result() if isinstance(left, Future) and not left.cancelled() else None
    if read is not None and read.incoming is not None:
        read.incoming.discard()


def _read(vault: Vault, job: Job[Place]) -> Read[Place]:
    incoming: Incoming | None = None
    try:
        told = job.told() if job.told else NOTHING
        incoming = Incoming(vault.storage, vault.settings.max_upload_bytes)
        looked = False
        for chunk in job.entry.chunks():
            incoming.write(chunk)
            if not looked and incoming.bytes >= HEAD_BYTES:
                # The rest of what is no picture is not worth reading.
                looked = identify(incoming.head) is not None
        identify(incoming.head)
        _settle(incoming)
        return Read(job, incoming, told)
    except (Unreadable, Unsupported, StorageError, OSError) as error:
        if incoming is not None:
            incoming.discard()
        return Read(job, error=error)
    except BaseException:
        if incoming is not None:
            incoming.discard()
        raise


def _settle(incoming: Incoming) -> None:
    """Let the disk write the bytes now, while others are read, and not when their turn comes."""
    with suppress(OSError):
        descriptor = os.open(incoming.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
