"""Recording who looked and who took what home, without letting a picture wait for it.

Floor 3. A request leaves a note in memory; every two seconds a thread writes the notes of its process in one
transaction. A crash loses the notes of two seconds, and never a limit: what is limited is counted in the request
itself, in the statement that checks it (docs/adr/0012-recording.md).
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from vault import audit
from vault.db import incidental, transaction, utcnow
from vault.models.history import Download, PersonSight, Visit, VisitSight
from vault.models.media import Media, MediaFacts
from vault.models.sharing import Link, LinkTerms
from vault.policy import Action, Denied, Permit, Viewer, authorize

EVERY_SECONDS = 2.0
# As many as are named in one statement: SQLite takes 32,766 values.
MOST_NOTES = 20_000
# Of one download; who asks for more pieces with gaps between them than that is not reading a picture.
MOST_STRETCHES = 200
Spans = list[tuple[int, int]]
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
# Visit or person, picture, variant.
Key = tuple[int, int, str]


@dataclass
class _Sight:
    first_at: datetime
    last_at: datetime
    times: int = 1


@dataclass
class _Taking:
    """What went out of one thing to one visitor: stretches of bytes, and how many there are in all."""

    size_bytes: int
    spans: Spans = field(default_factory=list)


@dataclass(frozen=True)
class _Taken:
    """An original that a person took home, for the events."""

    user_id: int
    subject: str
    through: str
    address: str


@dataclass
class _Notes:
    visitors: dict[Key, _Sight] = field(default_factory=dict)
    people: dict[Key, _Sight] = field(default_factory=dict)
    takings: dict[tuple[int, str], _Taking] = field(default_factory=dict)
    taken: list[_Taken] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.visitors) + len(self.people) + len(self.takings) + len(self.taken)


class Recorder:
    """The notes of one process. `context` makes what a thread needs to reach the database."""

    def __init__(self, context: Callable[[], AbstractContextManager[object]]) -> None:
        self._context = context
        self._notes = _Notes()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        # A file that is fetched in pieces is one download, and the first piece that is asked for counts.
        self._pieces = audit.Bounded(most=1, seconds=600)

    def start(self) -> None:
        """Write from now on by itself; called once in every serving process, after it was forked."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what is left and end the thread."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        with self._context():
            self.flush()

    def opened(self, permit: Permit[MediaFacts], variant: str) -> None:
        """Note that a picture was opened. Nobody is told how often he looks at his own."""
        viewer = permit.viewer
        if viewer.visit_id is None and (viewer.user_id is None or viewer.user_id == permit.row.owner_id):
            return
        with self._lock:
            if len(self._notes) < MOST_NOTES:
                if viewer.visit_id is not None:
                    _see(self._notes.visitors, (viewer.visit_id, permit.row.id, variant))
                else:
                    _see(self._notes.people, (viewer.user_id, permit.row.id, variant))

    def taken(self, permit: Permit[MediaFacts], *, in_pieces: bool) -> None:
        """Note that a person takes an original home; of a file fetched in pieces once in ten minutes."""
        user_id = permit.viewer.user_id
        if in_pieces and not self._pieces.admits(f"{user_id} {permit.row.public_id}"):
            return
        with self._lock:
            if len(self._notes) < MOST_NOTES:
                found = _Taken(user_id, permit.row.public_id, permit.reason, audit.address.get())
                self._notes.taken.append(found)

    def sent(self, visit_id: int, thing: str, span: tuple[int, int], size_bytes: int) -> None:
        """Note that the bytes of `span` (from, to) of a thing of `size_bytes` went out to a visitor."""
        with self._lock:
            if len(self._notes) < MOST_NOTES:
                taking = self._notes.takings.setdefault((visit_id, thing), _Taking(size_bytes))
                taking.size_bytes = size_bytes
                spans = joined([*taking.spans, span])
                taking.spans = spans if len(spans) <= MOST_STRETCHES else taking.spans

    def flush(self) -> None:
        """Write what was noted so far. Whatever fails is logged and lost: no picture depends on it."""
        with self._lock:
            notes, self._notes = self._notes, _Notes()
        if len(notes):
            with self._writing, incidental("history"):
                try:
                    _in_one(notes)
                except IntegrityError:
                    # A picture or a visit went while its note was written. What is left is written without it.
                    _in_one(notes)

    def _run(self) -> None:
        while not self._ending.wait(EVERY_SECONDS):
            with self._context():
                self.flush()


