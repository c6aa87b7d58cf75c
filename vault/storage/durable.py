"""How bytes reach a disk for good: what is written whole, what is synced, and what the system's errors mean here.

Floor 1, a hall of this folder. Knows the file system, and nothing of keys.
"""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vault.storage import Missing, StorageError, StorageFull

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
# What a file system answers that knows no second name for a file, or no further one for this file, or has that name.
NO_SECOND_NAME = frozenset({errno.EEXIST, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@contextmanager
def translated() -> Iterator[None]:
    """Turn the operating system's errors into the storage's own."""
    try:
        yield
    except FileNotFoundError as error:
        raise Missing("no such blob") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("the disk is full") from error
        raise StorageError(f"the storage failed: {error.strerror}") from error


def write_all(file: io.FileIO, view: memoryview) -> None:
    """Write all of it where the file stands. Raises StorageFull or StorageError, and then some may be written."""
    with translated():
        # An unbuffered file may take less than it was given, most of all on a disk that is nearly full.
        while view:
            view = view[file.write(view) :]


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk, and close it to others. Raises OSError."""
    descriptor = os.open(path, READ)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk. Raises OSError."""
    descriptor = os.open(path, READ | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, path: Path) -> None:
    """Give a file another name. Raises OSError."""
    source.rename(path)


def give_second_name(source: Path, path: Path) -> None:
    """Let the same bytes be found under another name too; where that is taken or a disk cannot, they only move.

    Raises OSError.
    """
    try:
        os.link(source, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_SECOND_NAME:
            raise
        source.rename(path)
