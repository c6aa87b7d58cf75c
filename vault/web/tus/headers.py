"""What the headers of the tus protocol say, read strictly, and how ours are written.

Floor 4, a hall of this folder. What cannot be read is refused and never guessed.
"""

import base64
import binascii
import re
from datetime import UTC, datetime

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed, UnsupportedMediaType
from werkzeug.http import http_date

from vault.imaging.claims import Told
from vault.models.ingest import Purpose
from vault.services.uploads import LONGEST_FILE_NAME
from vault.services.uploads.pouring import ALGORITHMS, Checksum, Piece
from vault.services.uploads.promises import Announced, Malformed, Standing

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
PIECE_TYPE = "application/offset+octet-stream"
MOST_WORDS = 32
_NUMBER = re.compile(r"[0-9]{1,18}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Before and after these years no file was written; a clock that says so tells nothing.
_FIRST_SECOND, _LAST_SECOND = 0, 7_258_118_400


def method(*taken: str) -> str:
    """Return what is asked for: by POST also what X-HTTP-Method-Override says. Raises MethodNotAllowed."""
    wanted = request.headers.get("X-HTTP-Method-Override", request.method).strip().upper()
    if request.method not in (wanted, "POST") or wanted not in taken:
        raise MethodNotAllowed(taken)
    return wanted


def number(name: str) -> int:
    """Return the whole number in a header. Raises Malformed when there is none, or something else."""
    value = request.headers.get(name, "")
    if not _NUMBER.fullmatch(value):
        raise Malformed(f"{name} must be a whole number of bytes.")
    return int(value)


def announced() -> Announced:
    """Return what a creation says of its file. Raises Malformed."""
    for name in ("Upload-Defer-Length", "Upload-Concat"):
        if name in request.headers:
            raise Malformed(f"{name} is not supported here: say how long the file is, and send it as one.")
    said = words(request.headers.get("Upload-Metadata", ""))
    sha256 = said.get("sha256", "").lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        raise Malformed("sha256 in Upload-Metadata must be 64 hexadecimal digits.")
    purpose = said.get("purpose", Purpose.MEDIA)
    if purpose not in tuple(Purpose):
        raise Malformed("purpose in Upload-Metadata is none that is known here.")
    return Announced(
        size_bytes=number("Upload-Length"),
        file_name=said.get("filename", "")[:LONGEST_FILE_NAME],
        album_id=said.get("album_id") or None,
        sha256=sha256,
        told=Told(file_time=_moment(said.get("lastmodified", ""))),
        guest_name=said.get("guest_name", ""),
        purpose=Purpose(purpose),
        said=request.headers.get("Upload-Metadata", ""),
    )


def words(header: str) -> dict[str, str]:
    """Return the pairs of Upload-Metadata: names, and base64 of texts in UTF-8. Raises Malformed."""
    found: dict[str, str] = {}
    pairs = [pair.strip(" ") for pair in header.split(",")] if header.strip(" ") else []
    for pair in pairs[: MOST_WORDS + 1]:
        name, _, value = pair.partition(" ")
        if not name or not name.isascii() or not name.isprintable() or name in found or len(found) == MOST_WORDS:
            raise Malformed("Upload-Metadata must be pairs of different names and values, with commas between them.")
        try:
            found[name] = base64.b64decode(value.strip(" "), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Malformed("The values in Upload-Metadata must be texts in UTF-8, written in base64.") from None
    return found


def piece() -> Piece | None:
    """Return the body as a piece of a file; None where there is no body. Raises UnsupportedMediaType, Malformed."""
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    length = None if is_chunked else request.content_length or 0
    if request.mimetype != PIECE_TYPE:
        if length == 0 and request.method == "POST" and not request.mimetype:
            return None
        raise UnsupportedMediaType
    # Straight from the server: nothing between it and the disk holds more than a chunk.
    return Piece(request.environ["wsgi.input"], length, _checksum())


def _checksum() -> Checksum | None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Malformed(f"Upload-Checksum may be of {' or '.join(ALGORITHMS)}.")
    try:
        return Checksum(algorithm, base64.b64decode(digest.strip(" "), validate=True))
    except binascii.Error:
        raise Malformed("Upload-Checksum must be an algorithm and base64.") from None


def _moment(milliseconds: str) -> datetime | None:
    if not milliseconds:
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", milliseconds):
        raise Malformed("lastmodified in Upload-Metadata must be milliseconds since 1970.")
    seconds = int(milliseconds) / 1000
    return datetime.fromtimestamp(seconds, UTC) if _FIRST_SECOND < seconds < _LAST_SECOND else None


def describe(answer: Response, standing: Standing) -> Response:
    """Write down how far an upload is."""
    answer.headers["Upload-Offset"] = str(standing.received_bytes)
    answer.headers["Upload-Expires"] = http_date(standing.expires_at)
    if standing.media_id is not None:
        answer.headers["Vault-Media"] = standing.media_id
        if standing.is_duplicate:
            answer.headers["Vault-Duplicate"] = "true"
    if standing.import_id is not None:
        answer.headers["Vault-Import"] = standing.import_id
    return answer
