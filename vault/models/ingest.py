"""Files on their way in: uploads that come in pieces and may be resumed. Floor 1."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, text
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
    of the whole file, empty when it says nothing. `told` is what came beside the bytes, `said` the sender's own words
    when it began. Once it is complete, `media_id` (of an archive `import_id`) is what became of it, or `failure` why
    nothing did; the row then answers until `expires_at`.
    """

    __tablename__ = "upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id))
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
    said: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    finished_at: Mapped[datetime | None] = mapped_column()
    media_id: Mapped[int | None] = mapped_column(ForeignKey(Media.id, ondelete="SET NULL"), index=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id", ondelete="SET NULL"), index=True)
    is_duplicate: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[str | None] = mapped_column(String(300))

    # What one has half here is asked with every new upload, and what one has finished may be a hundred thousand.
    __table_args__ = (Index(None, owner_id, finished_at),)


class RunState(StrEnum):
    """Where an import stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class ImportRun(Base):
    """One import of many files: a tree or archives that lie on the machine, or an archive that was uploaded.

    `archive_key` is set while the vault itself keeps the archive, and such a run is the worker's job. `done_count`
    files of `total_count` were dealt with, in their order, so that whoever goes on begins behind them. Each is counted
    in one of the four numbers below, unless it only spoke of another; `reasons` says how often one was refused or left
    out for which reason.
    """

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    album_id: Mapped[int | None] = mapped_column(ForeignKey(Album.id, ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(Text)
    archive_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    state: Mapped[RunState] = mapped_column(String(8), default=RunState.WAITING, index=True)
    failure: Mapped[str | None] = mapped_column(String(300))
    total_count: Mapped[int] = mapped_column(default=0)
    total_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    done_count: Mapped[int] = mapped_column(default=0)
    done_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    imported: Mapped[int] = mapped_column(default=0)
    already_here: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)
    reasons: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    claimed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (Index(None, owner_id, created_at, id),)


class ImportRefusal(Base):
    """A file that an import did not take, and the reason for people."""

    __tablename__ = "import_refusal"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey(ImportRun.id, ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(300))


class ImportedFile(Base):
    """A file of the machine that was imported once, so that it need not be read again to know that.

    `place_sha256` stands for its absolute path; size and time of change are those it had. `album_id` is where it was
    put.
    """

    __tablename__ = "imported_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    place_sha256: Mapped[str] = mapped_column(SHA256_HEX)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    media_id: Mapped[int] = mapped_column(ForeignKey(Media.id, ondelete="CASCADE"), index=True)
    album_id: Mapped[int | None] = mapped_column(ForeignKey(Album.id, ondelete="SET NULL"), index=True)

    __table_args__ = (Index("uq_imported_file_owner_id_place_sha256", owner_id, place_sha256, unique=True),)


class ImportedFolder(Base):
    """A folder that became an album, so that the next import finds it however the album is called by then.

    `place_sha256` stands for the folder's path, and for the album that all of it was put below.
    """

    __tablename__ = "imported_folder"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    place_sha256: Mapped[str] = mapped_column(SHA256_HEX)
    album_id: Mapped[int] = mapped_column(ForeignKey(Album.id, ondelete="CASCADE"), index=True)

    __table_args__ = (Index("uq_imported_folder_owner_id_place_sha256", owner_id, place_sha256, unique=True),)
