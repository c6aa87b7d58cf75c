"""The rows of imports: begun, claimed, counted on, ended, and shown to their owner.

Floor 3. A row is the truth of its import. What was dealt with is counted in the very transaction that keeps a file, so
that whoever is killed goes on where he was, and counts nothing twice.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from vault import audit
from vault.db import db, transaction, utcnow
from vault.imaging.identify import Unsupported
from vault.jobs import Message
from vault.models import cursor as cursors
from vault.models.account import User
from vault.models.cursor import Page
from vault.models.ingest import ImportRefusal, ImportRun, RunState
from vault.models.media import Album
from vault.names import storable
from vault.policy import Action, Denied, Viewer, authorize
from vault.services import Refused, Vault
from vault.signing import new_public_id
from vault.storage import Arrival, archive_key

TASK = "import"
# Archives take room that no quota counts until they are taken apart.
MOST_WAITING = 3
# Longer than the largest file takes, so that a claim this old belongs to a worker that died.
CLAIM_LIFE = timedelta(minutes=10)
ALIVE = (RunState.WAITING, RunState.RUNNING)
ZIP = b"PK\x03\x04"
MOST_SHOWN = 500
LONGEST_REASON = 300
LONGEST_NAME = 1024
NO_ZIP = "This is no zip archive."
TOO_MANY = f"{MOST_WAITING} archives of yours are still being imported. Wait for one of them, or stop it."


@dataclass
class _Last:
    """Whose turn it was in this process."""

    run_id: int = 0


_last = _Last()


class Stopped(Exception):
    """The import was ended from elsewhere, or somebody else goes on with it."""


@dataclass
class Ledger:
    """What one import has come to, and what of that is not yet written down. `reasons` are those of the whole run."""

    run_id: int
    done_count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    pending: Counter[str] = field(default_factory=Counter)
    refusals: list[tuple[str, str]] = field(default_factory=list)

    def note(self, what: str, size_bytes: int, *, path: str = "", reason: str = "") -> None:
        """Count one more file; `what` is the name of one of the row's four counts, or empty for a sidecar."""
        self.pending["done_count"] += 1
        self.pending["done_bytes"] += size_bytes
        if what:
            self.pending[what] += 1
        if reason:
            self.reasons[reason[:LONGEST_REASON]] += 1
        # The number is in the row; nobody reads more of them than that.
        if what == "refused" and len(self.refusals) < MOST_SHOWN:
            self.refusals.append((storable(path, LONGEST_NAME), reason[:LONGEST_REASON]))

    def write(self, session: Session, *, also: str = "", size_bytes: int = 0) -> None:
        """Write what is pending into the row, with `also` one file more, in the open transaction. Raises Stopped."""
        counted = {name: getattr(ImportRun, name) + count for name, count in self._with(also, size_bytes).items()}
        mine = (ImportRun.id == self.run_id, ImportRun.state == RunState.RUNNING)
        here = sa.update(ImportRun).where(*mine, ImportRun.done_count == self.done_count)
        values = {**counted, "reasons": dict(self.reasons), "claimed_at": utcnow()}
        if not session.execute(here.values(values)).rowcount:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
            raise Stopped
        if self.refusals:
            told = sa.select(sa.func.count()).where(ImportRefusal.run_id == self.run_id)
            room = max(0, MOST_SHOWN - (session.scalar(told) or 0))
            kept = self.refusals[:room]
            session.add_all(ImportRefusal(run_id=self.run_id, path=path, reason=why) for path, why in kept)

    def written(self, *, also: str = "", size_bytes: int = 0) -> None:
        """Forget what `write` wrote, when its transaction has ended well."""
        self.done_count += self._with(also, size_bytes)["done_count"]
        self.pending.clear()
        self.refusals.clear()

    def flush(self) -> None:
        """Write what is pending in a transaction of its own. Raises Stopped."""
        with transaction() as session:
            self.write(session)
        self.written()

    def _with(self, also: str, size_bytes: int) -> Counter[str]:
        return self.pending + Counter({"done_count": 1, "done_bytes": size_bytes, also: 1} if also else {})


