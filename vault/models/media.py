"""Pictures, the albums they lie in, and the tree of albums.

Floor 1. An album's page reads `album_media` in key order, so a page costs the same anywhere in it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import SHA256_HEX, User
from vault.signing import new_public_id


class State(StrEnum):
    """Where a picture stands on its way to being shown."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Playback(StrEnum):
    """Where the copy of a video that browsers play stands; `NONE` for pictures."""

    NONE = ""
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Part(StrEnum):
    """What a file is to the picture that it is kept together with; `NONE` for an item of its own."""

    NONE = ""
    MOTION = "motion"
    RAW = "raw"


class Order(StrEnum):
    """How an album is sorted."""

    NEWEST = "newest"
    OLDEST = "oldest"
    MANUAL = "manual"


class Media(Base):
    """One picture or video of one person: the original's bytes, what was read from them, how far the work on it is.

    `width` and `height` are those of the upright picture. `shown_at` is what lists sort by: when it was taken or,
    where that is unknown, uploaded. `rendition` names the bytes of the present variants, for their ETag. `origin` is
    the public id of the visit by which a guest brought it, and empty for the owner's own uploads; `awaiting_since` is
    set until the owner has accepted what a guest brought. `caption_by_person` is False while the caption is what the
    file says of itself.

    `said` is what the file says of itself, as it was last read, `told` what came beside the bytes
    (`vault.imaging.claims.Told`), and `sources` names for each field where it was read from, or "person" for who wrote
    it here (`vault.describing`). `taken_offset_minutes` is the zone of `taken_at`, east of UTC, where that is known.
    `part_of_id` is set while the file is kept as a part of another picture of the same owner: the moving seconds of a
    live photo, the RAW of a pair. `content_id` is what the two halves of a live photo have in common. `checked_at` is
    when the stored bytes were last found equal to `sha256`; `wanted_at`, when somebody waited for a pending picture.
    `is_bulk` says that it came with the mass of an import, which waits behind what was brought by hand, and
    `failure_may_pass` that trying again may help.
    """

    __tablename__ = "media"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    sha256: Mapped[str] = mapped_column(SHA256_HEX)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(40))
    file_name: Mapped[str] = mapped_column(Text)
    blob_key: Mapped[str] = mapped_column(String(200), unique=True)
    caption: Mapped[str] = mapped_column(Text, default="")
    caption_by_person: Mapped[bool] = mapped_column(default=False, server_default="0")
    uploaded_at: Mapped[datetime] = mapped_column(default=utcnow)
    origin: Mapped[str] = mapped_column(String(22), default="", server_default=text("''"))
    guest_name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    awaiting_since: Mapped[datetime | None] = mapped_column(index=True)
    trashed_at: Mapped[datetime | None] = mapped_column(index=True)
    quarantined_at: Mapped[datetime | None]
    quarantine_reason: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    checked_at: Mapped[datetime | None]
    part_of_id: Mapped[int | None] = mapped_column(ForeignKey("media.id", ondelete="SET NULL"), index=True)
    part: Mapped[Part] = mapped_column(String(8), default=Part.NONE, server_default=text("''"))
    told: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default=text("'{}'"))
    said: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default=text("'{}'"))

    state: Mapped[State] = mapped_column(String(8), default=State.PENDING)
    failure: Mapped[str | None] = mapped_column(String(300))
    failure_may_pass: Mapped[bool] = mapped_column(default=False, server_default="0")
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None] = mapped_column()
    pipeline: Mapped[int] = mapped_column(default=0)
    rendition: Mapped[str] = mapped_column(String(32), default="")
    placeholder: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_bulk: Mapped[bool] = mapped_column(default=False, server_default="0")
    wanted_at: Mapped[datetime | None] = mapped_column()
    playback: Mapped[Playback] = mapped_column(String(8), default=Playback.NONE, server_default=text("''"))
    playback_failure: Mapped[str | None] = mapped_column(String(300))
    playback_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    playback_claimed_at: Mapped[datetime | None]

    width: Mapped[int | None]
    height: Mapped[int | None]
    duration_seconds: Mapped[float | None] = mapped_column(Float)
    taken_at: Mapped[datetime | None]
    taken_offset_minutes: Mapped[int | None] = mapped_column(SmallInteger)
    shown_at: Mapped[datetime] = mapped_column(default=utcnow)
    title: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    keywords: Mapped[list[str]] = mapped_column(JSON, default=list, server_default=text("'[]'"))
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    content_id: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    sources: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default=text("'{}'"))
    camera: Mapped[str] = mapped_column(String(200), default="")
    lens: Mapped[str] = mapped_column(String(200), default="")
    f_number: Mapped[float | None] = mapped_column(Float)
    exposure_seconds: Mapped[float | None] = mapped_column(Float)
    iso: Mapped[int | None]
    focal_length_mm: Mapped[float | None] = mapped_column(Float)
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    altitude_m: Mapped[float | None] = mapped_column(Float)

    __table_args__ = (
        # An owner's second copy of the same bytes is the first one. What guests bring is apart, visit by visit: nobody
        # may learn, by bringing a file, whether the owner has it already.
        Index("uq_media_owner_id_sha256_origin", owner_id, sha256, origin, unique=True),
        Index(None, owner_id, shown_at, id),
        # Whose turn it is is asked before each rendering: the first of each owner, whatever others have waiting.
        Index(None, state, owner_id, is_bulk, id),
        Index(None, playback, owner_id, is_bulk, id),
        # Of these few rows have any.
        Index(None, wanted_at, sqlite_where=wanted_at.is_not(None), postgresql_where=wanted_at.is_not(None)),
        Index(None, claimed_at, sqlite_where=claimed_at.is_not(None), postgresql_where=claimed_at.is_not(None)),
        Index(None, owner_id, content_id),
    )

    @property
    def is_video(self) -> bool:
        """Whether it is a film of its own, not a picture, however much that may move."""
        return self.media_type.startswith("video/")


