"""Bytes by key: the protocol every storage keeps, the grammar of keys and the refusals.

Floor 1: knows keys and bytes. Must not know people, rows, rights or HTTP. Keys are made here from public ids and
digests only; a name that somebody typed is never part of one.
"""

import io
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

_BLOB = r"{id}/(?P<{shard}>[0-9a-f]{{2}})/(?P={shard})[0-9a-f]{{62}}\.{id}"
_ORIGINAL, _VARIANT, _EDITION = (
    _BLOB.format(id="[A-Za-z0-9_-]{22}", shard=shard) for shard in ("shard", "part", "piece")
)
_KEY = re.compile(
    rf"originals/{_ORIGINAL}|variants/{_VARIANT}/[a-z][a-z0-9]{{0,31}}-v[0-9]{{1,9}}\.(webp|mp4)"
    rf"|editions/{_EDITION}/[a-z][a-z0-9]{{0,31}}-[0-9a-f]{{32}}\.[a-z]{{3,4}}"
    r"|archives/[A-Za-z0-9_-]{22}/[A-Za-z0-9_-]{22}\.zip"
)
PARTIAL_NAME = re.compile(r"[A-Za-z0-9_-]{22}")
LONGEST_KEY = 240
EDITIONS = "editions/"
"""What the keys of editions begin with: copies under somebody's terms, which are only kept to be quick."""


class StorageError(Exception):
    """The storage could not do what it was asked."""


class BadKey(StorageError, ValueError):
    """A key outside the grammar, or one whose path would leave the storage."""


class Missing(StorageError):
    """Nothing is kept under that key."""


class Held(StorageError):
    """Somebody else holds the originals already."""


class StorageFull(StorageError):
    """There is no room left for more bytes."""


class InUse(StorageError):
    """Somebody else is writing to this partial file."""


class TooLarge(StorageError):
    """More bytes arrived than the limit allows."""

    def __init__(self, max_bytes: int) -> None:
        most = f"the {max_bytes:,} bytes that a file may have here"
        super().__init__(f"It is larger than {most}. Whoever runs the vault can raise the limit.")
        self.max_bytes = max_bytes


@dataclass(frozen=True)
class Stat:
    """What is known of a blob without reading it; `modified_at` is aware UTC."""

    bytes: int
    modified_at: datetime


class Arrival(Protocol):
    """A whole file that has come in and is not kept yet."""

    @property
    def head(self) -> bytes:
        """Its first bytes."""

    @property
    def bytes(self) -> int:
        """How many there are."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of all of them, as 64 hex digits."""

    def keep(self, key: str) -> None:
        """Move them to their key, durable on return. Raises StorageFull or StorageError; then nothing is kept."""

    def discard(self) -> None:
        """Remove what was not kept; a second call does nothing."""


@dataclass(frozen=True, slots=True)
class Room:
    """The disk that blobs lie on, in bytes; what is free and above the reserve may be stored."""

    total_bytes: int
    free_bytes: int
    reserve_bytes: int

    @property
    def usable_bytes(self) -> int:
        """How many bytes may still be stored."""
        return max(0, self.free_bytes - self.reserve_bytes)


