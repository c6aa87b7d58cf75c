"""Archives: many pictures as one stream, whose length is known before its first byte.

Floor 3. Nothing is kept: an archive is written while it is sent, uncompressed, because pictures are compressed already.
Each entry is decided anew when its bytes begin and before every further piece of them; when the right has ended the
stream breaks off, short of what was announced. Where an entry's bytes lie is for a `Source` to say, so that what leaves
by a link can be another edition than what people get. As soon as all bytes of an entry went out it is noted as taken.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from typing_extensions import override
from zipstream.ng import ZIP_STORED, ZipStream, ZipStreamInfo

from vault import audit
from vault.db import transaction
from vault.models.media import Media, MediaFacts
from vault.names import Names, folder_name
from vault.policy import Action, Credential, Denied, Permit, Viewer, authorize
from vault.services import NotReady, Vault
from vault.storage import StorageError

# As what the pictures of an archive are noted.
VARIANT = "zip"
# Between two pieces the right is asked for again.
PIECE_BYTES = 1024 * 1024
JOINED_BYTES = 64 * 1024
# The format knows no other years.
FIRST_MOMENT, LAST_MOMENT = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)

_told = audit.Bounded(most=1, seconds=86_400)


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


@dataclass(frozen=True)
class Zip:
    """An archive that is ready to be sent, once. `chunks` raises BrokenOff, and wants to be closed."""

    viewer: Viewer
    subject: str
    file_name: str
    content: str
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
    stream, names, held, gone = _Dated(sized=True), Names(), list(entries), list[Permit[MediaFacts]]()
    places: dict[tuple[Folder, ...], str] = {(): f"{root}/"}

    def place(folders: tuple[Folder, ...]) -> str:
        if folders not in places:
            places[folders] = names.folder(place(folders[:-1]), folders[-1].title)
        return places[folders]

    for folders in dict.fromkeys(entry.folders for entry in held):
        place(folders)  # all of them before the first file, which might be called like one
    for entry in held:
        data = _Content(vault, proof or viewer, entry, source, gone)
        stream.add(data, names.file(place(entry.folders), entry.file_name), size=entry.size_bytes)
    if not held:
        stream.mkdir(root)
    chunks = _sent(vault, stream, gone)
    return Zip(viewer, subject, file_name(title), content(held), len(held), len(stream), chunks)


def file_name(title: str) -> str:
    """Return what an archive is saved as."""
    return f"{folder_name(title)}.zip"


def content(entries: Iterable[Entry]) -> str:
    """Return the name of what an archive holds: another one as soon as a picture comes or goes."""
    ids = sorted({entry.media_id for entry in entries})
    return f"{VARIANT}-{hashlib.sha256(' '.join(ids).encode()).hexdigest()[:20]}"


def record(found: Zip) -> None:
    """Write down that an archive is on its way; of a visitor once for what it holds, however often he asks for it."""
    viewer = found.viewer
    if viewer.link_id is not None and not _told.admits(f"{viewer.link_id} {viewer.visit_id} {found.content}"):
        return
    by = f"link {viewer.link_id}" if viewer.link_id else audit.SYSTEM
    action = "album.zip" if found.subject else "media.zip"
    detail = {"count": found.count, "bytes": found.length}
    with transaction() as session:
        audit.record(session, action, actor_id=viewer.user_id, subject=found.subject, by=by, **detail)


class _Content:
    """The bytes of one entry, opened when its turn comes."""

    __slots__ = ("_entry", "_gone", "_source", "_vault", "_who")

    def __init__(  # what is read, for whom, and where it is told
        self, vault: Vault, who: Viewer | Credential, entry: Entry, source: Source, gone: list[Permit[MediaFacts]]
    ) -> None:
        self._vault, self._who, self._entry, self._source, self._gone = vault, who, entry, source, gone

    def __iter__(self) -> Iterator[bytes]:
        permit = self._decide()
        size, file = self._source(self._vault, permit)
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
        self._gone.append(permit)

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


def _sent(vault: Vault, stream: ZipStream, gone: list[Permit[MediaFacts]]) -> Generator[bytes]:
    """Yield an archive in pieces worth sending: of little files each would be three.

    `gone` are the pictures whose last bytes were read; who is asked for more knows that they were sent.
    """
    waiting = bytearray()

    def note() -> None:
        for permit in gone:
            vault.recorder.opened(permit, VARIANT)
        gone.clear()

    with closing(iter(stream)) as pieces:
        try:
            for piece in pieces:
                if not waiting:
                    note()
                waiting += piece
                if len(waiting) >= JOINED_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
        except (Denied, NotReady, StorageError, OSError) as error:
            raise BrokenOff(f"an entry cannot be sent: {type(error).__name__}") from error
    yield bytes(waiting)
    note()
