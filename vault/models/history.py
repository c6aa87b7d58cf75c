"""Who looked: visits by links, what was opened and taken home, and notices to owners. Floor 1.

These rows are history and may be forgotten after a while; a visit that lives is also what lets its visitor in.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import SHA256_HEX, User
from vault.models.media import Media
from vault.models.sharing import Link
from vault.signing import new_public_id


class Visit(Base):
    """One visitor's stay behind a link: made when he is let in, dead with its link or its `generation`.

    `address` is kept as short as the setting says. `guest_name` is what somebody who adds pictures calls himself.
    """

    __tablename__ = "visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    digest: Mapped[str] = mapped_column(SHA256_HEX, unique=True)
    link_id: Mapped[int] = mapped_column(ForeignKey(Link.id, ondelete="CASCADE"))
    generation: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    guest_name: Mapped[str] = mapped_column(String(100), default="")

    __table_args__ = (Index(None, link_id, opened_at), Index(None, opened_at))


class Download(Base):
    """One thing that one visitor takes home: a picture's public id, or "zip-" and a digest of what an archive holds.

    `pieces` are the stretches of bytes that went out so far, `from-to` with commas between; complete when they cover
    `size_bytes`.
    """

    __tablename__ = "visit_download"

    visit_id: Mapped[int] = mapped_column(ForeignKey(Visit.id, ondelete="CASCADE"), primary_key=True)
    thing: Mapped[str] = mapped_column(String(60), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(default=utcnow)
    completed_at: Mapped[datetime | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    pieces: Mapped[str] = mapped_column(Text, default="")


class VisitSight(Base):
    """What a visitor opened: a picture in one variant, from first to last."""

    __tablename__ = "visit_sight"

    visit_id: Mapped[int] = mapped_column(ForeignKey(Visit.id, ondelete="CASCADE"), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey(Media.id, ondelete="CASCADE"), primary_key=True)
    variant: Mapped[str] = mapped_column(String(16), primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column()
    times: Mapped[int]

    __table_args__ = (Index(None, media_id, last_at),)


class PersonSight(Base):
    """What somebody with an account opened of another's pictures."""

    __tablename__ = "person_sight"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey(Media.id, ondelete="CASCADE"), primary_key=True)
    variant: Mapped[str] = mapped_column(String(16), primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column()
    times: Mapped[int]

    __table_args__ = (Index(None, media_id, last_at),)


class Notice(Base):
    """Something a person must be told, shown until he puts it away."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    dismissed_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (Index(None, user_id, dismissed_at),)
