"""Where imported pictures go: folders that became albums, and the album that all of it is put below.

Floor 3. A folder is remembered by its path, so that the next import finds its album however it is called by then.
Albums are made when the first picture for them has come in.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import sqlalchemy as sa

from vault.db import db, transaction
from vault.models.ingest import ImportedFolder
from vault.models.media import Album
from vault.models.membership import DEEPEST
from vault.policy import Viewer

Make = Callable[[Viewer, str, str | None], str]
"""Makes an album for somebody: title, and the public id of the album above it; returns its public id."""


class Place(NamedTuple):
    """A folder that is to be an album: its parts, and where they begin."""

    base: str
    parts: tuple[str, ...]


class Places:
    """The albums of one import. `root_id` is the public id of the album that all of it goes into or below."""

    def __init__(self, viewer: Viewer, make: Make, *, root_id: str | None) -> None:
        """Begin with no album made."""
        self._viewer, self._make, self._root_id = viewer, make, root_id
        self._known: dict[Place, str] = {}

    def album(self, place: Place | None) -> str | None:
        """Return the public id of a place's album, made if it must be; without a place that of the root, if any."""
        if place is None:
            return self._root_id
        # Below a root fewer levels are left; what lies deeper goes into the deepest.
        short = place._replace(parts=place.parts[: DEEPEST - 1])
        if short not in self._known:
            self._known[short] = self._remembered(short) or self._new(short)
        return self._known[short]

    def known_id(self, place: Place | None) -> int | None:
        """Return the row's id of the album that a place became; None while it is not made."""
        public_id = self._remembered(place._replace(parts=place.parts[: DEEPEST - 1])) if place else self._root_id
        return db.session.scalar(sa.select(Album.id).where(Album.public_id == public_id)) if public_id else None

    def _new(self, place: Place) -> str:
        above = self.album(place._replace(parts=place.parts[:-1])) if len(place.parts) > 1 else self._root_id
        title = "".join(each for each in place.parts[-1] if each.isprintable()).strip()[:200] or "Unnamed"
        found = self._alike(title, above) or self._make(self._viewer, title, above)
        with transaction() as session:
            album = session.scalar(sa.select(Album.id).where(Album.public_id == found))
            digest = self._digest(place)
            former = (ImportedFolder.owner_id == self._viewer.user_id, ImportedFolder.place_sha256 == digest)
            session.execute(sa.delete(ImportedFolder).where(*former))
            if album is not None:
                session.add(ImportedFolder(owner_id=self._viewer.user_id, place_sha256=digest, album_id=album))
        return found

    def _alike(self, title: str, above: str | None) -> str | None:
        """Return an album of that title in that place: made a moment before a crash, or by hand."""
        parent = sa.select(Album.id).where(Album.public_id == above).scalar_subquery() if above else sa.null()
        same = (
            Album.owner_id == self._viewer.user_id,
            Album.title == title,
            Album.parent_id.is_not_distinct_from(parent),
        )
        return db.session.scalar(sa.select(Album.public_id).where(*same).order_by(Album.id).limit(1))

    def _remembered(self, place: Place) -> str | None:
        kept = sa.select(Album.public_id).join(ImportedFolder, ImportedFolder.album_id == Album.id)
        mine = (ImportedFolder.owner_id == self._viewer.user_id, Album.owner_id == self._viewer.user_id)
        return db.session.scalar(kept.where(*mine, ImportedFolder.place_sha256 == self._digest(place)))

    def _digest(self, place: Place) -> str:
        text = f"{self._root_id or ''}\0{place.base}/{'/'.join(place.parts)}"
        return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
