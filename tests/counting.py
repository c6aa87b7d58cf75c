"""Reads what the rows of links and visits say, past whatever a session remembers."""

from typing import Any

import sqlalchemy as sa

from vault.db import db
from vault.models.sharing import Link


def counted(link: Link, what: str = "visit_count") -> int:
    """Return one of a link's counts."""
    db.session.rollback()
    found: int = db.session.execute(sa.select(getattr(Link, what)).where(Link.id == link.id)).scalar_one()
    return found


def rows(kind: Any, **where: Any) -> int:
    """Return how many rows of a kind there are."""
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(kind).filter_by(**where)) or 0
