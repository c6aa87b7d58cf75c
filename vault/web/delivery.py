"""Sending bytes: the only place that does, and only against a Permit.

Floor 4, a hall that the page files use. The decision is made before this is called, so before conditional and range
headers are looked at (docs/adr/0006-delivery.md). The headers are those of the outward contract. This is the most
travelled way of the house: what is the same for every picture is written once, and only a request with a condition pays
for comparing it.
"""

import os
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from errno import ECONNRESET
from functools import lru_cache
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, request, send_file
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date, quote_etag
from werkzeug.wsgi import FileWrapper

from vault.db import utcnow
from vault.models.media import Media, MediaFacts
from vault.models.sharing import MetadataRule
from vault.policy import Action, Credential, Denied, Permit, authorize
from vault.services import NotReady, Vault, editions, progress, zipping
from vault.services.editions import Edition, StillBeingMade
from vault.services.zipping import BrokenOff, Entry, Zip
from vault.services.zipping.places import Place

# The browser may keep the bytes but must ask each time, so that a revocation holds for what it kept, too.
PRIVATE = "private, no-cache"
CLOSED = (
    ("Vary", "Cookie"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Accept-Ranges", "bytes"),
)
# Longer than this nobody waits for the beginning of an archive, nor a web server in front for its headers.
MAKING_SECONDS = 30.0
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
    """Answer with the edition that the permit gives of what `editions.find` knows by that name.

    An original is an attachment.

    Raises NotReady while there is none, StillBeingMade when it takes too long to make, Missing when the bytes are lost,
    Denied for an original without the permit to download.
    """
    vault: Vault = current_app.extensions["vault"]
    if name == "original" and permit.action is not Action.DOWNLOAD:
        raise Denied  # a permit is for one action, and looking is not taking
    try:
        edition = editions.find(vault, permit, name)
    except NotReady:
        progress.want([permit.row.id])
        raise
    file_name = _name_for(permit, edition) if name == "original" else None
    if edition.cut is not None:
        return _spliced(vault, edition, file_name)
    if vault.settings.delivery == "x-accel":
        return _handed_over(vault, edition, file_name)
    return _sent(vault, edition, file_name)


def send_original(permit: Permit[MediaFacts]) -> Response:
    """Answer with the file, as it was uploaded or as the terms of a link want it, and remember that it was taken.

    Raises as `send`.
    """
    answer = send(permit, "original")
    if request.method == "GET" and answer.status_code in (200, 206):
        vault: Vault = current_app.extensions["vault"]
        vault.recorder.taken(permit, in_pieces="HTTP_RANGE" in request.environ)
        vault.recorder.opened(permit, "original")
    return answer


def send_moving(permit: Permit[MediaFacts], name: str) -> Response:
    """Answer with the "video" or the "motion" of the permit, in pieces as players ask, and remember once that it plays.

    Raises as `send`.
    """
    answer = send(permit, name)
    begins = request.headers.get("Range", "bytes=0-").strip().startswith("bytes=0-")
    if request.method == "GET" and begins and answer.status_code in (200, 206):
        vault: Vault = current_app.extensions["vault"]
        vault.recorder.opened(permit, name)
    return answer


def send_zip(found: Zip, place: Place) -> Response:
    """Answer with an archive as an attachment; it leaves its place when it is closed. Each entry is decided anew."""
    if request.method != "HEAD":
        zipping.record(found)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's own way to the application
    answer = announce_zip(found.file_name, _UnderWay(_streamed(app, found), place))
    answer.headers["Content-Length"] = str(found.length)
    return answer


def announce_zip(file_name: str, body: Iterable[bytes] | None = None) -> Response:
    """Answer as with an archive, whose length nobody has worked out."""
    # What is no list is not measured.
    answer = Response(iter(()) if body is None else body, mimetype="application/zip", direct_passthrough=True)
    answer.headers["Content-Disposition"] = _attachment(file_name)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers.extend(CLOSED)
    answer.headers["Accept-Ranges"] = "none"  # it is made while it is sent, and what it holds may change
    # Or a web server in front would go on sending what it has ahead when the right has ended.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


class _UnderWay:
    """The pieces of an archive. The server closes what it sends, also what it never began to send."""

    def __init__(self, chunks: Generator[bytes], place: Place) -> None:
        self._chunks, self._place = chunks, place

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        finally:
            self.close()

    def close(self) -> None:
        """Close the files that the pieces come from, and leave the place; a second call does nothing."""
        try:
            self._chunks.close()
        finally:
            self._place.leave()


class BeingPrepared(StillBeingMade):
    """So many of the pictures of an archive are ready, and the others are not yet."""

    def __init__(self, ready: int, of: int) -> None:
        super().__init__()
        self.ready, self.of = ready, of


def dressed(
    vault: Vault, proof: Credential, entries: Sequence[Entry], *, seconds: float = MAKING_SECONDS
) -> list[Entry]:
    """Return entries as the terms of a link let them leave: with the names and the lengths of their editions.

    What cannot be made for these terms is left out. Raises BeingPrepared when making takes longer than `seconds`; asked
    again, it goes on where it was.
    """
    found: list[Entry] = []
    until, seen = time.monotonic() + seconds, 0
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    for entry in entries:
        try:
            permit = authorize(proof, Action.DOWNLOAD, Media, entry.media_id)
            edition = editions.find(vault, permit, "original")
        except StillBeingMade as still:
            raise BeingPrepared(seen, len(entries)) from still
        except (Denied, NotReady):
            continue
        finally:
            seen += 1
        # What is there already takes no time to speak of: each time that is asked, something more is made.
        if edition.is_new and time.monotonic() > until and seen < len(entries):
            raise BeingPrepared(seen, len(entries))
        name = _name_for(permit, edition)
        shown = entry._replace(file_name=name, size_bytes=edition.size_bytes or 0)
        found.append(shown if _says_when(permit, edition) else shown._replace(modified_at=today))
    return found


def _says_when(permit: Permit[MediaFacts], edition: Edition) -> bool:
    """Whether an entry may say when its picture was taken: only where the file itself goes out as it is kept."""
    terms, is_whole = permit.terms, edition.cut is None and edition.key == permit.row.blob_key
    return terms is None or (is_whole and terms.metadata_rule == MetadataRule.KEEP and not terms.neutral_names)


def _streamed(app: Flask, found: Zip) -> Generator[bytes]:
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


def _sent(vault: Vault, blob: Edition, file_name: str | None) -> Response:
    # That it may be deleted while it is read does not matter to an open file.
    file = vault.storage.unbuffered(blob.key)
    stat = os.fstat(file.fileno())
    answer = send_file(file, blob.media_type, etag=False, conditional=False)
    return _ready(answer, blob, file_name, size=stat.st_size, modified_at=int(stat.st_mtime))


def _spliced(vault: Vault, edition: Edition, file_name: str | None) -> Response:
    """Send a cut file ourselves, behind nginx too: there is no blob that it could send."""
    file = editions.opened(vault, edition)
    modified_at = int(vault.storage.stat(edition.key).modified_at.timestamp())
    # Not the server's own wrapper: this one goes to the place that a range begins at, and the file has no descriptor.
    body = FileWrapper(file, editions.CUT_BUFFER_BYTES)
    answer = Response(body, mimetype=edition.media_type, direct_passthrough=True)
    return _ready(answer, edition, file_name, size=edition.size_bytes or 0, modified_at=modified_at)


def _ready(answer: Response, edition: Edition, file_name: str | None, *, size: int, modified_at: int) -> Response:
    """Say how long the body is and what it is called; then look at the conditions, where the request has any."""
    answer.headers["Content-Length"] = str(size)
    if file_name is not None:
        answer.headers["Content-Disposition"] = _attachment(file_name)
    _close(answer, edition, modified_at)
    if not CONDITIONS.isdisjoint(request.environ):
        try:
            answer.make_conditional(request, accept_ranges=True, complete_length=size)
        except HTTPException:
            answer.close()  # no such part of the file: nobody will read it
            raise
    return answer


def _handed_over(vault: Vault, blob: Edition, file_name: str | None) -> Response:
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


def _close(answer: Response, blob: Edition, modified_at: int) -> None:
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


def _name_for(permit: Permit[MediaFacts], edition: Edition) -> str:
    """Return what the file is saved as, with the extension of what is really sent.

    To the visitor of a link that is nothing that its owner wrote, unless the link's terms say so.
    """
    row, terms = permit.row, permit.terms
    if permit.viewer.link_id is not None and (terms is None or terms.neutral_names):
        what = "video" if edition.media_type.startswith("video/") else "picture"
        return f"{what}-{row.public_id[:8]}.{edition.extension}"
    name = _attachment_name(row.file_name)
    if edition.media_type == row.media_type:
        return name
    return f"{os.path.splitext(name)[0]}.{edition.extension}"  # noqa: PTH122 - a name, not a path


def _attachment_name(file_name: str) -> str:
    """Return a name that any system can save: no path, no control or invisible direction characters (RFC 6266, 4.3)."""
    last = file_name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = "".join("_" if each in RESERVED or not each.isprintable() else each for each in last)
    return plain.strip(" .")[:180].rstrip(" .") or "picture"
