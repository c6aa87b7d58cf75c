"""The rows by which somebody may come to see an album or a picture: owners, grants, groups, links.

Floor 3. It collects candidates and decides nothing; what of them is really a way in, the rule says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from vault.db import db, utcnow
from vault.models.account import User
from vault.models.group import Group
from vault.models.media import Album, AlbumMedia, AlbumReach, Media
from vault.models.sharing import Grant, GroupGrant, Link, LinkMedia, Role, Scope


class Kind(StrEnum):
    """Through what somebody sees it."""

    OWNER = "owner"
    KEEPER = "album_owner"
    """Owns an album that somebody else's picture lies in."""
    GRANT = "grant"
    BREAK_GLASS = "break_glass"
    """An administrator who had to look, and said why."""
    GROUP = "group"
    LINK = "link"


@dataclass
class Way:
    """One row that may let somebody in. `source` is where it stands, `through` the albums that it reaches."""

    kind: Kind
    role: Role
    since: datetime
    until: datetime | None = None
    user: User | None = None
    group: Group | None = None
    link: Link | None = None
    giver: str = ""
    giver_id: int = 0
    source: Album | None = None
    through: list[Album] = field(default_factory=list)
    why: str = ""


def to_album(album: Album) -> list[Way]:
    """Return the ways that may lead into an album."""
    owner = db.session.get_one(User, album.owner_id)
    first = Way(Kind.OWNER, Role.OWNER, album.created_at, user=owner)
    return [first, *_grants([album.id]), *_groups([album.id]), *_links([album.id])]


def to_media(media: Media) -> list[Way]:
    """Return the ways that may lead to a picture. What a guest brought waits for those who may accept it."""
    keeper = aliased(User)
    held = sa.select(Album, keeper).join(AlbumMedia, AlbumMedia.album_id == Album.id)
    lies = held.join(keeper, keeper.id == Album.owner_id).where(AlbumMedia.media_id == media.id)
    rows = db.session.execute(lies.where(keeper.disabled_at.is_(None)).order_by(Album.title, Album.id)).all()
    owner = db.session.get_one(User, media.owner_id)
    found = [Way(Kind.OWNER, Role.OWNER, media.uploaded_at, user=owner)]
    found += [
        Way(Kind.KEEPER, Role.MANAGER, album.created_at, user=person, source=album, through=[album])
        for album, person in rows
        if person.id != owner.id
    ]
    ids = [album.id for album, _ in rows]
    found += [*_grants(ids), *_groups(ids)]
    if media.awaiting_since is not None:
        return [way for way in found if way.role >= Role.MANAGER]
    return [*found, *_links(ids), *_picked(media)]


def _grants(album_ids: Sequence[int]) -> list[Way]:
    giver, source = aliased(User), aliased(Album)
    rows = db.session.execute(
        _reaching(sa.select(Grant, User, source, giver, Album), Grant, source, giver, album_ids)
        .join(User, User.id == Grant.user_id)
        .order_by(User.name, User.id, AlbumReach.distance)
    ).all()
    return _merged(
        (("grant", grant.album_id, person.id), _granted(grant, person, *rest)) for grant, person, *rest in rows
    )


def _granted(grant: Grant, person: User, source: Album, giver: User, album: Album) -> Way:
    kind = Kind.BREAK_GLASS if grant.reason else Kind.GRANT
    way = _given(kind, grant, source, giver, album)
    way.user, way.why = person, grant.reason
    return way


def _groups(album_ids: Sequence[int]) -> list[Way]:
    giver, source = aliased(User), aliased(Album)
    rows = db.session.execute(
        _reaching(sa.select(GroupGrant, Group, source, giver, Album), GroupGrant, source, giver, album_ids)
        .join(Group, Group.id == GroupGrant.group_id)
        .order_by(Group.name, Group.id, AlbumReach.distance)
    ).all()
    return _merged((("group", grant.album_id, group.id), _shared(grant, group, *rest)) for grant, group, *rest in rows)


def _shared(grant: GroupGrant, group: Group, source: Album, giver: User, album: Album) -> Way:
    way = _given(Kind.GROUP, grant, source, giver, album)
    way.group = group
    return way


def _reaching(rows: Any, grant: Any, source: Any, giver: Any, album_ids: Sequence[int]) -> Any:
    return (
        rows.select_from(grant)
        .join(AlbumReach, AlbumReach.source_id == grant.album_id)
        .join(Album, Album.id == AlbumReach.album_id)
        .join(source, source.id == grant.album_id)
        .join(giver, giver.id == grant.granted_by_id)
        .where(AlbumReach.album_id.in_(album_ids), _unended(grant))
    )


def _given(kind: Kind, grant: Grant | GroupGrant, source: Album, giver: User, album: Album) -> Way:
    way = Way(kind, Role(grant.role), grant.created_at, grant.expires_at, source=source, through=[album])
    way.giver, way.giver_id = giver.name, giver.id
    return way


def _links(album_ids: Sequence[int]) -> list[Way]:
    source = aliased(Album)
    reaches = sa.or_(Link.scope == Scope.TREE, sa.and_(Link.scope == Scope.ALBUM, AlbumReach.distance == 0))
    rows = db.session.execute(
        sa.select(Link, User, source, Album)
        .join(AlbumReach, AlbumReach.source_id == Link.album_id)
        .join(Album, Album.id == AlbumReach.album_id)
        .join(source, source.id == Link.album_id)
        .join(User, User.id == Link.creator_id)
        .where(AlbumReach.album_id.in_(album_ids), reaches, Link.role >= int(Role.VIEWER))
        .where(Link.revoked_at.is_(None), _unended(Link))
        .order_by(Link.created_at, Link.id, AlbumReach.distance)
    ).all()
    return _merged((("link", link.id, 0), _linked(link, maker, source, album)) for link, maker, source, album in rows)


def _picked(media: Media) -> list[Way]:
    """Return the links for which a picture was picked by hand."""
    rows = db.session.execute(
        sa.select(Link, User, Album)
        .join(LinkMedia, LinkMedia.link_id == Link.id)
        .join(User, User.id == Link.creator_id)
        .outerjoin(Album, Album.id == Link.album_id)
        .where(LinkMedia.media_id == media.id, Link.scope == Scope.SELECTION)
        .where(Link.revoked_at.is_(None), _unended(Link))
        .order_by(Link.created_at, Link.id)
    ).all()
    return [_linked(link, maker, album, album) for link, maker, album in rows]


def _linked(link: Link, maker: User, source: Album | None, album: Album | None) -> Way:
    role, through = Role(link.role), [album] if album else []
    way = Way(Kind.LINK, role, link.created_at, link.expires_at, link=link, source=source, through=through)
    way.giver, way.giver_id = maker.name, maker.id
    return way


def _merged(found: Iterable[tuple[tuple[str, int, int], Way]]) -> list[Way]:
    """Return one way for each row, with all albums that it reaches; the rows come the nearest first."""
    ways: dict[tuple[str, int, int], Way] = {}
    for key, way in found:
        if key in ways:
            ways[key].through += way.through
        else:
            ways[key] = way
    return list(ways.values())


def _unended(row: Any) -> sa.ColumnElement[bool]:
    return sa.or_(row.expires_at.is_(None), row.expires_at > utcnow())
