"""A hold on what a storage cannot make again: while a copy is made of everything, nothing of it is deleted.

Floor 1: knows one empty file beside the bytes. The kernel gives a lock back when its holder is killed.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vault.storage import Held

NAME = "hold"
KEPT = ("originals/", "archives/")
"""What the keys of blobs begin with that a hold is about."""
_ATTEMPTS = 100
_PAUSE_SECONDS = 0.02


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Have the hold of a storage, after the deletions that are under way. Raises Held while another has it, OSError."""
    hold = _open(folder)
    try:
        for _ in range(_ATTEMPTS):
            if _is_locked(hold, fcntl.LOCK_EX):
                break
            time.sleep(_PAUSE_SECONDS)
        else:
            raise Held("another backup of this vault is under way")
        yield
    finally:
        os.close(hold)


@contextmanager
def absent(folder: Path) -> Iterator[bool]:
    """Say whether nobody has the hold, and keep that true for the length of the `with`. Raises OSError."""
    hold = _open(folder)
    try:
        yield _is_locked(hold, fcntl.LOCK_SH)
    finally:
        os.close(hold)


def _open(folder: Path) -> int:
    return os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _is_locked(hold: int, how: int) -> bool:
    try:
        fcntl.flock(hold, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
