"""Where a list goes on: the key of its last row, written so that it holds also when that row is gone.

Floor 1: rows and their order, no rule. A page costs the same anywhere in its list.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from vault.db import UtcDateTime, db
from vault.models.membership import EPOCH, position_of

T = TypeVar("T")
AT_A_TIME = 5_000
Key = tuple[datetime, str]
# A place, or microseconds since 1970, and a public id or a row's number. Eighteen digits reach beyond the year 9999;
# neither they nor nine are too many for a column of any database.
GRAMMAR = re.compile(r"(-?[0-9]{1,18})\.([A-Za-z0-9_-]{22}|[0-9]{1,9})")


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
    return in_order(rows, moment, name, limit=limit, cursor=cursor, descending=True)


def in_order(
    rows: sa.Select[*tuple[Any, ...]], place: Any, name: Any, *, limit: int, cursor: str | None, descending: bool
) -> Page[Any]:
    """Return a page of rows along the columns `place`, a moment or a whole number, and `name`.

    Where `name` is the row's number, what came in together stays in the order in which it came.
    """
    start = _read(cursor, datetime if isinstance(place.type, UtcDateTime) else int, name.type.python_type)
    here = sa.tuple_(place, name)
    if start is not None:
        rows = rows.where(here < start if descending else here > start)
    sorting = [column.desc() if descending else column.asc() for column in (place, name)]
    found = db.session.execute(rows.add_columns(place, name).order_by(*sorting).limit(limit + 1)).all()
    shown = found[:limit]
    following = _write(shown[-1][-2], shown[-1][-1]) if len(found) > limit else None
    return Page([row[:-2] for row in shown], following)


def newest_of(lines: Iterable[T], key: Callable[[T], Key], *, limit: int, cursor: str | None) -> Page[T]:
    """Return a page of what is in memory already, as `newest_first` does of rows. `key` returns moment and name."""
    start = _read(cursor, datetime, str)
    rest = sorted((line for line in lines if start is None or key(line) < start), key=key, reverse=True)
    return Page(rest[:limit], _write(*key(rest[limit - 1])) if len(rest) > limit else None)


def _write(place: datetime | int, name: str | int) -> str:
    return f"{position_of(place) if isinstance(place, datetime) else place}.{name}"


def _read(cursor: str | None, place: type, name: type) -> Any:
    """Return the values of a cursor in the types of its columns; None for one that was not written for them."""
    parts = GRAMMAR.fullmatch(cursor or "")
    if parts is None:
        return None
    try:
        at = EPOCH + timedelta(microseconds=int(parts[1])) if issubclass(place, datetime) else int(parts[1])
        return at, name(parts[2])
    except (OverflowError, ValueError):
        return None


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield some thousands at a time: no database takes as many values in one statement as a list may have."""
    for start in range(0, len(values), AT_A_TIME):
        yield values[start : start + AT_A_TIME]
