"""Sums that are kept so that no page has to count: what each person uses, and how many pictures each album shows.

Floor 3: rows only.
"""

import sqlalchemy as sa

from vault.db import db, transaction
from vault.models.account import User
from vault.models.media import Album, AlbumMedia, Media

_used = sa.select(sa.func.coalesce(sa.func.sum(Media.size_bytes), 0)).where(Media.owner_id == User.id)
TRUE_USE = _used.correlate(User).scalar_subquery()
_placed = sa.select(sa.func.count()).select_from(AlbumMedia).join(Media, Media.id == AlbumMedia.media_id)
_there = (Media.trashed_at.is_(None), Media.quarantined_at.is_(None), Media.awaiting_since.is_(None))
_shown = _placed.where(AlbumMedia.album_id == Album.id, *_there)
TRUE_COUNT = _shown.correlate(Album).scalar_subquery()


def find() -> list[str]:
    """Return a sentence for each sum that does not add up."""
    people = sa.select(User.email, User.used_bytes, TRUE_USE).where(User.used_bytes != TRUE_USE)
    albums = sa.select(Album.public_id, Album.media_count, TRUE_COUNT).where(Album.media_count != TRUE_COUNT)
    found = [
        f"quota of {email}: {kept} bytes counted, {true} there" for email, kept, true in db.session.execute(people)
    ]
    return found + [
        f"album {album}: {kept} pictures counted, {true} there" for album, kept, true in db.session.execute(albums)
    ]


def mend() -> str:
    """Count anew and say so."""
    with transaction() as session:
        session.execute(sa.update(User).where(User.used_bytes != TRUE_USE).values(used_bytes=TRUE_USE))
        session.execute(sa.update(Album).where(Album.media_count != TRUE_COUNT).values(media_count=TRUE_COUNT))
    return "sums counted anew"
