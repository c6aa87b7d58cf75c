"""Albums as scripts list them: every one that a person may see, wherever it lies, with what he may do in it.

Floor 3. Reads only. A page costs a handful of statements, however long it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vault.db import db
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.media import Album, AlbumFacts, AlbumReach, Media
from vault.models.sharing import Role
from vault.policy import Action, Permit, Viewer, rule, visible
from vault.policy.grants import best_role
from vault.policy.lasting import granted_to


@dataclass(frozen=True)
class Entry:
    """An album with its owner and the viewer's role; parent and cover by public id, where the viewer may see them."""

    album: Album
    owner: User
    role: Role
    parent_id: str | None
    cover_id: str | None


def albums(viewer: Viewer, *, limit: int, cursor: str | None = None) -> Page[Entry]:
    """Return a page of the albums that the viewer owns or was granted, himself or in a group, the newest first."""
    reached = sa.select(AlbumReach.album_id).where(AlbumReach.source_id.in_(granted_to(viewer.user_id)))
    granted = Album.id.in_(reached)
    seen = visible(viewer, Action.VIEW, Album).where(sa.or_(Album.owner_id == viewer.user_id, granted))
    page = cursors.newest_first(seen, Album.created_at, Album.public_id, limit=limit, cursor=cursor)
    return Page(entries(viewer, [album for (album,) in page.items]), page.next_cursor)


def album(permit: Permit[AlbumFacts]) -> Entry:
    """Return one album as lists show it."""
    return entries(permit.viewer, [db.session.get_one(Album, permit.row.id)])[0]


def entries(viewer: Viewer, found: Sequence[Album]) -> list[Entry]:
    """Return albums that the viewer may see as lists show them."""
    people = sa.select(User).where(User.id.in_({row.owner_id for row in found}))
    owners = {person.id: person for person in db.session.scalars(people)}
    own_roles = sa.select(Album.id, best_role(viewer.user_id)).where(Album.id.in_([row.id for row in found]))
    roles = {album_id: role for album_id, role in db.session.execute(own_roles).all() if role is not None}
    above = {row.parent_id for row in found if row.parent_id is not None}
    parents = sa.select(Album.id, Album.public_id).where(Album.id.in_(above), rule(Album, viewer, Action.VIEW))
    parent_ids = {row.id: row.public_id for row in db.session.execute(parents)}
    chosen = {row.cover_id for row in found if row.cover_id is not None}
    covers = sa.select(Media.id, Media.public_id).where(Media.id.in_(chosen), rule(Media, viewer, Action.VIEW))
    cover_ids = {row.id: row.public_id for row in db.session.execute(covers)}
    return [
        Entry(
            row,
            owners[row.owner_id],
            Role(roles.get(row.id, Role.VIEWER)),
            parent_ids.get(row.parent_id or 0),
            cover_ids.get(row.cover_id or 0),
        )
        for row in found
    ]
