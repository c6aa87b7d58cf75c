"""Groups of people: who keeps them, who is in them, and who may read which names.

Floor 3. A group without an owner is the whole vault's: administrators keep it, and everybody may share own albums with
it. Whoever joins sees what was given to the group, so nobody who keeps the vault's groups puts himself into one, and
the owners of what a newcomer comes to see are told in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from vault import audit
from vault.db import Busy, db, transaction, utcnow
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.group import Group, GroupMember
from vault.models.history import Notice
from vault.models.media import Album, AlbumFacts, AlbumReach
from vault.models.sharing import GroupGrant
from vault.policy import PUBLIC_ID, Denied, Permit
from vault.services import Conflict, Refused

LONGEST_NAME = 100
NOBODY_THERE = "Nobody with this e-mail address has an account here. An administrator can invite them."
MEMBER_ADDED = "group.member_added"


@dataclass(frozen=True)
class Asker:
    """Who asks: a person, and whether he came as an administrator (with a token, one that may do that)."""

    user_id: int
    administers: bool = False


@dataclass(frozen=True)
class Line:
    """A group as lists show it to somebody. `owner_name` is empty for a group of the whole vault."""

    group: Group
    owner: User | None
    member_count: int
    is_member: bool
    is_kept: bool
    """Whether who asks may change it."""

    @property
    def shows_members(self) -> bool:
        """Whether who asks may read the names: those of a private group are its owner's business."""
        return self.is_kept or (self.is_member and self.owner is None)


@dataclass(frozen=True)
class Member:
    """Somebody in a group."""

    person: User
    added_at: datetime


def known(asker: Asker) -> list[Line]:
    """Return the groups somebody knows of, by name: the vault's, his own, and those he is in."""
    rows = db.session.execute(_lines(asker).order_by(Group.name, Group.id))
    return [_line(asker, *row) for row in rows]


def of_the_vault(asker: Asker) -> list[Line]:
    """Return the groups that belong to nobody, by name."""
    return [line for line in known(asker) if line.owner is None]


def page(asker: Asker, *, limit: int, cursor: str | None = None) -> Page[Line]:
    """Return a page of the groups somebody knows of, the newest first."""
    found = cursors.newest_first(_lines(asker), Group.created_at, Group.public_id, limit=limit, cursor=cursor)
    return Page([_line(asker, *row) for row in found.items], found.next_cursor)


def get(asker: Asker, group_id: str) -> Line:
    """Return one group. Raises Denied for one that he does not know of."""
    named = _lines(asker).where(Group.public_id == group_id)
    row = db.session.execute(named).one_or_none() if PUBLIC_ID.fullmatch(group_id) else None
    if row is None:
        raise Denied
    return _line(asker, *row)


def members(asker: Asker, group_id: str, *, limit: int, cursor: str | None = None) -> Page[Member]:
    """Return a page of a group's members, the latest first. Raises Denied for who may not read their names."""
    line = get(asker, group_id)
    if not line.shows_members:
        raise Denied
    inside = sa.select(User, GroupMember.added_at).join(GroupMember, GroupMember.user_id == User.id)
    inside = inside.where(GroupMember.group_id == line.group.id)
    found = cursors.newest_first(inside, GroupMember.added_at, User.public_id, limit=limit, cursor=cursor)
    return Page([Member(*row) for row in found.items], found.next_cursor)


def between(permit: Permit[AlbumFacts]) -> list[Group]:
    """Return the groups through which whoever looks came into an album: he leaves it by leaving them."""
    reached = sa.select(GroupGrant.group_id).join(AlbumReach, AlbumReach.source_id == GroupGrant.album_id)
    live = reached.where(AlbumReach.album_id == permit.row.id, _unended())
    among = sa.select(Group).join(GroupMember, GroupMember.group_id == Group.id)
    his = among.where(GroupMember.user_id == permit.viewer.user_id, Group.id.in_(live))
    return list(db.session.scalars(his.order_by(Group.name, Group.id)))


