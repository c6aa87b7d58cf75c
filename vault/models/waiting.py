"""What waits for the worker: who is first in line of each owner, and how many there are.

Floor 1. A line is a column that says "pending" and one that says since when somebody works at it. Every question here
is answered by an index, and whose turn it may be costs no more when a million pictures wait: owners are found by
leaping from one to the next. What is in quarantine waits too, but not for the worker: nothing is made out of rot.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from vault.db import UtcDateTime, utcnow
from vault.models.media import Media, State

WANTED_LIFE: Final = timedelta(minutes=2)
"""How long somebody who looked is taken to look still."""
WALL_CLOCK_FACTOR: Final = 2.0
"""How much longer the work on a video may take than the processor time it is given."""
_MOST_RECENT: Final = 500

_IS_PENDING: Final = sa.or_(Media.state == State.PENDING, Media.playback == State.PENDING)

_Pictures = type[Media]


class Line(NamedTuple):
    """Where pictures wait for one kind of work: the names of the two columns, and how long a claim holds."""

    state: str
    claimed_at: str
    claim_life: timedelta


PICTURES: Final = Line("state", "claimed_at", timedelta(seconds=90))
"""Where small pictures wait to be made. Longer than a decoder's wall clock: such a claim belongs to a dead worker."""


def films(video_seconds: float) -> Line:
    """Return where videos wait for what browsers play; the work on one may take so much processor time."""
    wall_seconds = video_seconds * WALL_CLOCK_FACTOR
    return Line("playback", "playback_claimed_at", timedelta(seconds=wall_seconds + 300))


class Head(NamedTuple):
    """What is first of one owner; `lane` is 0 for what somebody looks at, 1 for what came by hand, 2 for the rest."""

    owner_id: int
    lane: int
    public_id: str


class Count(NamedTuple):
    """How many pictures wait, are being worked at, and failed."""

    waiting: int
    under_way: int
    failed: int


def heads(session: Session, line: Line, *, under_way: Collection[str] = ()) -> list[Head]:
    """Return what may come next, leaving out the public ids in `under_way`: of each owner the first, and the wanted."""
    before = utcnow() - line.claim_life
    found = [
        Head(each.owner_id, 0, each.public_id)
        for each in _recent(session, line, "wanted_at", WANTED_LIFE)
        if (each.claimed_at is None or each.claimed_at < before) and each.public_id not in under_way
    ]
    for owner_id, is_bulk, public_id, *_ in session.execute(
        first_of_each_owner(line), {"before": before, "under_way": list(under_way)}
    ):
        found.append(Head(owner_id, 2 if is_bulk else 1, public_id))
    return found


@cache
def first_of_each_owner(line: Line, *, bulk: bool | None = None) -> sa.Select[int, bool, str, datetime, str]:
    """Return the question for the first of each owner, or his first that is (not) `bulk`; it leaps along the index.

    It asks for `before`, the time of a claim that no longer holds, and `under_way`, the public ids to leave out.
    """
    here, there, each = aliased(Media), aliased(Media), aliased(Media)
    least = sa.select(here.owner_id).where(_waits(here, line)).order_by(here.owner_id).limit(1)
    owners = sa.select(least.scalar_subquery().label("owner_id")).cte("owners", recursive=True)
    beyond = sa.select(there.owner_id).where(_waits(there, line), there.owner_id > owners.c.owner_id)
    leap = beyond.order_by(there.owner_id).limit(1).scalar_subquery()
    owners = owners.union_all(sa.select(leap).where(owners.c.owner_id.is_not(None)))
    claimed, before = _column(each, line.claimed_at), sa.bindparam("before", type_=UtcDateTime())
    head = sa.select(each.id).where(
        _waits(each, line),
        each.quarantined_at.is_(None),
        each.owner_id == owners.c.owner_id,
        sa.or_(claimed.is_(None), claimed < before),
        each.public_id.not_in(sa.bindparam("under_way", expanding=True)),
    )
    if bulk is not None:
        head = head.where(each.is_bulk == bulk)
    first = head.order_by(each.is_bulk, each.id).limit(1).scalar_subquery()
    first_ids = sa.select(first.label("id")).where(owners.c.owner_id.is_not(None)).subquery()
    said = sa.select(Media.owner_id, Media.is_bulk, Media.public_id, Media.uploaded_at, Media.rendition)
    return said.join(first_ids, first_ids.c.id == Media.id)


