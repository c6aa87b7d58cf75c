"""Archives: an album whole, what was chosen, and all that a link opens to its visitor. Floor 4."""

from flask import Blueprint, Response, make_response, render_template, request

from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Link, LinkFacts
from vault.policy import Action, Credential, Permit, authorize
from vault.services import editions, library, visiting, zipping
from vault.services.recording import ZIP
from vault.signing import digest
from vault.web import access, taking
from vault.web.access import Face, requires, signed_in, vault, viewer
from vault.web.delivery import BeingPrepared, dressed, send_zip
from vault.web.visitors import keep_to_itself, opened_by_link, visit_cookie

blueprint = Blueprint("zips", __name__)
TITLE = "Pictures"
# After this a browser is told how far it is.
SECONDS_UNTIL_TOLD = 4.0


@blueprint.after_request
def keep_visits_to_themselves(answer: Response) -> Response:
    """Answer below a link, refusals too, as all that lies there does."""
    return keep_to_itself(answer) if "link_id" in (request.view_args or {}) else answer


@blueprint.get("/albums/<album_id>/zip")
@requires(Action.DOWNLOAD, Album)
def album(permit: Permit[AlbumFacts]) -> Response:
    """Send an album as an archive; with `below=1` the albums inside it, too."""
    entries = zipping.of_album(permit, below=request.args.get("below") == "1")
    proof, subject = access.credential(), permit.row.public_id
    return send_zip(zipping.of(vault(), permit.viewer, permit.row.title, entries, proof=proof, subject=subject))


@blueprint.post("/media/zip")
@signed_in()
def chosen() -> Response:
    """Send chosen pictures as an archive. The form names them in one field, with commas between their ids."""
    ids = [each.strip() for each in request.form.get("ids", "").split(",") if each.strip()]
    entries = zipping.of_chosen(viewer(), ids)
    return send_zip(zipping.of(vault(), viewer(), TITLE, entries, proof=access.credential()))


@blueprint.get("/l/<link_id>/zip")
@opened_by_link(Action.DOWNLOAD, Link, face=Face.BYTES)
def by_link(permit: Permit[LinkFacts]) -> Response:
    """Send all that a link opens, as its terms let it leave; one download, counted when all of it went out.

    A browser is told how far it is while pictures still have to be made, on a page that asks again by itself.
    """
    taking.begin(permit, ZIP)
    title, subject, entries = _opened(permit)
    proof = Credential(digest(request.cookies[visit_cookie()]), link_id=permit.row.public_id)
    is_page = "text/html" in request.headers.get("Accept", "")
    try:
        held = dressed(vault(), proof, entries, **({"seconds": SECONDS_UNTIL_TOLD} if is_page else {}))
    except BeingPrepared as still:
        if not is_page:
            raise
        return _preparing(permit, still)
    found = zipping.of(vault(), permit.viewer, title, held, proof=proof, source=editions.to_take, subject=subject)
    return taking.counted(send_zip(found), permit, ZIP)


def _preparing(permit: Permit[LinkFacts], still: BeingPrepared) -> Response:
    shown = {"link_id": permit.row.public_id, "ready": still.ready, "of": still.of}
    return make_response(render_template("visit/preparing.html", **shown), 202)


def _opened(permit: Permit[LinkFacts]) -> tuple[str, str, list[zipping.Entry]]:
    """Return what the archive of a link is called, which album it is of, and what is to lie in it."""
    if visiting.is_selection(permit):
        picked = library.some_in_order(permit.viewer, visiting.picked(permit))
        ids = [media.public_id for media in picked]
        return permit.row.label or TITLE, "", zipping.of_chosen(permit.viewer, ids) if ids else []
    album = authorize(permit.viewer, Action.DOWNLOAD, Album, visiting.album_id(permit))
    return album.row.title, album.row.public_id, zipping.of_album(album, below=True)
