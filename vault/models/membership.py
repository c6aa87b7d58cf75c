"""Keeps the places of pictures in albums, and what is counted of them, true.

Floor 1: rows only. It neither decides nor commits; services call it inside their transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from vault.models.account import User
from vault.models.media import Album, AlbumMedia, AlbumReach, Media, Order
from vault.models.sharing import LinkMedia

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = 1_000_000
# Room for 2**20 pictures between two neighbours before an album by hand is numbered anew.
STEP = 1 << 20
# How many albums can lie below each other.
DEEPEST = 20


def position_of(moment: datetime) -> int:
    """Return the place of a moment in an album sorted by time, in microseconds since 1970."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * MICROSECOND + since.microseconds


def hold(session: Session, media_id: int) -> Media | None:
    """Take a picture's row for the rest of the transaction and read it anew; None when it is gone.

    Whoever changes what is counted of a picture does this first: SQLite has one writer at a time, but on PostgreSQL two
    would both find it uncounted and both count it.
    """
    return session.get(Media, media_id, populate_existing=True, with_for_update=True)


def is_counted(media: Media) -> bool:
    """Whether its albums count a picture: it is neither in the trash nor in quarantine, and was accepted."""
    return media.trashed_at is None and media.quarantined_at is None and media.awaiting_since is None


def put(session: Session, album: Album, media: Media) -> bool:
    """Give a picture that is held its place in an album; False when it has one already.

    A part of another picture has no place of its own: that of the main one is meant.
    """
    if media.part_of_id is not None:
        media = hold(session, media.part_of_id) or media
    held = session.scalar(
        sa.select(AlbumMedia.media_id).where(AlbumMedia.media_id == media.id, AlbumMedia.album_id == album.id)
    )
    if held is not None:
        return False
    position = _end(session, album) if album.order == Order.MANUAL else position_of(media.shown_at)
    session.add(AlbumMedia(album_id=album.id, position=position, media_id=media.id))
    session.flush()
    if is_counted(media):
        _count(session, [album.id], 1)
    return True


def take_out(session: Session, album_id: int, media: Media) -> bool:
    """Take a picture out of an album; False when it is not in it."""
    gone = session.execute(
        sa.delete(AlbumMedia).where(AlbumMedia.media_id == media.id, AlbumMedia.album_id == album_id)
    ).rowcount  # type: ignore[attr-defined]  # a DELETE answers with a CursorResult
    if not gone:
        return False
    if is_counted(media):
        _count(session, [album_id], -1)
    session.execute(sa.update(Album).where(Album.id == album_id, Album.cover_id == media.id).values(cover_id=None))
    return True


def lie_alike(session: Session, one: Media, other: Media) -> bool:
    """Whether two pictures lie in exactly the same albums and were picked by hand for exactly the same links."""
    pairs = ((AlbumMedia.album_id, AlbumMedia.media_id), (LinkMedia.link_id, LinkMedia.media_id))
    lies = (
        [set(session.scalars(sa.select(place).where(held == each.id))) for each in (one, other)]
        for place, held in pairs
    )
    return all(here == there for here, there in lies)


def leave_to(session: Session, media: Media, main: Media) -> None:
    """Take a picture that is held out of all its albums and links by hand, for one that lies wherever it does.

    The other one is the cover where it was.
    """
    for album_id in sorted(_albums_of(session, media.id)):
        cover = sa.update(Album).where(Album.id == album_id, Album.cover_id == media.id)
        session.execute(cover.values(cover_id=main.id))
        take_out(session, album_id, media)
    session.execute(sa.delete(LinkMedia).where(LinkMedia.media_id == media.id))


