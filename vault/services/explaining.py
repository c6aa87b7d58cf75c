"""Who can see it, and why: the sentences behind the rule, and the overview of all access for administrators.

Floor 3. Nothing here decides: it lists the same rows that the rule reads, and a test holds the two against each other.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from vault.db import db, utcnow
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.media import Album, AlbumFacts, AlbumMedia, AlbumReach, Media, MediaFacts
from vault.models.sharing import Grant, Link, Role
from vault.policy import NOBODY, Action, Permit, Viewer, may
from vault.signing import digest

MOST_ROWS = 200


@dataclass(frozen=True)
class Access:
    """One way in which somebody can see an album or a picture.

    `album` is where the grant or link stands; None for the owner, and for an album that is closed to who asks. `user`
    is None for a link.
    """

    user: User | None
    link: Link | None
    role: Role
    reason: str
    album: Album | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class GrantLine:
    """A grant as administrators see it: names, no pictures."""

    grant: Grant
    album: Album
    person: User
    granted_by: str


def of_album(permit: Permit[AlbumFacts]) -> list[Access]:
    """Say who can see an album, through its owner, a grant or a link, on it or above it. The permit is for EXPLAIN."""
    album = db.session.get_one(Album, permit.row.id)
    owner = db.session.get_one(User, album.owner_id)
    first = Access(owner, None, Role.OWNER, "Owner of the album", None, album.created_at, None)
    ways = [first, *_grants(permit.viewer, [album.id]), *_links(permit.viewer, [album.id])]
    return [way for way in ways if may(_holder(way), Action.VIEW, Album, album.public_id)]


def of_media(permit: Permit[MediaFacts]) -> list[Access]:
    """Say who can see a picture, through which grant or link. The permit is for EXPLAIN."""
    media = db.session.get_one(Media, permit.row.id)
    owner = db.session.get_one(User, media.owner_id)
    held = sa.select(Album).join(AlbumMedia, AlbumMedia.album_id == Album.id).where(AlbumMedia.media_id == media.id)
    albums = list(db.session.scalars(held))
    ways = [Access(owner, None, Role.OWNER, "Owner of the picture", None, media.uploaded_at, None)]
    for album in albums:
        keeper = db.session.get_one(User, album.owner_id)
        if keeper.id != owner.id:
            where, known = _named(permit.viewer, album)
            reason = f"Owner of {where}, where the picture lies"
            ways.append(Access(keeper, None, Role.MANAGER, reason, known, album.created_at, None))
    ids = [album.id for album in albums]
    ways += [*_grants(permit.viewer, ids), *_links(permit.viewer, ids)]
    return [way for way in ways if may(_holder(way), Action.VIEW, Media, media.public_id)]


def _holder(way: Access) -> Viewer:
    """Return the viewer that a line speaks of: what the rule does not open to him is no way in, and is not listed."""
    if way.link is not None:
        return Viewer(link_id=way.link.public_id, generation=way.link.generation)
    return Viewer(user_id=way.user.id) if way.user else NOBODY


def page_of_media(permit: Permit[MediaFacts], *, limit: int, cursor: str | None = None) -> Page[Access]:
    """Return a page of the same, the newest first. The permit is for EXPLAIN."""
    return cursors.newest_of(of_media(permit), _key, limit=limit, cursor=cursor)


def grants_of_album(permit: Permit[AlbumFacts], *, limit: int, cursor: str | None = None) -> Page[GrantLine]:
    """Return a page of the live grants that stand on an album, the newest first. The permit is for MANAGE."""
    lines = _grant_lines().where(Grant.album_id == permit.row.id)
    found = cursors.newest_first(lines, Grant.created_at, User.public_id, limit=limit, cursor=cursor)
    return Page([GrantLine(*row) for row in found.items], found.next_cursor)


def grant_line(grant: Grant) -> GrantLine:
    """Return one grant as lists show it."""
    one = _grant_lines().where(Grant.album_id == grant.album_id, Grant.user_id == grant.user_id)
    return GrantLine(*db.session.execute(one).one())


def all_grants(*, text: str = "") -> list[GrantLine]:
    """Return live grants of the whole vault, the newest first, narrowed by a name, address or title.

    One more than MOST_ROWS says that there are others.
    """
    lines = _grant_lines().where(_contains(text, Album.title, User.name, User.email))
    rows = db.session.execute(lines.order_by(Grant.created_at.desc()).limit(MOST_ROWS + 1)).all()
    return [GrantLine(*row) for row in rows]


def all_links(*, text: str = "") -> sa.Select[Link]:
    """Return the selection of all links that are not revoked, narrowed by label, title or creator.

    One more than MOST_ROWS says that there are others.
    """
    creator, album = aliased(User), aliased(Album)
    named = _contains(text, Link.label, album.title, creator.name, creator.email)
    live = sa.select(Link).join(album, album.id == Link.album_id).join(creator, creator.id == Link.creator_id)
    return live.where(Link.revoked_at.is_(None), named).limit(MOST_ROWS + 1)


def _key(line: Access) -> tuple[datetime, str]:
    """Return what tells a line from all others: when it began, and a digest of who, how and where."""
    who = line.user.public_id if line.user else line.link.public_id if line.link else ""
    where = line.album.public_id if line.album else ""
    return line.since, digest(f"{who} {where} {line.reason}")[:22]


def _grant_lines() -> sa.Select[Grant, Album, User, str]:
    giver = aliased(User)
    lines = (
        sa.select(Grant, Album, User, giver.name)
        .join(Album, Album.id == Grant.album_id)
        .join(User, User.id == Grant.user_id)
        .join(giver, giver.id == Grant.granted_by_id)
    )
    return lines.where(_unended(Grant))


def _grants(asking: Viewer, album_ids: list[int]) -> list[Access]:
    giver, source = aliased(User), aliased(Album)
    rows = db.session.execute(
        sa.select(Grant, User, source, giver.name, Album)
        .join(AlbumReach, AlbumReach.source_id == Grant.album_id)
        .join(Album, Album.id == AlbumReach.album_id)
        .join(source, source.id == Grant.album_id)
        .join(User, User.id == Grant.user_id)
        .join(giver, giver.id == Grant.granted_by_id)
        .where(AlbumReach.album_id.in_(album_ids), _unended(Grant))
        .order_by(User.name, AlbumReach.distance)
    ).all()
    return [_granted(asking, *row) for row in rows]


def _granted(asking: Viewer, grant: Grant, person: User, source: Album, by: str, album: Album) -> Access:  # noqa: PLR0917  # a row of the statement above
    role = Role(grant.role)
    giver = "the owner" if grant.granted_by_id == source.owner_id else by
    where, known = _named(asking, source)
    reason = f"granted {role.label} by {giver} on {where}"
    if known and source.id != album.id:
        reason += f", which {album.title} inherits from"
    return Access(person, None, role, reason, known, grant.created_at, grant.expires_at)


def _links(asking: Viewer, album_ids: list[int]) -> list[Access]:
    rows = db.session.execute(
        sa.select(Link, Album, User.name)
        .join(AlbumReach, AlbumReach.source_id == Link.album_id)
        .join(Album, Album.id == Link.album_id)
        .join(User, User.id == Link.creator_id)
        .where(AlbumReach.album_id.in_(album_ids), Link.revoked_at.is_(None), _unended(Link))
        .order_by(Link.created_at)
        .distinct()
    ).all()
    return [_linked(asking, link, album, name) for link, album, name in rows]


def _linked(asking: Viewer, link: Link, album: Album, name: str) -> Access:
    where, known = _named(asking, album)
    label = f"the link “{link.label}”" if known else "a link"
    reason = f"anybody with {label} that {name} made to {where}"
    return Access(None, link, Role(link.role), reason, known, link.created_at, link.expires_at)


def _named(asking: Viewer, album: Album) -> tuple[str, Album | None]:
    """Return how to speak of an album to somebody: one above that is closed to him has no title and no address."""
    if may(asking, Action.VIEW, Album, album.public_id):
        return f"the album {album.title}", album
    return "an album that you do not see", None


def _unended(row: type[Grant] | type[Link]) -> sa.ColumnElement[bool]:
    return sa.or_(row.expires_at.is_(None), row.expires_at > utcnow())


def _contains(text: str, *columns: Any) -> sa.ColumnElement[bool]:
    wanted = text.strip().replace("\0", "")
    return sa.or_(*(column.icontains(wanted, autoescape=True) for column in columns)) if wanted else sa.true()
