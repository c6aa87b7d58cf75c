"""How a request takes in files: straight from the socket to the storage's own disk, hashed on their way.

Floor 4, a hall that the page files use. The request is given a stream that writes there before anything reads the form.
"""

import os
import time
from typing import IO, TYPE_CHECKING, cast
from weakref import WeakSet

from flask import Request, g
from werkzeug.datastructures import FileStorage

from vault.services import OverQuota, Refused, Vault, uploads
from vault.storage import Storage
from vault.storage.incoming import Incoming
from vault.web import access
from vault.web.access import SMALL_BODY, Face, vault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
# A form without scripts sends all its files in one request, and each of them is a file on the disk meanwhile.
MOST_FILES = 20


class Rationed(Incoming):
    """A file of somebody who may store `room_bytes` more; None without a quota.

    What does not fit is not written but let by, so that the other files of the same form still come in.
    """

    def __init__(self, storage: Storage, max_bytes: int, room_bytes: int | None) -> None:
        """Begin with nothing written. Raises StorageFull."""
        self.room_bytes = room_bytes
        self.is_over_quota = False
        super().__init__(storage, max_bytes)

    def write(self, chunk: bytes | bytearray | memoryview) -> int:
        """Append a chunk, or let it by; return its length. Raises TooLarge or StorageFull."""
        if self.room_bytes is not None and self.bytes + len(chunk) > self.room_bytes:
            self.is_over_quota = True
            self.discard()
        return len(chunk) if self.is_over_quota else super().write(chunk)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place for reading and return it; of a file that was let by there is only the beginning."""
        return 0 if self.is_over_quota else super().seek(offset, whence)


class UploadRequest(Request):
    """A request whose files go straight into the vault's storage instead of into memory or a second temporary file.

    `began` is when it came in, in seconds of the monotonic clock, for the request log.
    """

    def __init__(self, environ: "WSGIEnvironment", *, populate_request: bool = True, shallow: bool = False) -> None:
        """Note the time."""
        super().__init__(environ, populate_request, shallow)
        self.began = time.perf_counter()
        self._files_begun = 0
        # Weakly: of a form that breaks off nobody but the collector closes the files.
        self._files: WeakSet[Rationed] = WeakSet()

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,  # noqa: ARG002  # werkzeug's signature
        filename: str | None = None,  # noqa: ARG002  # werkzeug's signature
        content_length: int | None = None,  # noqa: ARG002  # werkzeug's signature
    ) -> IO[bytes]:
        # Counted while they come in, so that the refusal comes before the next file and before anything is kept.
        self._files_begun += 1
        if self._files_begun > MOST_FILES:
            raise Refused(f"That was more than {MOST_FILES} pictures at once, and none was kept. Please send fewer.")
        room = self._room()
        # The API takes one file a request, so its size is known before its first byte.
        if room is not None and access.face() is Face.API and (total_content_length or 0) - SMALL_BODY > room:
            raise OverQuota(uploads.FULL)
        file = Rationed(vault().storage, vault().settings.max_upload_bytes, room)
        self._files.add(file)
        # Werkzeug asks for an IO and uses what `Incoming` has of one.
        return cast("IO[bytes]", file)

    def _room(self) -> int | None:
        """Return what may still be stored, less what came in with this request before."""
        person = access.person()
        # A guest fills the room of the album's owner; the gate has found out who that is.
        owner_id = g.get("room_of") or (person.user_id if person else None)
        left = uploads.room_left(owner_id) if owner_id else None
        return None if left is None else max(0, left - sum(each.bytes for each in self._files if not each.closed))


def incoming(file: FileStorage) -> Incoming:
    """Return the stream that a file of the form was written to. Raises OverQuota when it did not fit."""
    found = cast("Rationed", file.stream)
    if found.is_over_quota:
        raise OverQuota(uploads.FULL_FOR_GUESTS if "room_of" in g else uploads.FULL)
    return found


def one(vault: Vault) -> int:
    """Return how large a request with one file may be: the file, and the form around it."""
    return vault.settings.max_upload_bytes + SMALL_BODY
