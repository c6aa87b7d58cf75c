"""Files of the machine that were imported once: known again by path, size and time, without reading them.

Floor 3. A file that was deleted from the vault for good is forgotten with its picture, and so may come again; one that
lies in the trash is still known.
"""

from collections.abc import Sequence
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.archives import Entry
from vault.db import db
from vault.models.ingest import ImportedFile
from vault.models.media import Album


def known(owner_id: int, entries: Sequence[Entry], album_id: int | None) -> set[str]:
    """Return the places of those that are here, put where they are to go; `album_id` is None where that is nowhere.

    For some hundreds at a time.
    """
    by_digest = {_digest(entry): entry for entry in entries if entry.place}
    rows = sa.select(ImportedFile).where(
        ImportedFile.owner_id == owner_id, ImportedFile.place_sha256.in_(list(by_digest))
    )
    found = set()
    for row in db.session.scalars(rows):
        entry = by_digest[row.place_sha256]
        is_same = (row.size_bytes, row.mtime_ns) == (entry.size_bytes, entry.mtime_ns)
        if is_same and (album_id is None or row.album_id == album_id):
            found.add(entry.place)
    return found


def remember(session: Session, owner_id: int, entry: Entry, *, media_id: int, album_id: str | None) -> None:
    """Remember a file in the transaction that keeps it."""
    digest = _digest(entry)
    mine = (ImportedFile.owner_id == owner_id, ImportedFile.place_sha256 == digest)
    session.execute(sa.delete(ImportedFile).where(*mine))
    album = session.scalar(sa.select(Album.id).where(Album.public_id == album_id)) if album_id else None
    session.add(
        ImportedFile(
            owner_id=owner_id,
            place_sha256=digest,
            size_bytes=entry.size_bytes,
            mtime_ns=entry.mtime_ns,
            media_id=media_id,
            album_id=album,
        )
    )


def _digest(entry: Entry) -> str:
    return sha256(entry.place.encode("utf-8", "surrogateescape")).hexdigest()
