"""Uploads that come in pieces: announced, appended to, asked about, ended; kept like any other when all of it is here.

Floor 3. Acknowledged is only what is durable, and all of it only when the picture is kept: the last offset is written
in the transaction that keeps it (docs/adr/0017-resumable-uploads.md). No transaction is open while a sender sends.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import db, transaction, utcnow
from vault.imaging.claims import Told
from vault.imaging.identify import Unsupported
from vault.models.ingest import Purpose, Upload
from vault.models.media import Album
from vault.policy import Denied
from vault.services import Conflict, OverQuota, Refused, Vault
from vault.services.uploads import Received, fitting, promises, receive, receive_from_guest
from vault.services.uploads.pouring import Altered, Look, Piece, TooLong, pour
from vault.services.uploads.promises import Announced, NotTheFile, Over, Sender, Standing
from vault.storage import Arrival, Missing, StorageError
from vault.storage.incoming import Incoming
from vault.storage.partial import Partial

CHECKPOINT_BYTES = 64 * 1024**2
"""How much of one piece may come before it is made durable and acknowledged, so that a crash costs no more."""
LOST = "What was here of this file is gone. Please send it again from its beginning."
NO_LONGER = "You may no longer add pictures there, so this one was not kept."
# After these the sender may go on where he was; after every other refusal the upload is over.
PASSING = (OverQuota, Conflict, Altered, TooLong)


def create(vault: Vault, sender: Sender, announced: Announced) -> Standing:
    """Promise to take a file that comes in pieces.

    Raises Unsupported for an empty one, TooLarge, Denied, OverQuota, TooManyOpen, StorageFull.
    """
    album = promises.admissible(vault, sender, announced)
    with transaction() as session:
        # The owner's row is held, so that two promises at once do not both count on the last room.
        promises.admit(session, sender, announced.size_bytes, hold=True)
        row = promises.row(vault, session, sender, announced, album)
        session.add(row)
        session.flush()
        return promises.standing(row)


def take_whole(vault: Vault, sender: Sender, announced: Announced, piece: Piece) -> Standing:
    """Take a file that comes whole with its announcement; nothing of it is kept when it breaks off.

    Raises as `create` and `append`, and Refused when it ends too early.
    """
    album = promises.admissible(vault, sender, announced)
    promises.admit(db.session(), sender, announced.size_bytes)
    row = promises.row(vault, db.session(), sender, announced, album)
    db.session.close()
    with Incoming(vault.storage, announced.size_bytes) as incoming:
        look = Look(incoming, announced.size_bytes, partial(promises.judge, row))
        pour(piece, incoming, announced.size_bytes, look)
        if incoming.bytes < announced.size_bytes:
            raise Refused("The file broke off, and nothing of it was kept. Please send it again.")

        def finish(session: Session, **became: Any) -> None:
            row.received_bytes, row.finished_at = row.size_bytes, utcnow()
            for name, value in became.items():
                setattr(row, name, value)
            session.add(row)

        return _kept(vault, sender, row, incoming, finish)


def find(sender: Sender, upload_id: str) -> Standing:
    """Say how far one's upload is. Raises Denied for any other, Over when nothing became of it."""
    return promises.standing(*promises.own(sender, upload_id))


def append(vault: Vault, sender: Sender, upload_id: str, offset: int, piece: Piece) -> Standing:
    """Take a piece that begins at an offset; what arrived of it is durable when this returns.

    A piece that breaks off counts as far as it came, unless it has a checksum. With the last one the file is kept.
    Raises Denied, Over, WrongOffset, InUse, Altered, NotTheFile, TooLong, Unsupported, OverQuota, StorageFull, Busy.
    """
    known = promises.at(sender, upload_id, offset)
    piece.refuse_beyond(known.row.size_bytes - offset)
    if known.row.finished_at is not None:
        return promises.standing(*known)
    with Partial(vault.storage, known.row.public_id) as held:
        # Asked again: whoever wrote until now may have acknowledged more, or finished it, or ended it.
        try:
            known = promises.at(sender, upload_id, offset)
        except (Denied, Refused):
            held.remove_if_empty()
            raise
        if known.row.finished_at is not None:
            held.remove_if_empty()
            return promises.standing(*known)
        return _appended(vault, sender, known.row, held, piece)


def end(vault: Vault, sender: Sender, upload_id: str) -> None:
    """Forget an upload and what is here of it; a picture that it became stays. Raises Denied."""
    his = promises.his(sender, upload_id)
    with transaction() as session:
        if not session.execute(sa.delete(Upload).where(*his)).rowcount:  # type: ignore[attr-defined]  # a DELETE answers with a CursorResult
            raise Denied
    # Another request may be writing to it: it finds no row any more, and lets go.
    vault.storage.discard_partial(upload_id)