def create(asker: Asker, *, name: str, is_vaults: bool = False) -> Line:
    """Make a group: one's own or, as an administrator, one of the whole vault. Raises Denied, Refused, Conflict."""
    with transaction() as session:
        if not _is_enabled(session, asker) or (is_vaults and not _administers(session, asker)):
            raise Denied
        owner_id = None if is_vaults else asker.user_id
        group = Group(owner_id=owner_id, name=_name(session, name, owner_id))
        session.add(group)
        session.flush()
        _record(session, asker, "group.create", group, name=group.name, vaults=is_vaults)
        made = group.public_id
    return get(asker, made)


def rename(asker: Asker, group_id: str, *, name: str) -> Line:
    """Give a group another name. Raises Denied, Refused, Conflict."""
    with transaction() as session:
        group = _kept(session, asker, group_id)
        before, group.name = group.name, _name(session, name, group.owner_id, but=group.id)
        _record(session, asker, "group.rename", group, before=before, name=group.name)
    return get(asker, group_id)


def delete(asker: Asker, group_id: str) -> None:
    """Delete a group, and with it all that was given to it. Raises Denied, Busy."""
    with transaction() as session:
        group = _kept(session, asker, group_id)
        _hold_all_it_reaches(session, group)
        given = session.scalar(sa.select(sa.func.count()).where(GroupGrant.group_id == group.id))
        _record(session, asker, "group.delete", group, name=group.name, albums=given)
        session.execute(sa.delete(Group).where(Group.id == group.id))


def add(asker: Asker, group_id: str, user_id: str) -> Member:
    """Put somebody into a group; who is in it already stays. Raises Denied, Refused for oneself."""
    if not PUBLIC_ID.fullmatch(user_id):
        raise Denied
    with transaction() as session:
        group = _kept(session, asker, group_id)
        person = session.scalar(sa.select(User).where(User.public_id == user_id, User.disabled_at.is_(None)))
        if person is None:
            raise Denied
        if person.id == asker.user_id:
            raise Refused("Nobody who keeps a group can put himself into it.")
        # Whoever gives the group something at this moment waits, so that no owner is left untold.
        _hold(session, group)
        row = session.get(GroupMember, (group.id, person.id))
        if row is None:
            row = GroupMember(group_id=group.id, user_id=person.id)
            session.add(row)
            session.flush()
            if group.owner_id is None:
                _tell_owners(session, asker, group, person)
            _record(session, asker, MEMBER_ADDED, group, name=group.name, person=person.email)
        return Member(person, row.added_at)


def add_by_email(asker: Asker, group_id: str, *, email: str) -> Member:
    """Put the person with this e-mail address into a group. Raises Refused when there is nobody, and as `add`."""
    if not get(asker, group_id).is_kept:
        raise Denied
    found = sa.select(User.public_id).where(User.email == email.strip().lower()[:254].replace("\0", ""))
    user_id = db.session.scalar(found.where(User.disabled_at.is_(None)))
    if user_id is None:
        raise Refused(NOBODY_THERE)
    return add(asker, group_id, user_id)


def remove(asker: Asker, group_id: str, user_id: str) -> bool:
    """Take somebody out of a group; False when he is not in it. Raises Denied, Busy."""
    with transaction() as session:
        group = _kept(session, asker, group_id)
        return _take_out(session, asker, group, user_id, "group.member_removed")


def leave(asker: Asker, group_id: str) -> bool:
    """Leave a group; False when one is not in it. Raises Busy."""
    with transaction() as session:
        group = _named(session, group_id)
        own = session.scalar(sa.select(User.public_id).where(User.id == asker.user_id))
        return group is not None and _take_out(session, asker, group, own or "", "group.left")


def _take_out(session: Session, asker: Asker, group: Group, user_id: str, action: str) -> bool:
    _hold_all_it_reaches(session, group)
    if not PUBLIC_ID.fullmatch(user_id):
        return False
    person = session.scalar(sa.select(User).where(User.public_id == user_id))
    row = session.get(GroupMember, (group.id, person.id)) if person else None
    if row is None or person is None:
        return False
    session.delete(row)
    _record(session, asker, action, group, name=group.name, person=person.email)
    return True


def _hold(session: Session, group: Group) -> None:
    session.execute(sa.select(Group.id).where(Group.id == group.id).with_for_update(key_share=True))


