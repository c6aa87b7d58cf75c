"""Who was given what: roles, grants to people, links for anybody who holds one. Floor 1."""

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import User
from vault.models.media import Album
from vault.signing import new_public_id


class Role(IntEnum):
    """The ladder: each role has all the rights of those below it, so that a grant is one comparison."""

    VIEWER = 10
    """Sees thumbs and previews."""
    DOWNLOADER = 20
    """Takes originals home."""
    CONTRIBUTOR = 30
    """Adds own pictures."""
    EDITOR = 40
    """Arranges, captions, takes out."""
    MANAGER = 50
    """Decides who else comes in: grants, links, settings."""
    OWNER = 60
    """Deletes. Never granted."""

    @property
    def label(self) -> str:
        """The name in the API and on pages."""
        return self.name.lower()

    @classmethod
    def from_label(cls, label: str) -> "Role":
        """Return the role of a name. Raises KeyError for an unknown one."""
        return cls[label.upper()] if label.islower() else cls[""]


GRANTABLE = tuple(role for role in Role if role is not Role.OWNER)
# What the key is for that signs the addresses of links.
LINK_PURPOSE = "link"
LINKABLE = (Role.VIEWER, Role.DOWNLOADER)


class Grant(Base):
    """One person's role on one album and, through `album_reach`, on those below."""

    __tablename__ = "album_grant"

    album_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    role: Mapped[int] = mapped_column(SmallInteger)
    granted_by_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime | None]

    __table_args__ = (Index(None, user_id, album_id),)


class Link(Base):
    """A signed address that opens one album to whoever holds it. `generation` grows when the address is made anew."""

    __tablename__ = "link"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    album_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), index=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    label: Mapped[str] = mapped_column(String(200))
    role: Mapped[int] = mapped_column(SmallInteger)
    generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LinkFacts(NamedTuple):
    """What a request needs to know of a link."""

    id: int
    public_id: str
    album_id: int
