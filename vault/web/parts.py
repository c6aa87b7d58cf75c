"""What is kept together with a picture: taking its RAW home, and taking them apart. Floor 4."""

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from vault.models.media import Media, MediaFacts
from vault.policy import Action, Permit
from vault.services import parts
from vault.web import access
from vault.web.access import Face, requires
from vault.web.delivery import send_original

blueprint = Blueprint("parts", __name__, url_prefix="/media/<media_id>")


@blueprint.get("/raw")
@requires(Action.DOWNLOAD, Media, face=Face.BYTES)
def raw(permit: Permit[MediaFacts]) -> Response:
    """Send the RAW of a picture as it was uploaded, and remember that it was taken."""
    return send_original(access.permit(Action.DOWNLOAD, Media, parts.raw(permit)))


@blueprint.post("/keep-apart")
@requires(Action.PLACE, Media)
def keep_apart(permit: Permit[MediaFacts]) -> AnyResponse:
    """Make the parts of a picture items of their own."""
    apart = parts.keep_apart(permit)
    flash("They are kept apart from now on." if apart else "There is nothing to keep apart.", "ok")
    return redirect(url_for("media.show", media_id=permit.row.public_id, album=request.args.get("album")))
