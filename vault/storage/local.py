"""Blobs as files below one folder, durable when `put` returns.

Floor 1: knows the file system. Must not know who owns a blob or why it is kept.

A blob is written beside its place, synced, renamed, and its folders are synced: after a crash at any moment it is there
whole or not at all. Files are 0600, folders 0700, and no symbolic link is followed out of the root.
"""

import io
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from vault.storage import BadKey, Missing, Room, Stat, StorageFull, checked, checked_name, hold
from vault.storage.durable import READ, give_second_name, rename, sync_file, sync_folder, translated

TEMPORARY = "tmp"
PARTIAL = "partial"
KINDS = ("archives", "editions", "originals", "variants")
MIB = 1024**2
# Held back from uploads and renderings where no setting says how much, so that the database beside the blobs can still
# write down a deletion or a revocation; less on a small disk.
RESERVE_BYTES = 256 * MIB
RESERVE_SHARE = 8
# A folder that lost a race with a deletion is made again; losing this often means something else is wrong.
ATTEMPTS = 5
# Kind, owner and shard folders are never removed, so one that is durable stays so.
LASTING_DEPTH = 3


class LocalStorage:
    """A storage in one folder of this machine; safe for many threads and processes at once."""

    def __init__(self, root: Path, *, reserve_bytes: int = 0) -> None:
        """Open the folder, made where it is missing. Without `reserve_bytes` the storage decides what is held back."""
        self._reserve_bytes = reserve_bytes
        with translated():
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root = root.resolve()
            self._below_root = f"{self.root}/"
            self._tmp, self._partial = self.root / TEMPORARY, self.root / PARTIAL
            for folder in (self._tmp, self._partial):
                folder.mkdir(mode=0o700, exist_ok=True)
        self._durable = {self.root}

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """Lend an empty file of mode 0600 on the blobs' own file system. Raises StorageFull."""
        self._refuse_when_full()
        path = self._tmp / secrets.token_hex(16)
        with translated():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """Lend an empty folder of mode 0700 on the blobs' own file system. Raises StorageFull."""
        self._refuse_when_full()
        path = self._tmp / secrets.token_hex(16)
        with translated():
            path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def put(self, key: str, source: Path, *, stays: bool = False) -> None:
        """Sync and rename a file to its place, or give it that second name if it is to stay where it is, too.

        Raises BadKey, StorageFull or StorageError.
        """
        path = self._path(key)
        if source.parent != self._partial:
            self._require_temporary(source)
        with translated():
            sync_file(source)
            self._move(source, path, give_second_name if stays else rename)
            try:
                self._settle(path.parent)
            except OSError:
                # Not known to be durable is not kept: the caller is told so, and must not find half of it later.
                path.unlink(missing_ok=True)
                raise

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading. Raises Missing or BadKey."""
        path = self._path(key)
        with translated():
            return os.fdopen(os.open(path, READ), "rb")

    def unbuffered(self, key: str) -> io.FileIO:
        """Open a blob to be sent. Raises Missing or BadKey.

        On the way of every picture, so no more than the grammar is looked at: it keeps a key below the root.
        """
        try:
            return io.FileIO(f"{self._below_root}{checked(key)}")
        except FileNotFoundError as error:
            raise Missing("no such blob") from error

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """Lend the blob's own path, only to be read. Raises BadKey, and Missing when it is not there to be opened."""
        try:
            yield self._path(key)
        except FileNotFoundError as error:
            raise Missing("no such blob") from error

    def stat(self, key: str) -> Stat:
        """Say how large and how old a blob is. Raises Missing or BadKey."""
        with translated():
            found = os.lstat(self._path(key))
        return Stat(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def touch(self, key: str) -> None:
        """Set a blob's time to now. Raises Missing or BadKey."""
        with translated():
            os.utime(self._path(key), follow_symlinks=False)

    def delete(self, key: str) -> None:
        """Remove a blob and make sure that it stays removed; an original that is held stays for the sweep.

        Raises BadKey or StorageError.
        """
        path = self._path(key)
        with translated(), ExitStack() as stack:
            if key.startswith(hold.KEPT) and not stack.enter_context(hold.absent(self.root)):
                return
            try:
                path.unlink(missing_ok=True)
                sync_folder(path.parent)
            except FileNotFoundError:
                return
            if self._depth(path.parent) > LASTING_DEPTH:
                with suppress(OSError):
                    path.parent.rmdir()

    def held(self) -> AbstractContextManager[None]:
        """Let no original be deleted for the length of the `with`. Raises Held while another does."""
        return hold.taken(self.root)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Walk the keys below a prefix in order, one folder in memory at a time. Raises BadKey."""
        if prefix.startswith("/") or {"", ".", ".."} & set(prefix.split("/")[:-1]):
            raise BadKey(f"not a beginning of keys: {prefix!r}")
        return (key for kind in KINDS for key in self._below(kind, prefix))

    def temporaries(self) -> Iterator[tuple[Path, float]]:
        """Walk what is in the temporary folder, with its age in seconds."""
        with os.scandir(self._tmp) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    yield Path(entry.path), max(0.0, time.time() - entry.stat(follow_symlinks=False).st_mtime)

    def discard(self, temporary: Path) -> None:
        """Remove one temporary file or folder. Raises BadKey for a path elsewhere."""
        self._require_temporary(temporary)
        if temporary.is_dir() and not temporary.is_symlink():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)

    def partial(self, name: str) -> Path:
        """Return where the partial file of a name lies, or will. Raises BadKey."""
        return self._partial / checked_name(name)

    def partials(self) -> Iterator[tuple[str, float]]:
        """Walk the names of the partial files, with how long ago they last grew, in seconds."""
        with os.scandir(self._partial) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    yield entry.name, max(0.0, time.time() - entry.stat(follow_symlinks=False).st_mtime)

    def discard_partial(self, name: str) -> None:
        """Remove a partial file. Raises BadKey."""
        self.partial(name).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Say how many bytes may still be stored, the reserve taken off."""
        return self.room().usable_bytes

    def room(self) -> Room:
        """Say how large the disk is, how much of it is free, and how much of that is held back."""
        disk = shutil.disk_usage(self.root)
        by_itself = min(RESERVE_BYTES, disk.total // RESERVE_SHARE)
        return Room(disk.total, disk.free, self._reserve_bytes or by_itself)

    def _refuse_when_full(self) -> None:
        if self.free_bytes() == 0:
            raise StorageFull("the disk is full")

    def _path(self, key: str) -> Path:
        path = self.root / checked(key)
        # The grammar already keeps a key below the root; this stops a symbolic link that somebody put in between.
        if os.path.realpath(path.parent) != str(path.parent) or path.is_symlink():
            raise BadKey("a symbolic link leads out of the storage")
        return path

    def _require_temporary(self, path: Path) -> None:
        if not Path(os.path.realpath(path.parent)).is_relative_to(self._tmp):
            raise BadKey("not one of this storage's temporary files")

    def _depth(self, folder: Path) -> int:
        return len(folder.relative_to(self.root).parts)

    def _move(self, source: Path, path: Path, move: Callable[[Path, Path], None]) -> None:
        for attempt in range(ATTEMPTS):
            for folder in reversed(self._up_to_root(path.parent)):
                with suppress(FileExistsError):
                    folder.mkdir(mode=0o700)
            try:
                move(source, path)
                return
            except FileNotFoundError:
                if attempt == ATTEMPTS - 1 or not source.exists():
                    raise

    def _settle(self, folder: Path) -> None:
        """Sync a folder and every one above it that is not known to be durable itself."""
        sync_folder(folder)
        for step in self._up_to_root(folder):
            if step in self._durable:
                return
            sync_folder(step.parent)
        self._durable.update(step for step in self._up_to_root(folder) if self._depth(step) <= LASTING_DEPTH)

    def _up_to_root(self, folder: Path) -> list[Path]:
        return [step for step in (folder, *folder.parents) if step.is_relative_to(self.root) and step != self.root]

    def _below(self, folder: str, prefix: str) -> Iterator[str]:
        # A folder is entered when it may hold the prefix, or lies below it.
        if not (f"{folder}/".startswith(prefix) or prefix.startswith(f"{folder}/")):
            return
        for name, is_folder in _listed(self.root / folder):
            key = f"{folder}/{name}"
            if is_folder:
                yield from self._below(key, prefix)
            elif key.startswith(prefix):
                with suppress(BadKey):
                    yield checked(key)


def _listed(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