def _hold_all_it_reaches(session: Session, group: Group) -> None:
    """Take the trees in which a group may do something, and the group, before somebody loses what it gave him.

    What a member gives away at this moment on PostgreSQL would outlive his right, as in `membership.hold_tree`. Trees
    come before the group, as for whoever gives something to it. Raises Busy when it was given another tree meanwhile.
    """
    owners = sa.select(Album.owner_id).join(GroupGrant, GroupGrant.album_id == Album.id)
    owners = owners.where(GroupGrant.group_id == group.id)
    trees = sa.select(User.id).where(User.id.in_(owners)).order_by(User.id)
    held = set(session.scalars(trees.with_for_update(key_share=True)))
    _hold(session, group)
    if not held.issuperset(session.scalars(trees)):
        raise Busy


def _tell_owners(session: Session, asker: Asker, group: Group, person: User) -> None:
    """Leave a notice for everybody whose albums the newcomer sees from now on."""
    counted = sa.select(Album.owner_id, sa.func.count(Album.id.distinct()))
    reached = counted.join(AlbumReach, AlbumReach.album_id == Album.id)
    seen = reached.join(GroupGrant, GroupGrant.album_id == AlbumReach.source_id)
    others = (GroupGrant.group_id == group.id, _unended(), Album.owner_id.not_in((asker.user_id, person.id)))
    live = seen.where(*others).group_by(Album.owner_id)
    by = session.get_one(User, asker.user_id)
    newcomer = person.name or "somebody who was invited"
    said: dict[str, Any] = {"group": group.name, "person": newcomer, "by": by.name}
    for owner_id, albums in session.execute(live).all():
        session.add(Notice(user_id=owner_id, kind=MEMBER_ADDED, detail=said | {"albums": albums}))


def _lines(asker: Asker) -> sa.Select[Group, User, int, int]:
    owner = aliased(User)
    inside = sa.select(sa.func.count()).select_from(GroupMember).where(GroupMember.group_id == Group.id)
    everybody = inside.correlate(Group).scalar_subquery()
    oneself = inside.where(GroupMember.user_id == asker.user_id).correlate(Group).scalar_subquery()
    lines = sa.select(Group, owner, everybody, oneself).outerjoin(owner, owner.id == Group.owner_id)
    return lines.where(sa.or_(Group.owner_id.is_(None), Group.owner_id == asker.user_id, oneself > 0))


def _line(asker: Asker, group: Group, owner: User | None, count: int, mine: int) -> Line:
    is_kept = asker.administers if owner is None else owner.id == asker.user_id
    return Line(group, owner, count, bool(mine), is_kept)


def _named(session: Session, group_id: str) -> Group | None:
    named = sa.select(Group).where(Group.public_id == group_id)
    return session.scalar(named) if PUBLIC_ID.fullmatch(group_id) else None


def _kept(session: Session, asker: Asker, group_id: str) -> Group:
    """Return a group that who asks may change, asked inside the transaction. Raises Denied."""
    group = _named(session, group_id)
    if group is None or not _is_enabled(session, asker):
        raise Denied
    if not (_administers(session, asker) if group.owner_id is None else group.owner_id == asker.user_id):
        raise Denied
    return group


def _is_enabled(session: Session, asker: Asker) -> bool:
    present = sa.select(User.id).where(User.id == asker.user_id, User.disabled_at.is_(None))
    return session.scalar(present) is not None


def _administers(session: Session, asker: Asker) -> bool:
    return asker.administers and bool(session.scalar(sa.select(User.is_admin).where(User.id == asker.user_id)))


def _name(session: Session, text: str, owner_id: int | None, *, but: int = 0) -> str:
    name = "".join(character for character in text if character.isprintable()).strip()[:LONGEST_NAME]
    if not name:
        raise Refused("A group needs a name.")
    theirs = Group.owner_id.is_(None) if owner_id is None else Group.owner_id == owner_id
    if session.scalar(sa.select(Group.id).where(theirs, Group.name == name, Group.id != but)) is not None:
        raise Conflict("There is a group with this name already.")
    return name


def _unended() -> sa.ColumnElement[bool]:
    return sa.or_(GroupGrant.expires_at.is_(None), GroupGrant.expires_at > utcnow())


def _record(session: Session, asker: Asker, action: str, group: Group, **detail: Any) -> None:
    audit.record(session, action, actor_id=asker.user_id, subject=group.public_id, **detail)
