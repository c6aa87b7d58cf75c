"""Who reaches which album, held against the album's place in the tree.

Floor 3: rows only.
"""

import sqlalchemy as sa

from vault.db import db, transaction
from vault.models import membership
from vault.models.media import Album, AlbumReach

PLACE = (Album.id, Album.parent_id, Album.inherits)
REACH = (AlbumReach.album_id, AlbumReach.source_id, AlbumReach.distance)
Above = dict[int, tuple[int | None, bool]]


def find() -> list[str]:
    """Return a sentence for each album that is reached by others than its place says."""
    wrong, _ = _wrong()
    return [f"album number {album}: who reaches it does not fit its place in the tree" for album in wrong]


def mend() -> str:
    """Write anew what reaches those albums and say so."""
    wrong, above = _wrong()
    with transaction() as session:
        # From the top down, because each copies what reaches the one above it.
        for album in sorted(wrong, key=lambda id_: len(_reach(id_, above))):
            membership.set_reach(session, session.get_one(Album, album))
    return f"the reach of {len(wrong)} albums written anew"


def _wrong() -> tuple[list[int], Above]:
    above = {id_: (parent, inherits) for id_, parent, inherits in db.session.execute(sa.select(*PLACE))}
    kept: dict[int, set[tuple[int, int]]] = {}
    for album, source, distance in db.session.execute(sa.select(*REACH)):
        kept.setdefault(album, set()).add((source, distance))
    return [album for album in above if kept.get(album) != _reach(album, above)], above


def _reach(album: int, above: Above) -> set[tuple[int, int]]:
    found, distance, current = {(album, 0)}, 0, album
    while True:
        parent, inherits = above[current]
        if parent is None or not inherits:
            return found
        current, distance = parent, distance + 1
        found.add((current, distance))
