"""Looking over people, for administrators. Reads only.

Floor 3.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from vault.db import db, utcnow
from vault.models import cursor as cursors
from vault.models.account import LoginSession, User
from vault.models.cursor import Page
from vault.services import Refused

MOST_PEOPLE = 1_000


@dataclass(frozen=True)
class Line:
    """A person as the overview shows him."""

    person: User
    sessions: int
    last_seen_at: datetime | None


def everybody() -> list[Line]:
    """Return everybody, by name."""
    rows = db.session.execute(_lines().order_by(User.name, User.id).limit(MOST_PEOPLE))
    return [Line(person, count, seen) for person, count, seen in rows]


def everybody_by_page(*, limit: int, cursor: str | None = None) -> Page[Line]:
    """Return a page of everybody, the newest account first."""
    found = cursors.newest_first(_lines(), User.created_at, User.public_id, limit=limit, cursor=cursor)
    return Page([Line(*row) for row in found.items], found.next_cursor)


def line(person: User) -> Line:
    """Return one person's line."""
    row, count, seen = db.session.execute(_lines().where(User.id == person.id)).one()
    return Line(row, count, seen)


def find(public_id: str) -> User | None:
    """Return a person by public id."""
    return db.session.scalar(sa.select(User).where(User.public_id == public_id.replace("\0", "")))


def find_by_email(email: str) -> User | None:
    """Return a person by e-mail address."""
    return db.session.scalar(sa.select(User).where(User.email == email.strip().lower().replace("\0", "")))


def named(email: str) -> User:
    """Return a person by e-mail address. Raises Refused when there is none."""
    person = find_by_email(email)
    if person is None:
        raise Refused(f"nobody with the e-mail address {email} is here")
    return person


def shown_name(person: User) -> str:
    """Return how to call a person to others: by name or, before there is one, by a veiled address."""
    return person.name or veiled(person.email)


def veiled(email: str) -> str:
    """Return an address that its owner's friends recognise and nobody else can use: an…@example.org."""
    local, _, domain = email.rpartition("@")
    return f"{local[:2]}…@{domain}"


def state(person: User) -> str:
    """Return "disabled", "invited" or "active"."""
    if person.disabled_at is not None:
        return "disabled"
    return "invited" if person.password_hash is None else "active"


def _lines() -> sa.Select[User, int, datetime | None]:
    live = (LoginSession.user_id == User.id, LoginSession.expires_at > utcnow())
    counted = sa.select(sa.func.count()).select_from(LoginSession).where(*live).correlate(User).scalar_subquery()
    seen = sa.select(sa.func.max(LoginSession.last_seen_at)).where(LoginSession.user_id == User.id)
    return sa.select(User, counted, seen.correlate(User).scalar_subquery())
