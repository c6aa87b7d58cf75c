"""`fsck`: holds rows against bytes and says what does not agree.

Floor 3. Reads everything, a few hundred rows at a time. What it may mend is only what can be made again: an original is
never deleted and never written. Editions are counted and otherwise left alone: they have no rows, what is wrong with
one is mended by making it again, and the sweep takes those of pictures that are gone.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

import sqlalchemy as sa

from vault import leftovers
from vault.db import db, transaction, utcnow
from vault.models import membership
from vault.models.account import User
from vault.models.media import Album, AlbumMedia, AlbumReach, Media, State, Variant
from vault.services import Vault
from vault.storage import Missing

BATCH = 500
PLACE = (Album.id, Album.parent_id, Album.inherits)
REACH = (AlbumReach.album_id, AlbumReach.source_id, AlbumReach.distance)
CLAIM_SECONDS = 600
CHUNK = 1024 * 1024


@dataclass
class Report:
    """What was looked at and what was found wrong: one line per finding, and what was mended."""

    originals: int = 0
    variants: int = 0
    blobs: int = 0
    pending: int = 0
    problems: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every invariant holds."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {"holds": self.holds, **asdict(self)}


def inspect(vault: Vault, *, read_data: bool = False, fix: bool = False) -> Report:
    """Check every invariant. `read_data` hashes every original and variant; `fix` mends what can be made again."""
    report = Report()
    _originals(vault, report, read_data=read_data)
    broken = _variants(vault, report, read_data=read_data)
    _blobs(vault, report, fix=fix)
    _sums(report, fix=fix)
    _trees(report, fix=fix)
    if fix and broken:
        _make_again(broken)
        report.mended.append(f"{len(broken)} pictures are rendered again")
    return report


def _originals(vault: Vault, report: Report, *, read_data: bool) -> None:
    for media in _batches(sa.select(Media).order_by(Media.id), Media.id):
        report.originals += 1
        report.pending += media.state == State.PENDING
        found = _compare(vault, media.blob_key, media.size_bytes, media.sha256 if read_data else None)
        if found:
            report.problems.append(f"original {media.public_id}: {found}")
        if media.state == State.PENDING and media.claimed_at and _seconds_since(media.claimed_at) > CLAIM_SECONDS:
            report.problems.append(f"picture {media.public_id}: claimed by a worker that is gone")


def _variants(vault: Vault, report: Report, *, read_data: bool) -> set[int]:
    """Check the variants of ready pictures; return the ids of pictures that lack one."""
    broken: set[int] = set()
    for media in _batches(sa.select(Media).where(Media.state == State.READY).order_by(Media.id), Media.id):
        rows = list(db.session.scalars(sa.select(Variant).where(Variant.media_id == media.id)))
        report.variants += len(rows)
        missing = {"thumb", "preview"} - {row.name for row in rows}
        found = [f"variant {media.public_id} {name}: no row" for name in sorted(missing)]
        for row in rows:
            wrong = _compare(vault, row.blob_key, row.size_bytes, row.sha256 if read_data else None)
            found += [f"variant {media.public_id} {row.name}: {wrong}"] if wrong else []
        if found:
            report.problems += found
            broken.add(media.id)
    return broken


def _blobs(vault: Vault, report: Report, *, fix: bool) -> None:
    for key in leftovers.unnamed(vault.storage, _counted(vault, report)):
        report.problems.append(f"blob {key}: no row names it")
        if fix and key.startswith("variants/"):
            vault.storage.delete(key)
            report.mended.append(f"blob {key}: removed")
    for path in leftovers.temporaries(vault.storage):
        report.problems.append(f"temporary file {path.name}: left behind")
        if fix:
            vault.storage.discard(path)
            report.mended.append(f"temporary file {path.name}: removed")


def _counted(vault: Vault, report: Report) -> Iterator[str]:
    for key in vault.storage.keys(""):
        report.blobs += 1
        yield key


def _sums(report: Report, *, fix: bool) -> None:
    used = sa.select(sa.func.coalesce(sa.func.sum(Media.size_bytes), 0)).where(Media.owner_id == User.id)
    in_albums = sa.select(sa.func.count()).select_from(AlbumMedia).join(Media, Media.id == AlbumMedia.media_id)
    shown = (Media.trashed_at.is_(None), Media.awaiting_since.is_(None))
    counted = in_albums.where(AlbumMedia.album_id == Album.id, *shown)
    before = len(report.problems)
    true_use, true_count = used.correlate(User).scalar_subquery(), counted.correlate(Album).scalar_subquery()
    for email, kept, true in db.session.execute(
        sa.select(User.email, User.used_bytes, true_use).where(User.used_bytes != true_use)
    ):
        report.problems.append(f"quota of {email}: {kept} bytes counted, {true} there")
    wrong = sa.select(Album.public_id, Album.media_count, true_count).where(Album.media_count != true_count)
    for album, kept, true in db.session.execute(wrong):
        report.problems.append(f"album {album}: {kept} pictures counted, {true} there")
    if fix and len(report.problems) > before:
        with transaction() as session:
            session.execute(sa.update(User).values(used_bytes=true_use))
            session.execute(sa.update(Album).values(media_count=true_count))
        report.mended.append("sums counted anew")


def _trees(report: Report, *, fix: bool) -> None:
    """Compare what reaches every album with what its place in the tree says."""
    above = {id_: (parent, inherits) for id_, parent, inherits in db.session.execute(sa.select(*PLACE))}
    kept: dict[int, set[tuple[int, int]]] = {}
    for album, source, distance in db.session.execute(sa.select(*REACH)):
        kept.setdefault(album, set()).add((source, distance))
    wrong = [album for album in above if kept.get(album) != _reach(album, above)]
    report.problems += [f"album number {album}: who reaches it does not fit its place in the tree" for album in wrong]
    if fix and wrong:
        with transaction() as session:
            # From the top down, because each copies what reaches the one above it.
            for album in sorted(wrong, key=lambda id_: len(_reach(id_, above))):
                membership.set_reach(session, session.get_one(Album, album))
        report.mended.append(f"the reach of {len(wrong)} albums written anew")


def _reach(album: int, above: dict[int, tuple[int | None, bool]]) -> set[tuple[int, int]]:
    found, distance, current = {(album, 0)}, 0, album
    while True:
        parent, inherits = above[current]
        if parent is None or not inherits:
            return found
        current, distance = parent, distance + 1
        found.add((current, distance))


def _make_again(media_ids: set[int]) -> None:
    with transaction() as session:
        anew = {"state": State.PENDING, "attempts": 0, "claimed_at": None}
        session.execute(sa.update(Media).where(Media.id.in_(media_ids), Media.state == State.READY).values(anew))


def _compare(vault: Vault, key: str, size_bytes: int, sha256: str | None) -> str | None:
    try:
        size = vault.storage.stat(key).bytes
        if size != size_bytes:
            return f"{size} bytes instead of {size_bytes}"
        if sha256 is None:
            return None
        with vault.storage.open(key) as blob:
            return None if _sha256(blob) == sha256 else "its bytes have changed"
    except Missing:
        return "its bytes are missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _sha256(blob: BinaryIO) -> str:
    found = hashlib.sha256()
    while chunk := blob.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()


def _seconds_since(moment: Any) -> float:
    return float((utcnow() - moment).total_seconds())


def _batches(rows: sa.Select[Any], key: Any) -> Iterator[Media]:
    """Walk rows by key, so that neither all of them nor a long reading transaction is held."""
    last = 0
    while found := db.session.scalars(rows.where(key > last).limit(BATCH)).all():
        yield from found
        last = found[-1].id
        db.session.rollback()
        db.session.expunge_all()
