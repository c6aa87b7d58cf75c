"""The API's sidecars: what a file beside a picture says of it. Floor 4."""

from typing import Any

from flask import request

from vault.imaging import sidecars
from vault.models.media import Media, MediaFacts
from vault.policy import Action, Permit
from vault.services import Refused, library
from vault.web.access import Face, requires
from vault.web.api.protocol import Blueprint
from vault.web.api.shapes import PictureDetails, picture

blueprint = Blueprint("sidecars", "Files beside a picture that speak of it: XMP, and the lists of Google Takeout.")
BODY: dict[str, Any] = {"schema": {"type": "string", "format": "binary", "maxLength": sidecars.MAX_BYTES}}


@blueprint.put("/media/<media_id>/sidecar")
@requires(Action.TRASH, Media, face=Face.API)
@blueprint.doc(requestBody={"required": True, "content": {"application/octet-stream": BODY}})
@blueprint.response(200, PictureDetails)
def lay_beside(permit: Permit[MediaFacts]) -> dict[str, Any]:
    """Lay a sidecar beside one's picture, instead of an earlier one: an XMP file or a JSON list of Google Takeout.

    An XMP sidecar overrules what the file says of itself, and nothing overrules what was written here by hand.
    """
    try:
        claims = sidecars.read(request.get_data())
    except sidecars.NoSidecar as refusal:
        raise Refused(str(refusal)) from refusal
    return picture(permit.viewer, library.lay_beside(permit, claims))
