"""Blobs on their way into a copy: linked with the copy of before where they are the same, else read, hashed, written.

Floor 3: knows keys, bytes and two folders. Must not know rows.

A file of the copy is written beside its place, synced and renamed, so what bears a name is whole. What was done is
noted in a file, so that a copy that was broken off goes on; a note is believed only where size and time still fit.
"""

import errno
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from vault.services.backups.manifest import BLOBS, File
from vault.storage import Missing, Storage, StorageError

THREADS = 4
AHEAD = 16
CHUNK_BYTES = 1024 * 1024
NOTES = "progress.jsonl"
PART = ".part"
MISSING, CHANGED = "its bytes are missing", "its bytes have changed"


@dataclass(frozen=True)
class Blob:
    """A blob that a row names, with what the row says of its bytes; None where it says nothing."""

    key: str
    size_bytes: int | None
    sha256: str | None

    @property
    def path(self) -> str:
        """Where it lies in a copy."""
        return f"{BLOBS}/{self.key}"


@dataclass(frozen=True)
class Copied:
    """What became of a blob: the file in the copy, if there is one, and what is wrong with it."""

    blob: Blob
    file: File | None
    wrong: str = ""
    is_linked: bool = False


class Copier:
    """Copies blobs of a storage into a folder; `earlier` is another copy with what its manifest says of its files."""

    def __init__(
        self,
        storage: Storage,
        folder: Path,
        earlier: tuple[Path, dict[str, tuple[int, str]]] | None,
        told: Callable[[int], None],
    ) -> None:
        self._storage = storage
        self._folder = folder
        self._earlier = earlier
        self._told = told
        self._noted = _read_notes(folder / NOTES)
        self._notes = os.fdopen(os.open(folder / NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w")

    def copy(self, blobs: Iterable[Blob]) -> Iterator[Copied]:
        """Yield what became of each, in order. Raises OSError when the copy cannot be written."""
        ahead: deque[Future[Copied]] = deque()
        with ThreadPoolExecutor(THREADS, thread_name_prefix="copier") as threads:
            try:
                for each in blobs:
                    ahead.append(threads.submit(self._one, each))
                    if len(ahead) > AHEAD:
                        yield self._note(ahead.popleft().result())
                while ahead:
                    yield self._note(ahead.popleft().result())
            finally:
                for future in ahead:
                    future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_refusal: object) -> None:
        self._notes.close()

    def _one(self, blob: Blob) -> Copied:
        found = self._done_before(blob) or self._linked(blob)
        if found is None:
            found = self._copied(blob)
        self._told(found.file.size_bytes if found.file else 0)
        return found

    def _done_before(self, blob: Blob) -> Copied | None:
        noted = self._noted.get(blob.path)
        try:
            there = os.lstat(self._folder / blob.path)
        except FileNotFoundError:
            return None
        if noted is None or noted[:1] + noted[2:] != (there.st_size, there.st_mtime_ns):
            return None
        return _judged(blob, noted[0], noted[1])

    def _linked(self, blob: Blob) -> Copied | None:
        """Give a file of the earlier copy a second name, where it is the same file."""
        if self._earlier is None or blob.sha256 is None:
            return None
        folder, files = self._earlier
        source = folder / blob.path
        try:
            same = (
                files.get(blob.path) == (blob.size_bytes, blob.sha256) and os.lstat(source).st_size == blob.size_bytes
            )
            if not same:
                return None
            target = self._place(blob)
            target.unlink(missing_ok=True)
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            # Another file system, one without links, or too many of them: then it is copied.
            if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOENT, errno.ENOTSUP):
                return None
            raise
        file = File(blob.path, blob.size_bytes or 0, blob.sha256)
        return Copied(blob, file, is_linked=True)

    def _copied(self, blob: Blob) -> Copied:
        try:
            source = self._storage.unbuffered(blob.key)
        except Missing:
            return Copied(blob, None, MISSING)
        except (StorageError, OSError) as error:
            return Copied(blob, None, f"cannot be read: {error}")
        with source:
            try:
                size, sha256 = write(source, self._place(blob))
            except Unreadable as error:
                return Copied(blob, None, f"cannot be read: {error}")
        return _judged(blob, size, sha256)

    def _place(self, blob: Blob) -> Path:
        target = self._folder / blob.path
        for above in reversed(target.relative_to(self._folder).parents):
            (self._folder / above).mkdir(mode=0o700, exist_ok=True)
        return target

    def _note(self, copied: Copied) -> Copied:
        if copied.file is not None:
            changed = os.lstat(self._folder / copied.file.path).st_mtime_ns
            line = [copied.file.path, copied.file.size_bytes, copied.file.sha256, changed]
            self._notes.write(json.dumps(line) + "\n")
        return copied


class Unreadable(Exception):
    """What was to be copied cannot be read; that it cannot be written is an OSError."""


def write(source: BinaryIO, target: Path) -> tuple[int, str]:
    """Copy an open file to a place, durable but for its folder; return size and SHA-256. Raises Unreadable, OSError."""
    digest, size = hashlib.sha256(), 0
    buffer = memoryview(bytearray(CHUNK_BYTES))
    part = target.with_name(target.name + PART)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while count := _read(source, buffer):
            digest.update(buffer[:count])
            size += count
            rest = buffer[:count]
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    part.rename(target)
    return size, digest.hexdigest()


def _read(source: BinaryIO, buffer: memoryview) -> int:
    try:
        count: int = source.readinto(buffer)  # type: ignore[attr-defined]  # all files of ours have it
    except OSError as error:
        raise Unreadable(error.strerror or "the disk failed") from error
    return count


def _judged(blob: Blob, size: int, sha256: str) -> Copied:
    said = (blob.size_bytes, blob.sha256)
    same = blob.sha256 is None or said == (size, sha256)
    return Copied(blob, File(blob.path, size, sha256), "" if same else CHANGED)


def _read_notes(path: Path) -> dict[str, tuple[int, str, int]]:
    found: dict[str, tuple[int, str, int]] = {}
    if path.is_file():
        for line in path.read_bytes().splitlines():
            try:
                name, size, sha256, changed = json.loads(line)
            except ValueError:
                continue  # torn when it was broken off
            found[name] = (size, sha256, changed)
    return found
