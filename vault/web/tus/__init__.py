"""Uploads that come in pieces, as the tus protocol 1.0 speaks of them (https://tus.io/protocols/resumable-upload).

Floor 4. Of its extensions: creation, creation-with-upload, checksum, expiration and termination. What a body carries
goes straight from the server's socket to the disk.
"""

import time
from contextlib import suppress
from functools import partial

from flask import Blueprint, Response, g, make_response, request, url_for

from vault.models.account import Scope
from vault.policy import Denied
from vault.services import Vault
from vault.services.importing import runs
from vault.services.uploads import resumable
from vault.services.uploads.pouring import ALGORITHMS, Piece
from vault.services.uploads.promises import Announced, Over, Sender, Standing
from vault.web.access import SMALL_BODY, Face, public, signed_in, vault, viewer
from vault.web.tus import headers

blueprint = Blueprint("tus", __name__, url_prefix="/uploads")
# How long somebody is listened to whose bytes are not wanted, and how much of them is waited for at a time.
LISTENING_SECONDS = 3.0
LISTENING_BYTES = 1024


def body(found: Vault) -> int:
    """Return how large a body may be: a piece may be the whole file; anything else is as small as everywhere."""
    return found.settings.max_upload_bytes if request.mimetype == headers.PIECE_TYPE else SMALL_BODY


def check_version() -> Response | None:
    """Turn away who speaks another version, before anything is looked at."""
    if request.method == "OPTIONS" or request.headers.get("Tus-Resumable") == headers.VERSION:
        return None
    return make_response("", 412, {"Tus-Version": headers.VERSION})


def close(answer: Response) -> Response:
    """Say which version is spoken, and read to its end what nobody wanted: a sender listens only when he is done."""
    if request.method != "OPTIONS":
        answer.headers["Tus-Resumable"] = headers.VERSION
    # Only to those who may send: a thread that listens to strangers is one that they hold.
    if answer.status_code >= 400 and answer.status_code not in (401, 403) and g.get("may_send", False):
        left, until = vault().settings.upload_piece_bytes, time.monotonic() + LISTENING_SECONDS
        if (request.content_length or 0) <= left:
            rest = Piece(request.environ["wsgi.input"])
            while left > 0 and time.monotonic() < until and (chunk := rest.read(LISTENING_BYTES)):
                left -= len(chunk)
    return answer


def welcome(sender: Sender) -> Sender:
    """Note that whoever sends may do so. Whose upload it is, is asked with each of them."""
    g.may_send = True
    return sender


def begin(sender: Sender, announced: Announced, piece: Piece | None) -> Standing:
    """Create an upload, with the file or its beginning where the body brings it."""
    if piece is None:
        return resumable.create(vault(), sender, announced)
    piece.refuse_beyond(announced.size_bytes)
    if piece.length_bytes == announced.size_bytes:
        return resumable.take_whole(vault(), sender, announced, piece)
    standing = resumable.create(vault(), sender, announced)
    try:
        return resumable.append(vault(), sender, standing.upload_id, 0, piece)
    except Exception:
        # The sender never learns where it was, so nobody could go on with it.
        with suppress(Denied):
            resumable.end(vault(), sender, standing.upload_id)
        raise


def go_on(sender: Sender, upload_id: str) -> Response:
    """Take the next piece, or end the upload."""
    # Whose it is comes first: to everybody else there is no such upload, whatever the request says.
    with suppress(Over):
        resumable.find(sender, upload_id)
    if headers.method("PATCH", "DELETE") == "DELETE":
        resumable.end(vault(), sender, upload_id)
        return Response(status=204)
    offset, piece = headers.number("Upload-Offset"), headers.piece() or Piece(request.environ["wsgi.input"], 0)
    return headers.describe(Response(status=204), resumable.append(vault(), sender, upload_id, offset, piece))


def stand(sender: Sender, upload_id: str) -> Response:
    """Say how far an upload is."""
    headers.method("HEAD")
    standing = resumable.find(sender, upload_id)
    answer = headers.describe(Response(status=200), standing)
    answer.headers["Upload-Length"] = str(standing.size_bytes)
    if standing.said:
        answer.headers["Upload-Metadata"] = standing.said
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def capabilities() -> Response:
    """Say what is spoken here; the same to everybody, of whatever address."""
    answer = Response(status=204)
    answer.headers.update(
        {
            "Tus-Resumable": headers.VERSION,
            "Tus-Version": headers.VERSION,
            "Tus-Extension": headers.EXTENSIONS,
            "Tus-Max-Size": str(vault().settings.max_upload_bytes),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }
    )
    return answer


blueprint.before_request(check_version)
blueprint.after_request(close)
# Needs neither a person nor proof of a page: it is asked before anything else, and touches nothing.
blueprint.add_url_rule("/", "capabilities", public(capabilities, Face.BYTES), methods=["OPTIONS"])


@blueprint.post("/")
@signed_in(Face.API, body=body)
def create() -> Response:
    """Take on a file that comes in pieces."""
    headers.method("POST")
    standing = begin(_me(), headers.announced(), headers.piece())
    answer = headers.describe(Response(status=201), standing)
    answer.headers["Location"] = url_for("tus.ask", upload_id=standing.upload_id)
    return answer


# Who may only write goes on where he was.
@blueprint.route("/<upload_id>", methods=["HEAD"])
@signed_in(Face.API, reads=Scope.READ | Scope.WRITE)
def ask(upload_id: str) -> Response:
    """Say how far an upload of one's own is."""
    return stand(_me(), upload_id)


@blueprint.route("/<upload_id>", methods=["PATCH", "DELETE", "POST"])
@signed_in(Face.API, body=body)
def append(upload_id: str) -> Response:
    """Take the next piece of an upload of one's own, or end it."""
    return go_on(_me(), upload_id)


def _me() -> Sender:
    sender = viewer()
    return welcome(Sender(sender, archives=partial(runs.begin_from_upload, vault(), sender)))
