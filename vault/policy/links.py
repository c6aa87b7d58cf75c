"""What a link opens to its visitor: never more than its terms say and its creator may share himself, now. Floor 2.

Clauses of the decision, as conditions in SQL.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import aliased

from vault.models.history import Visit
from vault.models.media import Album, AlbumMedia, AlbumReach, Media
from vault.models.sharing import ADDING, Link, LinkMedia, Role, Scope
from vault.policy.grants import NOW, accepted, any_of, enabled, holds_album, in_daylight, unended
from vault.policy.words import Viewer


def opens_media(viewer: Viewer, role: Role) -> ColumnElement[bool]:
    """Whether a picture may be seen (or with DOWNLOADER, taken home) by a link."""
    if role > Role.DOWNLOADER:
        return sa.false()
    link, shared, reach = _held(viewer), aliased(Album), aliased(AlbumReach)
    place, picked = aliased(AlbumMedia), aliased(LinkMedia)
    lies = (place.media_id == Media.id, place.album_id == reach.album_id)
    in_album = any_of(shared, reach, place, where=(*_shares(link, shared), *_reaches(link, reach), *lies))
    by_hand = (picked.link_id == link.id, picked.media_id == Media.id, link.scope == Scope.SELECTION)
    selected = any_of(picked, where=(*by_hand, _shares_picked(link)))
    alive = (*lives(link, viewer), link.role >= int(role))
    # No part is an item for visitors, by no address of its own. The film of a live photo only plays as the moving
    # seconds of its picture, where that is opened; a RAW goes to no visitor at all.
    shown = and_(in_daylight(), accepted(), Media.part_of_id.is_(None))
    return and_(shown, _with(link, where=(*alive, or_(in_album, selected))))


def opens_album(viewer: Viewer, role: Role) -> ColumnElement[bool]:
    """Whether an album may be looked through by a link."""
    if role > Role.DOWNLOADER:
        return sa.false()
    link, shared, reach = _held(viewer), aliased(Album), aliased(AlbumReach)
    alive = (*lives(link, viewer), link.role >= int(role))
    inside = any_of(shared, reach, where=(*_shares(link, shared), *_reaches(link, reach), reach.album_id == Album.id))
    return _with(link, where=(*alive, inside))


def takes_more(viewer: Viewer) -> ColumnElement[bool]:
    """Whether pictures may be added to an album by a link: to the one it was made for, to none below."""
    link, shared = aliased(Link), aliased(Album)
    # One comparison for each: a list of them would be filled in by a layer that the byte path goes past.
    adds = (or_(*(link.role == int(role) for role in ADDING)), link.scope != Scope.SELECTION)
    return any_of(link, shared, where=(*lives(link, viewer), *adds, *_shares(link, shared), Album.id == shared.id))


def lets_in(viewer: Viewer, role: Role | None) -> ColumnElement[bool]:
    """Whether a link lets its visitor in at all; with a role, whether it gives that much."""
    shared = aliased(Album)
    stands = or_(
        and_(Link.album_id.is_(None), Link.scope == Scope.SELECTION),
        any_of(shared, where=_shares(Link, shared)),
    )
    enough = () if role is None else (Link.role >= int(role),)
    return and_(*lives(Link, viewer), *enough, stands)


def brought_by(viewer: Viewer) -> ColumnElement[bool]:
    """Whether a picture was brought in this very visit, which is not over."""
    if viewer.visit_id is None:
        return sa.false()
    link, visit, shared = aliased(Link), aliased(Visit), aliased(Album)
    his = (visit.id == viewer.visit_id, visit.link_id == link.id, visit.public_id == Media.origin)
    return any_of(
        link, visit, shared, where=(*lives(link, viewer), *_shares(link, shared), *his, Media.trashed_at.is_(None))
    )


def _held(viewer: Viewer) -> Any:
    """Return the link of a viewer: that of the statement around, where he is named by it, or one to look up."""
    return Link if viewer.link_id is Link.public_id else aliased(Link)


def _with(link: Any, *, where: tuple[ColumnElement[bool], ...]) -> ColumnElement[bool]:
    return and_(*where) if link is Link else any_of(link, where=where)


def lives(link: Any, viewer: Viewer) -> tuple[ColumnElement[bool], ...]:
    """Return what must hold of a link for whoever holds it, whatever it opens."""
    started = or_(link.starts_at.is_(None), link.starts_at <= NOW)
    alive = (link.revoked_at.is_(None), link.paused_at.is_(None), started, unended(link), enabled(link.creator_id))
    named = (link.public_id == viewer.link_id, link.generation == viewer.generation)
    return (*named, *alive, *_stays(link, viewer))


def _stays(link: Any, viewer: Viewer) -> tuple[ColumnElement[bool], ...]:
    """Return what must hold of a visit; a link may be asked about without one, as who manages it does."""
    if viewer.visit_id is None:
        return ()
    # Of a real visitor the statement around has the row already.
    visit = Visit if viewer.visit_id is Visit.id else aliased(Visit)
    own = (visit.id == viewer.visit_id, visit.link_id == link.id, visit.generation == link.generation)
    going_on = (*own, visit.ended_at.is_(None), visit.expires_at > NOW)
    return going_on if visit is Visit else (any_of(visit, where=going_on),)


def _shares(link: Any, shared: Any) -> tuple[ColumnElement[bool], ...]:
    """Return what must hold for a link's creator to share its album now."""
    return (
        shared.id == link.album_id,
        enabled(shared.owner_id),
        holds_album(shared, link.creator_id, Role.MANAGER),
    )


def _reaches(link: Any, reach: Any) -> tuple[ColumnElement[bool], ...]:
    tree, alone = link.scope == Scope.TREE, and_(link.scope == Scope.ALBUM, reach.distance == 0)
    return reach.source_id == link.album_id, or_(tree, alone)


def _shares_picked(link: Any) -> ColumnElement[bool]:
    """Whether a link's creator may share a picture he picked: his own, or one in the album that he picked it from."""
    shared, place = aliased(Album), aliased(AlbumMedia)
    own = and_(link.album_id.is_(None), Media.owner_id == link.creator_id)
    lies = (place.album_id == shared.id, place.media_id == Media.id)
    return or_(own, any_of(shared, place, where=(*_shares(link, shared), *lies)))
