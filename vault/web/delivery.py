"""Sending bytes: the only place that does, and only against a Permit.

Floor 4, a hall that the page files use. The decision is made before this is called, so before conditional and range
headers are looked at (docs/adr/0006-delivery.md). The headers are those of the outward contract. This is the most
travelled way of the house: what is the same for every picture is written once, and only a request with a condition pays
for comparing it.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from errno import ECONNRESET
from functools import lru_cache
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, request, send_file
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date, quote_etag

from vault.imaging.identify import KINDS
from vault.models.media import MediaFacts
from vault.policy import Action, Denied, Permit
from vault.services import Vault, zipping
from vault.services.derivatives import Blob, find
from vault.services.zipping import BrokenOff, Zip

# The browser may keep the bytes but must ask each time, so that a revocation holds for what it kept, too.
PRIVATE = "private, no-cache"
CLOSED = (
    ("Vary", "Cookie"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Accept-Ranges", "bytes"),
)
EXTENSIONS = {kind.media_type: kind.extension for kind in KINDS}
# What no file of Windows may be called, and what would end a quoted name.
RESERVED = frozenset('":*?<>|')
CONDITIONS = frozenset(
    {
        "HTTP_RANGE",
        "HTTP_IF_RANGE",
        "HTTP_IF_MATCH",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IF_UNMODIFIED_SINCE",
    }
)


def send(permit: Permit[MediaFacts], name: str) -> Response:
    """Answer with the variant `name` ("thumb", "preview") or the "original", as an attachment.

    Raises NotReady while there is none, Missing when the bytes are lost, Denied for an original without the permit to
    download.
    """
    vault: Vault = current_app.extensions["vault"]
    if name == "original" and permit.action is not Action.DOWNLOAD:
        raise Denied  # a permit is for one action, and looking is not taking
    blob = find(permit, name)
    file_name = _name_for(permit) if name == "original" else None
    if vault.settings.delivery == "x-accel":
        return _handed_over(vault, blob, file_name)
    return _sent(vault, blob, file_name)


def send_original(permit: Permit[MediaFacts]) -> Response:
    """Answer with the file as it was uploaded, and remember that it was taken. Raises as `send`."""
    answer = send(permit, "original")
    if request.method == "GET" and answer.status_code in (200, 206):
        vault: Vault = current_app.extensions["vault"]
        vault.recorder.taken(permit, in_pieces="HTTP_RANGE" in request.environ)
        vault.recorder.opened(permit, "original")
    return answer


def send_zip(found: Zip) -> Response:
    """Answer with an archive as an attachment, and remember that it was taken. Each entry of it is decided anew."""
    if request.method != "HEAD":
        zipping.record(found)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's own way to the application
    answer = Response(_streamed(app, found), mimetype="application/zip", direct_passthrough=True)
    answer.headers["Content-Length"] = str(found.length)
    answer.headers["Content-Disposition"] = _attachment(found.file_name)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers.extend(CLOSED)
    answer.headers["Accept-Ranges"] = "none"  # it is made while it is sent, and what it holds may change
    return answer


def _streamed(app: Flask, found: Zip) -> Iterator[bytes]:
    """Yield an archive, with the application there for each piece but not in between, while a reader is slow."""
    with closing(found.chunks) as chunks:
        while True:
            try:
                with app.app_context():
                    chunk = next(chunks, None)
            except BrokenOff as end:
                structlog.get_logger().info("zip_broken_off", why=str(end))
                # The server hangs up, as on a line that was cut: nobody takes what came for the whole.
                raise ConnectionResetError(ECONNRESET, "the archive breaks off") from end
            if chunk is None:
                return
            yield chunk


def is_delivered(answer: Response) -> bool:
    """Whether an answer comes from here, and so has all the headers that it may have."""
    return answer.direct_passthrough


def _sent(vault: Vault, blob: Blob, file_name: str | None) -> Response:
    # That it may be deleted while it is read does not matter to an open file.
    file = vault.storage.unbuffered(blob.key)
    stat = os.fstat(file.fileno())
    answer = send_file(file, blob.media_type, etag=False, conditional=False)
    answer.headers["Content-Length"] = str(stat.st_size)
    if file_name is not None:
        answer.headers["Content-Disposition"] = _attachment(file_name)
    _close(answer, blob, int(stat.st_mtime))
    if not CONDITIONS.isdisjoint(request.environ):
        try:
            answer.make_conditional(request, accept_ranges=True, complete_length=stat.st_size)
        except HTTPException:
            answer.close()  # no such part of the file: nobody will read it
            raise
    return answer


def _handed_over(vault: Vault, blob: Blob, file_name: str | None) -> Response:
    """Let nginx send the bytes: it sees the key, and answers ranges; what has not changed is answered here."""
    stat = vault.storage.stat(blob.key)
    answer = Response(mimetype=blob.media_type, direct_passthrough=True)
    if file_name is not None:
        answer.headers["Content-Disposition"] = _attachment(file_name)
    _close(answer, blob, int(stat.modified_at.timestamp()))
    answer.make_conditional(request)
    if answer.status_code == 200:
        answer.headers["X-Accel-Redirect"] = f"/_blobs/{blob.key}"
    return answer


def _close(answer: Response, blob: Blob, modified_at: int) -> None:
    """Write the contract's headers, and the validators."""
    answer.headers["Cache-Control"] = PRIVATE
    answer.headers.extend((*CLOSED, ("ETag", quote_etag(blob.etag)), ("Last-Modified", _written(modified_at))))


@lru_cache(4_096)
def _written(seconds: int) -> str:
    return http_date(seconds)


def _attachment(name: str) -> str:
    """Say the name twice: in letters that every header takes, and whole (RFC 6266, 4.3; RFC 8187)."""
    plain = "".join(each if each.isascii() else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _name_for(permit: Permit[MediaFacts]) -> str:
    """Return what the file is saved as: for the visitor of a link nothing that its owner wrote, as on the pages."""
    if permit.viewer.link_id is None:
        return _attachment_name(permit.row.file_name)
    return f"picture-{permit.row.public_id[:8]}.{EXTENSIONS.get(permit.row.media_type, 'bin')}"


def _attachment_name(file_name: str) -> str:
    """Return a name that any system can save: no path, no control or invisible direction characters (RFC 6266, 4.3)."""
    last = file_name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = "".join("_" if each in RESERVED or not each.isprintable() else each for each in last)
    return plain.strip(" .")[:180].rstrip(" .") or "picture"
