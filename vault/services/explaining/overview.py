"""All grants and links as lists of rows: those on one album, and those of the whole vault for administrators.

Floor 3. Names, no pictures; reads only.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from vault.db import db, utcnow
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Grant, Link
from vault.policy import Permit

MOST_ROWS = 200


@dataclass(frozen=True)
class GrantLine:
    """A grant as administrators see it: names, no pictures."""

    grant: Grant
    album: Album
    person: User
    granted_by: str


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
    live = sa.select(Link).outerjoin(album, album.id == Link.album_id).join(creator, creator.id == Link.creator_id)
    return live.where(Link.revoked_at.is_(None), named).limit(MOST_ROWS + 1)


def _grant_lines() -> sa.Select[Grant, Album, User, str]:
    giver = aliased(User)
    lines = (
        sa.select(Grant, Album, User, giver.name)
        .join(Album, Album.id == Grant.album_id)
        .join(User, User.id == Grant.user_id)
        .join(giver, giver.id == Grant.granted_by_id)
    )
    return lines.where(sa.or_(Grant.expires_at.is_(None), Grant.expires_at > utcnow()))


def _contains(text: str, *columns: Any) -> sa.ColumnElement[bool]:
    wanted = text.strip().replace("\0", "")
    return sa.or_(*(column.icontains(wanted, autoescape=True) for column in columns)) if wanted else sa.true()
