"""What goes into an archive: an album, with those below it, or pictures that were chosen; no more than fits.

Floor 3. What somebody may not take is not in it, and of a choice with such a picture there is no archive at all.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from vault.db import db
from vault.models import cursor as cursors
from vault.models.media import Album, AlbumFacts, AlbumMedia, Media, Order, State
from vault.policy import PUBLIC_ID, Action, Denied, Permit, Viewer, visible
from vault.services import Refused
from vault.services.zipping import Entry, Folder

# An archive is held in memory by its names and lengths while it is sent, and for a visitor every entry is looked at
# before its first byte.
MOST_ENTRIES, MOST_FOR_VISITORS = 20_000, 5_000
MOST_CHOSEN = 10_000
# As many pictures are weighed for a page; adding up more would make it slow.
MOST_WEIGHED = 2_000
AT_ONCE = 1_000


class TooMany(Refused):
    """More than fits into one archive of at most so many pictures."""

    def __init__(self, viewer: Viewer) -> None:
        most = most_of(viewer)
        ask = "Take the pictures one by one, or ask who sent you the link to share them in parts."
        way = "Take a part of them at a time." if viewer.link_id is None else ask
        super().__init__(f"An archive holds at most {most:,} pictures. {way}")


class Weight(NamedTuple):
    """How much an archive would hold."""

    pictures: int
    size_bytes: int


def most_of(viewer: Viewer) -> int:
    """Return how many pictures an archive for somebody holds at most."""
    return MOST_ENTRIES if viewer.link_id is None else MOST_FOR_VISITORS


def of_album(permit: Permit[AlbumFacts], *, below: bool = False) -> list[Entry]:
    """Return what a viewer may take of an album, in its order; with the albums `below` it that he may see.

    The permit is for DOWNLOAD. Raises TooMany for more than an archive holds.
    """
    most = most_of(permit.viewer)
    found = _inside(permit.viewer, permit.row.id, Order(permit.row.order), (), most)
    for album, folders in _below(permit) if below else ():
        found += _inside(permit.viewer, album.id, album.order, folders, most - len(found))
    return found


def of_chosen(viewer: Viewer, public_ids: Iterable[str]) -> list[Entry]:
    """Return chosen pictures in the order of their ids. Raises Denied if one of them may not be taken; Refused."""
    wanted = list(dict.fromkeys(public_ids))
    if not wanted:
        raise Refused("Choose some pictures first.")
    if len(wanted) > MOST_CHOSEN:
        raise Refused(f"At most {MOST_CHOSEN:,} pictures at once.")
    if not all(map(PUBLIC_ID.fullmatch, wanted)):
        raise Denied
    found: dict[str, Entry] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = _takeable(viewer).where(Media.public_id.in_(wanted[start : start + AT_ONCE]))
        found |= {row[0]: Entry(*row) for row in db.session.execute(some)}
    if len(found) < len(wanted):
        raise Denied
    return _with_parts(viewer, [found[public_id] for public_id in wanted])


def weigh(permit: Permit[AlbumFacts]) -> Weight | None:
    """Return how much of an album a viewer may take; None for one with too many pictures to add up for a page."""
    held = _takeable(permit.viewer).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    some = held.where(AlbumMedia.album_id == permit.row.id).limit(MOST_WEIGHED + 1).subquery()
    count, size = db.session.execute(sa.select(sa.func.count(), sa.func.sum(some.c.size_bytes))).one()
    if count > MOST_WEIGHED:
        return None
    inside = _takeable_parts(permit.viewer).join(AlbumMedia, AlbumMedia.media_id == Media.part_of_id)
    kept = inside.where(AlbumMedia.album_id == permit.row.id).subquery()
    more = db.session.scalar(sa.select(sa.func.sum(kept.c.size_bytes))) or 0
    return Weight(count, int(size or 0) + int(more))


def _takeable(viewer: Viewer) -> sa.Select[str, str, int, datetime]:
    """Return what an entry needs of the pictures that a viewer may take home, to be narrowed."""
    found = visible(viewer, Action.DOWNLOAD, Media)
    if viewer.link_id is not None:
        # As on the pages: what is still being made, or failed, is its owner's business.
        found = found.where(Media.state == State.READY)
    return found.with_only_columns(Media.public_id, Media.file_name, Media.size_bytes, Media.shown_at)


def _takeable_parts(viewer: Viewer) -> sa.Select[str, str, int, datetime]:
    """Return the same of what is kept together with pictures; the rule opens that to no visitor."""
    return _takeable(viewer).where(Media.part_of_id.is_not(None))


def _with_parts(viewer: Viewer, entries: list[Entry]) -> list[Entry]:
    """Return entries, and behind each what is kept together with it."""
    if viewer.link_id is not None:
        return entries
    main, parts = aliased(Media), dict[str, list[Entry]]()
    for start in range(0, len(entries), AT_ONCE):
        ids = [entry.media_id for entry in entries[start : start + AT_ONCE]]
        kept = _takeable_parts(viewer).join(main, main.id == Media.part_of_id).where(main.public_id.in_(ids))
        for row in db.session.execute(kept.add_columns(main.public_id).order_by(Media.id)):
            parts.setdefault(row[-1], []).append(Entry(*row[:-1]))
    # Chosen together with its picture it is there already.
    there = {entry.media_id for entry in entries}
    found = []
    for entry in entries:
        found.append(entry)
        beside = (part for part in parts.get(entry.media_id, ()) if part.media_id not in there)
        found += [part._replace(folders=entry.folders) for part in beside]
    return found


def _inside(viewer: Viewer, album_id: int, order: str, folders: tuple[Folder, ...], most: int) -> list[Entry]:
    held = _takeable(viewer).join(AlbumMedia, AlbumMedia.media_id == Media.id).where(AlbumMedia.album_id == album_id)
    place, name, newest = AlbumMedia.position, AlbumMedia.media_id, order == Order.NEWEST
    found: list[Entry] = []
    cursor = None
    while True:
        page = cursors.in_order(held, place, name, limit=AT_ONCE, cursor=cursor, descending=newest)
        found += _with_parts(viewer, [Entry(*row)._replace(folders=folders) for row in page.items])
        if len(found) > most:
            raise TooMany(viewer)
        cursor = page.next_cursor
        if cursor is None:
            return found


def _below(permit: Permit[AlbumFacts]) -> Iterator[tuple[Album, tuple[Folder, ...]]]:
    """Walk the albums below one as far as a viewer sees them, each with the folders that lead to it."""
    level: dict[int | None, tuple[Folder, ...]] = {permit.row.id: ()}
    while level:
        under = visible(permit.viewer, Action.VIEW, Album).where(Album.parent_id.in_(list(level)))
        above, level = level, {}
        for album in db.session.scalars(under.order_by(Album.title, Album.id)).all():
            level[album.id] = (*above[album.parent_id], Folder(album.public_id, album.title))
            yield album, level[album.id]