def claim(viewer: Viewer, terms: LinkTerms, thing: str, *, begins: bool = True) -> None:
    """Count the beginning of a download against a link's limit, once for each visitor and thing.

    `thing` is a picture's public id, or the name of what an archive holds. Resuming costs nothing, and asking only (not
    `begins`) neither. Raises Denied when none is left. Without a limit nothing is written here.
    """
    if terms.max_downloads is None or viewer.visit_id is None:
        return
    with transaction() as session:
        # Holds the link's row: of many beginnings at one moment each sees those before it.
        session.execute(sa.select(Link.id).where(Link.id == terms.link_id).with_for_update())
        if session.get(Download, (viewer.visit_id, thing)) is not None:
            return
        authorize(viewer, Action.DOWNLOAD, Link, terms.link_public_id)
        step = 1 if begins else 0
        room = sa.update(Link).where(Link.id == terms.link_id, Link.download_count < Link.max_downloads)
        if not session.execute(room.values(download_count=Link.download_count + step)).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
            raise Denied
        if begins:
            session.add(Download(visit_id=viewer.visit_id, thing=thing))


def joined(spans: Spans) -> Spans:
    """Join stretches that touch or overlap; `(from, to)` without the byte at `to`."""
    found: Spans = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif end > start:
            found.append((start, end))
    return found


def _see(seen: dict[Key, _Sight], key: Key) -> None:
    now = utcnow()
    known = seen.get(key)
    if known is None:
        seen[key] = _Sight(now, now)
    else:
        known.last_at, known.times = now, known.times + 1


def _in_one(notes: _Notes) -> None:
    with transaction() as session:
        _write(session, notes)


def _write(session: Session, notes: _Notes) -> None:
    pictures = {key[1] for key in (*notes.visitors, *notes.people)}
    there = set(session.scalars(sa.select(Media.id).where(Media.id.in_(pictures))))
    visits = {key[0] for key in notes.visitors} | {key[0] for key in notes.takings}
    # Holds the rows of the visits: of two processes that write of the same visitor, one sees what the other wrote.
    held = sa.select(Visit.id).where(Visit.id.in_(visits)).order_by(Visit.id).with_for_update(key_share=True)
    alive = set(session.scalars(held)) if visits else set()
    visitors = {key: sight for key, sight in notes.visitors.items() if key[0] in alive and key[1] in there}
    _add_sights(session, VisitSight, visitors)
    _add_sights(session, PersonSight, {key: sight for key, sight in notes.people.items() if key[1] in there})
    if alive:
        session.execute(sa.update(Visit).where(Visit.id.in_(alive)).values(last_seen_at=utcnow()))
    for (visit_id, thing), taking in sorted(notes.takings.items(), key=lambda note: note[0]):
        if visit_id in alive:
            _add_taking(session, visit_id, thing, taking)
    for each in notes.taken:
        token = audit.address.set(each.address)
        audit.record(session, "media.download", actor_id=each.user_id, subject=each.subject, through=each.through)
        audit.address.reset(token)


def _add_sights(session: Session, kind: type[VisitSight] | type[PersonSight], seen: dict[Key, _Sight]) -> None:
    """Add to what is known, or begin it, in one statement: another process may write the same at this moment."""
    if not seen:
        return
    table = kind.__table__
    names = [column.name for column in table.primary_key]
    # In one order everywhere, so that two processes never wait for each other.
    rows = [dict(zip(names, key, strict=True)) | vars(sight) for key, sight in sorted(seen.items())]
    insert = _INSERT[session.get_bind().dialect.name](table)
    later = sa.case((insert.excluded.last_at > table.c.last_at, insert.excluded.last_at), else_=table.c.last_at)
    summed = {"last_at": later, "times": table.c.times + insert.excluded.times}
    session.execute(insert.on_conflict_do_update(index_elements=names, set_=summed), rows)


def _add_taking(session: Session, visit_id: int, thing: str, taking: _Taking) -> None:
    row = session.get(Download, (visit_id, thing), with_for_update=True)
    if row is None:
        row = Download(visit_id=visit_id, thing=thing, pieces="")
        session.add(row)
    written = [each.split("-") for each in row.pieces.split(",") if each]
    before = [(int(start), int(end)) for start, end in written]
    spans = joined([*before, *taking.spans])
    spans = spans if len(spans) <= MOST_STRETCHES else before
    row.size_bytes, row.pieces = taking.size_bytes, ",".join(f"{start}-{end}" for start, end in spans)
    if spans == [(0, taking.size_bytes)] and row.completed_at is None:
        row.completed_at = utcnow()
        _say_taken(session, visit_id, thing)


def _say_taken(session: Session, visit_id: int, thing: str) -> None:
    named = sa.select(Link.public_id).join(Visit, Visit.link_id == Link.id).where(Visit.id == visit_id)
    link_id = session.scalar(named)
    audit.record(session, "media.download", actor_id=None, by=f"link {link_id}", subject=thing, through="link")
