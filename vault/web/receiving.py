"""How a request takes in files: straight from the socket to the storage's own disk, hashed on their way.

Floor 4, a hall that the page files use. The request is given a stream that writes there before anything reads the form.
"""

import time
from typing import IO, TYPE_CHECKING, cast

from flask import Request
from werkzeug.datastructures import FileStorage

from vault.services import Refused, Vault
from vault.storage.incoming import Incoming
from vault.web.access import SMALL_BODY, vault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
# A form without scripts sends all its files in one request, and each of them is a file on the disk meanwhile.
MOST_FILES = 20


class UploadRequest(Request):
    """A request whose files go straight into the vault's storage instead of into memory or a second temporary file.

    `began` is when it came in, in seconds of the monotonic clock, for the request log.
    """

    def __init__(self, environ: "WSGIEnvironment", *, populate_request: bool = True, shallow: bool = False) -> None:
        """Note the time."""
        super().__init__(environ, populate_request, shallow)
        self.began = time.perf_counter()
        self._files_begun = 0

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002  # werkzeug's signature
        content_type: str | None,  # noqa: ARG002  # werkzeug's signature
        filename: str | None = None,  # noqa: ARG002  # werkzeug's signature
        content_length: int | None = None,  # noqa: ARG002  # werkzeug's signature
    ) -> IO[bytes]:
        # Counted while they come in, so that the refusal comes before the next file and before anything is kept.
        self._files_begun += 1
        if self._files_begun > MOST_FILES:
            raise Refused(f"That was more than {MOST_FILES} pictures at once, and none was kept. Please send fewer.")
        # Werkzeug asks for an IO and uses what `Incoming` has of one.
        return cast("IO[bytes]", Incoming(vault().storage, vault().settings.max_upload_bytes))


def incoming(file: FileStorage) -> Incoming:
    """Return the stream that a file of the form was written to."""
    return cast("Incoming", file.stream)


def one(vault: Vault) -> int:
    """Return how large a request with one file may be: the file, and the form around it."""
    return vault.settings.max_upload_bytes + SMALL_BODY
