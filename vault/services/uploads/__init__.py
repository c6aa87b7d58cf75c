"""Taking in a file: bytes first, row second, work third.

Floor 3. Dead after the rename leaves a blob without a row, swept later; dead after the commit leaves a pending row, and
that row is the job. Every row has a blob of its own, so no deletion can take the bytes of another
(docs/adr/0003-bytes-first.md).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from vault import audit, describing, pairing
from vault.db import db, transaction, utcnow
from vault.imaging import claims
from vault.imaging.claims import Told
from vault.imaging.identify import Kind, identify
from vault.models import membership, quarantine
from vault.models.account import User
from vault.models.history import Visit
from vault.models.media import Album, AlbumFacts, Media
from vault.models.sharing import Link
from vault.names import storable
from vault.policy import Action, Denied, Permit, Viewer, authorize
from vault.services import Conflict, OverQuota, Refused, Vault, pair_up
from vault.signing import new_public_id
from vault.storage import Arrival, Missing, original_key

LONGEST_FILE_NAME = 1024
NO_MORE = "This link takes no more pictures. Ask the person who sent it."
FULL_FOR_GUESTS = "There is no room for this file here at the moment. Ask the person who sent the link."
FULL = "This file does not fit into your quota any more. Delete something, or ask an administrator for more room."


@dataclass(frozen=True)
class Received:
    """What became of an upload: the row, and whether the person had the same bytes already."""

    media: Media
    duplicate: bool


Along = Callable[[Session, Received], None]
"""What else has to happen in the transaction that keeps a file, or nothing of it happens."""


@dataclass(frozen=True)
class _Bringer:
    """Who brings a file, and for whom: oneself, or as a guest the owner of a link's album."""

    viewer: Viewer
    owner_id: int
    guest: Visit | None = None
    guest_name: str = ""
    told: Told = claims.NOTHING
    along: Along = lambda _session, _received: None
    bulk: bool = False

    @property
    def origin(self) -> str:
        """What tells the guests' pictures of one visit from all others of their owner."""
        return self.guest.public_id if self.guest else ""

    @property
    def said(self) -> dict[str, Any]:
        """What the events say of a guest."""
        return {"link": self.viewer.link_id, "guest": self.guest_name} if self.guest else {}


class _Meanwhile(Exception):
    """The same bytes came in twice at the same moment, and the other request was first."""


def receive(
    vault: Vault,
    viewer: Viewer,
    incoming: Arrival,
    *,
    file_name: str,
    album_id: str | None = None,
    told: Told = claims.NOTHING,
    along: Along = lambda _session, _received: None,
    bulk: bool = False,
) -> Received:
    """Keep an uploaded file for a person, in an album if one is named; durable when it returns.

    `told` is what came beside it, `along` what else happens in the transaction that keeps it. With `bulk` it is one of
    very many, and is rendered after what came by hand.

    Raises Unsupported for what is no picture, Denied, OverQuota, StorageFull. Whatever is raised, nothing is left
    behind but what the sweep removes.
    """
    if viewer.user_id is None:
        raise Denied
    if album_id is not None:
        authorize(viewer, Action.ADD, Album, album_id)
    bringer = _Bringer(viewer, viewer.user_id, told=told, along=along, bulk=bulk)
    return _receive(vault, bringer, incoming, file_name=file_name, album_id=album_id)


def receive_from_guest(
    vault: Vault,
    permit: Permit[AlbumFacts],
    incoming: Arrival,
    *,
    file_name: str,
    guest_name: str,
    told: Told = claims.NOTHING,
    along: Along = lambda _session, _received: None,
) -> Received:
    """Keep a file that the visitor of a link brings for its album's owner, who may want to accept it first.

    It counts against the owner's quota and the link's limit. The permit is for ADD. Raises as `receive`, and Refused
    when the link takes no more.
    """
    guest = db.session.get(Visit, permit.viewer.visit_id) if permit.viewer.visit_id is not None else None
    if guest is None:
        raise Denied
    name = plain_name(guest_name) or guest.guest_name
    bringer = _Bringer(permit.viewer, permit.row.owner_id, guest, name, told, along)
    return _receive(vault, bringer, incoming, file_name=file_name, album_id=permit.row.public_id)


