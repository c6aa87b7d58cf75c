"""Trees of folders on this machine: what lies in them, one folder in memory at a time, and the bytes of one file.

Floor 0: knows the file system. Nothing is changed there: files are opened for reading, and no link is followed.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from vault.archives import HIDDEN, LINK, SPECIAL, Entry, Folder, Unreadable

CHUNK_BYTES = 1024 * 1024
# Not waiting for the other end of a pipe that stands where a file stood a moment ago.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Each folder and file is opened from the root on, so that what lies deeper costs more.
DEEPEST = 500
CHANGED = "It changed while it was read. Import it again when nothing writes to it."
GONE = "It was gone when its turn came."
MOVED = "A folder on the way to it is another one by now."
TOO_DEEP = "This folder lies too deep in others."


@dataclass(frozen=True)
class _Root:
    """The folder where a walk began, and which one of the disk that was."""

    path: str
    device: int
    inode: int


def walk(root: Path) -> Iterator[Folder]:
    """Yield the folders of a tree in order, each before those in it; a single file is a folder of one.

    What is hidden, a link or no ordinary file comes as an entry that is left out. No folder is held open: each, and
    each file in its turn, is opened from the root on, name by name and through no link, so that a folder that became
    a link meanwhile leads nowhere.
    """
    root = root.absolute()
    if not root.is_dir():
        yield Folder((), str(root.parent), [_of_one_file(root)])
        return
    seen = root.stat()
    begins = _Root(str(root), seen.st_dev, seen.st_ino)
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        parts = waiting.pop()
        place = "/".join((str(root), *parts))
        try:
            files, inside = _listed(begins, parts)
        except (OSError, Unreadable) as error:
            trouble = f"This folder cannot be read: {_why(error)}." if isinstance(error, OSError) else str(error)
            shown = "/".join(parts) or place
            yield Folder(parts, place, [Entry(shown, shown, 0, partial(_no_bytes, trouble), trouble=trouble)])
            continue
        waiting += [(*parts, name) for name in reversed(inside)]
        yield Folder(parts, place, files)


def _listed(root: _Root, parts: tuple[str, ...]) -> tuple[list[Entry], list[str]]:
    """Return the files of a folder and the names of the folders in it. Raises OSError, Unreadable."""
    if len(parts) > DEEPEST:
        raise Unreadable(TOO_DEEP)
    with _opened(root, parts) as descriptor:
        with os.scandir(descriptor) as listed:
            found = sorted(listed, key=lambda each: each.name)
        inside = [each.name for each in found if _is_folder(each) and not each.name.startswith(".")]
        below = set(inside)
        return [_below(root, parts, each.name, descriptor) for each in found if each.name not in below], inside


@contextmanager
def _opened(root: _Root, parts: tuple[str, ...]) -> Iterator[int]:
    """Open a folder through no link. Raises OSError, Unreadable where something else stands on the way to it."""
    descriptor = os.open(root.path, FOLDER)
    try:
        now = os.fstat(descriptor)
        if (now.st_dev, now.st_ino) != (root.device, root.inode):
            raise Unreadable(MOVED)
        for part in parts:
            try:
                below = os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            except NotADirectoryError as error:
                # A link answers so as well.
                raise Unreadable(MOVED) from error
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _is_folder(found: "os.DirEntry[str]") -> bool:
    try:
        return found.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _below(root: _Root, parts: tuple[str, ...], name: str, folder: int) -> Entry:
    path = "/".join((*parts, name))
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        return _gone(path, _trouble(error))
    return _entry(path, f"{root.path}/{path}", seen, partial(_open_below, root, parts, name))


def _of_one_file(place: Path) -> Entry:
    try:
        seen = place.lstat()
    except OSError as error:
        return _gone(place.name, _trouble(error))
    return _entry(place.name, str(place), seen, partial(os.open, place, READ))


def _gone(path: str, trouble: str) -> Entry:
    return Entry(path, path.rpartition("/")[2], 0, partial(_no_bytes, trouble), trouble=trouble)


def _entry(path: str, place: str, seen: os.stat_result, opens: Callable[[], int]) -> Entry:
    name = path.rpartition("/")[2]
    left_out = ""
    if name.startswith("."):
        left_out = HIDDEN
    elif stat.S_ISLNK(seen.st_mode):
        left_out = LINK
    elif not stat.S_ISREG(seen.st_mode):
        left_out = SPECIAL
    chunks = partial(_chunks, opens, (seen.st_size, seen.st_mtime_ns))
    modified_at = _moment(seen.st_mtime)
    return Entry(
        path, name, seen.st_size, chunks, modified_at, place=place, mtime_ns=seen.st_mtime_ns, left_out=left_out
    )


def _open_below(root: _Root, parts: tuple[str, ...], name: str) -> int:
    with _opened(root, parts) as folder:
        return os.open(name, READ, dir_fd=folder)


def _chunks(opens: Callable[[], int], seen: tuple[int, int]) -> Iterator[bytes]:
    """Read a file that was seen with this size and time of change."""
    try:
        descriptor = opens()
    except OSError as error:
        raise Unreadable(_trouble(error)) from error
    count = 0
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("It is no ordinary file any more.")
        while chunk := os.read(descriptor, CHUNK_BYTES):
            count += len(chunk)
            yield chunk
        after = os.fstat(descriptor)
    except OSError as error:
        raise Unreadable(_trouble(error)) from error
    finally:
        os.close(descriptor)
    if (after.st_size, after.st_mtime_ns) != seen or count != after.st_size:
        raise Unreadable(CHANGED)


def _no_bytes(trouble: str) -> Iterator[bytes]:
    raise Unreadable(trouble)


def _trouble(error: OSError) -> str:
    return GONE if isinstance(error, FileNotFoundError) else f"It cannot be read: {_why(error)}."


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
