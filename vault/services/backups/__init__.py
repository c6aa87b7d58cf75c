"""A copy of everything, taken while the vault runs, and looked through before anything is restored from it.

Floor 3. The rows are those of one moment. Bytes were there before the rows that name them, and while the copy is made
no original is deleted, so whatever the copied rows name is copied. The manifest is written last: without it a folder is
no copy, whatever lies in it.
"""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vault import __version__, audit
from vault.config import PRIVATE, audit_key
from vault.db import db, transaction, utcnow
from vault.services import Refused, Vault
from vault.services.backups import checking, copying, manifest, rows
from vault.services.backups.copying import Blob, Copier
from vault.services.backups.manifest import BLOBS, HEADS, KEYS, ROWS, File, Head, Manifest
from vault.signing import new_public_id

check = checking.check
FULL = "The disk that the backup goes to is full: what is there is no backup. Make room and run it again, it goes on."
KNOWN = {manifest.DRAFT, copying.NOTES, HEADS, HEADS + copying.PART, ROWS, BLOBS, KEYS}
# Where the rows of a table name blobs: key, bytes, SHA-256.
ORIGINALS = ("media", "blob_key", "size_bytes", "sha256")
VARIANTS = ("variant", "blob_key", "size_bytes", "sha256")
ARCHIVES = ("import_run", "archive_key")


@dataclass(frozen=True)
class Wanted:
    """What kind of copy: `since` is an earlier one whose unchanged files it shares; `revision` that of the database.

    `begin` is told how many bytes lie ahead, `told` each time how many were dealt with.
    """

    revision: str
    since: Path | None = None
    with_variants: bool = False
    with_keys: bool = True
    begin: Callable[[int], None] = lambda _bytes: None
    told: Callable[[int], None] = lambda _bytes: None


@dataclass
class Made:
    """A finished copy. `key` is the fingerprint of the key that seals it.

    `lost` names blobs that were damaged or missing in the vault, with what is wrong with them.
    """

    id: str
    sha256: str
    key: str
    files: int = 0
    bytes: int = 0
    linked: int = 0
    keys: list[str] = field(default_factory=list)
    lost: list[list[str]] = field(default_factory=list)


def backup(vault: Vault, folder: Path, wanted: Wanted) -> Made:
    """Copy the vault into a folder that is new, empty, or an unfinished copy.

    Raises Refused, Held while another copy is made, OSError.
    """
    since = _since(folder, wanted.since)
    earlier = (wanted.since, since.files) if wanted.since and since else None
    with _room_said():
        is_resumed = _prepare(folder)
        with vault.storage.held(), Copier(vault.storage, folder, earlier, wanted.told) as copier:
            head = _head(wanted, since)
            # Before the rows: what is in the file of heads must be in them.
            first = list(_copy_heads(vault, folder))
            with transaction() as session:
                audit.record(session, "vault.backup", actor_id=None, subject=head.id)
            with rows.snapshot() as connection:
                first += rows.export(connection, folder / ROWS, ROWS)
            key = audit_key(vault.settings)
            made = Made(
                head.id,
                "",
                manifest.fingerprint(key),
                keys=_copy_keys(vault, folder, head.id) if wanted.with_keys else [],
            )
            head = Head(**{**vars(head), "keys": made.keys})
            wanted.begin(sum(blob.size_bytes or 0 for blob in _named(folder, wanted)))
            with manifest.Writer(folder, head) as written:
                _write_all(copier, written, made, first, _named(folder, wanted))
                if is_resumed:
                    _remove_strangers(folder, {blob.path for blob in _named(folder, wanted)})
                made.sha256 = written.finish(made.lost, key)
        _settle(folder)
        (folder / copying.NOTES).unlink()
        manifest.publish(folder)
    return made


def lay_rows(folder: Path, found: Manifest) -> dict[str, int]:
    """Put the rows of a copy into the database, in one transaction; return how many of each table.

    Whoever was signed in then is not any more: sessions, visits, tokens and one-time addresses end, because some may
    have been ended on purpose since. Without their variants pictures are pending again. Raises Refused for rows that
    have changed since they were looked at, and what the database does.
    """
    with transaction() as session:
        return rows.lay(session, folder, found.below(ROWS), checking.Change(found))


def lay_bytes(vault: Vault, folder: Path, found: Manifest, told: Callable[[int], None]) -> None:
    """Put the blobs of a copy into the storage, each compared once more. Raises Refused, StorageError."""
    checking.lay_bytes(vault.storage, folder, found, told)


