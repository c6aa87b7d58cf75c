"""What fits: the room of an owner and of a link beside the files that are half here.

Floor 3, a hall of this folder. What it refuses is refused early; the charge and the count that keep a file decide.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import utcnow
from vault.models.account import User
from vault.models.arriving import stands
from vault.models.history import Visit
from vault.models.ingest import Upload
from vault.models.sharing import Link
from vault.policy import Denied
from vault.services import OverQuota, Refused, Vault
from vault.services.uploads import FULL, FULL_FOR_GUESTS, NO_MORE
from vault.storage import StorageFull

MOST_OPEN = 2_000
"""How many files one may leave half here at a time."""
MOST_OPEN_BY_LINK = 100
"""How many all visitors of one link together may leave half here at a time."""
STEP_BYTES = 1024**3
"""In steps of this size a guest may learn how much room there is, and no closer: it is not his own."""


class TooManyOpen(Refused):
    """As many files are half here as one may leave so."""

    retry_after_seconds = 60

    def __init__(self, most: int) -> None:
        super().__init__(f"{most:,} files are half here already. Please let some of them come in first.")


def refuse_beyond_disk(vault: Vault, size_bytes: int, *, is_guest: bool) -> None:
    """Refuse what does not fit on the disk. Raises StorageFull; for a guest OverQuota, in coarse steps."""
    free_bytes = vault.storage.free_bytes()
    if is_guest and size_bytes > coarse(free_bytes):
        raise OverQuota(FULL_FOR_GUESTS)
    if not is_guest and size_bytes > free_bytes:
        raise StorageFull("the disk is full")


def refuse_beyond_quota(session: Session, owner_id: int, size_bytes: int, *, is_guest: bool, hold: bool) -> None:
    """Refuse what does not fit into the owner's quota beside all that is half here; `hold` holds his row.

    Of a guest's file counts what is here of it, of one's own what it will be. Raises OverQuota, Denied.
    """
    account = sa.select(User.quota_bytes, User.used_bytes).where(User.id == owner_id, User.disabled_at.is_(None))
    owner = session.execute(account.with_for_update() if hold else account).one_or_none()
    if owner is None:
        raise Denied
    if owner.quota_bytes is None:
        return
    counted = sa.case((Upload.visit_id.is_(None), Upload.size_bytes), else_=Upload.received_bytes)
    half_here = sa.select(sa.func.coalesce(sa.func.sum(counted), 0)).where(Upload.owner_id == owner_id, *_is_open())
    room = owner.quota_bytes - owner.used_bytes - (session.scalar(half_here) or 0)
    if is_guest and size_bytes > coarse(room):
        raise OverQuota(FULL_FOR_GUESTS)
    if not is_guest and size_bytes > room:
        raise OverQuota(FULL)


def refuse_too_many(session: Session, own: tuple[sa.ColumnElement[bool], ...], visit_id: int | None) -> None:
    """Refuse one more open upload than a sender, or a link, may have. The owner's row is held. Raises as `create`."""
    if (session.scalar(sa.select(sa.func.count(Upload.id)).where(*own, *_is_open())) or 0) >= MOST_OPEN:
        raise TooManyOpen(MOST_OPEN)
    if visit_id is None:
        return
    link = session.execute(
        sa.select(Link.id, Link.max_uploads, Link.upload_count)
        .join(Visit, Visit.link_id == Link.id)
        .where(Visit.id == visit_id)
    ).one_or_none()
    if link is None:
        raise Denied
    of_link = sa.select(sa.func.count(Upload.id)).join(Visit, Visit.id == Upload.visit_id)
    open_count = session.scalar(of_link.where(Visit.link_id == link.id, *_is_open())) or 0
    if link.max_uploads is not None and link.upload_count + open_count >= link.max_uploads:
        raise Refused(NO_MORE)
    if open_count >= MOST_OPEN_BY_LINK:
        raise TooManyOpen(MOST_OPEN_BY_LINK)


def life(vault: Vault, session: Session, visit_id: int | None) -> datetime:
    """Return until when an upload lives whose sender was heard of just now: no longer than his visit and its link."""
    until = utcnow() + timedelta(days=vault.settings.upload_days)
    ends = sa.select(Visit.expires_at, Link.expires_at).join(Link, Link.id == Visit.link_id).where(Visit.id == visit_id)
    found = session.execute(ends).one_or_none() if visit_id is not None else None
    known: list[datetime] = [each for each in found or () if each is not None]
    return min([until, *known])


def coarse(room_bytes: int) -> int:
    """Return a room as a guest may know it: rounded up to a step, unless there is none."""
    return -(-max(0, room_bytes) // STEP_BYTES) * STEP_BYTES


def _is_open() -> tuple[sa.ColumnElement[bool], ...]:
    return (Upload.finished_at.is_(None), stands())
