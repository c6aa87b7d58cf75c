"""Work that a worker took and never finished: claims that are older than any work lasts.

Floor 3: rows only. A worker forgets such claims by itself; one that stays tells that there is no worker.
"""

from datetime import timedelta

import sqlalchemy as sa

from vault.db import db, transaction, utcnow
from vault.models.media import Media, Playback, State

# Longer than any rendering may last.
RENDERING = timedelta(minutes=10)
# Longer than the longest that VAULT_VIDEO_SECONDS allows, with the wait for a busy processor.
ENCODING = timedelta(days=3)


def find() -> list[str]:
    """Return a sentence for each claim of a worker that is gone."""
    rendering = sa.select(Media.public_id).where(*_rendering()).order_by(Media.id)
    found = [f"picture {public_id}: claimed by a worker that is gone" for public_id in db.session.scalars(rendering)]
    encoding = sa.select(Media.public_id).where(*_encoding()).order_by(Media.id)
    return found + [
        f"video {public_id}: claimed by a worker that is gone" for public_id in db.session.scalars(encoding)
    ]


def mend() -> str:
    """Forget those claims, so that another may take the work, and say so."""
    with transaction() as session:
        session.execute(sa.update(Media).where(*_rendering()).values(claimed_at=None))
        session.execute(sa.update(Media).where(*_encoding()).values(playback_claimed_at=None))
    return "dead claims forgotten"


def _rendering() -> tuple[sa.ColumnElement[bool], ...]:
    return Media.state == State.PENDING, Media.claimed_at < utcnow() - RENDERING


def _encoding() -> tuple[sa.ColumnElement[bool], ...]:
    return Media.playback == Playback.PENDING, Media.playback_claimed_at < utcnow() - ENCODING
