"""The API's side of what guests brought by a link: looking at it, letting it in, turning it away. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields

from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.policy import Action, Permit
from vault.services import guests
from vault.web.access import Face, requires
from vault.web.api.protocol import Answer, Blueprint, Moment, nothing
from vault.web.api.shapes import ID

blueprint = Blueprint("arrivals", "Pictures that guests added by a link and that wait to be let in.")


class Arrival(Answer):
    """A picture that waits."""

    id = fields.String(metadata=ID)
    file_name = fields.String()
    guest_name = fields.String(metadata={"description": "What the guest called himself; may be empty."})
    bytes = fields.Integer()
    state = fields.String()
    arrived_at = Moment()
    parts = fields.List(fields.String(metadata=ID), metadata={"description": "What is let in with it: RAW, film."})


class Arrivals(Answer):
    """What waits, the oldest first; at most 500, and `count` of them in all."""

    items = fields.List(fields.Nested(Arrival))
    count = fields.Integer()


@blueprint.get("/albums/<album_id>/arrivals")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.response(200, Arrivals)
def list_arrivals(permit: Permit[AlbumFacts]) -> dict[str, Any]:
    """List what guests brought to an album and nobody has decided on."""
    found = guests.awaiting(permit)
    along = guests.coming_along(permit.viewer, found)
    waiting = [
        {
            "id": each.public_id,
            "file_name": each.file_name,
            "guest_name": each.guest_name,
            "bytes": each.size_bytes,
            "state": each.state,
            "arrived_at": each.uploaded_at,
            "parts": [part.public_id for part in along.get(each.id, [])],
        }
        for each in found
    ]
    return {"items": waiting, "count": guests.count_awaiting(permit)}


@blueprint.post("/media/<media_id>/accept")
@requires(Action.ACCEPT, Media, face=Face.API)
@blueprint.response(204)
def accept(permit: Permit[MediaFacts]) -> Response:
    """Let a guest's picture in."""
    guests.accept(permit)
    return nothing()


@blueprint.post("/media/<media_id>/decline")
@requires(Action.ACCEPT, Media, face=Face.API)
@blueprint.response(204)
def decline(permit: Permit[MediaFacts]) -> Response:
    """Turn a guest's picture away, into its owner's trash."""
    guests.decline(permit)
    return nothing()