class MediaFacts(NamedTuple):
    """What the byte path needs to know of a picture."""

    id: int
    public_id: str
    owner_id: int
    state: str
    blob_key: str
    media_type: str
    size_bytes: int
    sha256: str
    file_name: str
    pipeline: int
    rendition: str


class Variant(Base):
    """A file made from an original, to be made again at any time.

    `name` is "thumb" or "preview", both WebP; "video", what browsers play of a video; or "motion", the moving seconds
    that a picture carries in its own file. The latter two are MP4.
    """

    __tablename__ = "variant"

    media_id: Mapped[int] = mapped_column(ForeignKey(Media.id, ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    pipeline: Mapped[int]
    blob_key: Mapped[str] = mapped_column(String(250), unique=True)
    sha256: Mapped[str] = mapped_column(SHA256_HEX)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int]
    height: Mapped[int]


class Album(Base):
    """A titled, sorted set of pictures. A tree of albums has one owner.

    `media_count` counts the pictures that are not in the trash, kept so that no page has to count.
    """

    __tablename__ = "album"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("album.id"), index=True)
    inherits: Mapped[bool] = mapped_column(default=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    order: Mapped[Order] = mapped_column("sort_order", String(8), default=Order.NEWEST)
    cover_id: Mapped[int | None] = mapped_column(ForeignKey(Media.id, ondelete="SET NULL"), index=True)
    media_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class AlbumFacts(NamedTuple):
    """What a request needs to know of an album."""

    id: int
    public_id: str
    owner_id: int
    title: str
    order: str


class AlbumMedia(Base):
    """A picture's place in an album.

    `position` grows along the album: microseconds of `shown_at`, or a place by hand.
    """

    __tablename__ = "album_media"

    album_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey(Media.id, ondelete="CASCADE"), primary_key=True)
    added_at: Mapped[datetime] = mapped_column(default=utcnow)

    __table_args__ = (
        Index("uq_album_media_media_id_album_id", media_id, album_id, unique=True),
        {"sqlite_with_rowid": False},
    )


class AlbumReach(Base):
    """A grant or link on `source` counts for `album` too: itself, and what it inherits from.

    Kept by models.membership.
    """

    __tablename__ = "album_reach"

    album_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), primary_key=True)
    distance: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (Index(None, source_id, album_id), {"sqlite_with_rowid": False})
