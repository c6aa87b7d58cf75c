"""Files on their way in: uploads that come in pieces and may be resumed. Floor 1."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from vault.db import Base, utcnow
from vault.models.account import SHA256_HEX, User
from vault.models.history import Visit
from vault.models.media import Album, Media
from vault.signing import new_public_id


class Purpose(StrEnum):
    """What becomes of an upload once all of it is here."""

    MEDIA = "media"
    ARCHIVE = "archive"


class Upload(Base):
    """A file that comes in pieces.

    `size_bytes` is how long it will be, `received_bytes` how much of it is durable. `owner_id` is whose room it
    fills, which is not who brings it when that is the visitor of a link (`visit_id`). `sha256` is what the sender says
    of the whole file, empty when it says nothing. `told` is what came beside the bytes. Once it is complete, `media_id`
    is what became of it, or `failure` why nothing did; the row then answers until `expires_at`.
    """

    __tablename__ = "upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey(User.id), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey(Visit.id, ondelete="CASCADE"), index=True)
    album_id: Mapped[int | None] = mapped_column(ForeignKey(Album.id, ondelete="SET NULL"), index=True)
    purpose: Mapped[Purpose] = mapped_column(String(8), default=Purpose.MEDIA)
    file_name: Mapped[str] = mapped_column(Text)
    guest_name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    received_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(SHA256_HEX, default="")
    told: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    finished_at: Mapped[datetime | None]
    media_id: Mapped[int | None] = mapped_column(ForeignKey(Media.id, ondelete="SET NULL"), index=True)
    is_duplicate: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[str | None] = mapped_column(String(300))
