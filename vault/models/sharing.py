"""Who was given what: roles, grants to people, links for anybody who holds one. Floor 1."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import User
from vault.models.group import Group
from vault.models.media import Album, Media
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


class LinkRole(IntEnum):
    """What a link may give: steps of the ladder, and one below it that only adds."""

    DROP = 5
    """Adds pictures and sees nothing. No step of the ladder: it has no right of a viewer."""
    VIEWER = Role.VIEWER
    DOWNLOADER = Role.DOWNLOADER
    CONTRIBUTOR = Role.CONTRIBUTOR

    @property
    def label(self) -> str:
        """The name in the API and on pages."""
        return self.name.lower()

    @classmethod
    def from_label(cls, label: str) -> "LinkRole":
        """Return the role of a name. Raises KeyError for an unknown one."""
        return cls[label.upper()] if label.islower() else cls[""]


ADDING = (LinkRole.DROP, LinkRole.CONTRIBUTOR)
# What the key is for that signs the addresses of links.
LINK_PURPOSE = "link"


class Scope(StrEnum):
    """What a link covers."""

    TREE = "tree"
    """An album with those below that inherit from it."""
    ALBUM = "album"
    """An album without those below."""
    SELECTION = "selection"
    """Pictures picked by hand; with `album_id`, as long as they lie in that album."""


class MetadataRule(StrEnum):
    """What of a file's own words leaves with it."""

    KEEP = "keep"
    STRIP_LOCATION = "location"
    STRIP_ALL = "all"


class Grant(Base):
    """One person's role on one album and, through `album_reach`, on those below.

    `reason` is empty but for an administrator who had to look and said why.
    """

    __tablename__ = "album_grant"

    album_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    role: Mapped[int] = mapped_column(SmallInteger)
    granted_by_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))

    __table_args__ = (Index(None, user_id, album_id),)


class GroupGrant(Base):
    """The role of everybody in a group on one album and, through `album_reach`, on those below."""

    __tablename__ = "album_group_grant"

    album_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey(Group.id, ondelete="CASCADE"), primary_key=True)
    role: Mapped[int] = mapped_column(SmallInteger)
    granted_by_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime | None]

    __table_args__ = (Index(None, group_id, album_id),)


class Link(Base):
    """A signed address, made for one recipient, that opens an album or some pictures to whoever holds it.

    `generation` grows when the address is made anew. `long_edge_px` bounds whatever leaves, in pixels; None leaves the
    original's size. `download_count` counts downloads that a visitor began, each once a visit.
    """

    __tablename__ = "link"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    scope: Mapped[str] = mapped_column(String(9), default=Scope.TREE, server_default=Scope.TREE)
    album_id: Mapped[int | None] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), index=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    label: Mapped[str] = mapped_column(String(200))
    role: Mapped[int] = mapped_column(SmallInteger)
    generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    starts_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    password_hash: Mapped[str | None] = mapped_column(String(200))
    max_visits: Mapped[int | None]
    visit_count: Mapped[int] = mapped_column(default=0, server_default="0")
    max_downloads: Mapped[int | None]
    download_count: Mapped[int] = mapped_column(default=0, server_default="0")
    max_uploads: Mapped[int | None]
    upload_count: Mapped[int] = mapped_column(default=0, server_default="0")
    needs_acceptance: Mapped[bool] = mapped_column(default=True, server_default="1")

    metadata_rule: Mapped[str] = mapped_column(
        String(8), default=MetadataRule.STRIP_LOCATION, server_default=MetadataRule.STRIP_LOCATION
    )
    long_edge_px: Mapped[int | None]
    watermark: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    neutral_names: Mapped[bool] = mapped_column(default=True, server_default="1")


class LinkMedia(Base):
    """A picture that was picked for a link by hand."""

    __tablename__ = "link_media"

    link_id: Mapped[int] = mapped_column(ForeignKey(Link.id, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey(Media.id, ondelete="CASCADE"))

    __table_args__ = (
        Index("uq_link_media_media_id_link_id", media_id, link_id, unique=True),
        {"sqlite_with_rowid": False},
    )


class LinkFacts(NamedTuple):
    """What a request needs to know of a link."""

    id: int
    public_id: str
    album_id: int | None
    creator_id: int
    scope: str
    role: int
    label: str


class LinkTerms(NamedTuple):
    """What governs the bytes that leave by a link."""

    link_id: int
    link_public_id: str
    metadata_rule: str
    long_edge_px: int | None
    watermark: str
    neutral_names: bool
    max_downloads: int | None


class Makers(StrEnum):
    """Who may make links."""

    EVERYBODY = "everybody"
    ADMINISTRATORS = "administrators"
    NOBODY = "nobody"


class LinkPolicy(Base):
    """What the instance allows of links: one row, kept by administrators; without it everything is allowed."""

    __tablename__ = "link_policy"

    id: Mapped[int] = mapped_column(primary_key=True)
    makers: Mapped[str] = mapped_column(String(14), default=Makers.EVERYBODY)
    longest_days: Mapped[int | None]
    password_required: Mapped[bool] = mapped_column(default=False)
    originals_allowed: Mapped[bool] = mapped_column(default=True)
