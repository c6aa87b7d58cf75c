"""Albums: making, describing, sorting and deleting them, and what lies in them.

Floor 3. A tree of albums has one owner: an album made below another belongs to the owner of that one.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from vault import audit
from vault.db import db, transaction
from vault.models import membership
from vault.models.account import User
from vault.models.media import Album, AlbumFacts, AlbumMedia, AlbumReach, Media, MediaFacts, Order, State
from vault.models.sharing import Grant
from vault.policy import Action, Denied, Permit, Viewer, authorize, may, visible
from vault.policy.lasting import granted_to, overstays
from vault.services import Refused, pair_up
from vault.terms import last_day


@dataclass(frozen=True)
class Card:
    """An album as lists show it: with its owner's name and a cover that the viewer may see."""

    album: Album
    owner_name: str
    cover: Media | None


def create(
    viewer: Viewer, *, title: str, parent_id: str | None = None, description: str = "", order: Order = Order.NEWEST
) -> Album:
    """Make an album, at the top or below one that the viewer manages. Raises Denied, Refused."""
    if viewer.user_id is None:
        raise Denied
    with transaction() as session:
        owner_id, parent = viewer.user_id, None
        if parent_id is not None:
            membership.hold_tree(session, parent_id, by=viewer.user_id)
            parent = session.get_one(Album, authorize(viewer, Action.MANAGE, Album, parent_id).row.id)
            owner_id = parent.owner_id
            if membership.depth(session, parent) >= membership.DEEPEST:
                raise Refused(f"Albums can lie {membership.DEEPEST} deep, and this one would lie deeper.")
        above = parent.id if parent else None
        album = Album(
            owner_id=owner_id, parent_id=above, title=_title(title), description=_description(description), order=order
        )
        session.add(album)
        session.flush()
        membership.set_reach(session, album)
        audit.record(session, "album.create", actor_id=viewer.user_id, subject=album.public_id, title=album.title)
        return album


@dataclass(frozen=True)
class Changes:
    """What may be changed of an album; None leaves it as it is."""

    title: str | None = None
    description: str | None = None
    order: Order | None = None
    inherits: bool | None = None
    cover_id: str | None = None


def change(permit: Permit[AlbumFacts], changes: Changes) -> Album:
    """Change title, description, order, inheritance or cover. The permit is for MANAGE. Raises Denied, Refused."""
    with transaction() as session:
        membership.hold_tree(session, permit.row.public_id, by=permit.viewer.user_id)
        album = _again(session, permit, Action.MANAGE)
        if changes.title is not None:
            album.title = _title(changes.title)
        if changes.description is not None:
            album.description = _description(changes.description)
        if changes.order is not None:
            membership.reorder(session, album, changes.order)
        if changes.inherits is not None and changes.inherits != album.inherits:
            too_long = overstays(session, permit.viewer, permit.row, album.parent_id) if changes.inherits else None
            if too_long is not None:
                raise Refused(f"You manage this album until {last_day(too_long)}; what you give cannot last longer.")
            album.inherits = changes.inherits
            session.flush()
            membership.set_reach(session, album)
        if changes.cover_id is not None:
            _choose_cover(session, permit.viewer, album, changes.cover_id)
        said = {
            name: str(value) for name, value in vars(changes).items() if value is not None and name != "description"
        }
        audit.record(session, "album.change", actor_id=permit.viewer.user_id, subject=album.public_id, **said)
        return album


def delete(permit: Permit[AlbumFacts]) -> int:
    """Delete an album with all below it, their grants and links; return how many went. The pictures stay."""
    with transaction() as session:
        membership.hold_tree(session, permit.row.public_id, by=permit.viewer.user_id)
        album = _again(session, permit, Action.DELETE)
        going = [album.id, *membership.below(session, album.id)]
        for album_id in reversed(going):
            session.execute(sa.delete(Album).where(Album.id == album_id))
        audit.record(
            session,
            "album.delete",
            actor_id=permit.viewer.user_id,
            subject=album.public_id,
            title=album.title,
            albums=len(going),
        )
        return len(going)


