"""Putting a picture whose bytes have changed aside, and bringing it back when they are whole again.

Floor 1: knows rows. Not a byte is touched: what is left of the file stays for whoever can save something of it. From
then on it is shown to nobody and handed to nobody, which is the business of the one rule (`vault.policy`).
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import utcnow
from vault.models import membership, noticeboard
from vault.models.history import Notice
from vault.models.media import Media, State

NOTICE = "media.quarantine"
LONGEST_REASON = 200


def lock_away(session: Session, media: Media, reason: str) -> None:
    """Put a picture that is held into quarantine and tell its owner."""
    if membership.is_counted(media):
        membership.hide(session, media.id)
    media.quarantined_at, media.quarantine_reason = utcnow(), reason[:LONGEST_REASON]
    tell(session, media)


def release(session: Session, media: Media) -> None:
    """Take a picture that is held out of quarantine again. What could not be rendered meanwhile is tried again."""
    media.quarantined_at, media.quarantine_reason = None, ""
    if membership.is_counted(media):
        membership.show(session, media.id)
    if media.state == State.FAILED:
        media.state, media.failure, media.attempts, media.claimed_at = State.PENDING, None, 0, None
    tell(session, media)


def tell(session: Session, media: Media) -> None:
    """Put up the one notice of an owner about all that is damaged, or take it down when nothing is.

    What he threw away is not counted: he knows of it.
    """
    session.flush()
    unread = (Notice.user_id == media.owner_id, Notice.kind == NOTICE, Notice.dismissed_at.is_(None))
    session.execute(sa.delete(Notice).where(*unread))
    held = (Media.owner_id == media.owner_id, Media.quarantined_at.is_not(None), Media.trashed_at.is_(None))
    count = session.scalar(sa.select(sa.func.count()).select_from(Media).where(*held)) or 0
    if count:
        noticeboard.tell(session, media.owner_id, NOTICE, by=None, count=count, file=media.file_name)
