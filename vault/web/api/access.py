"""The API on who can see it, and why: ways in that can be taken away, and looking with other eyes. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.models.sharing import Role
from vault.policy import Action, Permit
from vault.services import explaining, viewing_as
from vault.services.explaining import Kind, endings
from vault.web.access import Face, requires
from vault.web.api.protocol import Answer, Blueprint, ListQuery, Moment, nothing, page, page_of
from vault.web.api.shapes import ID, Picture, pictures

blueprint = Blueprint("access", "Who can see an album or a picture, why, and how to take just that away.")


class Access(Answer):
    """One way in which somebody can see an album or a picture."""

    id = fields.String(metadata=ID)
    kind = fields.String(
        validate=validate.OneOf([kind.value for kind in Kind]),
        metadata={"description": "`album_owner` is the owner of an album that somebody else's picture lies in."},
    )
    user_id = fields.String(allow_none=True, metadata={"description": "Null for a group and for a link."})
    group_id = fields.String(allow_none=True, metadata={"description": "Null but for a group."})
    link_id = fields.String(
        allow_none=True, metadata={"description": "Null but for a link, and for a link that one may not see."}
    )
    name = fields.String(metadata={"description": "Of the person or group, or what the link is called."})
    count = fields.Integer(metadata={"description": "How many people of the group see it; 1 for a person."})
    role = fields.String(validate=validate.OneOf([role.label for role in Role]))
    reason = fields.String(metadata={"examples": ["granted viewer by the owner on the album Summer"]})
    album_id = fields.String(allow_none=True, metadata={"description": "Where the grant or link stands."})
    since = Moment()
    until = Moment(allow_none=True)
    ends = fields.String(
        allow_none=True,
        metadata={"description": "What `DELETE` would end, and for whom. Null where one may not change it."},
    )


@blueprint.get("/media/<media_id>/access")
@requires(Action.EXPLAIN, Media, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Access))
def of_media(permit: Permit[MediaFacts], query: dict[str, Any]) -> dict[str, Any]:
    """Say who can see one's picture, and why."""
    found = explaining.page_of_media(permit, **query)
    return page([_access(line) for line in found.items], found)


@blueprint.delete("/media/<media_id>/access/<line_id>")
@requires(Action.EXPLAIN, Media, face=Face.API)
@blueprint.response(204)
def end_on_media(permit: Permit[MediaFacts], line_id: str) -> Response:
    """Take just that away: end the grant or link or, of one's picture in another's album, take it out of that."""
    endings.from_media(permit, line_id)
    return nothing()


@blueprint.get("/albums/<album_id>/access")
@requires(Action.EXPLAIN, Album, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Access))
def of_album(permit: Permit[AlbumFacts], query: dict[str, Any]) -> dict[str, Any]:
    """Say who can see an album, and why. Asks for the role manager."""
    found = explaining.page_of_album(permit, **query)
    return page([_access(line) for line in found.items], found)


@blueprint.delete("/albums/<album_id>/access/<line_id>")
@requires(Action.EXPLAIN, Album, face=Face.API)
@blueprint.response(204)
def end_on_album(permit: Permit[AlbumFacts], line_id: str) -> Response:
    """Take just that away: end the grant or link."""
    endings.from_album(permit, line_id)
    return nothing()


@blueprint.get("/albums/<album_id>/as/<whom>/media")
@requires(Action.EXPLAIN, Album, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Picture))
def seen_as(permit: Permit[AlbumFacts], query: dict[str, Any], whom: str) -> dict[str, Any]:
    """List what somebody sees in an album, as far as one sees it oneself. Recorded with every page."""
    looking = viewing_as.eyes(permit, whom)
    # Not with the first page only: a script chooses its cursor itself, and could begin behind the first picture.
    viewing_as.begin(permit, looking)
    if looking.is_nobody:
        return {"items": [], "next_cursor": None}
    found = viewing_as.pictures(viewing_as.album(permit, looking, permit.row.public_id), looking, **query)
    return {"items": pictures(permit.viewer, found.items), "next_cursor": found.next_cursor}


def _access(line: explaining.Access) -> dict[str, Any]:
    return {
        "id": line.id,
        "kind": line.kind,
        "user_id": line.user.public_id if line.user else None,
        "group_id": line.group.public_id if line.group else None,
        "link_id": line.link.public_id if line.link and line.is_known else None,
        "name": line.link.label if line.link and line.is_known else line.name,
        "count": line.count,
        "role": line.role.label,
        "reason": line.reason,
        "album_id": line.album.public_id if line.album else None,
        "since": line.since,
        "until": line.until,
        "ends": line.ending.text if line.ending else None,
    }
