"""The decision itself, as a condition in SQL. Floor 2.

One `match` over the actions, and the clauses that it is made of. Nothing else in the vault says who may do what.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Exists, and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from vault.db import UtcDateTime, utcnow
from vault.models.account import User
from vault.models.media import Album, AlbumMedia, AlbumReach, Media
from vault.models.sharing import Grant, Link, Role
from vault.policy.words import Action, Resource, Viewer

# The moment of the question, read when the statement runs.
NOW = bindparam("now", callable_=utcnow, type_=UtcDateTime)


def rule(what: Resource, viewer: Viewer, action: Action) -> ColumnElement[bool]:
    """Return the condition under which a row may be acted on by a viewer: the decision itself.

    Trash, quarantine, a disabled owner or viewer, an ended grant or link are part of it.
    """
    match action:
        case Action.VIEW:
            return _holds(what, viewer, Role.VIEWER)
        case Action.DOWNLOAD if what is not Link:
            return _holds(what, viewer, Role.DOWNLOADER)
        case Action.ADD if what is Album:
            return _holds(what, viewer, Role.CONTRIBUTOR)
        case Action.CAPTION if what is Media:
            return _holds(what, viewer, Role.EDITOR)
        case Action.ARRANGE if what is Album:
            return _holds(what, viewer, Role.EDITOR)
        case Action.MANAGE if what is not Media:
            return _holds(what, viewer, Role.MANAGER)
        case Action.EXPLAIN if what is not Link:
            return _holds(what, viewer, Role.MANAGER if what is Album else Role.OWNER)
        case Action.PLACE | Action.TRASH if what is Media:
            return _holds(what, viewer, Role.OWNER)
        case Action.RESTORE if what is Media:
            return _own_trash(viewer)
        case Action.DELETE if what is not Media:
            return _holds(what, viewer, Role.OWNER)
        case _:
            return sa.false()


def best_role(viewer: Viewer) -> ColumnElement[int | None]:
    """Return a person's highest role on the album of the statement around it: owner, or that of the best live grant."""
    reach, grant, live = _live_grants(Album, viewer.user_id)
    best = (
        select(sa.func.max(grant.role)).select_from(reach).join(grant, grant.album_id == reach.source_id).where(*live)
    )
    granted = best.correlate_except(reach, grant).scalar_subquery()
    highest = sa.case((Album.owner_id == viewer.user_id, int(Role.OWNER)), else_=granted)
    return sa.case((_enabled(viewer.user_id), highest), else_=None)


def _holds(what: Resource, viewer: Viewer, role: Role) -> ColumnElement[bool]:
    if viewer.is_nobody:
        return sa.false()
    if viewer.link_id is not None:
        return _opened_by_link(what, viewer, role)
    if what is Media:
        return and_(_in_daylight(), _enabled(viewer.user_id), _owns_or_holds_album(viewer, role))
    if what is Album:
        return and_(_enabled(Album.owner_id), _enabled(viewer.user_id), _holds_album(Album, viewer.user_id, role))
    return and_(Link.revoked_at.is_(None), _enabled(viewer.user_id), _holds_link(viewer, role))


def _in_daylight() -> ColumnElement[bool]:
    """Neither in the trash nor in quarantine, and its owner not disabled."""
    return and_(Media.trashed_at.is_(None), Media.quarantined_at.is_(None), _enabled(Media.owner_id))


def _own_trash(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.user_id is None:
        return sa.false()
    return and_(Media.trashed_at.is_not(None), Media.owner_id == viewer.user_id, _enabled(viewer.user_id))


def _owns_or_holds_album(viewer: Viewer, role: Role) -> ColumnElement[bool]:
    own: ColumnElement[bool] = Media.owner_id == viewer.user_id
    if role is Role.OWNER:
        # The owner of an album is not the owner of what others put into it.
        return own
    place, album = aliased(AlbumMedia), aliased(Album)
    through = (place.media_id == Media.id, album.id == place.album_id, _enabled(album.owner_id))
    return or_(own, _any(place, album, where=(*through, _holds_album(album, viewer.user_id, role))))


def _holds_album(album: Any, user_id: Any, role: Role) -> ColumnElement[bool]:
    own: ColumnElement[bool] = album.owner_id == user_id
    if role is Role.OWNER:
        return own
    reach, grant, live = _live_grants(album, user_id)
    return or_(own, _any(reach, grant, where=(*live, grant.album_id == reach.source_id, grant.role >= int(role))))


def _live_grants(album: Any, user_id: Any) -> tuple[Any, Any, tuple[ColumnElement[bool], ...]]:
    reach, grant = aliased(AlbumReach), aliased(Grant)
    unended = or_(grant.expires_at.is_(None), grant.expires_at > NOW)
    return reach, grant, (reach.album_id == album.id, grant.user_id == user_id, unended)


def _opened_by_link(what: Resource, viewer: Viewer, role: Role) -> ColumnElement[bool]:
    """What a link opens: at most downloading, and only while its creator may share the album himself."""
    if what is Link or role > Role.DOWNLOADER:
        return sa.false()
    link, shared, reach, place = aliased(Link), aliased(Album), aliased(AlbumReach), aliased(AlbumMedia)
    alive = (
        link.public_id == viewer.link_id,
        link.generation == viewer.generation,
        link.revoked_at.is_(None),
        or_(link.expires_at.is_(None), link.expires_at > NOW),
        link.role >= int(role),
        shared.id == link.album_id,
        _enabled(shared.owner_id),
        _enabled(link.creator_id),
        _holds_album(shared, link.creator_id, Role.MANAGER),
        reach.source_id == link.album_id,
    )
    if what is Album:
        return _any(link, shared, reach, where=(*alive, reach.album_id == Album.id))
    inside = (place.album_id == reach.album_id, place.media_id == Media.id)
    return and_(_in_daylight(), _any(link, shared, reach, place, where=(*alive, *inside)))


def _holds_link(viewer: Viewer, role: Role) -> ColumnElement[bool]:
    """A link is managed by who manages its album; its creator may always see and end it."""
    album = aliased(Album)
    manages = _holds_album(album, viewer.user_id, Role.MANAGER)
    by_album = _any(album, where=(album.id == Link.album_id, _enabled(album.owner_id), manages))
    return by_album if role is Role.MANAGER else or_(Link.creator_id == viewer.user_id, by_album)


def _enabled(user_id: Any) -> Exists:
    person = aliased(User)
    return _any(person, where=(person.id == user_id, person.disabled_at.is_(None)))


def _any(*tables: Any, where: tuple[ColumnElement[bool], ...]) -> Exists:
    # Whatever is not named here belongs to the statement around it; left to itself SQLAlchemy looks one level up only.
    return sa.exists(select(sa.literal(1)).select_from(*tables).where(*where).correlate_except(*tables))
