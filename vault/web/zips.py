"""Archives for people: an album whole, or what was chosen. Floor 4."""

from flask import Blueprint, Response, request

from vault.models.media import Album, AlbumFacts
from vault.policy import Action, Permit
from vault.services import zipping
from vault.web import access
from vault.web.access import requires, signed_in, vault, viewer
from vault.web.delivery import send_zip

blueprint = Blueprint("zips", __name__)
TITLE = "Pictures"


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
