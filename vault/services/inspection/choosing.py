"""Which rows an inspection looks at, a few hundred at a time, and that it has looked.

Floor 3: rows only.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from vault.db import db, incidental, transaction, utcnow
from vault.models.media import Media, Variant

BATCH = 500
# What was read so lately is left out where an inspection goes on with an earlier one.
FRESH = timedelta(days=7)


def to_read(*, go_on: bool) -> sa.Select[Any]:
    """Choose the ids of pictures to be read: all of them or, to go on, what was read longest ago first."""
    if not go_on:
        return sa.select(Media.id).order_by(Media.id)
    stale = sa.or_(Media.checked_at.is_(None), Media.checked_at < utcnow() - FRESH)
    return sa.select(Media.id).where(stale).order_by(Media.checked_at.is_not(None), Media.checked_at, Media.id)


def bytes_of(chosen: sa.Select[Any]) -> int:
    """Return how many bytes those pictures have, with their variants."""
    ids = sa.select(chosen.order_by(None).subquery().c.id)
    originals = sa.select(sa.func.sum(Media.size_bytes)).where(Media.id.in_(ids))
    variants = sa.select(sa.func.sum(Variant.size_bytes)).where(Variant.media_id.in_(ids))
    return int(sum(db.session.scalar(each) or 0 for each in (originals, variants)))


def mark_checked(media_ids: Iterable[int]) -> None:
    """Remember that the bytes of these pictures are those of their rows. What cannot be remembered is read again."""
    ids = list(media_ids)
    if ids:
        with incidental("checked_at"), transaction() as session:
            session.execute(sa.update(Media).where(Media.id.in_(ids)).values(checked_at=utcnow()))


def make_anew(media_ids: Iterable[int], condition: sa.ColumnElement[bool], values: dict[str, Any]) -> int:
    """Write values into those of some pictures that fulfil a condition and are not in quarantine; return how many."""
    ids, count = sorted(media_ids), 0
    for start in range(0, len(ids), BATCH):
        wanted = (Media.id.in_(ids[start : start + BATCH]), condition, Media.quarantined_at.is_(None))
        with transaction() as session:
            count += len(session.scalars(sa.update(Media).where(*wanted).values(values).returning(Media.id)).all())
    return count


def batches(rows: Any, key: Any) -> Iterator[list[Any]]:
    """Walk rows by key, so that neither all of them nor a long reading transaction is held."""
    last = 0
    while found := list(db.session.execute(rows.where(key > last).limit(BATCH)).all()):
        db.session.rollback()
        yield found
        last = found[-1].id