def record_restore(found: Manifest) -> None:
    """Write into the chain of events that everything behind this event happened after a restore."""
    with transaction() as session:
        taken = {"taken_at": found.head.taken_at, "manifest": found.sha256}
        audit.record(session, "vault.restore", actor_id=None, subject=found.head.id, **taken)


def _head(wanted: Wanted, since: Manifest | None) -> Head:
    moment = utcnow().isoformat(timespec="seconds")
    what = (__version__, wanted.revision, db.engine.dialect.name, since.head.id if since else "")
    return Head(new_public_id(), moment, *what, with_variants=wanted.with_variants, keys=[])


def _since(folder: Path, since: Path | None) -> Manifest | None:
    if since is not None and since.resolve() == folder.resolve():
        raise Refused("A backup cannot be made since itself: name another folder.")
    return manifest.read(since) if since is not None else None


def _prepare(folder: Path) -> bool:
    """Make the folder, or go on in one that is not finished; say whether it is the latter. Raises Refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = {path.name for path in folder.iterdir()}
    if manifest.NAME in there:
        raise Refused(f"{folder} holds a whole backup already. Name another folder, and this one with --since.")
    # Either is there until the very end, the draft a step longer than the notes.
    if there and (there - KNOWN or not there & {copying.NOTES, manifest.DRAFT}):
        raise Refused(f"{folder} is not empty, and what is in it is no unfinished backup.")
    (folder / copying.NOTES).touch(mode=0o600)
    for name in (ROWS, BLOBS):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    for stale in (folder / ROWS).iterdir():
        stale.unlink()
    return bool(there)


def _named(folder: Path, wanted: Wanted) -> Iterator[Blob]:
    """Yield every blob that the copied rows name: the rows decide, whatever has happened since."""
    for table, *columns in (ORIGINALS, *([VARIANTS] if wanted.with_variants else [])):
        for key, size_bytes, sha256 in rows.walk(folder / ROWS / f"{table}.jsonl", *columns):
            yield Blob(key, size_bytes, sha256)
    table, column = ARCHIVES
    path = folder / ROWS / f"{table}.jsonl"
    for (key,) in rows.walk(path, column) if path.exists() else ():
        if key is not None:
            yield Blob(key, None, None)


def _write_all(copier: Copier, written: manifest.Writer, made: Made, first: list[File], blobs: Iterator[Blob]) -> None:
    for file in first:
        written.add(file)
        made.files, made.bytes = made.files + 1, made.bytes + file.size_bytes
    for copied in copier.copy(blobs):
        # A variant that vanished was made anew meanwhile, and will be again.
        if copied.wrong and not copied.blob.key.startswith("variants/"):
            made.lost.append([copied.blob.key, copied.wrong])
        if copied.file is not None:
            written.add(copied.file)
            made.files, made.bytes = made.files + 1, made.bytes + copied.file.size_bytes
            made.linked += copied.is_linked


def _copy_heads(vault: Vault, folder: Path) -> Iterator[File]:
    heads = Path(vault.settings.audit_heads)
    if heads.exists():
        with heads.open("rb", buffering=0) as source:
            yield File(HEADS, *copying.write(source, folder / HEADS))


def _copy_keys(vault: Vault, folder: Path, backup_id: str) -> list[str]:
    """Copy the key files of the home into a folder of their own, and say of which copy they are."""
    target, digests = folder / KEYS, dict[str, str]()
    target.mkdir(mode=0o700, exist_ok=True)
    for name in PRIVATE:
        if (vault.settings.home / name).exists():
            with (vault.settings.home / name).open("rb", buffering=0) as source:
                digests[name] = copying.write(source, target / name)[1]
    draft = target / checking.DIGESTS
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"backup": backup_id, "sha256": digests}, file)
        file.flush()
        os.fsync(file.fileno())
    return sorted(digests)


def _remove_strangers(folder: Path, wanted: set[str]) -> None:
    """Remove what an earlier attempt copied and the rows of this one do not name."""
    for path in checking.files_below(folder / BLOBS):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()


def _settle(folder: Path) -> None:
    for found, _, _ in os.walk(folder, topdown=False):
        manifest.sync(Path(found))
    manifest.sync(folder.parent)


@contextmanager
def _room_said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused(FULL) from error
        raise
