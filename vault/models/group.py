"""Groups of people, so that an album is shared with a choir in one deed. Floor 1."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import User
from vault.signing import new_public_id


class Group(Base):
    """People under one name. Without an owner it is the whole vault's, and administrators keep it."""

    __tablename__ = "person_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey(User.id), index=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class GroupMember(Base):
    """One person in one group."""

    __tablename__ = "group_member"

    group_id: Mapped[int] = mapped_column(ForeignKey(Group.id, ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    added_at: Mapped[datetime] = mapped_column(default=utcnow)

    __table_args__ = (Index(None, user_id, group_id), {"sqlite_with_rowid": False})
