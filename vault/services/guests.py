"""What guests bring by a link: accepting it or turning it away, and taking it back during the visit.

Floor 3. A guest's picture belongs to the owner of the album from the moment it is kept; until he (or who manages the
album) accepts it, nobody else sees it.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit, leftovers, pairing
from vault.db import db, transaction, utcnow
from vault.models import membership
from vault.models.history import Visit
from vault.models.media import AlbumFacts, AlbumMedia, Media, MediaFacts
from vault.models.sharing import Link, LinkFacts
from vault.policy import Action, Denied, Permit, Viewer, authorize, visible
from vault.services import Vault, pair_up

MOST_SHOWN = 500


def name_of(viewer: Viewer) -> str:
    """Return what a visitor called himself when he last brought something."""
    return db.session.scalar(sa.select(Visit.guest_name).where(Visit.id == viewer.visit_id)) or ""


def brought(viewer: Viewer) -> list[Media]:
    """Return what a visitor brought in this visit and can still take back, the latest first."""
    his = visible(viewer, Action.WITHDRAW, Media).where(pairing.stands_alone()).order_by(Media.id.desc())
    return list(db.session.scalars(his.limit(MOST_SHOWN)))


def room_left(permit: Permit[LinkFacts]) -> int | None:
    """Return how many more pictures a link takes; None without a limit. Only the count of the upload decides."""
    most, count = db.session.execute(
        sa.select(Link.max_uploads, Link.upload_count).where(Link.id == permit.row.id)
    ).one()
    return None if most is None else max(0, most - count)


def withdraw(vault: Vault, permit: Permit[MediaFacts]) -> None:
    """Take a picture back that one brought in this visit: for good, with its bytes. The permit is for WITHDRAW.

    Raises Denied.
    """
    with transaction() as session:
        media = _again(session, permit, Action.WITHDRAW)
        if membership.is_counted(media):
            membership.hide(session, media.id)
        his = sa.select(Visit.link_id).where(Visit.public_id == media.origin).scalar_subquery()
        fewer = sa.update(Link).where(Link.id == his, Link.upload_count > 0).values(upload_count=Link.upload_count - 1)
        keys: list[str] = []
        # Each of them was counted when it came.
        for each in (*pairing.parts(session, media.id, hold=True), media):
            keys += leftovers.forget(session, each)
            session.execute(fewer)
        by = f"link {permit.viewer.link_id}"
        audit.record(session, "media.withdraw", actor_id=None, by=by, subject=media.public_id, guest=media.guest_name)
    leftovers.erase(vault.storage, keys)


def awaiting(permit: Permit[AlbumFacts]) -> list[Media]:
    """Return what guests brought to an album and nobody has looked at, the oldest first. The permit is for MANAGE."""
    arrived = visible(permit.viewer, Action.ACCEPT, Media).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    in_order = arrived.where(AlbumMedia.album_id == permit.row.id).order_by(Media.awaiting_since, Media.id)
    return list(db.session.scalars(in_order.limit(MOST_SHOWN)))


def coming_along(viewer: Viewer, waiting: list[Media]) -> dict[int, list[Media]]:
    """Return what else is let in with some pictures that wait, by their row's ids: their RAW, their film."""
    found: dict[int, list[Media]] = {}
    belongs = Media.part_of_id.in_([media.id for media in waiting])
    for part in db.session.scalars(visible(viewer, Action.ACCEPT, Media).where(belongs).order_by(Media.id)):
        if part.part_of_id is not None:
            found.setdefault(part.part_of_id, []).append(part)
    return found


def count_awaiting(permit: Permit[AlbumFacts]) -> int:
    """Return how many there are of these."""
    arrived = sa.select(sa.func.count()).select_from(Media).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    new = (Media.awaiting_since.is_not(None), Media.trashed_at.is_(None))
    return db.session.scalar(arrived.where(AlbumMedia.album_id == permit.row.id, *new)) or 0


def accept(permit: Permit[MediaFacts]) -> None:
    """Let a guest's picture in: from now on the album shows it. The permit is for ACCEPT. Raises Denied."""
    with transaction() as session:
        media = _again(session, permit, Action.ACCEPT)
        media.awaiting_since = None
        for part in pairing.parts(session, media.id, hold=True):
            part.awaiting_since = None
        if membership.is_counted(media):
            membership.show(session, media.id)
        audit.record(session, "media.accept", actor_id=permit.viewer.user_id, subject=media.public_id)
    # Of two that came together one may have been let in before.
    pair_up(permit.row.id)


def decline(permit: Permit[MediaFacts]) -> None:
    """Turn a guest's picture away: it goes to its owner's trash. The permit is for ACCEPT. Raises Denied."""
    with transaction() as session:
        media = _again(session, permit, Action.ACCEPT)
        media.trashed_at = utcnow()
        for part in pairing.parts(session, media.id, hold=True):
            part.trashed_at = media.trashed_at
        audit.record(session, "media.decline", actor_id=permit.viewer.user_id, subject=media.public_id)


def _again(session: Session, permit: Permit[MediaFacts], action: Action) -> Media:
    """Hold the row and ask again, because the right may have ended since the request came in."""
    media = membership.hold(session, permit.row.id)
    authorize(permit.viewer, action, Media, permit.row.public_id)
    if media is None:
        raise Denied
    return media
