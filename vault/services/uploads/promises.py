"""What is promised of a file that comes in pieces: who sends, what is announced, whether it fits, how far it is.

Floor 3, a hall of this folder. An upload is its sender's alone; to everybody else there is no such upload.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import db, utcnow
from vault.imaging import claims
from vault.imaging.claims import Told
from vault.imaging.identify import Unsupported, identify
from vault.models.ingest import ImportRun, Purpose, Upload
from vault.models.media import Album, AlbumFacts, Media
from vault.names import storable
from vault.policy import Action, Denied, Permit, Viewer, authorize
from vault.services import Conflict, Refused, Vault
from vault.services.uploads import LONGEST_FILE_NAME, fitting, plain_name
from vault.signing import new_public_id
from vault.storage import Arrival, BadKey, TooLarge, checked_name

ZIP = b"PK\x03\x04"
NO_ZIP = "This is no zip archive."
NO_ARCHIVES = "Archives are not taken here."


class Malformed(Refused):
    """What is said of an upload cannot be read."""


class WrongOffset(Conflict):
    """The piece does not begin where the last one ended."""


class Over(Refused):
    """An upload that ended without a file being kept."""


class NotTheFile(Refused):
    """All of it is here, and it is not the file that was announced."""

    def __init__(self) -> None:
        super().__init__("The file that arrived is not the one that was announced, and was not kept.")


class TakesArchive(Protocol):
    """What becomes of an archive: a use case of its own, which the caller knows."""

    def __call__(
        self, incoming: Arrival, *, file_name: str, album_id: str | None, along: Callable[[Session, ImportRun], None]
    ) -> ImportRun:
        """Keep it, and do `along` in the transaction that begins to import it."""


@dataclass(frozen=True)
class Sender:
    """Who sends: a person for himself, or with the permit to ADD to its album the visitor of a link for its owner.

    Without `archives` no archive is taken from him.
    """

    viewer: Viewer
    adding: Permit[AlbumFacts] | None = None
    archives: TakesArchive | None = None

    @property
    def owner_id(self) -> int:
        """Whose room the file will fill. Raises Denied for nobody."""
        found: int | None = self.adding.row.owner_id if self.adding else self.viewer.user_id
        if found is None:
            raise Denied
        return found

    @property
    def own(self) -> tuple[Any, ...]:
        """The condition for what this one sends, and nobody else."""
        if self.adding:
            return (Upload.owner_id == self.owner_id, Upload.visit_id == self.viewer.visit_id)
        return (Upload.owner_id == self.owner_id, Upload.user_id == self.viewer.user_id, Upload.visit_id.is_(None))


@dataclass(frozen=True, kw_only=True)
class Announced:
    """What is said of a file before it comes.

    `sha256` is 64 hex digits, or empty where the sender does not know it; `said` is all of it as it was written.
    """

    size_bytes: int
    file_name: str = ""
    album_id: str | None = None
    sha256: str = ""
    told: Told = claims.NOTHING
    guest_name: str = ""
    purpose: Purpose = Purpose.MEDIA
    said: str = ""


class Known(NamedTuple):
    """The row of an upload, and the public id of what it became."""

    row: Upload
    media_id: str | None
    import_id: str | None


@dataclass(frozen=True)
class Standing:
    """How far an upload is; all of it is acknowledged when the file is kept, as `media_id`, and not before.

    Of an archive it is `import_id` that names what it became.
    """

    upload_id: str
    size_bytes: int
    received_bytes: int
    expires_at: datetime
    media_id: str | None = None
    import_id: str | None = None
    is_duplicate: bool = False
    said: str = ""


def admissible(vault: Vault, sender: Sender, announced: Announced) -> int | None:
    """Look at what is announced, and return the row of the album that it is for. Raises as `create`."""
    if announced.size_bytes == 0:
        identify(b"")  # which says so in the words of every upload
    if announced.purpose == Purpose.ARCHIVE and sender.archives is None:
        raise Unsupported(None, NO_ARCHIVES)
    if announced.size_bytes > vault.settings.max_upload_bytes:
        raise TooLarge(vault.settings.max_upload_bytes)
    album = sender.adding
    if album is None and announced.album_id is not None:
        album = authorize(sender.viewer, Action.ADD, Album, announced.album_id)
    fitting.refuse_beyond_disk(vault, announced.size_bytes, is_guest=sender.adding is not None)
    return album.row.id if album else None


def admit(session: Session, sender: Sender, size_bytes: int, *, hold: bool = False) -> None:
    """Refuse what cannot fit beside the files that are half here; the charge decides in the end.

    `hold` is for what will be half here itself: the owner's row is held, so that no two count on the last room.
    """
    is_guest = sender.adding is not None
    fitting.refuse_beyond_quota(session, sender.owner_id, size_bytes, is_guest=is_guest, hold=hold)
    if hold:
        fitting.refuse_too_many(session, sender.own, sender.viewer.visit_id if is_guest else None)


def row(vault: Vault, session: Session, sender: Sender, announced: Announced, album: int | None) -> Upload:
    """Return the row of an upload of which nothing is here yet."""
    return Upload(
        public_id=new_public_id(),
        owner_id=sender.owner_id,
        user_id=sender.viewer.user_id,
        visit_id=sender.viewer.visit_id,
        album_id=album,
        file_name=storable(announced.file_name, LONGEST_FILE_NAME),
        guest_name=plain_name(announced.guest_name),
        size_bytes=announced.size_bytes,
        received_bytes=0,
        sha256=announced.sha256,
        told=announced.told.as_json(),
        purpose=announced.purpose,
        said=announced.said,
        is_duplicate=False,
        expires_at=fitting.life(vault, session, sender.viewer.visit_id),
    )


def his(sender: Sender, upload_id: str) -> tuple[Any, ...]:
    """Return the condition for an upload of this sender that lives. Raises Denied for what is no id."""
    try:
        checked_name(upload_id)
    except BadKey:
        raise Denied from None
    return (Upload.public_id == upload_id, Upload.expires_at > utcnow(), *sender.own)


def own(sender: Sender, upload_id: str) -> Known:
    """Return an upload of this sender, and what it became. Raises Denied, and Over where nothing came of it."""
    found = sa.select(Upload, Media.public_id, ImportRun.public_id)
    found = found.outerjoin(Media, Media.id == Upload.media_id).outerjoin(ImportRun, ImportRun.id == Upload.import_id)
    row = db.session.execute(found.where(*his(sender, upload_id))).one_or_none()
    db.session.close()
    if row is None:
        raise Denied
    if row[0].failure is not None:
        raise Over(row[0].failure)
    return Known(*row)


def at(sender: Sender, upload_id: str, offset: int) -> Known:
    """Return the same, of which exactly so many bytes are here. Raises Denied, Over, WrongOffset."""
    known = own(sender, upload_id)
    if known.row.received_bytes != offset:
        raise WrongOffset(f"The next piece of this file begins at byte {known.row.received_bytes}.")
    return known


def judge(row: Upload, head: bytes) -> None:
    """Look at a file's beginning: whether it is of a kind that is taken. Raises Unsupported."""
    if row.purpose != Purpose.ARCHIVE:
        identify(head)
    elif not head.startswith(ZIP):
        raise Unsupported(None, NO_ZIP)


def standing(row: Upload, media_id: str | None = None, import_id: str | None = None) -> Standing:
    """Say how far an upload is."""
    times = (row.public_id, row.size_bytes, row.received_bytes, row.expires_at)
    return Standing(*times, media_id, import_id, row.is_duplicate, row.said)
