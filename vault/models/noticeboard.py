"""Notices as rows: put up inside the deed that they tell of, and never without it. Floor 1."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import utcnow
from vault.models.account import User
from vault.models.group import GroupMember
from vault.models.history import Notice
from vault.models.media import Album, AlbumReach
from vault.models.sharing import Grant, GroupGrant

ACCOUNT_OPENED = "account.opened"


def tell(session: Session, user_id: int, kind: str, *, by: int | None, **detail: Any) -> None:
    """Put up a notice for somebody of what was done by another, or by the vault itself.

    Details are JSON values, never a secret.
    """
    name = session.scalar(sa.select(User.name).where(User.id == by))
    session.add(Notice(user_id=user_id, kind=kind, detail={"by": name, **detail}))


def tell_of_opening(session: Session, person: User, how: str, *, by: int | None) -> None:
    """Tell the owners of what an account can see that another opened it: "invitation", "password" or "enabled".

    Whoever did so can go in by it and look. One notice for an owner, however often it is done: the latest.
    """
    if by == person.id:
        return
    counted = _seen_of_others(person.id).where(Album.owner_id != (by or 0)).group_by(Album.owner_id).subquery()
    told = sa.select(User.name, User.public_id).where(User.id == by)
    name, by_id = session.execute(told).one_or_none() or (None, "")
    detail = {"person": person.name or "somebody who was invited", "person_id": person.public_id, "how": how}
    same = [
        Notice.detail[key].as_string() == value for key, value in (("person_id", person.public_id), ("by_id", by_id))
    ]
    owners = sa.select(counted.c.owner_id)
    unread = (Notice.kind == ACCOUNT_OPENED, Notice.dismissed_at.is_(None), Notice.user_id.in_(owners))
    session.execute(sa.delete(Notice).where(*unread, *same).execution_options(synchronize_session=False))
    for owner_id, albums in session.execute(sa.select(counted.c.owner_id, counted.c.albums)).all():
        said = detail | {"by": name, "by_id": by_id, "albums": albums}
        session.add(Notice(user_id=owner_id, kind=ACCOUNT_OPENED, detail=said))


def _seen_of_others(user_id: int) -> sa.Select[int, int]:
    """Count the albums that live grants, to somebody or to a group he is in, open of others."""
    own = sa.select(Grant.album_id).where(Grant.user_id == user_id, _unended(Grant))
    shared = sa.select(GroupGrant.album_id).join(GroupMember, GroupMember.group_id == GroupGrant.group_id)
    sources = own.union(shared.where(GroupMember.user_id == user_id, _unended(GroupGrant)))
    albums = sa.func.count(sa.distinct(AlbumReach.album_id)).label("albums")
    reached = sa.select(Album.owner_id, albums).join(AlbumReach, AlbumReach.album_id == Album.id)
    return reached.where(AlbumReach.source_id.in_(sources), Album.owner_id != user_id)


def _unended(row: type[Grant | GroupGrant]) -> sa.ColumnElement[bool]:
    return sa.or_(row.expires_at.is_(None), row.expires_at > utcnow())