def follow(session: Session, media: Media, leader: Media) -> None:
    """Put a picture that is held, and is no part, wherever another one lies: into its albums and links by hand.

    By hand it comes right behind the other one in albums, and last in links.
    """
    albums = sa.select(Album).join(AlbumMedia, AlbumMedia.album_id == Album.id)
    for album in session.scalars(albums.where(AlbumMedia.media_id == leader.id).order_by(Album.id)).all():
        if put(session, album, media) and album.order == Order.MANUAL:
            move_after(session, album.id, media.id, leader.id)
    last = aliased(LinkMedia)
    behind = sa.select(sa.func.max(last.position) + 1).where(last.link_id == LinkMedia.link_id).scalar_subquery()
    there = sa.select(last.link_id).where(last.media_id == media.id)
    picked = sa.select(LinkMedia.link_id, behind, sa.literal(media.id)).where(LinkMedia.media_id == leader.id)
    further = picked.where(LinkMedia.link_id.not_in(there))
    session.execute(sa.insert(LinkMedia).from_select(["link_id", "position", "media_id"], further))


def hide(session: Session, media_id: int) -> None:
    """Count a picture that goes to the trash or into quarantine out of its albums. Its places wait for it."""
    _count(session, _albums_of(session, media_id), -1)


def show(session: Session, media_id: int) -> None:
    """Count a picture that comes back from there into its albums again."""
    _count(session, _albums_of(session, media_id), 1)


def redate(session: Session, media: Media) -> None:
    """Move a picture whose date changed to its new place in every album that is sorted by time."""
    by_time = sa.select(Album.id).where(Album.order != Order.MANUAL)
    session.execute(
        sa.update(AlbumMedia)
        .where(AlbumMedia.media_id == media.id, AlbumMedia.album_id.in_(by_time))
        .values(position=position_of(media.shown_at))
    )


def reorder(session: Session, album: Album, order: Order) -> None:
    """Sort an album anew. By hand begins with the order of before; by time forgets what was done by hand."""
    # A row that was read holds the plain text of its order, which equals the enum but is not the enum.
    before, album.order = album.order, order
    if order == before or Order.MANUAL not in (order, before):
        return
    held = sa.select(AlbumMedia.media_id, Media.shown_at).join(Media, Media.id == AlbumMedia.media_id)
    rows = session.execute(held.where(AlbumMedia.album_id == album.id).order_by(*sorting(before))).all()
    if order == Order.MANUAL:
        places = {media_id: number * STEP for number, (media_id, _) in enumerate(rows, 1)}
    else:
        places = {media_id: position_of(moment) for media_id, moment in rows}
    _number(session, album.id, places)


