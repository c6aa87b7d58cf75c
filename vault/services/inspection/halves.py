"""Files that are half here: of each open upload at least as many bytes lie on the disk as were acknowledged.

Floor 3: rows and the sizes of files. More may be there than a row says; whoever goes on cuts that off.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from vault.db import db, transaction, utcnow
from vault.models.ingest import Upload
from vault.storage import Storage

OPEN = (Upload.finished_at.is_(None), Upload.received_bytes > 0)
BY = Upload.id
TO_LOOK_AT = sa.select(Upload.id, Upload.public_id, Upload.received_bytes).where(*OPEN).order_by(BY)
LOST = "A part of this file is gone from the vault's disk. Please send it again from its beginning."


def look(storage: Storage, rows: Iterable[sa.Row[Any]], *, fix: bool) -> list[str]:
    """Return a sentence for each of `TO_LOOK_AT` that has lost bytes; `fix` ends them, so that they begin anew."""
    found = []
    for row in rows:
        there = _size(storage, row.public_id)
        # Asked in this order, a finished upload whose file has just gone is no loss.
        if there < row.received_bytes and _stands(row):
            found.append(f"upload {row.public_id}: {row.received_bytes} bytes acknowledged, {there} there")
            if fix:
                _end(row)
    return found


def _size(storage: Storage, name: str) -> int:
    try:
        return storage.partial(name).stat().st_size
    except FileNotFoundError:
        return 0


def _same(row: sa.Row[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    return (Upload.id == row.id, Upload.received_bytes == row.received_bytes, *OPEN)


def _stands(row: sa.Row[Any]) -> bool:
    stands = db.session.scalar(sa.select(Upload.id).where(*_same(row))) is not None
    db.session.rollback()
    return stands


def _end(row: sa.Row[Any]) -> None:
    with transaction() as session:
        session.execute(sa.update(Upload).where(*_same(row)).values(failure=LOST, finished_at=utcnow()))
