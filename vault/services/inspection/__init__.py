"""`fsck`: holds rows against bytes and says what does not agree.

Floor 3. Reads everything, a few hundred rows at a time. What it may mend is only what can be made again: an original is
never deleted and never written. One whose bytes were read twice and are not those of before is put into quarantine, and
comes out of it when they are whole again. Editions are counted and otherwise left alone: they have no rows, what is
wrong with one is mended by making it again, and the sweep takes those of pictures that are gone. Whether the events
are still those that were written is asked by `audit verify`.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import sqlalchemy as sa

from vault import leftovers
from vault.db import db
from vault.models.media import Media, Playback, State, Variant
from vault.services import Vault
from vault.services.inspection import choosing, claims, counting, halves, keeping, parts, trees
from vault.services.inspection.decoding import Decoder
from vault.services.inspection.reading import Outcome, Read, Reader, Wanted, marked
from vault.storage import Missing, StorageError

BATCH = choosing.BATCH
# That so much was read whole is written down at once: whoever stops does not read it again.
MARKED_BYTES = 1024**3
PICTURES = frozenset({"thumb", "preview"})
CHECKS = (parts, counting, trees, claims)
ROWS = (
    Media.id,
    Media.public_id,
    Media.blob_key,
    Media.size_bytes,
    Media.sha256,
    Media.state,
    Media.playback,
    Media.media_type,
)
ORIGINALS = (*ROWS, Media.quarantined_at, Media.quarantine_reason)
VARIANTS = (Variant.media_id, Variant.name, Variant.blob_key, Variant.size_bytes, Variant.sha256)


@dataclass
class Report:
    """What was looked at and what was found wrong: one line per finding, and what was mended.

    `read` originals were read whole; `unread` are those that were not, because there was no more time.
    """

    originals: int = 0
    variants: int = 0
    blobs: int = 0
    pending: int = 0
    read: int = 0
    unread: int = 0
    quarantined: int = 0
    problems: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every invariant holds, as far as was looked."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {"holds": self.holds, **asdict(self)}


@dataclass(frozen=True)
class Reading:
    """How the bytes are read: all of them or, to go on, those that were read longest ago first.

    `begin` is told how many bytes lie ahead, `told` each time how many were read; `stop` is asked whether to end.
    """

    go_on: bool = False
    begin: Callable[[int], None] = lambda _bytes: None
    told: Callable[[int], None] = lambda _bytes: None
    stop: Callable[[], bool] = lambda: False


def inspect(vault: Vault, *, read_data: bool = False, fix: bool = False, reading: Reading | None = None) -> Report:
    """Check every invariant. `read_data` hashes every original and variant; `fix` mends what can be made again."""
    return _Inspection(vault, fix=fix).run(reading or Reading() if read_data else None)


class _Inspection:
    """One inspection: its report, and what it knows to be broken."""

    def __init__(self, vault: Vault, *, fix: bool) -> None:
        self._vault = vault
        self._fix = fix
        self._report = Report()
        # Media ids: of originals that are not whole, with what is wrong; and of what is to be made again.
        self._unwhole: dict[int, str] = {}
        self._held: dict[int, str] = {}
        self._render: set[int] = set()
        self._encode: set[int] = set()

    def run(self, reading: Reading | None) -> Report:
        self._look_at_originals(is_read=reading is not None)
        self._look_at_variants()
        if reading is not None:
            self._read(reading)
        self._report.problems += self._held.values()
        self._report.quarantined = self._count(Media.quarantined_at.is_not(None))
        self._look_at_blobs()
        for check in CHECKS:
            found = check.find()
            self._report.problems += found
            if self._fix and found:
                self._report.mended.append(check.mend())
        db.session.rollback()
        if self._fix:
            self._make_again()
        return self._report

    def _look_at_originals(self, *, is_read: bool) -> None:
        for row in chain.from_iterable(choosing.batches(sa.select(*ORIGINALS).order_by(Media.id), Media.id)):
            self._report.originals += 1
            self._report.pending += row.state == State.PENDING
            wanted = Wanted(row.id, row.public_id, "", row.blob_key, row.size_bytes, row.sha256)
            wrong, is_rot = self._measured(wanted)
            if wrong and self._stands(wanted):
                self._say(wanted, wrong)
                if is_rot and is_read:
                    keeping.lock_away(row.id, wrong, partial(self._is_cut, wanted))
            elif row.quarantined_at is not None:
                self._held[row.id] = f"original {row.public_id}: {row.quarantine_reason} (in quarantine)"

    def _look_at_variants(self) -> None:
        """Check the variants of ready pictures, and that each has those that it must have."""
        ready = sa.select(*ROWS).where(Media.state == State.READY).order_by(Media.id)
        for batch in choosing.batches(ready, Media.id):
            ids = [row.id for row in batch]
            made: dict[int, list[Any]] = {}
            for each in db.session.execute(sa.select(*VARIANTS).where(Variant.media_id.in_(ids))).all():
                made.setdefault(each.media_id, []).append(each)
            lent = parts.moved_by_another(ids)
            db.session.rollback()
            for row in batch:
                rows = made.get(row.id, [])
                self._report.variants += len(rows)
                moving = "video" if row.media_type.startswith("video/") else "motion"
                plays = row.playback == Playback.READY and row.id not in lent
                needed = PICTURES | ({moving} if plays else set())
                for name in sorted(needed - {each.name for each in rows}):
                    self._say(Wanted(row.id, row.public_id, name, "", 0, ""), "no row")
                for each in rows:
                    wanted = Wanted(row.id, row.public_id, each.name, each.blob_key, each.size_bytes, each.sha256)
                    wrong, _ = self._measured(wanted)
                    if wrong and self._stands(wanted):
                        self._say(wanted, wrong)

    def _read(self, reading: Reading) -> None:
        chosen = choosing.to_read(go_on=reading.go_on)
        reading.begin(choosing.bytes_of(chosen))
        ids = list(db.session.scalars(chosen))
        db.session.rollback()
        known, whole, whole_bytes = len(self._unwhole.keys() & set(ids)), list[int](), 0
        with closing(Decoder(self._vault.settings, self._vault.storage)) as decoder:
            reader = Reader(self._vault.storage, stop=reading.stop, told=reading.told, look=decoder.objection)
            for read in reader.read(self._wanted(ids)):
                self._take(read)
                self._report.read += not read.wanted.name and read.outcome is not Outcome.STOPPED
                if not read.wanted.name and read.outcome is Outcome.WHOLE:
                    whole.append(read.wanted.media_id)
                    whole_bytes += read.wanted.size_bytes
                if len(whole) >= BATCH or whole_bytes >= MARKED_BYTES:
                    choosing.mark_checked(whole)
                    whole, whole_bytes = [], 0
        choosing.mark_checked(whole)
        self._report.unread = len(ids) - known - self._report.read if reading.stop() else 0

    def _wanted(self, ids: list[int]) -> Iterator[Wanted]:
        """Yield what is to be read of pictures: the originals, each with its variants behind it."""
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            rows = {row.id: row for row in db.session.execute(sa.select(*ROWS).where(Media.id.in_(some)))}
            made: dict[int, list[Any]] = {}
            for each in db.session.execute(sa.select(*VARIANTS).where(Variant.media_id.in_(some))):
                made.setdefault(each.media_id, []).append(each)
            db.session.rollback()
            for row in (rows[media_id] for media_id in some if media_id in rows):
                if row.id not in self._unwhole:
                    yield Wanted(row.id, row.public_id, "", row.blob_key, row.size_bytes, row.sha256)
                for each in made.get(row.id, []) if row.state == State.READY else []:
                    if row.id not in self._render and row.id not in self._encode:
                        yield Wanted(row.id, row.public_id, each.name, each.blob_key, each.size_bytes, each.sha256)

    def _take(self, read: Read) -> None:
        """Note what became of a blob that was read."""
        wanted = read.wanted
        if read.outcome is Outcome.STOPPED or (read.wrong and not self._stands(wanted)):
            return
        if read.outcome is Outcome.ROT and not self._lies(read):
            return
        if wanted.name:
            if read.wrong:
                self._say(wanted, read.wrong)
            return
        held = self._held.pop(wanted.media_id, None)
        if read.wrong:
            self._say(wanted, read.wrong)
        if read.outcome is Outcome.ROT:
            keeping.lock_away(wanted.media_id, read.wrong, lambda: self._lies(read))
        elif read.outcome is Outcome.WHOLE and held and keeping.release(wanted.media_id):
            self._report.mended.append(f"{wanted.subject}: whole again, out of quarantine")

    def _lies(self, read: Read) -> bool:
        """Whether the very file that was read is still there."""
        return marked(self._vault.storage, read.wanted.key) == read.mark

    def _look_at_blobs(self) -> None:
        storage = self._vault.storage
        for key in leftovers.unnamed(storage, self._counted()):
            self._report.problems.append(f"blob {key}: no row names it")
            if self._fix and key.startswith("variants/"):
                storage.delete(key)
                self._report.mended.append(f"blob {key}: removed")
        for path in leftovers.temporaries(storage):
            self._report.problems.append(f"temporary file {path.name}: left behind")
            if self._fix:
                storage.discard(path)
                self._report.mended.append(f"temporary file {path.name}: removed")
        uploads = chain.from_iterable(choosing.batches(halves.TO_LOOK_AT, halves.BY))
        lost = halves.look(storage, uploads, fix=self._fix)
        self._report.problems += lost
        if self._fix and lost:
            self._report.mended.append(f"{len(lost)} uploads ended, to be sent again")
        for name in leftovers.abandoned(storage):
            self._report.problems.append(f"partial file {name}: of no upload")
            if self._fix:
                storage.discard_partial(name)
                self._report.mended.append(f"partial file {name}: removed")

    def _counted(self) -> Iterator[str]:
        for key in self._vault.storage.keys(""):
            self._report.blobs += 1
            yield key

    def _measured(self, wanted: Wanted) -> tuple[str | None, bool]:
        """Return what is wrong with a blob as far as can be said without reading it, and whether it is rot."""
        try:
            size = self._vault.storage.stat(wanted.key).bytes
        except Missing:
            return "its bytes are missing", False
        except StorageError as error:
            return f"cannot be read: {error}", False
        return (None, False) if size == wanted.size_bytes else (f"{size} bytes instead of {wanted.size_bytes}", True)

    def _is_cut(self, wanted: Wanted) -> bool:
        return self._measured(wanted)[1]

    def _stands(self, wanted: Wanted) -> bool:
        """Whether the row still says what was compared: it may have been deleted, or made anew, meanwhile."""
        row = sa.select(Media.id).where(Media.id == wanted.media_id, Media.sha256 == wanted.sha256)
        if wanted.name:
            same = (Variant.name == wanted.name, Variant.sha256 == wanted.sha256)
            row = sa.select(Variant.media_id).where(Variant.media_id == wanted.media_id, *same)
        stands = db.session.scalar(row) is not None
        db.session.rollback()
        return stands

    def _say(self, wanted: Wanted, wrong: str) -> None:
        self._report.problems.append(f"{wanted.subject}: {wrong}")
        if not wanted.name:
            self._unwhole[wanted.media_id] = wrong
        else:
            (self._render if wanted.name in PICTURES else self._encode).add(wanted.media_id)

    def _make_again(self) -> None:
        """Have variants made again, but not out of an original that is not whole."""
        anew = {"attempts": 0, "claimed_at": None, "state": State.PENDING}
        played = {"playback_attempts": 0, "playback_claimed_at": None, "playback": Playback.PENDING}
        count = choosing.make_anew(self._render - self._unwhole.keys(), Media.state == State.READY, anew)
        count += choosing.make_anew(self._encode - self._unwhole.keys(), Media.playback == Playback.READY, played)
        if count:
            self._report.mended.append(f"{count} pictures are rendered again")

    def _count(self, condition: sa.ColumnElement[bool]) -> int:
        count = db.session.scalar(sa.select(sa.func.count()).select_from(Media).where(condition)) or 0
        db.session.rollback()
        return count
