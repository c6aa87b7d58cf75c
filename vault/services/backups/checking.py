"""A copy looked through before anything is touched, and its bytes laid into a storage.

Floor 3: knows a folder and a manifest. A file too many is as suspicious as one too few: what a copy consists of was
written down.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vault.services import Refused
from vault.services.backups import manifest
from vault.services.backups.manifest import BLOBS, KEYS, File, Manifest
from vault.storage import Storage

THREADS = 4
CHUNK_BYTES = 1024 * 1024
DIGESTS = "keys.json"
MOST_NAMED = 20
# Rows that let somebody in: what was ended since the copy was made must not come alive again.
ENDED = frozenset({"login_session", "api_token", "one_time_token", "sign_in_attempt"})
# Files that were on their way in: their bytes are not copied, they are sent again.
UNFINISHED = frozenset({"upload"})


def check(folder: Path, *, begin: Callable[[int], None], told: Callable[[int], None]) -> Manifest:
    """Hold every file of a copy against the manifest; return that. Raises Refused, which says what does not agree."""
    found = manifest.read(folder)
    begin(found.bytes)
    wrong = list(_wrong_names(folder, found)) or [*_altered(folder, found, told), *_wrong_keys(folder, found)]
    if wrong:
        more = f", and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise Refused(
            f"This is not the backup that was made: {'; '.join(wrong[:MOST_NAMED])}{more}. Nothing was restored."
        )
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """Walk all that is no folder, links included."""
    for found, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(found) / name).is_symlink()]
        yield from (Path(found) / name for name in sorted([*names, *links]))


def lay_bytes(storage: Storage, folder: Path, found: Manifest, told: Callable[[int], None]) -> None:
    """Put the blobs of a copy into a storage. Raises Refused, StorageError, OSError."""

    def lay(file: File) -> None:
        with storage.temporary() as path:
            with (folder / file.path).open("rb", buffering=0) as source, path.open("r+b", buffering=0) as target:
                sha256 = _digest(source, told, target)
            if sha256 != file.sha256:
                raise Refused(manifest.CHANGED.format(path=file.path))
            storage.put(file.path.removeprefix(f"{BLOBS}/"), path)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="restorer") as threads:
        for _ in threads.map(lay, found.below(BLOBS)):
            pass


class Change:
    """What becomes of a row that comes from a copy."""

    def __init__(self, found: Manifest) -> None:
        self._moment = found.head.taken_at.replace("T", " ").partition("+")[0] + ".000000"
        self._with_variants = found.head.with_variants

    def __call__(self, table: str, row: dict[str, Any]) -> dict[str, Any] | None:
        """Return the row as it is to be laid in, or None."""
        if table in ENDED or table in UNFINISHED or (table == "variant" and not self._with_variants):
            return None
        if table == "visit" and row["ended_at"] is None:
            return row | {"ended_at": self._moment}
        if table == "media" and not self._with_variants:
            return row | _pending(row)
        return row


def _pending(row: dict[str, Any]) -> dict[str, Any]:
    anew = {"state": "pending", "attempts": 0, "claimed_at": None} if row["state"] == "ready" else {}
    if row.get("playback") == "ready":
        anew |= {"playback": "pending", "playback_attempts": 0, "playback_claimed_at": None}
    return anew


def _wrong_names(folder: Path, found: Manifest) -> Iterator[str]:
    there = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    beside = {manifest.NAME, *(f"{KEYS}/{name}" for name in (*found.head.keys, DIGESTS))}
    yield from (f"{path} is missing" for path in sorted(found.files.keys() - there.keys()))
    yield from (f"{path!a} does not belong to it" for path in sorted(there.keys() - found.files.keys() - beside))
    for path, (size_bytes, _) in found.files.items():
        if path in there:
            status = os.lstat(there[path])
            if there[path].is_symlink() or status.st_size != size_bytes:
                yield f"{path} has {status.st_size} bytes instead of {size_bytes}"


def _altered(folder: Path, found: Manifest, told: Callable[[int], None]) -> Iterable[str]:
    def wrong(entry: tuple[str, tuple[int, str]]) -> str | None:
        path, (_, sha256) = entry
        try:
            with (folder / path).open("rb", buffering=0) as file:
                return None if _digest(file, told) == sha256 else f"{path} has changed"
        except OSError as error:
            return f"{path} cannot be read ({error.strerror})"

    with ThreadPoolExecutor(THREADS, thread_name_prefix="checker") as threads:
        return [said for said in threads.map(wrong, found.files.items()) if said]


def _wrong_keys(folder: Path, found: Manifest) -> Iterator[str]:
    if not (folder / KEYS).is_dir():
        return
    try:
        said = json.loads((folder / KEYS / DIGESTS).read_bytes())
        digests: dict[str, str] = said["sha256"] if said["backup"] == found.head.id else {}
    except (OSError, ValueError, KeyError, TypeError):
        digests = {}
    if sorted(digests) != found.head.keys:
        yield "the keys beside it are of another backup"
        return
    for name, sha256 in digests.items():
        path = folder / KEYS / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            yield f"{KEYS}/{name} is missing or has changed"


def _digest(source: Any, told: Callable[[int], None], target: Any = None) -> str:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(CHUNK_BYTES))
    while count := source.readinto(buffer):
        digest.update(buffer[:count])
        told(count)
        rest = buffer[:count]
        while target is not None and rest:
            rest = rest[target.write(rest) :]
    return digest.hexdigest()
