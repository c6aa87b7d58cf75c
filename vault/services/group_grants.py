"""What was given to groups, as lists show it. Reads only.

Floor 3. Beside `explaining`, which says of every single person who can see something, and why.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from vault.db import db, utcnow
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.group import Group, GroupMember
from vault.models.media import Album, AlbumFacts, AlbumReach
from vault.models.sharing import GroupGrant
from vault.policy import Action, Permit, may

MOST_ROWS = 200


@dataclass(frozen=True)
class GroupLine:
    """A grant to a group: where it stands, by whom it was given, and how many people are in the group."""

    grant: GroupGrant
    group: Group
    album: Album
    granted_by: str
    member_count: int


def reaching(permit: Permit[AlbumFacts]) -> list[tuple[GroupLine, bool]]:
    """Return the live grants that reach an album, its own and those from above, by name of the group.

    The second value says whether who asks may see the album where the grant stands. The permit is for MANAGE.
    """
    above = sa.select(AlbumReach.source_id).where(AlbumReach.album_id == permit.row.id)
    lines = _lines().where(GroupGrant.album_id.in_(above)).order_by(Group.name, Group.id, Album.id)
    found = [GroupLine(*row) for row in db.session.execute(lines)]
    return [(line, may(permit.viewer, Action.VIEW, Album, line.album.public_id)) for line in found]


def page_of_album(permit: Permit[AlbumFacts], *, limit: int, cursor: str | None = None) -> Page[GroupLine]:
    """Return a page of the live grants that stand on an album, the newest first. The permit is for MANAGE."""
    lines = _lines().where(GroupGrant.album_id == permit.row.id)
    found = cursors.newest_first(lines, GroupGrant.created_at, Group.public_id, limit=limit, cursor=cursor)
    return Page([GroupLine(*row) for row in found.items], found.next_cursor)


def line(grant: GroupGrant) -> GroupLine:
    """Return one grant as lists show it."""
    one = _lines().where(GroupGrant.album_id == grant.album_id, GroupGrant.group_id == grant.group_id)
    return GroupLine(*db.session.execute(one).one())


def everywhere(*, text: str = "") -> list[GroupLine]:
    """Return live grants to groups of the whole vault, the newest first, narrowed by a name or title.

    One more than MOST_ROWS says that there are others.
    """
    wanted = text.strip().replace("\0", "")
    named = (Album.title.icontains(wanted, autoescape=True), Group.name.icontains(wanted, autoescape=True))
    lines = _lines().where(sa.or_(*named)) if wanted else _lines()
    rows = db.session.execute(lines.order_by(GroupGrant.created_at.desc()).limit(MOST_ROWS + 1))
    return [GroupLine(*row) for row in rows]


def _lines() -> sa.Select[GroupGrant, Group, Album, str, int]:
    giver = aliased(User)
    inside = sa.select(sa.func.count()).select_from(GroupMember).where(GroupMember.group_id == Group.id)
    lines = (
        sa.select(GroupGrant, Group, Album, giver.name, inside.correlate(Group).scalar_subquery())
        .join(Group, Group.id == GroupGrant.group_id)
        .join(Album, Album.id == GroupGrant.album_id)
        .join(giver, giver.id == GroupGrant.granted_by_id)
    )
    return lines.where(sa.or_(GroupGrant.expires_at.is_(None), GroupGrant.expires_at > utcnow()))
