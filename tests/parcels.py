"""Builds archives for tests: plain ones, Takeouts of Google Photos, and such as no honest program writes."""

import io
import json
import struct
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.factories import House, Person
from vault.archives import trees
from vault.cli.importing import doors_of
from vault.db import db
from vault.models.ingest import ImportRun, RunState
from vault.models.media import Album
from vault.services import importing
from vault.services.importing import Manner, Outcome, runs
from vault.storage.incoming import Incoming

TAKEN = 1_563_129_000  # 14 July 2019, 18:30 UTC


def packed(files: Mapping[str, bytes], *, way: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", way) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return data.getvalue()


def said(title: str, *, taken: int = TAKEN, caption: str = "", **more: Any) -> bytes:
    """Return what Takeout says of a picture."""
    place = {"latitude": 47.5, "longitude": 8.25, "altitude": 400.0}
    known = {"title": title, "description": caption, "photoTakenTime": {"timestamp": str(taken)}, "geoData": place}
    return json.dumps(known | more).encode()


def album(title: str) -> bytes:
    """Return what Takeout says of an album."""
    return json.dumps({"title": title, "description": "", "access": "protected", "date": {"timestamp": "1"}}).encode()


def upload(
    house: House, owner: Person, data: bytes, *, name: str = "photos.zip", album_id: str | None = None
) -> ImportRun:
    """Bring an archive as a finished upload does."""
    with Incoming(house.vault.storage, 10**9) as incoming:
        incoming.write(data)
        return importing.begin_from_upload(house.vault, owner.viewer, incoming, file_name=name, album_id=album_id)


def work(house: House) -> int:
    """Do what the worker would until no import is due; return how many slices that took."""
    slices = 0
    while message := importing.due():
        importing.tasks.run(doors_of(house.vault), *message)
        slices += 1
    return slices


def seen(owner: Person, run: ImportRun) -> ImportRun:
    """Return the row of an import as it stands now."""
    db.session.rollback()
    db.session.expire_all()
    return runs.get(owner.viewer, run.public_id)


def encrypted(data: bytes) -> bytes:
    """Return an archive whose entries say that they are encrypted."""
    changed = bytearray(data)
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = changed.find(magic)
        while place >= 0:
            flags = struct.unpack_from("<H", changed, place + at)[0]
            struct.pack_into("<H", changed, place + at, flags | 1)
            place = changed.find(magic, place + 4)
    return bytes(changed)


def lying(data: bytes, size: int) -> bytes:
    """Return an archive that says another size of what is in its entries."""
    changed = bytearray(data)
    for magic, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = changed.find(magic)
        while place >= 0:
            struct.pack_into("<L", changed, place + at, size)
            place = changed.find(magic, place + 4)
    return bytes(changed)


def overlapping(body: bytes) -> bytes:
    """Return an archive with two names for the bytes of one entry."""
    data = packed({"a.jpg": body})
    at = data.find(b"PK\x01\x02")
    end = data.find(b"PK\x05\x06")
    entry = bytearray(data[at:end])
    second = bytearray(entry)
    second[46:51] = b"b.jpg"
    closing = bytearray(data[end:])
    struct.pack_into("<2H", closing, 8, 2, 2)
    struct.pack_into("<L", closing, 12, len(entry) * 2)
    return data[:at] + bytes(entry) + bytes(entry) + bytes(closing)


def takeout(picture: Any) -> dict[str, bytes]:
    """Return the files of a small Takeout; `picture` makes the bytes of a picture from its number."""
    year, trip = "Takeout/Google Fotos/Fotos von 2019", "Takeout/Google Fotos/Reise nach Rom"
    lake, long = "IMG_1.jpg", "a_very_long_name_of_a_picture_that_somebody_gave_it"
    return {
        "Takeout/archive_browser.html": b"<html>",
        f"{year}/metadata.json": album("Fotos von 2019"),
        f"{year}/{lake}": picture(1),
        f"{year}/{lake}.supplemental-metadata.json": said(lake, caption="The lake"),
        f"{year}/IMG_1(1).jpg": picture(2),
        f"{year}/IMG_1.jpg.supplemental-metadata(1).json": said(lake, caption="Another lake", taken=TAKEN + 60),
        f"{year}/IMG_1-bearbeitet.jpg": picture(3),
        f"{year}/{long[:47]}.jpg": picture(4),
        f"{year}/{long[:46]}.json": said(f"{long}.jpg", caption="Long"),
        f"{year}/IMG_2.jpg": picture(5),
        f"{year}/IMG_2.HEIC.supplemental-metad.json": said("IMG_2.HEIC", caption="Wrong extension"),
        f"{year}/IMG_3.jpg": picture(6),
        f"{year}/IMG_3.jpg.json": said("IMG_3.jpg", trashed=True),
        f"{trip}/Metadaten.json": album("Rome & around: 2019"),
        f"{trip}/{lake}": picture(1),
        f"{trip}/{lake}.supplemental-metadata.json": said(lake, caption="The lake"),
        f"{trip}/IMG_9.jpg": picture(7),
        f"{trip}/IMG_9.jpg.json": said("IMG_9.jpg", caption="Forum"),
    }


def write_tree(root: Path, files: Mapping[str, bytes]) -> None:
    """Lay files below a folder."""
    for name, body in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)


def take(house: House, owner: Person, root: Path, **manner: Any) -> list[Outcome]:
    """Import a tree as the command does; return what became of each file."""
    run = runs.begin_here(owner.viewer, name=str(root), album_id=None, count=0, size_bytes=0)
    how = Manner(str(root), remembers=True, **manner)
    found = list(importing.take_in(doors_of(house.vault), run, trees.walk(root), how, root_id=None))
    runs.end(house.vault, run.id, RunState.DONE)
    return found


def counts(found: list[Outcome]) -> dict[str, int]:
    """Return how many files came out how."""
    return dict(Counter(outcome.what for outcome in found))


def tree_of_albums() -> dict[str, tuple[str | None, int]]:
    """Return every album's title with the title above it and how many pictures lie in it."""
    db.session.rollback()
    rows = list(db.session.scalars(sa.select(Album)))
    titles = {row.id: row.title for row in rows}
    return {row.title: (titles.get(row.parent_id or 0), row.media_count) for row in rows}
