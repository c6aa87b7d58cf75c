"""Looking through what happened, and taking it along, for administrators.

Floor 3. Whether the events are still the ones that were written is asked in `vault.services.auditing`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from vault import audit, tables
from vault.chain import SEALED
from vault.db import db, transaction
from vault.models.account import User
from vault.models.system import Event

PAGE_SIZE = 100
EXPORTED_AT_A_TIME = 500
MOST_ACTORS = 1_000
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Wanted:
    """Which events: of a kind, done by a person, in whose line a text stands, on or between days (UTC)."""

    text: str = ""
    action: str = ""
    person_id: str = ""
    first_day: date | None = None
    last_day: date | None = None

    def narrow(self, found: sa.Select[Any]) -> sa.Select[Any]:
        """Leave only these in a question about events."""
        if self.action:
            found = found.where(Event.action == self.action.replace("\0", ""))
        if self.person_id:
            person = sa.select(User.id).where(User.public_id == self.person_id.replace("\0", ""))
            found = found.where(Event.actor_id == person.scalar_subquery())
        words = self.text.strip().replace("\0", "")
        if words:
            columns = (Event.actor, Event.subject, Event.address)
            found = found.where(sa.or_(*(column.icontains(words, autoescape=True) for column in columns)))
        if self.first_day is not None:
            found = found.where(Event.at >= _midnight(self.first_day))
        if self.last_day is not None and self.last_day < date.max:
            found = found.where(Event.at < _midnight(self.last_day + timedelta(days=1)))
        return found


@dataclass(frozen=True)
class EventPage:
    """A stretch of events, the latest first, and where the next one begins."""

    events: list[Event]
    next_before: int | None


def page(wanted: Wanted, *, before: int | None = None) -> EventPage:
    """Return events older than the event id `before`."""
    found = wanted.narrow(sa.select(Event))
    if before is not None and 0 < before <= LARGEST_ID:
        found = found.where(Event.id < before)
    rows = list(db.session.scalars(found.order_by(Event.id.desc()).limit(PAGE_SIZE + 1)))
    return EventPage(rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None)


def actions() -> list[str]:
    """Return the kinds of event that there are."""
    return list(db.session.scalars(sa.select(Event.action).distinct().order_by(Event.action)))


def people() -> list[tuple[str, str]]:
    """Return everybody who may have done something: public id, and name with e-mail address."""
    rows = db.session.execute(sa.select(User.public_id, User.name, User.email).order_by(User.name).limit(MOST_ACTORS))
    return [(public_id, f"{name} ({email})" if name else email) for public_id, name, email in rows]


def export(actor_id: int, wanted: Wanted) -> Iterator[str]:
    """Remember that somebody takes events along, and return them as the lines of a CSV, the oldest first.

    The cells are what was sealed, in its order, and the seal: whoever is given the key can reckon it anew.
    """
    with transaction() as session:
        audit.record(session, "event.export", actor_id=actor_id)
    return _lines(wanted)


def _lines(wanted: Wanted) -> Iterator[str]:
    yield tables.line([*SEALED, "mac"])
    columns = audit.sealed_columns(db.engine.dialect)
    found = wanted.narrow(sa.select(*columns, Event.mac)).order_by(Event.id).limit(EXPORTED_AT_A_TIME)
    after = 0
    while rows := db.session.execute(found.where(Event.id > after)).all():
        # Whoever reads slowly must not keep a transaction open.
        db.session.rollback()
        after = rows[-1].id
        yield "".join(tables.line([*audit.sealed_values(row), row.mac]) for row in rows)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
