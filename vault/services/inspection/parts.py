"""Files that are kept as a part of another picture: the moving seconds of a live photo, the RAW of a pair.

Floor 3: rows only. Mending never takes a file away: a part that belongs to nothing is an item of its own again.
"""

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from vault.db import db, transaction
from vault.models import membership
from vault.models.media import Album, AlbumMedia, Media, Part

_main = aliased(Media)
# A part of nothing that is here, of somebody else's picture, or of a file that is a part itself.
ASTRAY = sa.or_(_main.owner_id != Media.owner_id, _main.part_of_id.is_not(None), Media.part == Part.NONE)


def moved_by_another(media_ids: list[int]) -> set[int]:
    """Return which of some pictures are live photos, whose moving seconds are what plays of their part."""
    films = sa.select(Media.part_of_id).where(Media.part_of_id.in_(media_ids), Media.part == Part.MOTION)
    return {main for main in db.session.scalars(films) if main is not None}


def find() -> list[str]:
    """Return a sentence for each part that is none, or that lies in an album of its own."""
    astray = sa.select(Media.public_id).join(_main, _main.id == Media.part_of_id).where(ASTRAY).order_by(Media.id)
    found = [f"part {public_id}: what it is a part of does not fit it" for public_id in db.session.scalars(astray)]
    placed = sa.select(Media.public_id, Album.public_id).select_from(Media)
    placed = placed.join(AlbumMedia, AlbumMedia.media_id == Media.id).join(Album, Album.id == AlbumMedia.album_id)
    inside = placed.where(Media.part_of_id.is_not(None)).order_by(Media.id, Album.id)
    return found + [f"part {public_id}: it lies in album {album}" for public_id, album in db.session.execute(inside)]


def mend() -> str:
    """Let parts that are none be items of their own, take the others out of albums, and say so."""
    with transaction() as session:
        astray = sa.select(Media.id).join(_main, _main.id == Media.part_of_id).where(ASTRAY)
        alone = {"part_of_id": None, "part": Part.NONE}
        ids = list(session.scalars(astray))
        session.execute(sa.update(Media).where(Media.id.in_(ids)).values(alone))
        inside = sa.select(AlbumMedia.album_id, AlbumMedia.media_id).join(Media, Media.id == AlbumMedia.media_id)
        for album_id, media_id in session.execute(inside.where(Media.part_of_id.is_not(None))).all():
            media = membership.hold(session, media_id)
            if media is not None:
                membership.take_out(session, album_id, media)
    return "parts put in order"