def put(permit: Permit[AlbumFacts], media_id: str) -> bool:
    """Put one's own picture into an album; False when it lies in it already. The permit is for ADD. Raises Denied."""
    with transaction() as session:
        album = _again(session, permit, Action.ADD)
        media = _held(session, authorize(permit.viewer, Action.PLACE, Media, media_id))
        put_in = membership.put(session, album, media)
        if put_in:
            audit.record(session, "album.put", actor_id=permit.viewer.user_id, subject=album.public_id, media=media_id)
    if put_in:
        # What belongs to it may wait for it there.
        pair_up(media.id)
    return put_in


def take_out(viewer: Viewer, album_id: str, media_id: str) -> bool:
    """Take a picture out: its owner may, and an editor of the album; False when it is not in it. Raises Denied."""
    with transaction() as session:
        if may(viewer, Action.ARRANGE, Album, album_id):
            found = authorize(viewer, Action.VIEW, Media, media_id)
        else:
            # One's own picture comes out of any album, also of one that is closed to its owner by now.
            found = authorize(viewer, Action.PLACE, Media, media_id)
        album_row = session.scalar(sa.select(Album.id).where(Album.public_id == album_id.replace("\0", "")))
        taken = album_row is not None and membership.take_out(session, album_row, _held(session, found))
        if not taken and not may(viewer, Action.VIEW, Album, album_id):
            raise Denied
        if taken:
            audit.record(session, "album.take_out", actor_id=viewer.user_id, subject=album_id, media=media_id)
        return taken


def move(permit: Permit[AlbumFacts], media_id: str, *, after_id: str | None) -> None:
    """Put a picture behind another, or first, in an album sorted by hand.

    The permit is for ARRANGE. Raises Denied, Refused.
    """
    with transaction() as session:
        album = _again(session, permit, Action.ARRANGE)
        if album.order != Order.MANUAL:
            raise Refused("This album is sorted by date. Choose “by hand” in its settings first.")
        moved = authorize(permit.viewer, Action.VIEW, Media, media_id).row.id
        after = authorize(permit.viewer, Action.VIEW, Media, after_id).row.id if after_id else None
        if not membership.move_after(session, album.id, moved, after):
            raise Denied


def set_cover(permit: Permit[AlbumFacts], media_id: str) -> None:
    """Choose the picture on the album's card; it must lie in the album. The permit is for ARRANGE. Raises Denied."""
    with transaction() as session:
        album = _again(session, permit, Action.ARRANGE)
        _choose_cover(session, permit.viewer, album, media_id)


def get(permit: Permit[AlbumFacts]) -> Album:
    """Return the whole row of an album."""
    return db.session.get_one(Album, permit.row.id)


def owner_name(album: Album) -> str:
    """Return the name of an album's owner."""
    return db.session.get_one(User, album.owner_id).name


def own(viewer: Viewer) -> list[Card]:
    """Return the viewer's albums that lie at the top, the newest first."""
    top = visible(viewer, Action.VIEW, Album).where(Album.owner_id == viewer.user_id, Album.parent_id.is_(None))
    return cards(viewer, top.order_by(Album.created_at.desc(), Album.id.desc()))


def shared_with(viewer: Viewer) -> list[Card]:
    """Return the albums that others granted the viewer or a group he is in: those the grants stand on."""
    granted = Album.id.in_(granted_to(viewer.user_id))
    theirs = visible(viewer, Action.VIEW, Album).where(granted, Album.owner_id != viewer.user_id)
    return cards(viewer, theirs.order_by(Album.created_at.desc(), Album.id.desc()))


def children(viewer: Viewer, album_id: int) -> list[Card]:
    """Return the albums right below one that the viewer may see."""
    inside = visible(viewer, Action.VIEW, Album).where(Album.parent_id == album_id)
    return cards(viewer, inside.order_by(Album.title, Album.id))


def has_grant(permit: Permit[AlbumFacts]) -> bool:
    """Whether whoever looks was granted this very album himself, and so can leave it."""
    return db.session.get(Grant, (permit.row.id, permit.viewer.user_id)) is not None


