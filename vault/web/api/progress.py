"""The API's word on how far the work on one's pictures is. Floor 4."""

from typing import Any

from marshmallow import fields

from vault.services import progress
from vault.web.access import Face, signed_in, vault, viewer
from vault.web.api.protocol import Answer, Blueprint

blueprint = Blueprint("progress", "How far the work on one's own pictures is.")


class Progress(Answer):
    """How many of one's pictures wait, are being made, and failed."""

    waiting = fields.Integer(metadata={"description": "Pictures whose thumb and preview are still to be made."})
    under_way = fields.Integer(metadata={"description": "Pictures that are being made at this moment."})
    failed = fields.Integer(metadata={"description": "Pictures that could not be read, without those in the trash."})
    may_pass = fields.Integer(metadata={"description": "How many of these another try may help."})
    videos = fields.Integer(metadata={"description": "Videos that are shown already and not yet played by browsers."})


@blueprint.get("/progress")
@signed_in(Face.API)
@blueprint.response(200, Progress)
def show() -> dict[str, Any]:
    """Say how far the work on one's pictures is."""
    found = progress.of_person(vault(), viewer())
    counted = {name: getattr(found, name) for name in ("waiting", "under_way", "failed", "may_pass")}
    return counted | {"videos": found.films}