def _appended(vault: Vault, sender: Sender, row: Upload, held: Partial, piece: Piece) -> Standing:
    """Write the piece, and acknowledge it or keep the file; whatever is refused leaves the offset as it was."""
    try:
        standing = _poured(vault, sender, row, held, piece)
    except Missing:
        held.remove()
        # Gone because somebody ended the upload meanwhile, or lost.
        raise (Over(LOST) if _fail(row, LOST) else Denied()) from None
    except (Unsupported, Denied, Refused) as refusal:
        # Too many archives at once is something that passes; of a picture there is no such refusal.
        if isinstance(refusal, PASSING) or (row.purpose == Purpose.ARCHIVE and type(refusal) is Refused):
            held.rewind()
        else:
            _fail(row, NO_LONGER if isinstance(refusal, Denied) else str(refusal))
            held.remove()
        raise
    except BaseException:
        with suppress(StorageError):
            held.rewind()
        raise
    return standing


def _poured(vault: Vault, sender: Sender, row: Upload, held: Partial, piece: Piece) -> Standing:
    held.begin(row.received_bytes)
    look = Look(held, row.size_bytes, partial(promises.judge, row))
    looked_at = held.bytes
    if sender.adding is not None:
        _look_again(sender, row, 1)

    def after_each() -> None:
        look()
        nonlocal looked_at
        if held.bytes - looked_at >= CHECKPOINT_BYTES:
            looked_at = held.bytes
            _look_again(sender, row, held.bytes - row.received_bytes)
            if piece.checksum is None:
                _acknowledge(vault, row, held)

    pour(piece, held, row.size_bytes, after_each)
    if held.bytes < row.size_bytes:
        return _acknowledge(vault, row, held)

    def finish(session: Session, **became: Any) -> None:
        _write(session, row, received_bytes=row.size_bytes, finished_at=utcnow(), **became)
        row.received_bytes, row.is_duplicate = row.size_bytes, became.get("is_duplicate", False)

    standing = _kept(vault, sender, row, held, finish)
    held.remove()
    return standing


def _look_again(sender: Sender, row: Upload, come_bytes: int) -> None:
    """Look whether the upload is still there, and a guest's bytes have room: he is let in before they are counted.

    Raises Denied when somebody ended it meanwhile, OverQuota.
    """
    try:
        same = (Upload.id == row.id, Upload.finished_at.is_(None))
        if db.session.scalar(sa.select(Upload.id).where(*same)) is None:
            raise Denied
        if sender.adding is not None:
            promises.admit(db.session(), sender, come_bytes)
    finally:
        db.session.close()


def _acknowledge(vault: Vault, row: Upload, held: Partial) -> Standing:
    """Make durable what is here, and only then say so."""
    if held.bytes > held.durable_bytes:
        held.sync()
    with transaction() as session:
        expires_at = fitting.life(vault, session, row.visit_id)
        _write(session, row, received_bytes=held.bytes, expires_at=expires_at)
    row.received_bytes, row.expires_at = held.bytes, expires_at
    return promises.standing(row)


def _write(session: Session, row: Upload, **values: object) -> None:
    """Write to the row while it is as it was read. Raises Denied when somebody ended the upload meanwhile."""
    same = (Upload.id == row.id, Upload.received_bytes == row.received_bytes, Upload.finished_at.is_(None))
    if not session.execute(sa.update(Upload).where(*same).values(**values)).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        raise Denied


def _kept(vault: Vault, sender: Sender, row: Upload, arrival: Arrival, finish: Callable[..., None]) -> Standing:
    """Keep a whole file as every upload is kept, and in the same transaction `finish` its upload."""
    if row.sha256 and arrival.sha256 != row.sha256:
        raise NotTheFile
    album_id = db.session.scalar(sa.select(Album.public_id).where(Album.id == row.album_id))
    if row.purpose == Purpose.ARCHIVE and sender.archives is not None:
        run = sender.archives(
            arrival,
            file_name=row.file_name,
            album_id=album_id,
            along=lambda session, run: finish(session, import_id=run.id),
        )
        return promises.standing(row, import_id=run.public_id)

    def along(session: Session, received: Received) -> None:
        finish(session, media_id=received.media.id, is_duplicate=received.duplicate)

    said: dict[str, Any] = {"file_name": row.file_name, "told": Told.from_json(row.told), "along": along}
    if sender.adding is not None:
        received = receive_from_guest(vault, sender.adding, arrival, guest_name=row.guest_name, **said)
    else:
        received = receive(vault, sender.viewer, arrival, album_id=album_id, **said)
    return promises.standing(row, received.media.public_id)


def _fail(row: Upload, reason: str) -> bool:
    """Write down why nothing became of it, which the row answers until it expires; False if there is none any more."""
    with transaction() as session:
        unfinished = sa.update(Upload).where(Upload.id == row.id, Upload.finished_at.is_(None))
        written = session.execute(unfinished.values(failure=reason[:300], finished_at=utcnow()))
        return bool(written.rowcount)  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
