"""What the visitor of a link may add, where the link takes pictures: bringing them, and taking them back. Floor 4.

That a link takes pictures is decided before the first byte of a file is read.
"""

from flask import Blueprint, flash, g, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from vault.imaging.identify import ACCEPT, Unsupported
from vault.models.media import AlbumFacts, Media, MediaFacts
from vault.models.sharing import Link, LinkFacts, LinkRole
from vault.policy import Action, Permit
from vault.services import Refused, Vault, guests, uploads, visiting
from vault.storage import StorageError, StorageFull
from vault.web.access import SMALL_BODY, vault
from vault.web.receiving import MOST_FILES, incoming
from vault.web.tiles import wants_json
from vault.web.visitors import keep_to_itself, opened_by_link, visit_permit

blueprint = Blueprint("guests", __name__, url_prefix="/l/<link_id>")


def _body(found: Vault) -> int:
    """Return how much may come in, once it is decided that anything may: the gate asks before it reads a form."""
    link_id = (request.view_args or {})["link_id"]
    permit = visit_permit(link_id, Action.VISIT, Link, link_id)
    g.room_of = _adding(permit).row.owner_id
    room = guests.room_left(permit)
    if room == 0:
        raise Refused(uploads.NO_MORE)
    return min(room or MOST_FILES, MOST_FILES) * found.settings.max_upload_bytes + SMALL_BODY


blueprint.after_request(keep_to_itself)


@blueprint.get("/add", endpoint="form")
@opened_by_link(Action.VISIT, Link)
def show_form(permit: Permit[LinkFacts]) -> str:
    """Show what one can bring, and what one brought."""
    return _page(permit, _adding(permit))


@blueprint.post("/add")
@opened_by_link(Action.VISIT, Link, body=_body)
def bring(permit: Permit[LinkFacts]) -> AnyResponse:
    """Take the files in one by one: what is wrong with one does not touch the others."""
    album, name = _adding(permit), request.form.get("guest_name", "")
    files = [each for each in request.files.getlist("file") if each.filename or incoming(each).bytes]
    if wants_json():
        return _brought(album, files, name)
    kept = sum(_is_kept(album, each, name) for each in files)
    if kept:
        flash("Thank you. 1 picture is here." if kept == 1 else f"Thank you. {kept} pictures are here.", "ok")
    elif not files:
        flash("Please choose a picture first.", "error")
    return redirect(url_for("guests.form", link_id=permit.row.public_id), 303)


@blueprint.post("/brought/<media_id>/withdraw")
@opened_by_link(Action.WITHDRAW, Media)
def withdraw(permit: Permit[MediaFacts]) -> AnyResponse:
    """Take back what one brought in this visit."""
    guests.withdraw(vault(), permit)
    flash("It is taken back, and deleted for good.", "ok")
    return redirect(url_for("guests.form", link_id=permit.viewer.link_id), 303)


def _adding(permit: Permit[LinkFacts]) -> Permit[AlbumFacts]:
    return visiting.adding(permit)


def _page(permit: Permit[LinkFacts], album: Permit[AlbumFacts]) -> str:
    viewer = permit.viewer
    return render_template(
        "visit/add.html",
        link_id=permit.row.public_id,
        # Who only adds is told the name of the link and nothing of the album.
        title=permit.row.label if permit.row.role == LinkRole.DROP else album.row.title,
        can_look=permit.row.role != LinkRole.DROP,
        guest_name=guests.name_of(viewer),
        brought=[
            {"id": each.public_id, "name": each.file_name, "size": each.size_bytes, "waits": each.awaiting_since}
            for each in guests.brought(viewer)
        ],
        room=guests.room_left(permit),
        accept=ACCEPT,
        most_files=MOST_FILES,
        max_bytes=vault().settings.max_upload_bytes,
        piece_bytes=vault().settings.upload_piece_bytes,
    )


def _brought(album: Permit[AlbumFacts], files: list[FileStorage], name: str) -> AnyResponse:
    """Answer the page's own uploader, which sends one file at a time; refusals go the way of all."""
    if len(files) != 1:
        raise Refused("Please send one file at a time.")
    (file,) = files
    received = uploads.receive_from_guest(
        vault(), album, incoming(file), file_name=file.filename or "", guest_name=name
    )
    answer = jsonify({"id": received.media.public_id, "state": "received", "duplicate": received.duplicate})
    answer.status_code = 201
    return answer


def _is_kept(album: Permit[AlbumFacts], file: FileStorage, name: str) -> bool:
    try:
        uploads.receive_from_guest(vault(), album, incoming(file), file_name=file.filename or "", guest_name=name)
    except (Unsupported, Refused) as refusal:
        flash(f"{file.filename}: {refusal}", "error")
    except StorageError as failure:
        reason = "there is no room left for it" if isinstance(failure, StorageFull) else "it could not be kept"
        flash(f"{file.filename}: {reason}.", "error")
    else:
        return True
    return False