def move_after(session: Session, album_id: int, media_id: int, after_id: int | None) -> bool:
    """Put a picture of an album by hand behind another (or first); False when one of them is not in it.

    Takes the middle between the neighbours; only when none is left is the album numbered anew.
    """
    for _ in range(2):
        bounds = _gap(session, album_id, media_id, after_id)
        if bounds is None:
            return False
        low, high = bounds
        if high - low > 1:
            place = {media_id: (low + high) // 2}
            _number(session, album_id, place)
            return True
        rows = session.scalars(
            sa.select(AlbumMedia.media_id).where(AlbumMedia.album_id == album_id).order_by(*sorting(Order.MANUAL))
        ).all()
        _number(session, album_id, {held: number * STEP for number, held in enumerate(rows, 1)})
    return False


def sorting(order: Order) -> tuple[sa.ColumnExpressionArgument[int], ...]:
    """Return the columns by which an album's places are sorted; both run along the primary key."""
    if order == Order.NEWEST:
        return AlbumMedia.position.desc(), AlbumMedia.media_id.desc()
    return AlbumMedia.position, AlbumMedia.media_id


def set_reach(session: Session, album: Album) -> None:
    """Write anew what reaches an album and everything below it, after it was made, moved or told not to inherit."""
    pending = [album]
    while pending:
        current = pending.pop()
        session.execute(sa.delete(AlbumReach).where(AlbumReach.album_id == current.id))
        session.add(AlbumReach(album_id=current.id, source_id=current.id, distance=0))
        if current.parent_id is not None and current.inherits:
            above = aliased(AlbumReach)
            further = sa.select(sa.literal(current.id), above.source_id, above.distance + 1)
            session.execute(
                sa.insert(AlbumReach).from_select(
                    ["album_id", "source_id", "distance"], further.where(above.album_id == current.parent_id)
                )
            )
        session.flush()
        pending += session.scalars(sa.select(Album).where(Album.parent_id == current.id))


def hold_tree(session: Session, album_public_id: str, *, by: int | None = None) -> None:
    """Take the tree an album belongs to for the rest of the transaction, before anything is asked of it.

    SQLite has one writer at a time. On PostgreSQL a new album would copy the reach of one that stops inheriting at the
    same moment, and a grant under way would outlive the right of who gives it: whoever comes second must ask anew. The
    owner's row stands for the tree, because a tree has one owner.

    `by` is who gives or asks: his row is held too, so that he is not disabled between question and deed. Rows of people
    are always taken in the order of their ids, or two would wait for each other.
    """
    named = Album.public_id == album_public_id.replace("\0", "")
    owner = sa.select(Album.owner_id).where(named).scalar_subquery()
    hold_people(session, sa.or_(User.id == owner, User.id == by))


def hold_people(session: Session, *which: sa.ColumnElement[bool]) -> list[int]:
    """Take people's rows for the rest of the transaction, in the one order of all, and return their ids.

    They can still be referred to.
    """
    held = sa.select(User.id).where(*which).order_by(User.id).with_for_update(key_share=True)
    return list(session.scalars(held))


def depth(session: Session, album: Album) -> int:
    """Return how deep an album lies: 1 at the top."""
    found, above = 1, album.parent_id
    while above is not None and found <= DEEPEST:
        above = session.scalar(sa.select(Album.parent_id).where(Album.id == above))
        found += 1
    return found


def height(session: Session, album_id: int) -> int:
    """Return how many levels of albums there are from one downwards, with itself."""
    found = 0
    level: Sequence[int] = [album_id]
    while level:
        found += 1
        level = session.scalars(sa.select(Album.id).where(Album.parent_id.in_(level))).all()
    return found


def below(session: Session, album_id: int) -> list[int]:
    """Return the ids of all albums under one, the deepest last."""
    found: list[int] = []
    level: Sequence[int] = [album_id]
    while level:
        level = session.scalars(sa.select(Album.id).where(Album.parent_id.in_(level))).all()
        found += level
    return found


def _gap(session: Session, album_id: int, media_id: int, after_id: int | None) -> tuple[int, int] | None:
    places = sa.select(AlbumMedia.position).where(AlbumMedia.album_id == album_id)
    if session.scalar(places.where(AlbumMedia.media_id == media_id)) is None:
        return None
    low = 0
    if after_id is not None:
        found = session.scalar(places.where(AlbumMedia.media_id == after_id))
        if found is None:
            return None
        low = found
    others = places.where(AlbumMedia.media_id != media_id)
    if after_id is None:
        first = session.scalar(others.order_by(AlbumMedia.position).limit(1))
        return (first - 2 * STEP, first) if first is not None else (0, 2 * STEP)
    high = session.scalar(others.where(AlbumMedia.position > low).order_by(AlbumMedia.position).limit(1))
    return low, high if high is not None else low + 2 * STEP


def _number(session: Session, album_id: int, places: dict[int, int]) -> None:
    statement = (
        sa.update(AlbumMedia)
        .where(AlbumMedia.album_id == album_id, AlbumMedia.media_id == sa.bindparam("held"))
        .values(position=sa.bindparam("place"))
    )
    if places:
        session.connection().execute(statement, [{"held": held, "place": place} for held, place in places.items()])


def _end(session: Session, album: Album) -> int:
    last = session.scalar(sa.select(sa.func.max(AlbumMedia.position)).where(AlbumMedia.album_id == album.id))
    return (last or 0) + STEP


def _albums_of(session: Session, media_id: int) -> Sequence[int]:
    return session.scalars(sa.select(AlbumMedia.album_id).where(AlbumMedia.media_id == media_id)).all()


def _count(session: Session, album_ids: Iterable[int], change: int) -> None:
    counted = Album.id.in_(list(album_ids))
    # Always in one order, so that two who count the same albums cannot wait for each other.
    session.execute(sa.select(Album.id).where(counted).order_by(Album.id).with_for_update(key_share=True))
    session.execute(sa.update(Album).where(counted).values(media_count=Album.media_count + change))