def begin_from_upload(
    vault: Vault,
    viewer: Viewer,
    incoming: Arrival,
    *,
    file_name: str,
    album_id: str | None = None,
    along: Callable[[Session, ImportRun], None] = lambda _session, _run: None,
) -> ImportRun:
    """Keep an archive that was uploaded, and have it taken apart; durable when it returns.

    All of it goes into the album if one is named; else its folders become albums. `along` is what else happens in the
    transaction that begins it. Raises Unsupported for what is no zip, Refused, Denied, StorageFull, StorageError.
    """
    if viewer.user_id is None:
        raise Denied
    if not incoming.head.startswith(ZIP):
        raise Unsupported(None, NO_ZIP)
    owner = db.session.scalar(sa.select(User.public_id).where(User.id == viewer.user_id))
    public_id = new_public_id()
    key = archive_key(owner or "", public_id)
    _refuse_too_many(viewer)
    incoming.keep(key)
    try:
        with transaction() as session:
            _refuse_too_many(viewer)
            run = _begun(session, viewer, name=file_name, album_id=album_id, public_id=public_id)
            run.archive_key, run.state = key, RunState.WAITING
            along(session, run)
    except (Refused, Denied):
        vault.storage.delete(key)
        raise
    vault.queue.enqueue(TASK, public_id)
    return run


def begin_here(viewer: Viewer, *, name: str, album_id: str | None, count: int, size_bytes: int) -> ImportRun:
    """Begin an import that the caller does himself, of what lies on the machine; the one before it has ended."""
    with transaction() as session:
        former = (
            ImportRun.owner_id == viewer.user_id,
            ImportRun.name == storable(name, LONGEST_NAME),
            ImportRun.archive_key.is_(None),
        )
        broken_off = {"state": RunState.STOPPED, "finished_at": utcnow()}
        session.execute(sa.update(ImportRun).where(*former, ImportRun.state.in_(ALIVE)).values(broken_off))
        run = _begun(session, viewer, name=name, album_id=album_id, public_id=new_public_id())
        run.state, run.claimed_at, run.total_count, run.total_bytes = RunState.RUNNING, utcnow(), count, size_bytes
        return run


def claim(public_id: str) -> ImportRun | None:
    """Take an import that waits and that nobody who is alive has claimed."""
    with transaction() as session:
        wanted = sa.select(ImportRun).where(ImportRun.public_id == public_id, *_unclaimed())
        run = session.scalar(wanted.with_for_update(skip_locked=True))
        if run is None:
            return None
        run.state, run.claimed_at = RunState.RUNNING, utcnow()
        return run


def measured(run: ImportRun, count: int, size_bytes: int) -> None:
    """Write down how much there is."""
    with transaction() as session:
        values = {"total_count": count, "total_bytes": size_bytes}
        session.execute(sa.update(ImportRun).where(ImportRun.id == run.id).values(values))


def release(run_id: int) -> None:
    """Give an import back that is not at its end."""
    with transaction() as session:
        session.execute(sa.update(ImportRun).where(ImportRun.id == run_id).values(claimed_at=None))


def release_claims() -> None:
    """Forget the claims of a worker that died; called when one starts."""
    with transaction() as session:
        kept = (ImportRun.state == RunState.RUNNING, ImportRun.archive_key.is_not(None))
        session.execute(sa.update(ImportRun).where(*kept).values(claimed_at=None))


def due(under_way: Collection[Message] = ()) -> Message | None:
    """Say which import the worker goes on with next: each in its turn, whoever came first with very much."""
    busy = [args[0] for name, args in under_way if name == TASK]
    waiting = sa.select(ImportRun.id, ImportRun.public_id).where(*_unclaimed(), ImportRun.public_id.not_in(busy))
    rows = list(db.session.execute(waiting.order_by(ImportRun.id)))
    db.session.rollback()
    if not rows:
        return None
    row = next((each for each in rows if each.id > _last.run_id), rows[0])
    _last.run_id = row.id
    return TASK, (row.public_id,)