def room_left(user_id: int) -> int | None:
    """Return how many bytes a person may still store; None without a quota. Only the charge of `receive` decides."""
    row = db.session.execute(sa.select(User.quota_bytes, User.used_bytes).where(User.id == user_id)).one_or_none()
    return None if row is None or row.quota_bytes is None else max(0, row.quota_bytes - row.used_bytes)


def known(viewer: Viewer, sha256s: Collection[str]) -> dict[str, str]:
    """Return which of some files one has already, as the ids of one's pictures by the SHA-256 of their bytes.

    What lies in the trash is not among them: sending it again takes it out.
    """
    own = (Media.owner_id == viewer.user_id, Media.origin == "", Media.trashed_at.is_(None))
    here = (*own, Media.quarantined_at.is_(None), Media.sha256.in_(sha256s))
    return {
        row.sha256: row.public_id for row in db.session.execute(sa.select(Media.sha256, Media.public_id).where(*here))
    }


def _receive(vault: Vault, bringer: _Bringer, incoming: Arrival, *, file_name: str, album_id: str | None) -> Received:
    kind = identify(incoming.head)
    if _known(bringer, incoming.sha256) is None:
        media = _new_row(bringer, incoming, kind, file_name)
        incoming.keep(media.blob_key)
        try:
            received = _insert(bringer, incoming, media, album_id)
        except _Meanwhile:
            vault.storage.delete(media.blob_key)
        except (Refused, Denied, DataError):
            vault.storage.delete(media.blob_key)
            raise
        # After anything else nobody knows whether the row was committed: the bytes stay, and the sweep decides.
        else:
            vault.queue.enqueue("render", media.public_id)
            return received
    is_mended = _make_whole(vault, bringer, incoming)
    received = _again(bringer, incoming.sha256, album_id, is_mended=is_mended)
    incoming.discard()
    pair_up(received.media.id)
    return received


def _make_whole(vault: Vault, bringer: _Bringer, incoming: Arrival) -> bool:
    """Keep what came in place of the copy that is here, where that is damaged or lost; say whether it was."""
    same = (Media.owner_id == bringer.owner_id, Media.sha256 == incoming.sha256, Media.origin == bringer.origin)
    row = db.session.execute(sa.select(Media.blob_key, Media.quarantined_at).where(*same)).one_or_none()
    if row is None:
        return False
    try:
        if row.quarantined_at is None and vault.storage.stat(row.blob_key).bytes == incoming.bytes:
            return False
    except Missing:
        pass  # likewise lost
    # Over what is there, so that there is never neither of the two; a backup that reads it goes on reading the old one.
    incoming.keep(row.blob_key)
    return True


def _new_row(bringer: _Bringer, incoming: Arrival, kind: Kind, file_name: str) -> Media:
    owner = db.session.execute(sa.select(User.public_id).where(User.id == bringer.owner_id)).scalar_one()
    public_id = new_public_id()
    return Media(
        public_id=public_id,
        owner_id=bringer.owner_id,
        origin=bringer.origin,
        guest_name=bringer.guest_name,
        sha256=incoming.sha256,
        size_bytes=incoming.bytes,
        media_type=kind.media_type,
        file_name=storable(file_name, LONGEST_FILE_NAME),
        told=bringer.told.as_json(),
        is_bulk=bringer.bulk,
        blob_key=original_key(owner, incoming.sha256, public_id),
    )


def _known(bringer: _Bringer, sha256: str) -> int | None:
    same = (Media.owner_id == bringer.owner_id, Media.sha256 == sha256, Media.origin == bringer.origin)
    return db.session.scalar(sa.select(Media.id).where(*same))


def _insert(bringer: _Bringer, incoming: Arrival, media: Media, album_id: str | None) -> Received:
    with transaction() as session:
        # First the charge: it holds the person's row, so that whoever comes second sees the first one's picture.
        _charge(session, bringer, incoming.bytes)
        if _known(bringer, incoming.sha256) is not None:
            raise _Meanwhile
        if bringer.guest is not None:
            _admit_guest(session, bringer, media)
        session.add(media)
        session.flush()
        _place(session, bringer, media, album_id)
        said: dict[str, Any] = {"size_bytes": incoming.bytes} | bringer.said
        audit.record(session, "media.upload", actor_id=bringer.viewer.user_id, subject=media.public_id, **said)
        received = Received(media, duplicate=False)
        bringer.along(session, received)
        return received