def claim(session: Session, line: Line, public_id: str) -> Media | None:
    """Hold a picture that waits and that nobody alive works at; None otherwise. In a transaction; sets nothing."""
    claimed = _column(Media, line.claimed_at)
    free = sa.or_(claimed.is_(None), claimed < utcnow() - line.claim_life)
    whole = Media.quarantined_at.is_(None)
    wanted = sa.select(Media).where(Media.public_id == public_id, _waits(Media, line), whole, free)
    return session.scalar(wanted.with_for_update(skip_locked=True))


def count(session: Session, line: Line, *, owner_id: int | None = None) -> Count:
    """Count the pictures of one owner or, without one, all."""
    mine = sa.true() if owner_id is None else Media.owner_id == owner_id
    number = sa.select(sa.func.count()).select_from(Media).where(mine)
    whole = Media.quarantined_at.is_(None)
    failures = number.where(_column(Media, line.state) == State.FAILED)
    pending, failed = session.execute(
        sa.select(number.where(_waits(Media, line), whole).scalar_subquery(), failures.scalar_subquery())
    ).one()
    claims = _recent(session, line, line.claimed_at, line.claim_life)
    under_way = sum(owner_id in (None, each.owner_id) for each in claims)
    return Count(pending - under_way, under_way, failed)


def oldest_at(session: Session, line: Line) -> datetime | None:
    """Return since when what waits longest waits; what is made once more, and only seems old, is left out."""
    given = {"before": utcnow() - line.claim_life, "under_way": []}
    asked = [first_of_each_owner(line, bulk=bulk) for bulk in (False, True)]
    found = [each for question in asked for each in session.execute(question, given)]
    return min((row.uploaded_at for row in found if not row.rendition), default=None)


def pending(session: Session, media_ids: Sequence[int]) -> list[int]:
    """Return those of the pictures that wait for something to be made."""
    return list(session.scalars(sa.select(Media.id).where(Media.id.in_(media_ids), _IS_PENDING)))


def want(session: Session, media_ids: Sequence[int]) -> None:
    """Note that somebody waits for these pictures at this moment, where they are pending."""
    session.execute(sa.update(Media).where(Media.id.in_(media_ids), _IS_PENDING).values(wanted_at=utcnow()))


def _waits(of: _Pictures, line: Line) -> sa.ColumnElement[bool]:
    return _column(of, line.state) == State.PENDING


def _recent(session: Session, line: Line, name: str, life: timedelta) -> list[sa.Row[Any]]:
    """What waits (or is being worked at) of that to which something was noted lately.

    Two questions, because no planner knows how few these are and would look through all that waits.
    """
    noted = _column(Media, name)
    latest = sa.select(Media.id).where(noted >= utcnow() - life).order_by(noted.desc()).limit(_MOST_RECENT)
    ids = session.scalars(latest).all()
    if not ids:
        return []
    said = (Media.owner_id, Media.public_id, _column(Media, line.state), _column(Media, line.claimed_at))
    labelled = (
        column.label(label)
        for column, label in zip(said, ("owner_id", "public_id", "state", "claimed_at"), strict=True)
    )
    whole = (Media.id.in_(ids), Media.quarantined_at.is_(None))
    rows = session.execute(sa.select(*labelled).where(*whole).order_by(noted.desc()))
    return [row for row in rows if row.state == State.PENDING]


def _column(of: _Pictures, name: str) -> InstrumentedAttribute[Any]:
    found: InstrumentedAttribute[Any] = getattr(of, name)
    return found
