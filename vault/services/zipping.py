"""Archives: many pictures as one stream, whose length is known before its first byte.

Floor 3. Nothing is kept: an archive is written while it is sent, uncompressed, because pictures are compressed already.
Each entry is decided anew when its bytes begin and before every further piece of them; when the right has ended the
stream breaks off, short of what was announced. Where an entry's bytes lie is for a `Source` to say, so that what leaves
by a link can be another edition than what people get.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import sqlalchemy as sa
from typing_extensions import override
from zipstream.ng import ZIP_STORED, ZipStream, ZipStreamInfo

from vault import audit
from vault.db import db, transaction
from vault.models import cursor as cursors
from vault.models.media import Album, AlbumFacts, AlbumMedia, Media, MediaFacts, Order, State
from vault.names import Names, folder_name
from vault.policy import PUBLIC_ID, Action, Credential, Denied, Permit, Viewer, authorize, visible
from vault.services import NotReady, Refused, Vault
from vault.storage import StorageError

MOST_ENTRIES = 100_000
MOST_CHOSEN = 10_000
# As many pictures are weighed for a page; adding up more would make it slow.
MOST_WEIGHED = 2_000
AT_ONCE = 1_000
# Between two pieces the right is asked for again.
PIECE_BYTES = 1024 * 1024
JOINED_BYTES = 64 * 1024
# The format knows no other years.
FIRST_MOMENT, LAST_MOMENT = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


class BrokenOff(Exception):
    """The stream ends before its end: a right has ended, or bytes are not what they were."""


class Folder(NamedTuple):
    """An album below the one that is taken: two may be called alike."""

    album_id: str
    title: str


class Entry(NamedTuple):
    """A picture as it is to lie in an archive, in the folders that lead to it from the archive's own.

    `size_bytes` is a promise: as many bytes have to come when its turn does.
    """

    media_id: str
    file_name: str
    size_bytes: int
    modified_at: datetime
    folders: tuple[Folder, ...] = ()


Source = Callable[[Vault, Permit[MediaFacts]], tuple[int, BinaryIO]]
"""Says for a permit to download how many bytes there are, and opens them; called when an entry's turn comes."""


class Weight(NamedTuple):
    """How much an archive would hold."""

    pictures: int
    size_bytes: int


@dataclass(frozen=True)
class Zip:
    """An archive that is ready to be sent, once. `chunks` raises BrokenOff, and wants to be closed."""

    viewer: Viewer
    subject: str
    file_name: str
    count: int
    length: int
    chunks: Generator[bytes]


def original(vault: Vault, permit: Permit[MediaFacts]) -> tuple[int, BinaryIO]:
    """Open the file as it was uploaded. Raises Missing."""
    return permit.row.size_bytes, vault.storage.open(permit.row.blob_key)


def of(
    vault: Vault,
    viewer: Viewer,
    title: str,
    entries: Iterable[Entry],
    *,
    proof: Credential | None = None,
    source: Source = original,
    subject: str = "",
) -> Zip:
    """Return the archive of entries, in one folder that is called as the archive is.

    `proof` is what the request brought: with it a session or token that ends midway ends the stream. `subject` is the
    public id of the album, for the record.
    """
    root = folder_name(title)
    stream, names, held = _Dated(sized=True), Names(), list(entries)
    places: dict[tuple[Folder, ...], str] = {(): f"{root}/"}

    def place(folders: tuple[Folder, ...]) -> str:
        if folders not in places:
            places[folders] = names.folder(place(folders[:-1]), folders[-1].title)
        return places[folders]

    for folders in dict.fromkeys(entry.folders for entry in held):
        place(folders)  # all of them before the first file, which might be called like one
    for entry in held:
        content = _Content(vault, proof or viewer, entry, source)
        stream.add(content, names.file(place(entry.folders), entry.file_name), size=entry.size_bytes)
    if not held:
        stream.mkdir(root)
    return Zip(viewer, subject, f"{root}.zip", len(held), len(stream), _sent(stream))


def of_album(permit: Permit[AlbumFacts], *, below: bool = False) -> list[Entry]:
    """Return what a viewer may take of an album, in its order; with the albums `below` it that he may see.

    The permit is for DOWNLOAD. Raises Refused for more than an archive holds.
    """
    found = _inside(permit.viewer, permit.row.id, Order(permit.row.order), (), MOST_ENTRIES)
    for album, folders in _below(permit) if below else ():
        found += _inside(permit.viewer, album.id, album.order, folders, MOST_ENTRIES - len(found))
    return found


def of_chosen(viewer: Viewer, public_ids: Iterable[str]) -> list[Entry]:
    """Return chosen pictures in the order of their ids. Raises Denied if one of them may not be taken; Refused."""
    wanted = list(dict.fromkeys(public_ids))
    if not wanted:
        raise Refused("Choose some pictures first.")
    if len(wanted) > MOST_CHOSEN:
        raise Refused(f"At most {MOST_CHOSEN:,} pictures at once.")
    if not all(map(PUBLIC_ID.fullmatch, wanted)):
        raise Denied
    found: dict[str, Entry] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = _takeable(viewer).where(Media.public_id.in_(wanted[start : start + AT_ONCE]))
        found |= {row[0]: Entry(*row) for row in db.session.execute(some)}
    if len(found) < len(wanted):
        raise Denied
    return [found[public_id] for public_id in wanted]