def _admit_guest(session: Session, bringer: _Bringer, media: Media) -> None:
    """Count a guest's picture against the link's limit in the statement that checks it. Raises Refused."""
    guest = session.get_one(Visit, bringer.guest.id) if bringer.guest else None
    if guest is None:
        raise Denied
    link = session.get_one(Link, guest.link_id)
    room = sa.or_(Link.max_uploads.is_(None), Link.upload_count < Link.max_uploads)
    count = sa.update(Link).where(Link.id == link.id, room).values(upload_count=Link.upload_count + 1)
    if not session.execute(count).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        raise Refused(NO_MORE)
    guest.guest_name = bringer.guest_name
    media.awaiting_since = utcnow() if link.needs_acceptance else None


def _again(bringer: _Bringer, sha256: str, album_id: str | None, *, is_mended: bool) -> Received:
    """Answer with the copy that is here. One that lay in the trash was wanted after all."""
    with transaction() as session:
        known = _known(bringer, sha256)
        media = membership.hold(session, known) if known is not None else None
        if media is None:
            raise Conflict("The copy that was here was deleted a moment ago. Please upload it again.")
        if is_mended and media.quarantined_at is not None:
            quarantine.release(session, media)
            audit.record(session, "media.release", actor_id=bringer.viewer.user_id, subject=media.public_id)
        # What its owner turned away stays where he put it, however often a guest brings it.
        if media.trashed_at is not None and bringer.guest is None:
            for part in pairing.parts(session, media.id, hold=True):
                part.trashed_at = None if part.trashed_at == media.trashed_at else part.trashed_at
            media.trashed_at = None
            if membership.is_counted(media):
                membership.show(session, media.id)
            audit.record(session, "media.restore", actor_id=bringer.viewer.user_id, subject=media.public_id)
        if bringer.guest is None:
            _learn(session, bringer, media)
            _place(session, bringer, media, album_id)
        received = Received(media, duplicate=True)
        bringer.along(session, received)
        return received


def _learn(session: Session, bringer: _Bringer, media: Media) -> None:
    """Lay what came beside a picture that is here already beside it, where nothing lies there yet."""
    beside = bringer.told.beside
    if beside is not None and Told.from_json(media.told).beside is None:
        describing.lay_beside(session, media, beside)
        said = {"source": beside.source}
        audit.record(session, "media.sidecar", actor_id=bringer.viewer.user_id, subject=media.public_id, **said)


def _place(session: Session, bringer: _Bringer, media: Media, album_id: str | None) -> None:
    if album_id is None:
        return
    # Asked again inside the transaction: the right may have ended while the bytes came in.
    album = session.get_one(Album, authorize(bringer.viewer, Action.ADD, Album, album_id).row.id)
    if membership.put(session, album, media):
        said = {"media": media.public_id} | bringer.said
        audit.record(session, "album.put", actor_id=bringer.viewer.user_id, subject=album.public_id, **said)


def _charge(session: Session, bringer: _Bringer, size_bytes: int) -> None:
    """Count the bytes against the quota in the statement that checks it. Raises OverQuota, Denied for the disabled."""
    user_id, after = bringer.owner_id, User.used_bytes + size_bytes
    within = sa.or_(User.quota_bytes.is_(None), after <= User.quota_bytes)
    charge = sa.update(User).where(User.id == user_id, User.disabled_at.is_(None), within).values(used_bytes=after)
    if not session.execute(charge).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        if session.scalar(sa.select(User.id).where(User.id == user_id, User.disabled_at.is_(None))) is None:
            raise Denied
        raise OverQuota(FULL_FOR_GUESTS if bringer.guest else FULL)


def plain_name(guest_name: str) -> str:
    """Return what a guest calls himself as it is kept: nothing invisible, not too long."""
    return "".join(each for each in guest_name if each.isprintable()).strip()[:100]
