"""What lies beside a picture in its folder and speaks of it: XMP sidecars, and the lists of Google's Takeout.

Floor 3. Knows the files of one folder and nothing else; what the sidecars say is for `vault.imaging` to read.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vault.archives import LARGEST_SIDECAR_BYTES, Entry, Folder, Unreadable, Unwanted, takeout
from vault.imaging import sidecars
from vault.imaging.claims import Claims, Told

XMP = ".xmp"
IN_TRASH = "in the trash of Google Photos"
# In every language a Takeout lies in a folder that is called so; below it is the program's, then come its albums.
TAKEOUT, DEPTH_OF_ALBUMS = "takeout", 3
MOST_LOOKED_AT = 200
# Of folders as large as this it is kept which list is whose while their import goes on, slice by slice.
LARGE_FOLDER = 1_000
MOST_KEPT = 2


@dataclass(frozen=True)
class _Matched:
    """Which list is whose in a folder, by their names, and what the lists say of the folder."""

    lists: dict[str, str]
    own: str | None
    speaks: bool


# By import: the folder that it was in last.
_kept: dict[int, tuple[tuple[str, ...], _Matched]] = {}


def look_through(run_id: int, folder: Folder) -> "Beside":
    """Sort a folder of an import; a large one is looked through once, however often the import goes on in it."""
    key = (folder.place, *folder.parts)
    place, matched = _kept.get(run_id, ((), None))
    found = Beside(folder, matched if place == key else None)
    if len(folder.entries) >= LARGE_FOLDER:
        forget(run_id)
        while len(_kept) >= MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[run_id] = (key, found.matched)
    return found


def forget(run_id: int) -> None:
    """Forget what was kept of an import."""
    _kept.pop(run_id, None)


class Beside:
    """The files of one folder, sorted into pictures and what speaks of them."""

    def __init__(self, folder: Folder, matched: _Matched | None = None) -> None:
        """Read as many sidecars as are needed to know which is whose, unless that is known."""
        self._entries = {entry.name: entry for entry in folder.entries if not entry.left_out and not entry.trouble}
        self._xmp = {name.lower(): entry for name, entry in self._entries.items() if name.lower().endswith(XMP)}
        lists = {name for name in self._entries if name.lower().endswith(takeout.LIST)}
        self.matched = matched or self._match(lists)
        self._name = folder.parts[-1] if folder.parts else ""
        self._depth = _below_takeout(folder.place)
        self.is_takeout = self.matched.own is not None or self._depth > 0 or self.matched.speaks
        found = self.matched.lists if self.is_takeout else {}
        self._lists = {name: self._entries[each] for name, each in found.items()}
        self._others = lists if self.is_takeout else set[str]()

    @property
    def album_title(self) -> str | None:
        """The title of the album that a folder of Takeout is; None where it is none."""
        title = self._name if self.matched.own is None else self.matched.own
        is_above_albums = 0 < self._depth <= DEPTH_OF_ALBUMS - 1
        is_album = self.is_takeout and title and not is_above_albums
        return title if is_album and not (takeout.is_by_date(self._name) or takeout.is_by_date(title)) else None

    def is_sidecar(self, entry: Entry) -> bool:
        """Whether a file only speaks of others."""
        return entry.name.lower() in self._xmp or entry.name in self._others

    def of(self, entry: Entry) -> Told:
        """Return what is said of a picture. Raises Unwanted for one that its owner had thrown away there."""
        listed = self._lists.get(entry.name)
        body = self._body(listed) if listed else b""
        if body and takeout.is_trashed(body):
            raise Unwanted(IN_TRASH)
        xmp = self._xmp.get(f"{entry.name}{XMP}".lower()) or self._xmp.get(f"{_stem(entry.name)}{XMP}".lower())
        claims = (_claims(self._body(xmp)) if xmp else None) or (_claims(body) if body else None)
        # A Takeout's files are as old as the archive itself.
        return Told(file_time=None if self.is_takeout else entry.modified_at, beside=claims)

    def _match(self, lists: set[str]) -> _Matched:
        names = [name for name in self._entries if name.lower() not in self._xmp]
        # Where there are lists only, there is nothing they could speak of.
        found = takeout.match(names, self._title) if 0 < len(lists) < len(names) else {}
        spoken_of = set(found.values())
        own = self._album(lists - spoken_of) if found or len(lists) < len(names) else None
        return _Matched(found, own, self._speaks(spoken_of))

    def _title(self, name: str) -> str | None:
        return takeout.picture_title(self._body(self._entries[name]))

    def _album(self, lists: Iterable[str]) -> str | None:
        # An album's own is called "metadata" in some language; a picture's has its extension before its own.
        likely = sorted(lists, key=lambda name: (name.count("."), name))[:MOST_LOOKED_AT]
        titles = (takeout.album_title(self._body(self._entries[name])) for name in likely)
        return next((title for title in titles if title is not None), None)

    def _speaks(self, lists: Iterable[str]) -> bool:
        """Whether lists are Takeout's and not something else that is called alike; one of them stands for all."""
        return any(takeout.is_of_a_picture(self._body(self._entries[name])) for name in sorted(lists)[:3])

    def _body(self, entry: Entry) -> bytes:
        if entry.size_bytes > LARGEST_SIDECAR_BYTES:
            return b""
        try:
            return entry.text()
        except Unreadable:
            return b""


def _claims(body: bytes) -> Claims | None:
    try:
        return sidecars.read(body)
    except sidecars.NoSidecar:
        return None


def _below_takeout(place: str) -> int:
    """Return how far down in a Takeout a folder lies, 1 for its top; 0 for one outside."""
    parts = [part.casefold() for part in place.split("/")]
    return len(parts) - parts.index(TAKEOUT) if TAKEOUT in parts else 0


def _stem(name: str) -> str:
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name
