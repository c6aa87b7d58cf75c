"""Sharing with people: roles on albums for one person or for a group.

Floor 3. A revocation is true for every worker from the moment its transaction ends, because every byte asks the rows.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction, utcnow
from vault.models import membership
from vault.models.account import User
from vault.models.group import Group, GroupMember
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import GRANTABLE, Grant, GroupGrant, Role
from vault.policy import PUBLIC_ID, Action, Denied, Permit, Viewer, authorize, role_on
from vault.policy.lasting import manages_until
from vault.services import Refused
from vault.terms import last_day


def grant(permit: Permit[AlbumFacts], *, user_id: str, role: Role, expires_at: datetime | None) -> Grant:
    """Give a person a role on an album, or change it. The permit is for MANAGE.

    Raises Denied for an unknown person; Refused for the owner, oneself, a role beyond one's own, or an end in the past.
    """
    _check_end(expires_at)
    if role not in GRANTABLE:
        raise Refused("This role cannot be given.")
    with transaction() as session:
        album = _managed(session, permit)
        person = _person(session, user_id)
        if person is None or person.disabled_at is not None:
            raise Denied
        if person.id == album.owner_id:
            raise Refused("The owner has every right on the album already.")
        own = role_on(permit.viewer, album.id)
        if person.id == permit.viewer.user_id or own is None or role > own:
            raise Refused("You cannot change your own role, or give a higher one than yours.")
        _check_lasting(session, permit, expires_at)
        row = session.get(Grant, (album.id, person.id))
        if row is None:
            row = Grant(album_id=album.id, user_id=person.id, role=role, granted_by_id=permit.viewer.user_id)
            session.add(row)
        row.role, row.expires_at, row.granted_by_id = int(role), expires_at, permit.viewer.user_id
        row.reason = ""
        by, ends = permit.viewer.user_id, expires_at and expires_at.isoformat()
        terms: dict[str, Any] = {"person": person.email, "role": role.label, "ends": ends}
        audit.record(session, "grant.set", actor_id=by, subject=album.public_id, **terms)
        return row


def grant_by_email(permit: Permit[AlbumFacts], *, email: str, role: Role, expires_at: datetime | None) -> Grant:
    """Give a role to the person with this e-mail address. Raises Refused when there is nobody, and as `grant`."""
    found = sa.select(User.public_id).where(User.email == email.strip().lower()[:254].replace("\0", ""))
    user_id = db.session.scalar(found.where(User.disabled_at.is_(None)))
    if user_id is None:
        raise Refused("Nobody with this e-mail address has an account here. An administrator can invite them.")
    return grant(permit, user_id=user_id, role=role, expires_at=expires_at)


def revoke_grant(permit: Permit[AlbumFacts], user_id: str) -> bool:
    """Take a person's grant on an album away; False when there is none. The permit is for MANAGE. Raises Denied."""
    with transaction() as session:
        album = _managed(session, permit)
        return _revoke_grant(session, album, user_id, permit.viewer.user_id)


def grant_group(permit: Permit[AlbumFacts], *, group_id: str, role: Role, expires_at: datetime | None) -> GroupGrant:
    """Give everybody in a group a role on an album, or change it. The permit is for MANAGE.

    Raises Denied for a group that the giver may not share with; Refused for a role beyond his own, for a group that he
    is in himself unless the album is his, or a bad end.
    """
    _check_end(expires_at)
    if role not in GRANTABLE:
        raise Refused("This role cannot be given.")
    with transaction() as session:
        album = _managed(session, permit)
        group = _group(session, group_id, _open_to(permit.viewer, album.owner_id))
        if group is None:
            raise Denied
        by, own = permit.viewer.user_id, role_on(permit.viewer, album.id)
        if own is None or role > own:
            raise Refused("You cannot give a higher role than yours.")
        if album.owner_id != by and session.get(GroupMember, (group.id, by)) is not None:
            # What he was given himself could be taken away, and he would keep it through the group.
            raise Refused("You are in this group yourself; only the album's owner can share it with the group.")
        _check_lasting(session, permit, expires_at)
        ends = expires_at and expires_at.isoformat()
        row = session.get(GroupGrant, (album.id, group.id))
        if row is None:
            row = GroupGrant(album_id=album.id, group_id=group.id, role=role, granted_by_id=by)
            session.add(row)
        row.role, row.expires_at, row.granted_by_id = int(role), expires_at, by
        said: dict[str, Any] = {"group": group.name, "role": role.label, "ends": ends}
        audit.record(session, "grant.set", actor_id=by, subject=album.public_id, **said)
        return row