def end(vault: Vault, run_id: int, state: RunState, failure: str | None = None) -> None:
    """End an import that is alive, and remove its archive. One that has ended stays as it is."""
    with transaction() as session:
        run = session.scalar(sa.select(ImportRun).where(ImportRun.id == run_id).with_for_update())
        if run is None or run.state not in ALIVE:
            return
        key = run.archive_key
        run.state, run.failure, run.finished_at = state, failure and failure[:LONGEST_REASON], utcnow()
        run.archive_key, run.claimed_at = None, None
        numbers = {name: getattr(run, name) for name in ("imported", "already_here", "refused", "left_out")}
        audit.record(session, "import.end", actor_id=run.owner_id, subject=run.public_id, state=state.value, **numbers)
    if key:
        vault.storage.delete(key)


def stop(vault: Vault, viewer: Viewer, public_id: str) -> None:
    """Stop an import of the viewer's; what it has taken in stays. Raises Denied."""
    end(vault, get(viewer, public_id).id, RunState.STOPPED)


def get(viewer: Viewer, public_id: str) -> ImportRun:
    """Return an import of the viewer's. Raises Denied."""
    mine = sa.select(ImportRun).where(ImportRun.owner_id == viewer.user_id, ImportRun.public_id == public_id)
    run = db.session.scalar(mine) if viewer.user_id is not None else None
    if run is None:
        raise Denied
    return run


def own(viewer: Viewer, *, limit: int, cursor: str | None = None) -> Page[ImportRun]:
    """Return a page of the viewer's imports, the latest first."""
    mine = sa.select(ImportRun).where(ImportRun.owner_id == viewer.user_id)
    page = cursors.newest_first(mine, ImportRun.created_at, ImportRun.id, limit=limit, cursor=cursor)
    return Page([row[0] for row in page.items], page.next_cursor)


def refusals(run: ImportRun) -> list[ImportRefusal]:
    """Return the files that an import did not take, the first five hundred."""
    told = sa.select(ImportRefusal).where(ImportRefusal.run_id == run.id).order_by(ImportRefusal.id)
    return list(db.session.scalars(told.limit(MOST_SHOWN)))


def reasons(run: ImportRun) -> dict[str, int]:
    """Return how often a file was refused or left out, for each reason, as it stands now."""
    return db.session.scalar(sa.select(ImportRun.reasons).where(ImportRun.id == run.id)) or {}


def is_broken_off(run: ImportRun) -> bool:
    """Whether an import seems to go on, but whoever did it has said nothing for long."""
    return (
        run.state == RunState.RUNNING
        and run.archive_key is None
        and (run.claimed_at or utcnow()) < utcnow() - CLAIM_LIFE
    )


def _begun(session: Session, viewer: Viewer, *, name: str, album_id: str | None, public_id: str) -> ImportRun:
    album = authorize(viewer, Action.ADD, Album, album_id).row.id if album_id else None
    run = ImportRun(public_id=public_id, owner_id=viewer.user_id, album_id=album, name=storable(name, LONGEST_NAME))
    session.add(run)
    session.flush()
    audit.record(session, "import.begin", actor_id=viewer.user_id, subject=public_id, name=run.name[:200])
    return run


def _unclaimed() -> tuple[sa.ColumnElement[bool], ...]:
    free = sa.or_(ImportRun.claimed_at.is_(None), ImportRun.claimed_at < utcnow() - CLAIM_LIFE)
    return (ImportRun.archive_key.is_not(None), ImportRun.state.in_(ALIVE), free)


def _refuse_too_many(viewer: Viewer) -> None:
    waiting = (ImportRun.owner_id == viewer.user_id, ImportRun.archive_key.is_not(None), ImportRun.state.in_(ALIVE))
    if (db.session.scalar(sa.select(sa.func.count()).where(*waiting)) or 0) >= MOST_WAITING:
        raise Refused(TOO_MANY)
