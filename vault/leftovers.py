"""Deleting for good: the row of a picture with all that counts on it, and bytes that no row names.

Floor 2: knows rows and bytes, nothing of who wants it or why. The row always goes first: dead in between, its bytes are
a leftover of the next sweep.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault.db import db, utcnow
from vault.models import membership
from vault.models.account import User
from vault.models.ingest import ImportRun, Upload
from vault.models.media import Media, Part, Playback, Variant
from vault.storage import EDITIONS, PARTIAL_NAME, Missing, Storage, editions_of, original_of

# What is younger than this may belong to an upload or a rendering that is still under way.
GRACE = timedelta(days=1)
# An edition that nobody asked for in this time goes; it would be made again. Being asked for makes it young.
EDITION_LIFE = timedelta(days=30)
BATCH = 200


def forget(session: Session, media: Media) -> list[str]:
    """Delete the row of a picture that is held, give its bytes back to the quota, and return the keys to be deleted.

    Parts that are still there are items of their own from now on, where it lay.
    """
    keys = [media.blob_key, *session.scalars(sa.select(Variant.blob_key).where(Variant.media_id == media.id))]
    owner = sa.update(User).where(User.id == media.owner_id)
    session.execute(owner.values(used_bytes=User.used_bytes - media.size_bytes))
    if media.part == Part.MOTION:
        # Its picture is a still again, unless it has moving seconds in its own file.
        moves = sa.exists().where(Variant.media_id == media.part_of_id, Variant.name == "motion")
        still = (Media.id == media.part_of_id, Media.playback == Playback.READY, ~moves)
        session.execute(sa.update(Media).where(*still).values(playback=Playback.NONE))
    kept = sa.select(Media).where(Media.part_of_id == media.id).order_by(Media.id).with_for_update()
    for part in session.scalars(kept.execution_options(populate_existing=True)).all():
        part.part_of_id, part.part = None, Part.NONE
        session.flush()
        membership.follow(session, part, media)
    session.execute(sa.delete(Media).where(Media.id == media.id))
    return keys


def erase(storage: Storage, keys: Iterable[str]) -> None:
    """Delete blobs for good, and with an original all editions that were ever made of it."""
    for key in keys:
        storage.delete(key)
        if key.startswith("originals/"):
            for edition in list(storage.keys(editions_of(key))):
                storage.delete(edition)


def unnamed(storage: Storage, keys: Iterable[str], *, grace: timedelta = GRACE) -> Iterator[str]:
    """Yield those keys whose blobs are older than the grace and that neither a picture, a variant nor an import names.

    Editions have no rows; see `outlived`.
    """
    ahead = (key for key in keys if not key.startswith(EDITIONS))
    while batch := list(islice(ahead, BATCH)):
        # The age is asked before the rows: an old blob whose row is not there now gets none any more.
        old = [key for key in batch if _age(storage, key) > grace]
        originals = sa.select(Media.blob_key).where(Media.blob_key.in_(old))
        variants = sa.select(Variant.blob_key).where(Variant.blob_key.in_(old))
        archives = sa.select(ImportRun.archive_key).where(ImportRun.archive_key.in_(old))
        named = {key for rows in (originals, variants, archives) for key in db.session.scalars(rows)} if old else set()
        yield from (key for key in old if key not in named)


def outlived(storage: Storage, *, grace: timedelta = GRACE) -> Iterator[str]:
    """Yield the keys of editions older than the grace whose picture is gone, and of those that nobody asks for."""
    ahead = storage.keys(EDITIONS)
    while batch := list(islice(ahead, BATCH)):
        ages = {key: age for key in batch if (age := _age(storage, key)) > grace}
        wanted = sa.select(Media.blob_key).where(Media.blob_key.in_({original_of(key) for key in ages}))
        alive = set(db.session.scalars(wanted)) if ages else set()
        yield from (key for key, age in ages.items() if age > EDITION_LIFE or original_of(key) not in alive)


def temporaries(storage: Storage, *, grace: timedelta = GRACE) -> Iterator[Path]:
    """Yield temporary files and folders that are older than the grace."""
    return (path for path, age_seconds in storage.temporaries() if age_seconds > grace.total_seconds())


def abandoned(storage: Storage, *, grace: timedelta = GRACE) -> Iterator[str]:
    """Yield the names of partial files that did not grow for longer than the grace and belong to no open upload."""
    old = (name for name, age_seconds in storage.partials() if age_seconds > grace.total_seconds())
    ahead = filter(PARTIAL_NAME.fullmatch, old)
    while batch := list(islice(ahead, BATCH)):
        is_open = sa.select(Upload.public_id).where(Upload.public_id.in_(batch), Upload.finished_at.is_(None))
        wanted = set(db.session.scalars(is_open))
        yield from (name for name in batch if name not in wanted)


def _age(storage: Storage, key: str) -> timedelta:
    try:
        return utcnow() - storage.stat(key).modified_at
    except Missing:
        return timedelta(0)