def revoke_group_grant(permit: Permit[AlbumFacts], group_id: str) -> bool:
    """Take a group's grant on an album away; False when there is none. The permit is for MANAGE. Raises Denied."""
    with transaction() as session:
        album = _managed(session, permit)
        return _revoke_group_grant(session, album, group_id, permit.viewer.user_id)


def revoke_group_grant_as_administrator(actor_id: int, album_id: str, group_id: str) -> bool:
    """Take a group's grant away as whoever runs the vault; False when there is none. Shows nothing of the album."""
    if not PUBLIC_ID.fullmatch(album_id):
        return False
    with transaction() as session:
        membership.hold_tree(session, album_id)
        album = session.scalar(sa.select(Album).where(Album.public_id == album_id))
        return album is not None and _revoke_group_grant(session, album, group_id, actor_id)


def groups_for(permit: Permit[AlbumFacts]) -> list[Group]:
    """Return the groups that an album may be shared with: one's own first. The permit is for MANAGE."""
    found = sa.select(Group).where(_open_to(permit.viewer, permit.row.owner_id))
    return list(db.session.scalars(found.order_by(Group.owner_id.is_(None), Group.name, Group.id)))


def leave(viewer: Viewer, album_id: str) -> bool:
    """Give up one's own grant on an album; False when there is none. Raises Denied."""
    with transaction() as session:
        album = session.get_one(Album, authorize(viewer, Action.VIEW, Album, album_id).row.id)
        mine = session.scalar(sa.select(User.public_id).where(User.id == viewer.user_id))
        return _revoke_grant(session, album, mine or "", viewer.user_id)


def revoke_grant_as_administrator(actor_id: int, album_id: str, user_id: str) -> bool:
    """Take a grant away as whoever runs the vault; False when there is none. Shows nothing of the album."""
    if not PUBLIC_ID.fullmatch(album_id):
        return False
    with transaction() as session:
        membership.hold_tree(session, album_id)
        album = session.scalar(sa.select(Album).where(Album.public_id == album_id))
        return album is not None and _revoke_grant(session, album, user_id, actor_id)


def _managed(session: Session, permit: Permit[AlbumFacts]) -> Album:
    """Ask again inside the transaction: the right may have ended since the request came in."""
    membership.hold_tree(session, permit.row.public_id, by=permit.viewer.user_id)
    return session.get_one(Album, authorize(permit.viewer, Action.MANAGE, Album, permit.row.public_id).row.id)


def _check_lasting(session: Session, permit: Permit[AlbumFacts], expires_at: datetime | None) -> None:
    """Refuse a grant that would outlive the giver's own right: through a friend it would lengthen his own."""
    longest = manages_until(session, permit.viewer, permit.row)
    if longest is not None and (expires_at is None or expires_at > longest):
        raise Refused(f"You manage this album until {last_day(longest)}; what you give cannot last longer.")


def _open_to(giver: Viewer, owner_id: int) -> sa.ColumnElement[bool]:
    """Return which groups something may be given to: the vault's, and by the album's owner his own."""
    own = Group.owner_id == owner_id if giver.user_id == owner_id else sa.false()
    return sa.or_(Group.owner_id.is_(None), own)


def _group(session: Session, group_id: str, *conditions: sa.ColumnElement[bool]) -> Group | None:
    """Return a group by public id and take its row: who joins it at this moment comes before or after."""
    if not PUBLIC_ID.fullmatch(group_id):
        return None
    named = sa.select(Group).where(Group.public_id == group_id, *conditions)
    return session.scalar(named.with_for_update(key_share=True, of=Group))


def _person(session: Session, user_id: str) -> User | None:
    """Return a person by public id; None for what is no id, which PostgreSQL would not even compare."""
    named = sa.select(User).where(User.public_id == user_id)
    return session.scalar(named) if PUBLIC_ID.fullmatch(user_id) else None


def _revoke_grant(session: Session, album: Album, user_id: str, actor_id: int) -> bool:
    person = _person(session, user_id)
    row = session.get(Grant, (album.id, person.id)) if person else None
    if row is None or person is None:
        return False
    session.delete(row)
    audit.record(session, "grant.revoke", actor_id=actor_id, subject=album.public_id, person=person.email)
    return True


def _revoke_group_grant(session: Session, album: Album, group_id: str, actor_id: int) -> bool:
    group = _group(session, group_id)
    row = session.get(GroupGrant, (album.id, group.id)) if group else None
    if row is None or group is None:
        return False
    session.delete(row)
    audit.record(session, "grant.revoke", actor_id=actor_id, subject=album.public_id, group=group.name)
    return True


def _check_end(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= utcnow():
        raise Refused("The end lies in the past.")
