"""Builds vaults to measure, small and large."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.factories import ORIGIN, SECRET, House, Person
from vault import logs
from vault.app import create_app
from vault.config import Settings
from vault.db import METADATA, db, transaction
from vault.models.media import Album, AlbumMedia, Media, State
from vault.models.membership import position_of
from vault.services import sessions
from vault.signing import new_public_id

BATCH = 10_000


def build(home: Path, database_url: str = "") -> House:
    """Make an empty vault with all its tables; it logs into its home, as in life."""
    settings = Settings(home=home, secret_keys=(SECRET,), origin=ORIGIN, database_url=database_url)
    app = create_app(settings)
    logs.configure(home)
    with app.app_context():
        METADATA.create_all(db.engine)
    return House(app)


def browser_cookie(house: House, person: Person) -> str:
    """Return the Cookie header of a signed-in browser."""
    secret, _ = sessions.open_for(house.vault, person.id, user_agent="bench")
    interface = house.app.session_interface
    signer = interface.get_signing_serializer(house.app)  # type: ignore[attr-defined]  # Flask's own cookie sessions
    return f"{house.app.config['SESSION_COOKIE_NAME']}={signer.dumps({'_user_id': secret, '_fresh': True})}"


def fill_album(album: Album, owner: Person, count: int, start: datetime, step: timedelta) -> list[str]:
    """Put rows of pictures without bytes into an album; return their public ids in order of time."""
    ids: list[str] = []
    for offset in range(0, count, BATCH):
        numbers = range(offset, min(offset + BATCH, count))
        ids += _fill(album, owner, [start + number * step for number in numbers])
    return ids


def _fill(album: Album, owner: Person, moments: list[datetime]) -> list[str]:
    rows = [_row(owner, moment) for moment in moments]
    with transaction() as session:
        session.execute(sa.insert(Media), rows)
        names = [row["public_id"] for row in rows]
        found = session.execute(
            sa.select(Media.id, Media.shown_at).where(Media.blob_key.in_([f"bench/{n}" for n in names]))
        )
        places = [{"album_id": album.id, "position": position_of(at), "media_id": id_} for id_, at in found]
        session.execute(sa.insert(AlbumMedia), places)
        session.execute(sa.update(Album).where(Album.id == album.id).values(media_count=Album.media_count + len(rows)))
    return [str(name) for name in names]


def _row(owner: Person, moment: datetime) -> dict[str, object]:
    public_id = new_public_id()
    return {
        "public_id": public_id,
        "owner_id": owner.id,
        "sha256": f"{public_id:0<64}",
        "size_bytes": 1,
        "media_type": "image/jpeg",
        "file_name": "picture.jpg",
        "blob_key": f"bench/{public_id}",
        "state": State.READY,
        "width": 3,
        "height": 2,
        "shown_at": moment,
    }


def forget(home: Path) -> None:
    """Remove a vault that was measured."""
    shutil.rmtree(home, ignore_errors=True)
