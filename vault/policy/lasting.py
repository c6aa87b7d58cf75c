"""How long rights last: what somebody gives must not outlive what he holds. Floor 2.

Reads the same rows as the decision, and decides nothing of it.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import utcnow
from vault.models.group import GroupMember
from vault.models.media import AlbumFacts, AlbumReach
from vault.models.sharing import Grant, GroupGrant, Link, Role
from vault.policy.words import Viewer


def granted_to(user_id: int | None) -> sa.CompoundSelect[int]:
    """Return the ids of albums on which somebody was granted a role, himself or through a group.

    Where to look, and not what he may: ended grants are among them.
    """
    own = sa.select(Grant.album_id).where(Grant.user_id == user_id)
    shared = sa.select(GroupGrant.album_id).join(GroupMember, GroupMember.group_id == GroupGrant.group_id)
    return own.union_all(shared.where(GroupMember.user_id == user_id))


def manages_until(session: Session, viewer: Viewer, album: AlbumFacts) -> datetime | None:
    """Return when the longest right ends by which somebody manages an album; None for one without an end."""
    if album.owner_id == viewer.user_id:
        return None
    own = sa.select(Grant.expires_at).join(AlbumReach, AlbumReach.source_id == Grant.album_id)
    manages = (AlbumReach.album_id == album.id, Grant.user_id == viewer.user_id, Grant.role >= int(Role.MANAGER))
    shared = sa.select(GroupGrant.expires_at).join(AlbumReach, AlbumReach.source_id == GroupGrant.album_id)
    within = shared.join(GroupMember, GroupMember.group_id == GroupGrant.group_id)
    together = (AlbumReach.album_id == album.id, GroupMember.user_id == viewer.user_id)
    ends = list(session.scalars(own.where(*manages)))
    ends += session.scalars(within.where(*together, GroupGrant.role >= int(Role.MANAGER)))
    return None if None in ends else max((end for end in ends if end is not None), default=utcnow())


def overstays(session: Session, viewer: Viewer, album: AlbumFacts, parent_id: int | None) -> datetime | None:
    """Return when somebody's right on an album ends, if what it would inherit from another lasts longer; else None.

    By the detour of a move, or of inheriting again, he would lengthen his own right.
    """
    end = manages_until(session, viewer, album)
    if end is None or parent_id is None:
        return None
    known = sa.select(AlbumReach.source_id).where(AlbumReach.album_id == album.id)
    above = sa.select(AlbumReach.source_id).where(AlbumReach.album_id == parent_id)
    added = above.where(AlbumReach.source_id.not_in(known))
    stand: tuple[sa.Select[int | None], ...] = (
        sa.select(Grant.album_id).where(Grant.album_id.in_(added), _after(Grant, end)),
        sa.select(GroupGrant.album_id).where(GroupGrant.album_id.in_(added), _after(GroupGrant, end)),
        sa.select(Link.album_id).where(Link.album_id.in_(added), Link.revoked_at.is_(None), _after(Link, end)),
    )
    return end if any(session.execute(each.limit(1)).first() is not None for each in stand) else None


def _after(row: type[Grant] | type[GroupGrant] | type[Link], end: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(row.expires_at.is_(None), row.expires_at > end)
