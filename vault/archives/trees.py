"""Trees of folders on this machine: what lies in them, one folder in memory at a time, and the bytes of one file.

Floor 0: knows the file system. Nothing is changed there: files are opened for reading, and no link is followed.
"""

import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from vault.archives import HIDDEN, LINK, SPECIAL, Entry, Folder, Unreadable

CHUNK_BYTES = 1024 * 1024
# Not waiting for the other end of a pipe that stands where a file stood a moment ago.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
CHANGED = "It changed while it was read. Import it again when nothing writes to it."
GONE = "It was gone when its turn came."


def walk(root: Path) -> Iterator[Folder]:
    """Yield the folders of a tree in order, each before those in it; a single file is a folder of one.

    What is hidden, a link or no ordinary file comes as an entry that is left out.
    """
    root = root.absolute()
    if not root.is_dir():
        yield Folder((), str(root.parent), [_entry(str(root), root.name)])
        return
    waiting: list[tuple[str, tuple[str, ...]]] = [(str(root), ())]
    while waiting:
        place, parts = waiting.pop()
        try:
            with os.scandir(place) as listed:
                found = sorted(listed, key=lambda each: each.name)
        except OSError as error:
            trouble = f"This folder cannot be read: {_why(error)}."
            shown = "/".join(parts) or place
            yield Folder(parts, place, [Entry(shown, shown, 0, partial(_no_bytes, trouble), trouble=trouble)])
            continue
        inside = [each for each in found if _is_folder(each) and not each.name.startswith(".")]
        waiting += [(each.path, (*parts, each.name)) for each in reversed(inside)]
        below = set(map(id, inside))
        files = [each for each in found if id(each) not in below]
        yield Folder(parts, place, [_entry(each.path, "/".join((*parts, each.name))) for each in files])


def _is_folder(found: "os.DirEntry[str]") -> bool:
    try:
        return found.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _entry(place: str, path: str) -> Entry:
    name = path.rpartition("/")[2]
    make: Callable[..., Entry] = partial(Entry, path, name)
    try:
        seen = os.lstat(place)
    except OSError as error:
        trouble = _trouble(error)
        return make(0, partial(_no_bytes, trouble), trouble=trouble)
    left_out = ""
    if name.startswith("."):
        left_out = HIDDEN
    elif stat.S_ISLNK(seen.st_mode):
        left_out = LINK
    elif not stat.S_ISREG(seen.st_mode):
        left_out = SPECIAL
    modified_at = _moment(seen.st_mtime)
    known = {"modified_at": modified_at, "place": place, "mtime_ns": seen.st_mtime_ns, "left_out": left_out}
    return make(seen.st_size, partial(_chunks, place, (seen.st_size, seen.st_mtime_ns)), **known)


def _chunks(place: str, seen: tuple[int, int]) -> Iterator[bytes]:
    """Read a file that was seen with this size and time of change."""
    try:
        descriptor = os.open(place, READ)
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
