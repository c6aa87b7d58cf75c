"""Archives: an album whole, what was chosen, and all that a link opens to its visitor. Floor 4."""

from flask import Blueprint, Response, make_response, render_template, request

from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Link, LinkFacts
from vault.policy import Action, Credential, Permit, authorize
from vault.services import editions, library, visiting, zipping
from vault.services.zipping import choosing, places
from vault.services.zipping.choosing import TooMany
from vault.services.zipping.places import Crowded, Place
from vault.signing import digest
from vault.web import access, taking
from vault.web.access import Face, requires, signed_in, vault, viewer
from vault.web.delivery import BeingPrepared, announce_zip, dressed, send_zip
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
    title, subject, proof = permit.row.title, permit.row.public_id, access.credential()
    with places.take(permit.viewer) as place:
        entries = choosing.of_album(permit, below=request.args.get("below") == "1")
        return send_zip(zipping.of(vault(), permit.viewer, title, entries, proof=proof, subject=subject), place)


@blueprint.post("/media/zip")
@signed_in()
def chosen() -> Response:
    """Send chosen pictures as an archive. The form names them in one field, with commas between their ids."""
    ids = [each.strip() for each in request.form.get("ids", "").split(",") if each.strip()]
    with places.take(viewer()) as place:
        entries = choosing.of_chosen(viewer(), ids)
        return send_zip(zipping.of(vault(), viewer(), TITLE, entries, proof=access.credential()), place)


@blueprint.get("/l/<link_id>/zip")
@opened_by_link(Action.DOWNLOAD, Link, face=Face.BYTES)
def by_link(permit: Permit[LinkFacts]) -> Response:
    """Send all that a link opens, as its terms let it leave; one download of what it holds, counted when it went out.

    A browser is told how far it is while pictures still have to be made, on a page that asks again by itself.
    """
    try:
        with places.take(permit.viewer) as place:
            return _all_of(permit, place)
    except (Crowded, TooMany) as refusal:
        if not _wants_page():
            raise
        return _refused(permit, refusal)


def _all_of(permit: Permit[LinkFacts], place: Place) -> Response:
    title, subject, entries = _opened(permit)
    thing = zipping.content(entries)
    taking.begin(permit, thing)
    if request.method == "HEAD":
        place.leave()
        return announce_zip(zipping.file_name(title))  # to know the length, each entry would have to be made
    proof = Credential(digest(request.cookies[visit_cookie()]), link_id=permit.row.public_id)
    try:
        held = dressed(vault(), proof, entries, **({"seconds": SECONDS_UNTIL_TOLD} if _wants_page() else {}))
    except BeingPrepared as still:
        if not _wants_page():
            raise
        place.leave()
        return _preparing(permit, still)
    found = zipping.of(vault(), permit.viewer, title, held, proof=proof, source=editions.to_take, subject=subject)
    return taking.counted(send_zip(found, place), permit, thing)


def _wants_page() -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _refused(permit: Permit[LinkFacts], refusal: Crowded | TooMany) -> Response:
    """Say on a page of the visitor's why there is no archive now; one that may be there later is asked for again."""
    crowded = refusal if isinstance(refusal, Crowded) else None
    seconds = crowded.retry_after_seconds if crowded else None
    shown = {"link_id": permit.row.public_id, "seconds": seconds, "why": str(refusal)}
    answer = make_response(render_template("visit/no_archive.html", **shown), 503 if crowded else 422)
    if crowded:
        answer.headers["Retry-After"] = str(seconds)
    return answer


def _preparing(permit: Permit[LinkFacts], still: BeingPrepared) -> Response:
    shown = {"link_id": permit.row.public_id, "ready": still.ready, "of": still.of}
    return make_response(render_template("visit/preparing.html", **shown), 202)


def _opened(permit: Permit[LinkFacts]) -> tuple[str, str, list[zipping.Entry]]:
    """Return what the archive of a link is called, which album it is of, and what is to lie in it."""
    if visiting.is_selection(permit):
        picked = library.some_in_order(permit.viewer, visiting.picked(permit))
        ids = [media.public_id for media in picked]
        return permit.row.label or TITLE, "", choosing.of_chosen(permit.viewer, ids) if ids else []
    album = authorize(permit.viewer, Action.DOWNLOAD, Album, visiting.album_id(permit))
    return album.row.title, album.row.public_id, choosing.of_album(album, below=True)
