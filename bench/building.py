"""Builds vaults to measure, small and large."""

from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.factories import ORIGIN, SECRET, House, Person
from vault import logs
from vault.app import create_app
from vault.config import Settings
from vault.db import METADATA, db, transaction
from vault.models.media import Album, AlbumMedia, Media
from vault.models.membership import MICROSECOND, position_of
from vault.services import sessions


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
    """Put rows of pictures without bytes into an album; return their public ids in order of time.

    The database makes them itself, which a million rows need; ids are random, as in life, so that no index is in order.
    """
    with transaction() as session:
        dialect = session.get_bind().dialect.name
        position, stride = position_of(start), int(step.total_seconds() * MICROSECOND)
        values = {"owner": owner.id, "album": album.id, "count": count, "position": position, "stride": stride}
        session.execute(sa.text(SERIES[dialect] + PICTURES[dialect]), values)
        session.execute(sa.text(PLACES), values)
        session.execute(sa.update(Album).where(Album.id == album.id).values(media_count=Album.media_count + count))
        if dialect == "postgresql":
            session.execute(sa.text("ANALYZE"))
    held = sa.select(Media.public_id).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    found = held.where(AlbumMedia.album_id == album.id, AlbumMedia.position >= position).order_by(AlbumMedia.position)
    return list(db.session.scalars(found))


SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < :count) ",
    "postgresql": "WITH series AS (SELECT generate_series(0::bigint, :count - 1) AS n) ",
}
COLUMNS = (
    "INSERT INTO media (public_id, owner_id, sha256, size_bytes, media_type, file_name, blob_key, caption, uploaded_at,"
    " state, attempts, pipeline, rendition, width, height, shown_at, camera, lens) "
)
# The place of a picture is handed on in its digest, where the next statement finds it.
PICTURES = {
    "sqlite": COLUMNS + "SELECT hex(randomblob(11)), :owner, printf('%064d', :position + n * :stride), 1, 'image/jpeg',"
    " 'picture.jpg', 'bench/' || :position || '/' || n, '', datetime('now'), 'ready', 0, 1, '', 3, 2,"
    " strftime('%Y-%m-%d %H:%M:%S.000000', (:position + n * :stride) / 1000000, 'unixepoch'), '', '' FROM series",
    "postgresql": COLUMNS + "SELECT substr(md5(random()::text), 1, 22), :owner,"
    " lpad((:position + n * :stride)::text, 64, '0'), 1, 'image/jpeg', 'picture.jpg',"
    " 'bench/' || :position || '/' || n, '', now(), 'ready', 0, 1, '', 3, 2,"
    " to_timestamp((:position + n * :stride) / 1000000), '', '' FROM series",
}
PLACES = (
    "INSERT INTO album_media (album_id, position, media_id, added_at) SELECT :album, CAST(sha256 AS BIGINT), id,"
    " uploaded_at FROM media WHERE blob_key LIKE 'bench/' || :position || '/%'"
)