def parent(viewer: Viewer, album: Album) -> Album | None:
    """Return the album above, if there is one and the viewer may see it."""
    if album.parent_id is None:
        return None
    return db.session.scalar(visible(viewer, Action.VIEW, Album).where(Album.id == album.parent_id))


def addable(viewer: Viewer) -> list[tuple[str, str]]:
    """Return id and title of every album the viewer may put pictures into, by title."""
    reached = sa.select(AlbumReach.album_id).where(AlbumReach.source_id.in_(granted_to(viewer.user_id)))
    mine_or_granted = sa.or_(Album.owner_id == viewer.user_id, Album.id.in_(reached))
    found = visible(viewer, Action.ADD, Album).where(mine_or_granted).order_by(Album.title, Album.id)
    return [(album.public_id, album.title) for album in db.session.scalars(found)]


def holding(viewer: Viewer, media: Permit[MediaFacts]) -> list[Album]:
    """Return the albums a picture lies in, as far as the viewer may see them."""
    holds = sa.select(AlbumMedia.album_id).where(AlbumMedia.media_id == media.row.id)
    return list(
        db.session.scalars(visible(viewer, Action.VIEW, Album).where(Album.id.in_(holds)).order_by(Album.title))
    )


def below_count(permit: Permit[AlbumFacts]) -> int:
    """Return how many albums would be deleted together with this one."""
    return len(membership.below(db.session(), permit.row.id))


def cards(viewer: Viewer, albums: sa.Select[Any]) -> list[Card]:
    """Return cards for a list of albums, in three queries however many they are."""
    rows = list(db.session.scalars(albums))
    owners = dict(
        db.session.execute(sa.select(User.id, User.name).where(User.id.in_({row.owner_id for row in rows}))).all()
    )
    covers = _covers(viewer, [row.id for row in rows])
    return [Card(row, owners.get(row.owner_id, ""), covers.get(row.id)) for row in rows]


def _covers(viewer: Viewer, album_ids: list[int]) -> dict[int, Media]:
    place, first = aliased(AlbumMedia), aliased(Media)
    accepted = (first.trashed_at.is_(None), first.awaiting_since.is_(None), first.state == State.READY)
    shown = (first.id == place.media_id, *accepted)
    inside = sa.select(first.id).select_from(place).join(first, sa.and_(*shown)).where(place.album_id == Album.id)
    newest = inside.order_by(place.position.desc(), place.media_id.desc()).limit(1).correlate(Album).scalar_subquery()
    chosen = inside.where(first.id == Album.cover_id).correlate(Album).scalar_subquery()
    found = db.session.execute(
        sa.select(Album.id, sa.func.coalesce(chosen, newest)).where(Album.id.in_(album_ids))
    ).all()
    wanted = {media_id for _, media_id in found if media_id is not None}
    may = visible(viewer, Action.VIEW, Media).where(Media.id.in_(wanted))
    seen = {media.id: media for media in db.session.scalars(may)}
    return {album_id: seen[media_id] for album_id, media_id in found if media_id in seen}


def _again(session: Session, permit: Permit[AlbumFacts], action: Action) -> Album:
    """Ask again inside the transaction, because the right may have ended since the request came in."""
    return session.get_one(Album, authorize(permit.viewer, action, Album, permit.row.public_id).row.id)


def _held(session: Session, permit: Permit[MediaFacts]) -> Media:
    media = membership.hold(session, permit.row.id)
    if media is None:
        raise Denied
    return media


def _choose_cover(session: Session, viewer: Viewer, album: Album, media_id: str) -> None:
    media = authorize(viewer, Action.VIEW, Media, media_id).row
    inside = sa.select(AlbumMedia.media_id).where(AlbumMedia.media_id == media.id, AlbumMedia.album_id == album.id)
    if session.scalar(inside) is None:
        raise Denied
    album.cover_id = media.id


def _description(text: str) -> str:
    return text.replace("\0", "").strip()


def _title(text: str) -> str:
    title = "".join(character for character in text if character.isprintable()).strip()[:200]
    if not title:
        raise Refused("An album needs a title.")
    return title
