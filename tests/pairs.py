"""Files that belong together, made without a camera: what their bytes would say is written into their rows."""

from datetime import UTC, datetime
from typing import Any

from tests.factories import House, Person
from vault import pairing
from vault.db import db, transaction
from vault.models.media import Album, Media

TAKEN = datetime(2024, 7, 6, 13, 4, 5, tzinfo=UTC)
DNG, MOV, HEIC = "image/x-adobe-dng", "video/quicktime", "image/heic"


def file(
    house: House, owner: Person, name: str, album: Album | None = None, *, data: bytes | None = None, **values: Any
) -> Media:
    """Return a ready file of that name; what its bytes would say of it is written into its row."""
    kinds = {"dng": DNG, "mov": MOV, "heic": HEIC}
    media = house.picture(owner, album, data=data, file_name=name)
    said: dict[str, Any] = {"taken_at": TAKEN, "camera": "Testar One", **values}
    said["media_type"] = kinds.get(name.rpartition(".")[2].lower(), "image/jpeg")
    with transaction() as session:
        row = session.get_one(Media, media.id)
        for field, value in said.items():
            setattr(row, field, value)
        row.shown_at = row.taken_at or row.uploaded_at
    return media


def pair(media: Media) -> list[tuple[int, int]]:
    """Do what the worker does once a picture is ready; return the ids of main ones and parts."""
    with transaction() as session:
        return [(main.id, part.id) for main, part in pairing.pair(session, media.id)]


def again(media: Media) -> Media:
    db.session.rollback()
    return db.session.get_one(Media, media.id, populate_existing=True)


def a_pair(house: House, owner: Person, album: Album | None = None) -> tuple[Media, Media]:
    """Return a JPEG, in an album, and the RAW that came with it and is kept together with it."""
    main, raw = file(house, owner, "IMG_1.JPG", album), file(house, owner, "img_1.dng", album)
    assert pair(raw) == [(main.id, raw.id)]
    return main, raw
