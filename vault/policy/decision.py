"""The decision itself, as a condition in SQL. Floor 2.

One table for people and one `match` for visitors; the clauses they are made of are beside it: `grants` and `links`.
Nothing else in the vault says who may do what.
"""

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import aliased

from vault.models.media import Album, Media
from vault.models.sharing import Link, Role
from vault.policy import grants, links
from vault.policy.words import Action, Resource, Viewer

# How far up the ladder a person must stand. What is not written here is open to nobody.
NEEDED: dict[Resource, dict[Action, Role]] = {
    Media: {
        Action.VIEW: Role.VIEWER,
        Action.DOWNLOAD: Role.DOWNLOADER,
        Action.CAPTION: Role.EDITOR,
        Action.ACCEPT: Role.MANAGER,
        Action.EXPLAIN: Role.OWNER,
        Action.PLACE: Role.OWNER,
    },
    Album: {
        Action.VIEW: Role.VIEWER,
        Action.DOWNLOAD: Role.DOWNLOADER,
        Action.ADD: Role.CONTRIBUTOR,
        Action.ARRANGE: Role.EDITOR,
        Action.MANAGE: Role.MANAGER,
        Action.EXPLAIN: Role.MANAGER,
        Action.DELETE: Role.OWNER,
    },
    Link: {Action.VIEW: Role.VIEWER, Action.MANAGE: Role.MANAGER, Action.DELETE: Role.OWNER},
}


def rule(what: Resource, viewer: Viewer, action: Action) -> ColumnElement[bool]:
    """Return the condition under which a row may be acted on by a viewer: the decision itself.

    Trash, quarantine, a disabled owner or viewer, an ended grant, link or visit are part of it.
    """
    if viewer.is_nobody:
        return sa.false()
    if viewer.link_id is not None:
        return _by_link(what, viewer, action)
    if what is Media and action is Action.RESTORE:
        return _own_trash(viewer)
    if what is Media and action is Action.TRASH:
        return _own_here(viewer)
    if what is Media and action is Action.RECOVER:
        return _own_quarantine(viewer)
    role = NEEDED[what].get(action)
    if role is None:
        return sa.false()
    held = _holds(what, viewer, role)
    return and_(Media.awaiting_since.is_not(None), held) if action is Action.ACCEPT else held


def _by_link(what: Resource, viewer: Viewer, action: Action) -> ColumnElement[bool]:
    """Return what the visitor of a link may do: look, take home, add, and take back what he added in this visit."""
    match action:
        case Action.VISIT if what is Link:
            return links.lets_in(viewer, None)
        case Action.DOWNLOAD if what is Link:
            return links.lets_in(viewer, Role.DOWNLOADER)
        case Action.VIEW if what is Media:
            return links.opens_media(viewer, Role.VIEWER)
        case Action.VIEW if what is Album:
            return links.opens_album(viewer, Role.VIEWER)
        case Action.DOWNLOAD if what is Media:
            return links.opens_media(viewer, Role.DOWNLOADER)
        case Action.DOWNLOAD if what is Album:
            return links.opens_album(viewer, Role.DOWNLOADER)
        case Action.ADD if what is Album:
            return links.takes_more(viewer)
        case Action.WITHDRAW if what is Media:
            return links.brought_by(viewer)
        case _:
            return sa.false()


def _holds(what: Resource, viewer: Viewer, role: Role) -> ColumnElement[bool]:
    user_id = viewer.user_id
    if what is Media:
        return and_(grants.in_daylight(), grants.enabled(user_id), grants.owns_or_holds_album(user_id, role))
    if what is Album:
        here = (grants.enabled(Album.owner_id), grants.enabled(user_id))
        return and_(*here, grants.holds_album(Album, user_id, role))
    return and_(Link.revoked_at.is_(None), grants.enabled(user_id), _holds_link(viewer, role))


def _own_trash(viewer: Viewer) -> ColumnElement[bool]:
    own = Media.owner_id == viewer.user_id
    return and_(Media.trashed_at.is_not(None), own, grants.enabled(viewer.user_id))


def _own_here(viewer: Viewer) -> ColumnElement[bool]:
    """Also what is in quarantine: its owner must be able to get rid of it."""
    own = Media.owner_id == viewer.user_id
    return and_(Media.trashed_at.is_(None), own, grants.enabled(viewer.user_id))


def _own_quarantine(viewer: Viewer) -> ColumnElement[bool]:
    own = and_(Media.owner_id == viewer.user_id, Media.trashed_at.is_(None))
    return and_(Media.quarantined_at.is_not(None), own, grants.enabled(viewer.user_id))


def _holds_link(viewer: Viewer, role: Role) -> ColumnElement[bool]:
    """A link is managed by who manages its album, one without an album by its creator; he may always see and end it."""
    album, made = aliased(Album), Link.creator_id == viewer.user_id
    manages = grants.holds_album(album, viewer.user_id, Role.MANAGER)
    by_album = grants.any_of(album, where=(album.id == Link.album_id, grants.enabled(album.owner_id), manages))
    if role is Role.MANAGER:
        return or_(by_album, and_(Link.album_id.is_(None), made))
    return or_(made, by_album)
