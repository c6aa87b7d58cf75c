"""Where a list goes on: the key of its last row, written so that it holds also when that row is gone.

Floor 1: rows and their order, no rule. A page costs the same anywhere in its list, and nothing internal stands in a
cursor.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from vault.db import db
from vault.models.membership import EPOCH, position_of

T = TypeVar("T")
Key = tuple[datetime, str]
# Microseconds since 1970 and a public id. Eighteen digits reach beyond the year 9999 and fit into every database.
GRAMMAR = re.compile(r"(-?[0-9]{1,18})\.([A-Za-z0-9_-]{22})")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A stretch of a list, and the opaque cursor behind its last row (None at the end)."""

    items: list[T]
    next_cursor: str | None


def newest_first(
    rows: sa.Select[*tuple[Any, ...]], moment: Any, name: Any, *, limit: int, cursor: str | None
) -> Page[Any]:
    """Return a page of rows, the latest first by the columns `moment` and, for what is as old, `name`.

    A cursor that we did not write begins at the start.
    """
    start = _read(cursor)
    if start is not None:
        rows = rows.where(sa.tuple_(moment, name) < start)
    keyed = rows.add_columns(moment, name).order_by(moment.desc(), name.desc()).limit(limit + 1)
    found = db.session.execute(keyed).all()
    shown = found[:limit]
    following = _write(shown[-1][-2], shown[-1][-1]) if len(found) > limit else None
    return Page([row[:-2] for row in shown], following)


def newest_of(lines: Iterable[T], key: Callable[[T], Key], *, limit: int, cursor: str | None) -> Page[T]:
    """Return a page of what is in memory already, as `newest_first` does of rows. `key` returns moment and name."""
    start = _read(cursor)
    rest = sorted((line for line in lines if start is None or key(line) < start), key=key, reverse=True)
    return Page(rest[:limit], _write(*key(rest[limit - 1])) if len(rest) > limit else None)


def _write(moment: datetime, name: str) -> str:
    return f"{position_of(moment)}.{name}"


def _read(cursor: str | None) -> Key | None:
    parts = GRAMMAR.fullmatch(cursor or "")
    if parts is None:
        return None
    try:
        return EPOCH + timedelta(microseconds=int(parts[1])), parts[2]
    except OverflowError:
        return None