class Storage(Protocol):
    """What the vault asks of a place for bytes."""

    def temporary(self) -> AbstractContextManager[Path]:
        """Lend an empty file to write into; at the end it is removed unless `put` took it. Raises StorageFull."""

    def temporary_folder(self) -> AbstractContextManager[Path]:
        """Lend an empty folder for several files; at the end it is removed, whatever it holds. Raises StorageFull."""

    def put(self, key: str, source: Path, *, stays: bool = False) -> None:
        """Take a finished temporary or partial file over; durable on return.

        A blob of the same key is replaced at once, unless the file `stays` under its own name as well.
        Raises BadKey, StorageFull or StorageError, and then nothing is kept under the key.
        """

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading. Raises Missing."""

    def unbuffered(self, key: str) -> io.FileIO:
        """Open a blob to be sent: with a descriptor that the kernel can read from itself. Raises Missing or BadKey."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """Lend a path to a blob's bytes, only to be read, for the length of the `with`. Raises Missing."""

    def stat(self, key: str) -> Stat:
        """Say how large and how old a blob is. Raises Missing."""

    def touch(self, key: str) -> None:
        """Make a blob as young as if it were put now. Raises Missing."""

    def delete(self, key: str) -> None:
        """Remove a blob for good; one that is gone already is no error, an original that is held stays for a while."""

    def held(self) -> AbstractContextManager[None]:
        """Let no original be deleted for the length of the `with`: what is told to go is left to the sweep.

        One at a time. Raises Held.
        """

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Walk the keys that begin with a prefix, in order, without holding them all. Raises BadKey."""

    def temporaries(self) -> Iterator[tuple[Path, float]]:
        """Walk the temporary files and folders with their age in seconds, also those that a crash left behind."""

    def discard(self, temporary: Path) -> None:
        """Remove one of `temporaries`; one that is gone already is no error. Raises BadKey for any other path."""

    def partial(self, name: str) -> Path:
        """Say where the partial file of a name lies, or will; no sweep of temporaries removes it. Raises BadKey."""

    def partials(self) -> Iterator[tuple[str, float]]:
        """Walk the names of the partial files, with how long ago they last grew, in seconds."""

    def discard_partial(self, name: str) -> None:
        """Remove a partial file; one that is gone already is no error. Raises BadKey."""

    def free_bytes(self) -> int:
        """Say how many bytes may still be stored, less what is held back so that a full vault can still delete."""

    def room(self) -> Room:
        """Say how large the disk is, how much of it is free, and how much of that is held back."""


def original_key(owner_public_id: str, sha256: str, media_public_id: str) -> str:
    """Name an original, byte for byte as it came. `sha256` is 64 hex digits. Raises BadKey."""
    return checked(f"originals/{owner_public_id}/{sha256[:2]}/{sha256}.{media_public_id}")


def variant_key(original: str, name: str, pipeline: int, extension: str = "webp") -> str:
    """Name a file made from the original of a key by one version of the pipeline. Raises BadKey."""
    return checked(f"variants/{original.removeprefix('originals/')}/{name}-v{pipeline}.{extension}")


def edition_key(original: str, name: str, terms: str, extension: str) -> str:
    """Name a picture made from the original of a key under terms, of which `terms` is a digest. Raises BadKey."""
    return checked(f"{editions_of(original)}{name}-{terms}.{extension}")


def archive_key(owner_public_id: str, import_public_id: str) -> str:
    """Name an archive that was uploaded to be taken apart, kept until that is done. Raises BadKey."""
    return checked(f"archives/{owner_public_id}/{import_public_id}.zip")


def editions_of(original: str) -> str:
    """Return what the keys of all editions of an original begin with."""
    return f"{EDITIONS}{original.removeprefix('originals/')}/"


def original_of(edition: str) -> str:
    """Return the key of the original that an edition was made from."""
    return f"originals/{edition.removeprefix(EDITIONS).rpartition('/')[0]}"


def checked(key: str) -> str:
    """Return a key that fits the grammar. Raises BadKey."""
    if len(key) > LONGEST_KEY or not _KEY.fullmatch(key):
        raise BadKey(f"not a key: {key[:LONGEST_KEY]!r}")
    return key


def checked_name(name: str) -> str:
    """Return a name of a partial file: a public id. Raises BadKey."""
    if not PARTIAL_NAME.fullmatch(name):
        raise BadKey(f"not a name of a partial file: {name[:LONGEST_KEY]!r}")
    return name


def from_url(url: str, *, reserve_bytes: int = 0) -> Storage:
    """Open the storage that an address names: `file:///an/absolute/folder`. Raises StorageError for others.

    `reserve_bytes` of its disk are held back; 0 leaves it to the storage how many.
    """
    from vault.storage.local import LocalStorage  # noqa: PLC0415  # it imports this protocol, which must be there first

    parts = urlsplit(url)
    if parts.scheme != "file":
        raise StorageError(f"no storage for addresses beginning with {parts.scheme or 'nothing'}://, only file://")
    path = Path(unquote(parts.path))
    if parts.netloc or not path.is_absolute() or path == Path("/"):
        raise StorageError("the storage address must be file:// and an absolute folder")
    return LocalStorage(path, reserve_bytes=reserve_bytes)
