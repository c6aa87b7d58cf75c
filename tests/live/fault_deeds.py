"""What is done while the system fails: one deed each, in a process that may be killed in the middle of it.

`prepare` makes the home that every run starts from, `do` is the deed, and `again` is what people do after it failed.
All three run inside an application on the home; a deed that returns has been acknowledged.
"""

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from tests.factories import House, Person, small_picture
from vault.db import db, transaction, utcnow
from vault.models.account import User
from vault.models.ingest import Upload
from vault.models.media import Album, Media
from vault.policy import Action, Viewer, authorize
from vault.services import backups, library, maintenance, uploads
from vault.services.backups import Wanted, manifest
from vault.services.uploads import resumable
from vault.services.uploads.pouring import Piece
from vault.services.uploads.promises import Announced, Sender
from vault.storage import original_key
from vault.storage.incoming import Incoming

NEW = small_picture(1_000_001)
OLD = small_picture(1_000_002)
AGED = 3 * 86_400


@dataclass(frozen=True)
class Deed:
    """Something that is interrupted. `kept` says of a home after a deed that was acknowledged whether it was done.

    One that `begins_untidy` is there to remove leftovers, which may still be there when it was interrupted. In a
    short sweep only every so manieth of the calls in `short` is interrupted.
    """

    name: str
    prepare: Callable[[House], object]
    do: Callable[[House], None]
    kept: Callable[[House], bool]
    begins_untidy: bool = False
    short: Mapping[str, int] = field(default_factory=dict)


def _owner() -> Viewer:
    return Viewer(user_id=db.session.scalars(sa.select(User.id)).one())


def _holds(house: House, data: bytes) -> bool:
    """Whether there is a row for these bytes, and the bytes are there."""
    media = db.session.scalar(sa.select(Media).where(Media.sha256 == hashlib.sha256(data).hexdigest()))
    if media is None:
        return False
    with house.vault.storage.open(media.blob_key) as blob:
        return blob.read() == data


def _family(house: House) -> Person:
    anna = house.person("Anna")
    house.album(anna, "Summer")
    return anna


def _album() -> Album:
    return db.session.scalars(sa.select(Album)).one()


def _commit(house: House) -> None:
    with Incoming(house.vault.storage, 10**9) as incoming:
        incoming.write(NEW)
        uploads.receive(house.vault, _owner(), incoming, file_name="new.jpg", album_id=_album().public_id)


def _one_old_picture(house: House) -> None:
    anna = _family(house)
    house.picture(anna, _album(), data=OLD, ready=False)


def _delete(house: House) -> None:
    media = db.session.scalar(sa.select(Media))
    if media is None:
        return
    if media.trashed_at is None:
        library.trash(authorize(_owner(), Action.TRASH, Media, media.public_id))
    library.empty_trash(house.vault, _owner())


def _is_gone(_house: House) -> bool:
    # Its bytes may lie there until the next sweep, after which nothing may be left.
    return db.session.scalar(sa.select(Media.id)) is None


def _leftovers(house: House) -> None:
    anna = _family(house)
    house.picture(anna, _album(), data=OLD, ready=False)
    with Incoming(house.vault.storage, 10**9) as incoming:
        incoming.write(NEW)
        key = original_key(anna.public_id, incoming.sha256, "x" * 22)
        incoming.keep(key)
    stale = Path(house.vault.storage.root) / "tmp" / ("0" * 32)  # type: ignore[attr-defined]  # a folder, in these tests
    stale.write_bytes(NEW)
    with house.vault.storage.local_path(key) as path:
        _age(path)
    _age(stale)
    trashed = house.picture(anna, data=small_picture(1_000_003), ready=False)
    with transaction() as session:
        session.get_one(Media, trashed.id).trashed_at = utcnow().replace(year=2020)


def _age(path: Path) -> None:
    moment = path.stat().st_mtime - AGED
    os.utime(path, (moment, moment))


def _sweep(house: House) -> None:
    maintenance.tidy(house.vault)


def _is_swept(house: House) -> bool:
    rows = db.session.scalar(sa.select(sa.func.count()).select_from(Media))
    return rows == 1 and _holds(house, OLD) and not list(house.vault.storage.temporaries())


def _resume(house: House) -> None:
    """Send a file in two pieces, and go on with one that was begun before."""
    vault, sender = house.vault, Sender(_owner())
    begun = db.session.scalar(sa.select(Upload).where(Upload.finished_at.is_(None)))
    if begun is None:
        announced = Announced(size_bytes=len(NEW), file_name="new.jpg", album_id=_album().public_id)
        upload_id, offset = resumable.create(vault, sender, announced).upload_id, 0
    else:
        upload_id, offset = begun.public_id, begun.received_bytes
    for end in (len(NEW) // 2, len(NEW)):
        if offset < end:
            piece = Piece(io.BytesIO(NEW[offset:end]), end - offset)
            offset = resumable.append(vault, sender, upload_id, offset, piece).received_bytes


def _copy(house: House) -> None:
    if not _is_copied(house):
        backups.backup(house.vault, _folder(house), Wanted(revision="0004"))


def _is_copied(house: House) -> bool:
    """Whether there is a copy; one that calls itself whole is so, byte for byte."""
    if not (_folder(house) / manifest.NAME).exists():
        return False
    backups.check(_folder(house), begin=lambda _bytes: None, told=lambda _bytes: None)
    return True


def _folder(house: House) -> Path:
    return house.vault.settings.home / "copy"


DEEDS = (
    Deed("resume", _family, _resume, lambda house: _holds(house, NEW)),
    Deed("backup", _one_old_picture, _copy, _is_copied, short={"fsync": 8, "write": 8}),
    Deed("commit", _family, _commit, lambda house: _holds(house, NEW)),
    Deed("delete", _one_old_picture, _delete, _is_gone),
    Deed("sweep", _leftovers, _sweep, _is_swept, begins_untidy=True),
)
