"""What a copy of a vault consists of, written down last: a folder without it is no copy.

Floor 3, the hall of `vault.services.backups`: knows one file and what its lines mean, nothing of rows or storages.

Lines of JSON: first what the copy is of, then path, bytes and SHA-256 of every file in it, then what the vault itself
had lost, and at the end how many there were and the SHA-256 of all lines before. The seal is for whoever has the key
of the events: it shows that nobody wrote another manifest.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Self

from vault.services import Refused

FORMAT = 1
NAME = "manifest.jsonl"
DRAFT = "manifest.jsonl.part"
ROWS, BLOBS, KEYS, HEADS = "rows", "blobs", "keys", "audit-heads.log"
LONGEST_LINE_BYTES = 64 * 1024**2
CHANGED = "{path} has changed since it was looked at."
INCOMPLETE = "This is no whole backup: it has no manifest. Run the backup into the same folder again, and it goes on."


@dataclass(frozen=True)
class Head:
    """What a copy is of. `revision` is that of the database, `since` the id of the copy that it shares files with.

    `keys` names the key files that were put beside it; they may be kept elsewhere, so no line of the manifest is about
    them. `taken_at` is RFC 3339, UTC.
    """

    id: str
    taken_at: str
    version: str
    revision: str
    database: str
    since: str
    with_variants: bool
    keys: list[str]
    format: int = FORMAT


@dataclass(frozen=True)
class File:
    """A file of a copy; `path` is relative to its folder."""

    path: str
    size_bytes: int
    sha256: str


@dataclass
class Manifest:
    """A manifest that was read and holds. `lost` says which blobs were damaged or missing in the vault itself."""

    head: Head
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    lost: list[list[str]] = field(default_factory=list)
    sha256: str = ""
    seal: str = ""

    @property
    def bytes(self) -> int:
        """How many bytes all files have."""
        return sum(size for size, _ in self.files.values())

    def below(self, folder: str) -> Iterator[File]:
        """Yield the files below a folder of the copy."""
        for path, (size_bytes, sha256) in self.files.items():
            if path.startswith(f"{folder}/"):
                yield File(path, size_bytes, sha256)

    def is_sealed_by(self, key: str) -> bool:
        """Whether it was written by a vault that has this key of the events."""
        return hmac.compare_digest(self.seal, _seal(key, self.sha256))


class Writer:
    """Writes a manifest; what it wrote counts from `finish` on."""

    def __init__(self, folder: Path, head: Head) -> None:
        self._folder = folder
        self._digest = hashlib.sha256()
        self._files = self._bytes = 0
        self._file = os.fdopen(os.open(folder / DRAFT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._line(asdict(head))

    def add(self, file: File) -> None:
        """Add a file."""
        self._files, self._bytes = self._files + 1, self._bytes + file.size_bytes
        self._line([file.path, file.size_bytes, file.sha256])

    def finish(self, lost: list[list[str]], key: str) -> str:
        """Write the end and make it durable, still under the name of a draft; return the digest of all lines."""
        self._line({"lost": lost})
        sha256 = self._digest.hexdigest()
        self._line({"files": self._files, "bytes": self._bytes, "sha256": sha256, "seal": _seal(key, sha256)})
        self._file.flush()
        os.fsync(self._file.fileno())
        return sha256

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_refusal: object) -> None:
        self._file.close()

    def _line(self, value: Any) -> None:
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._file.write(line)


def publish(folder: Path) -> None:
    """Give a finished draft its name, durable on return."""
    (folder / DRAFT).rename(folder / NAME)
    sync(folder)


def read(folder: Path) -> Manifest:
    """Read the manifest of a copy and hold it against its own digest. Raises Refused, OSError."""
    if not (folder / NAME).is_file():
        raise Refused(INCOMPLETE if folder.is_dir() else f"{folder} is no folder")
    digest, lines = hashlib.sha256(), iter(_lines(folder / NAME))
    try:
        found = Manifest(_head(next(lines), digest))
        for line in lines:
            value = json.loads(line)
            if isinstance(value, dict) and "files" in value:
                _compare(found, value, digest.hexdigest(), is_last=next(lines, None) is None)
                return found
            digest.update(line)
            if isinstance(value, dict):
                found.lost = value["lost"]
            else:
                path, size_bytes, sha256 = value
                found.files[_safe(path, found.files)] = (size_bytes, sha256)
    except (ValueError, KeyError, TypeError, StopIteration):
        raise Refused("The manifest of this backup was altered or cut off. Nothing was restored.") from None
    raise Refused("The manifest of this backup was cut off. Nothing was restored.")


def fingerprint(key: str) -> str:
    """Return what people compare keys by: it says nothing of the key."""
    found = hashlib.sha256(f"the key of the events {key}".encode()).hexdigest()[:16]
    return "-".join(found[at : at + 4] for at in range(0, 16, 4))


def sync(folder: Path) -> None:
    """Make what a folder lists durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _head(line: bytes, digest: Any) -> Head:
    digest.update(line)
    said = json.loads(line)
    if said["format"] != FORMAT:
        raise Refused(f"This backup has format {said['format']}, and this version of the vault reads {FORMAT}.")
    return Head(**said)


def _compare(found: Manifest, end: dict[str, Any], sha256: str, *, is_last: bool) -> None:
    if end["sha256"] != sha256 or end["files"] != len(found.files) or end["bytes"] != found.bytes or not is_last:
        raise ValueError("it does not agree with itself")
    found.sha256, found.seal = sha256, str(end["seal"])


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(LONGEST_LINE_BYTES):
            if not line.endswith(b"\n"):
                raise Refused("The manifest of this backup was cut off. Nothing was restored.")
            yield line


def _safe(path: str, known: dict[str, tuple[int, str]]) -> str:
    """Return a path that stays inside the copy and was not named before. Raises ValueError."""
    parts = PurePosixPath(path).parts
    if path in known or not parts or parts[0] not in (ROWS, BLOBS, HEADS) or {"..", "/"} & set(parts):
        raise ValueError("no path of a copy")
    return path


def _seal(key: str, sha256: str) -> str:
    return hmac.digest(key.encode(), f"a backup's manifest {sha256}".encode(), "sha256").hex()
