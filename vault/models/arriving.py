"""Which uploads still stand: one's own until they expire, a guest's no longer than his visit and its link. Floor 1."""

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from vault.db import utcnow
from vault.models.history import Visit
from vault.models.ingest import Upload
from vault.models.sharing import Link


def stands() -> ColumnElement[bool]:
    """Whether an upload's time is not over, and a guest's visit and link live: no pause, no new address, no end."""
    now = utcnow()
    visit = (Visit.id == Upload.visit_id, Visit.ended_at.is_(None), Visit.expires_at > now)
    link = (Link.id == Visit.link_id, Link.generation == Visit.generation)
    open_still = (Link.revoked_at.is_(None), Link.paused_at.is_(None))
    unended = sa.or_(Link.expires_at.is_(None), Link.expires_at > now)
    lives = sa.exists().where(*visit, *link, *open_still, unended).correlate(Upload)
    return sa.and_(Upload.expires_at > now, sa.or_(Upload.visit_id.is_(None), lives))
