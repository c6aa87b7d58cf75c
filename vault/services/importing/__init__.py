"""Importing: trees, archives and Takeouts, taken in file by file, resumed where they ended.

Floor 3. An import is a row (`runs`). Files are read ahead by several threads (`reading`), with what lies beside them
(`beside`); one thread writes the rows, each file in a transaction that counts it as well. To keep a file, and to make
an album, is other use cases' business: they are handed in as `Doors`, because services do not know each other.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from sqlalchemy.orm import Session

from vault.archives import BadArchive, Entry, Folder
from vault.archives.zips import Limits, Zips
from vault.db import db, incidental
from vault.imaging.claims import Told
from vault.imaging.identify import Unsupported
from vault.jobs import Tasks
from vault.models.ingest import ImportRun, RunState
from vault.models.media import Album, Media
from vault.policy import Denied, Viewer
from vault.services import OverQuota, Refused, Vault
from vault.services.importing import reading, remembered, runs, verdicts
from vault.services.importing.beside import Beside, forget, look_through
from vault.services.importing.places import Make, Place, Places
from vault.services.importing.reading import Job, Read
from vault.services.importing.runs import Ledger, Stopped, begin_from_upload, due, release_claims
from vault.services.importing.slices import Slice
from vault.storage import Missing, TooLarge

__all__ = [
    "Doors",
    "Manner",
    "Outcome",
    "Stopped",
    "begin_from_upload",
    "due",
    "limits",
    "release_claims",
    "take_in",
    "tasks",
]

WORKER_READERS = 2
AT_A_TIME = 500
# What was counted without a picture of its own is written down at least this often.
FLUSH_SECONDS = 1.0
SIDECAR = ""
GONE = "The archive is gone. Please upload it again."
CLOSED = "The account or the album is not open to this import any more."
tasks: Tasks["Doors"] = Tasks()


class Kept(Protocol):
    """What became of a file that was kept."""

    @property
    def media(self) -> Media:
        """The row of its picture."""

    @property
    def duplicate(self) -> bool:
        """Whether it was here before."""


@dataclass(frozen=True)
class Doors:
    """What an import needs of other use cases: to keep a file, to make an album, to know how much room is left."""

    vault: Vault
    receive: Callable[..., Kept]
    make_album: Make
    room_left: Callable[[int], int | None]


class Outcome(NamedTuple):
    """What became of one file: `what` is "imported", "already_here", "refused", "left_out", or empty for a sidecar."""

    entry: Entry
    what: str
    reason: str = ""
    media_id: str = ""


@dataclass(frozen=True)
class Manner:
    """How files are taken in: which folders become albums, and whether files of the machine are remembered.

    `base` is where the parts of folders begin, for their albums to be known again.
    """

    base: str
    by_folders: bool = False
    by_takeout: bool = True
    remembers: bool = False
    readers: int = WORKER_READERS


def take_in(
    doors: Doors, run: ImportRun, folders: Iterable[Folder], manner: Manner, *, root_id: str | None
) -> Generator[Outcome]:
    """Take in the files of folders behind those that the run has dealt with, and yield what became of each.

    `root_id` is the album that all goes into or below. What was yielded is written down when the next one is asked for;
    closed early, the run can go on where it was. Raises Stopped, Denied, StorageError, Busy.
    """
    ledger = Ledger(run.id, run.done_count)
    ledger.reasons.update(run.reasons)
    viewer = Viewer(user_id=run.owner_id)
    intake = _Intake(doors, viewer, ledger, Places(viewer, doors.make_album, root_id=root_id), manner)
    found = reading.ahead(doors.vault, intake.jobs(folders), readers=manner.readers)
    flushed_at = time.monotonic()
    try:
        for read in found:
            yield intake.settle(read)
            if time.monotonic() > flushed_at + FLUSH_SECONDS:
                ledger.flush()
                flushed_at = time.monotonic()
        ledger.flush()
    finally:
        found.close()
        if ledger.pending:
            with incidental("import"):
                ledger.flush()


@tasks.task(runs.TASK)
def go_on(doors: Doors, public_id: str) -> None:
    """Take an uploaded archive apart for a while; what is left is due again."""
    run = runs.claim(public_id)
    if run is None or run.archive_key is None:
        return
    failure, is_over = "", False
    try:
        with doors.vault.storage.local_path(run.archive_key) as path:
            is_over = _go_on(doors, run, path)
    except BadArchive as error:
        failure = str(error)
    except Missing:
        failure = GONE
    except Denied:
        failure = CLOSED
    except Stopped:
        return
    except BaseException:
        runs.release(run.id)
        raise
    if failure or is_over:
        forget(run.id)
    if failure:
        runs.end(doors.vault, run.id, RunState.FAILED, failure)
    elif is_over:
        runs.end(doors.vault, run.id, RunState.DONE)
    else:
        runs.release(run.id)
        doors.vault.queue.enqueue(runs.TASK, public_id)


def _go_on(doors: Doors, run: ImportRun, path: Path) -> bool:
    """Work on an archive for a slice of time; whether it is at its end."""
    album = db.session.get(Album, run.album_id) if run.album_id else None
    manner = Manner(f"zip:{run.name}", by_folders=album is None, by_takeout=album is None)
    turn = Slice()
    with Zips([path], limits(doors.vault)) as archive:
        if not run.total_count:
            runs.measured(run, archive.count, archive.bytes)
        outcomes = take_in(doors, run, archive.folders(), manner, root_id=album.public_id if album else None)
        for _ in outcomes:
            if turn.is_over():
                outcomes.close()
                return False
    return True


def limits(vault: Vault) -> Limits:
    """Return how much an archive may be in this vault."""
    return Limits(most_entry_bytes=vault.settings.max_upload_bytes)


class _Intake:
    """One import at work: what is read of which folder, and what becomes of it."""

    def __init__(self, doors: Doors, viewer: Viewer, ledger: Ledger, places: Places, manner: Manner) -> None:
        self._doors, self._viewer, self._ledger, self._places, self._manner = doors, viewer, ledger, places, manner
        self._is_full = False

    def jobs(self, folders: Iterable[Folder]) -> Iterator[Job[Place]]:
        """Yield what is to be done with each file that was not dealt with before."""
        done = self._ledger.done_count
        for folder in folders:
            if done >= len(folder.entries):
                done -= len(folder.entries)
                continue
            found = look_through(self._ledger.run_id, folder)
            place = self._place(folder, found)
            rest = iter(folder.entries[done:])
            done = 0
            while some := list(islice(rest, AT_A_TIME)):
                known = self._known(some, place)
                yield from (self._job(entry, found, place, known) for entry in some)

    def settle(self, read: Read[Place]) -> Outcome:
        """Keep what was read, or say why not, and count it."""
        job, error = read.job, read.error
        if read.incoming is None:
            what, reason = (job.what, job.reason) if error is None else verdicts.of(job.entry, error)
            return self._counted(Outcome(job.entry, what, reason))
        try:
            return self._keep(read)
        except (Unsupported, Refused, TooLarge) as refusal:
            self._is_full = self._is_full or isinstance(refusal, OverQuota)
            return self._counted(Outcome(job.entry, *verdicts.of(job.entry, refusal)))
        finally:
            read.incoming.discard()

    def _place(self, folder: Folder, beside: Beside) -> Place | None:
        if beside.is_takeout and self._manner.by_takeout:
            return Place("takeout:", (beside.album_title,)) if beside.album_title else None
        if self._manner.by_folders and folder.parts and not beside.is_takeout:
            return Place(self._manner.base, folder.parts)
        return None

    def _known(self, entries: list[Entry], place: Place | None) -> set[str]:
        if not self._manner.remembers:
            return set()
        album_id = self._places.known_id(place)
        if place is not None and album_id is None:
            return set()
        return remembered.known(self._viewer.user_id, entries, album_id)

    def _job(self, entry: Entry, beside: Beside, place: Place | None, known: set[str]) -> Job[Place]:
        if entry.left_out:
            return Job(entry, what="left_out", reason=entry.left_out)
        if entry.trouble:
            return Job(entry, what="refused", reason=entry.trouble)
        if beside.is_sidecar(entry):
            return Job(entry, what=SIDECAR)
        if entry.place in known:
            return Job(entry, what="already_here")
        if self._is_full and (self._doors.room_left(self._viewer.user_id) or 0) < entry.size_bytes:
            return Job(entry, what="refused", reason="There is no room left for it in the quota.")
        return Job(entry, partial(beside.of, entry), place)

    def _keep(self, read: Read[Place]) -> Outcome:
        entry, album_id = read.job.entry, self._places.album(read.job.place)

        def along(session: Session, kept: Kept) -> None:
            self._ledger.write(session, also=_kept_as(kept), size_bytes=entry.size_bytes)
            if self._manner.remembers:
                owner_id = self._viewer.user_id
                remembered.remember(session, owner_id, entry, media_id=kept.media.id, album_id=album_id)

        told: Told = read.told
        receive = partial(self._doors.receive, self._doors.vault, self._viewer, read.incoming, along=along)
        kept: Kept = receive(file_name=entry.name, album_id=album_id, told=told)
        # Only now, for until its end the transaction may have failed.
        self._ledger.written(also=_kept_as(kept), size_bytes=entry.size_bytes)
        return Outcome(entry, _kept_as(kept), media_id=kept.media.public_id)

    def _counted(self, outcome: Outcome) -> Outcome:
        entry = outcome.entry
        self._ledger.note(outcome.what, entry.size_bytes, path=entry.path, reason=outcome.reason)
        return outcome


def _kept_as(kept: Kept) -> str:
    return "already_here" if kept.duplicate else "imported"
