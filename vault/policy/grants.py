"""What people hold: albums of their own, and roles granted to them or to a group they are in. Floor 2.

Clauses of the decision, as conditions in SQL, and the words that all of its clauses are made of.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Exists, and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from vault.db import UtcDateTime, utcnow
from vault.models.account import User
from vault.models.group import GroupMember
from vault.models.media import Album, AlbumMedia, AlbumReach, Media
from vault.models.sharing import Grant, GroupGrant, Role

# The moment of the question, read when the statement runs.
NOW = bindparam("now", callable_=utcnow, type_=UtcDateTime)


def owns_or_holds_album(user_id: Any, role: Role) -> ColumnElement[bool]:
    """Whether a picture is somebody's own, or lies in an album on which he has a role."""
    own: ColumnElement[bool] = Media.owner_id == user_id
    if role is Role.OWNER:
        # The owner of an album is not the owner of what others put into it.
        return own
    place, album = aliased(AlbumMedia), aliased(Album)
    # A part lies where its picture lies. They were joined in the same places, so that this opened it to nobody new.
    lies = place.media_id == sa.func.coalesce(Media.part_of_id, Media.id)
    through = (lies, _stands_with_its_picture(), album.id == place.album_id, enabled(album.owner_id))
    # What a guest brought is seen by those who may accept it, until they do.
    shown = or_(accepted(), holds_album(album, user_id, Role.MANAGER))
    return or_(own, any_of(place, album, where=(*through, shown, holds_album(album, user_id, role))))


def _stands_with_its_picture() -> ColumnElement[bool]:
    """Whether a picture is no part, or one of a picture that is not in quarantine."""
    main = aliased(Media)
    damaged = any_of(main, where=(main.id == Media.part_of_id, main.quarantined_at.is_not(None)))
    return or_(Media.part_of_id.is_(None), ~damaged)


def holds_album(album: Any, user_id: Any, role: Role) -> ColumnElement[bool]:
    """Whether somebody owns an album, or has at least a role on it or on one that it inherits from."""
    own: ColumnElement[bool] = album.owner_id == user_id
    if role is Role.OWNER:
        return own
    reach, grant = aliased(AlbumReach), aliased(Grant)
    direct = any_of(reach, grant, where=(*_granted(reach, grant, album, user_id), grant.role >= int(role)))
    reach, shared, member = aliased(AlbumReach), aliased(GroupGrant), aliased(GroupMember)
    within = (*_granted_group(reach, shared, member, album, user_id), shared.role >= int(role))
    return or_(own, direct, any_of(reach, shared, member, where=within))


def best_role(user_id: Any) -> ColumnElement[int | None]:
    """Return a person's highest role on the album of the statement around it: owner, or that of the best live grant."""
    reach, grant = aliased(AlbumReach), aliased(Grant)
    direct = _highest(grant.role, reach, grant, where=_granted(reach, grant, Album, user_id))
    reach, shared, member = aliased(AlbumReach), aliased(GroupGrant), aliased(GroupMember)
    within = _granted_group(reach, shared, member, Album, user_id)
    grouped = _highest(shared.role, reach, shared, member, where=within)
    granted = sa.case((sa.func.coalesce(direct, 0) >= sa.func.coalesce(grouped, 0), direct), else_=grouped)
    highest = sa.case((Album.owner_id == user_id, int(Role.OWNER)), else_=granted)
    return sa.case((enabled(user_id), highest), else_=None)


def in_daylight() -> ColumnElement[bool]:
    """Whether a picture is neither in the trash nor in quarantine, and its owner not disabled."""
    return and_(Media.trashed_at.is_(None), Media.quarantined_at.is_(None), enabled(Media.owner_id))


def accepted() -> ColumnElement[bool]:
    """Whether a picture is the owner's own, or one that a guest brought and somebody let in."""
    return Media.awaiting_since.is_(None)


def enabled(user_id: Any) -> Exists:
    """Whether somebody may use the vault at all."""
    person = aliased(User)
    return any_of(person, where=(person.id == user_id, person.disabled_at.is_(None)))


def unended(row: Any) -> ColumnElement[bool]:
    """Whether the end of a grant or a link has not come."""
    return or_(row.expires_at.is_(None), row.expires_at > NOW)


def any_of(*tables: Any, where: tuple[ColumnElement[bool], ...]) -> Exists:
    """Return "there is one", over these tables and those of the statement around it."""
    # Whatever is not named here belongs to the statement around it; left to itself SQLAlchemy looks one level up only.
    return sa.exists(select(sa.literal(1)).select_from(*tables).where(*where).correlate_except(*tables))


def _granted(reach: Any, grant: Any, album: Any, user_id: Any) -> tuple[ColumnElement[bool], ...]:
    stands = (reach.album_id == album.id, grant.album_id == reach.source_id)
    return (*stands, grant.user_id == user_id, unended(grant))


def _granted_group(reach: Any, grant: Any, member: Any, album: Any, user_id: Any) -> tuple[ColumnElement[bool], ...]:
    stands = (reach.album_id == album.id, grant.album_id == reach.source_id)
    return (*stands, member.group_id == grant.group_id, member.user_id == user_id, unended(grant))


def _highest(role: Any, *tables: Any, where: tuple[ColumnElement[bool], ...]) -> Any:
    best = select(sa.func.max(role)).select_from(*tables).where(*where)
    return best.correlate_except(*tables).scalar_subquery()