def weigh(permit: Permit[AlbumFacts]) -> Weight | None:
    """Return how much of an album a viewer may take; None for one with too many pictures to add up for a page."""
    held = _takeable(permit.viewer).join(AlbumMedia, AlbumMedia.media_id == Media.id)
    some = held.where(AlbumMedia.album_id == permit.row.id).limit(MOST_WEIGHED + 1).subquery()
    count, size = db.session.execute(sa.select(sa.func.count(), sa.func.sum(some.c.size_bytes))).one()
    return Weight(count, int(size or 0)) if count <= MOST_WEIGHED else None


def record(found: Zip) -> None:
    """Write down that an archive is on its way."""
    viewer = found.viewer
    by = f"link {viewer.link_id}" if viewer.link_id else audit.SYSTEM
    action = "album.zip" if found.subject else "media.zip"
    detail = {"count": found.count, "bytes": found.length}
    with transaction() as session:
        audit.record(session, action, actor_id=viewer.user_id, subject=found.subject, by=by, **detail)


def _takeable(viewer: Viewer) -> sa.Select[str, str, int, datetime]:
    """Return what an entry needs of the pictures that a viewer may take home, to be narrowed."""
    found = visible(viewer, Action.DOWNLOAD, Media)
    if viewer.link_id is not None:
        # As on the pages: what is still being made, or failed, is its owner's business.
        found = found.where(Media.state == State.READY)
    return found.with_only_columns(Media.public_id, Media.file_name, Media.size_bytes, Media.shown_at)


def _inside(viewer: Viewer, album_id: int, order: str, folders: tuple[Folder, ...], most: int) -> list[Entry]:
    held = _takeable(viewer).join(AlbumMedia, AlbumMedia.media_id == Media.id).where(AlbumMedia.album_id == album_id)
    place, name, newest = AlbumMedia.position, AlbumMedia.media_id, order == Order.NEWEST
    found: list[Entry] = []
    cursor = None
    while True:
        page = cursors.in_order(held, place, name, limit=AT_ONCE, cursor=cursor, descending=newest)
        found += [Entry(*row)._replace(folders=folders) for row in page.items]
        if len(found) > most:
            raise Refused(f"An archive holds at most {MOST_ENTRIES:,} pictures. Take a part of them at a time.")
        cursor = page.next_cursor
        if cursor is None:
            return found


def _below(permit: Permit[AlbumFacts]) -> Iterator[tuple[Album, tuple[Folder, ...]]]:
    """Walk the albums below one as far as a viewer sees them, each with the folders that lead to it."""
    level: dict[int | None, tuple[Folder, ...]] = {permit.row.id: ()}
    while level:
        under = visible(permit.viewer, Action.VIEW, Album).where(Album.parent_id.in_(list(level)))
        above, level = level, {}
        for album in db.session.scalars(under.order_by(Album.title, Album.id)).all():
            level[album.id] = (*above[album.parent_id], Folder(album.public_id, album.title))
            yield album, level[album.id]


class _Content:
    """The bytes of one entry, opened when its turn comes."""

    __slots__ = ("_entry", "_source", "_vault", "_who")

    def __init__(self, vault: Vault, who: Viewer | Credential, entry: Entry, source: Source) -> None:
        self._vault, self._who, self._entry, self._source = vault, who, entry, source

    def __iter__(self) -> Iterator[bytes]:
        size, file = self._source(self._vault, self._decide())
        with file:
            left = self._entry.size_bytes
            if size != left:
                raise BrokenOff("an entry has another size than was announced")
            while left:
                piece = file.read(min(PIECE_BYTES, left))
                if not piece:
                    raise BrokenOff("an entry is shorter than was announced")
                yield piece
                left -= len(piece)
                if left:
                    self._decide()

    @property
    def moment(self) -> tuple[int, ...]:
        """When the picture was taken, as far as the format can say it, in UTC."""
        moment = self._entry.modified_at.astimezone(UTC).timetuple()[:6]
        return min(max(FIRST_MOMENT, moment), LAST_MOMENT)

    def _decide(self) -> Permit[MediaFacts]:
        return authorize(self._who, Action.DOWNLOAD, Media, self._entry.media_id)


class _Dated(ZipStream):  # type: ignore[misc]  # zipstream-ng has no types
    """An archive whose entries are as old as their pictures; the library would make them all of now."""

    @override
    def _gen_file_entry(self, *, arcname: str, iterable: Any = None, **rest: Any) -> Iterator[bytes]:
        if not isinstance(iterable, _Content):
            yield from super()._gen_file_entry(arcname=arcname, iterable=iterable, **rest)
            return
        info = ZipStreamInfo(arcname, iterable.moment)
        info.external_attr, info.compress_type = 0o600 << 16, ZIP_STORED
        info.file_size, info.header_offset = rest["size"], self._pos
        pieces = iter(iterable)
        first = next(pieces, b"")  # decided and opened before even its name goes out
        for piece in info._file_data(chain((first,), pieces)):  # noqa: SLF001  # the step that the library itself takes here
            yield self._track(piece)
        self._filelist.append(info)


def _sent(stream: ZipStream) -> Generator[bytes]:
    """Yield an archive in pieces worth sending: of little files each would be three."""
    waiting = bytearray()
    with closing(iter(stream)) as pieces:
        try:
            for piece in pieces:
                waiting += piece
                if len(waiting) >= JOINED_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
        except (Denied, NotReady, StorageError, OSError) as error:
            raise BrokenOff(f"an entry cannot be sent: {type(error).__name__}") from error
    yield bytes(waiting)
