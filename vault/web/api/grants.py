"""The API's grants: who else comes into an album, how far, and until when. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from vault.models.media import Album, AlbumFacts
from vault.models.sharing import GRANTABLE, Role
from vault.policy import Action, Denied, Permit
from vault.services import explaining, people, sharing
from vault.web.access import Face, requires
from vault.web.api.protocol import Answer, Blueprint, Body, ListQuery, Moment, Text, nothing, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint(
    "grants", "Roles that people have on an album and on those below it. They ask for the role manager."
)
ROLES = validate.OneOf([role.label for role in GRANTABLE])


class Grant(Answer):
    """A person's role on an album."""

    album_id = fields.String(metadata=ID)
    user_id = fields.String(metadata=ID)
    name = fields.String()
    email = fields.String(metadata={"description": "Veiled.", "examples": ["an…@example.org"]})
    role = fields.String(validate=ROLES)
    granted_by = fields.String(metadata={"description": "The name of whoever gave it."})
    created_at = Moment()
    expires_at = Moment(allow_none=True)


class GrantTerms(Body):
    """How far somebody may go, and until when."""

    role = Text(required=True, validate=ROLES)
    expires_at = Moment(
        load_default=None, allow_none=True, metadata={"description": "Null or left out: without an end."}
    )


@blueprint.get("/albums/<album_id>/grants")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Grant))
def list_grants(permit: Permit[AlbumFacts], query: dict[str, Any]) -> dict[str, Any]:
    """List the grants that stand on an album, the newest first."""
    found = explaining.grants_of_album(permit, **query)
    return page([_grant(line) for line in found.items], found)


@blueprint.put("/albums/<album_id>/grants/<user_id>")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.arguments(GrantTerms)
@blueprint.response(200, Grant)
def grant(permit: Permit[AlbumFacts], body: dict[str, Any], user_id: str) -> dict[str, Any]:
    """Give somebody a role, or change it. Nobody can give more than he has, nor change his own."""
    given = sharing.grant(permit, user_id=user_id, role=Role.from_label(body["role"]), expires_at=body["expires_at"])
    return _grant(explaining.grant_line(given))


@blueprint.delete("/albums/<album_id>/grants/<user_id>")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.response(204)
def revoke(permit: Permit[AlbumFacts], user_id: str) -> Response:
    """Take somebody's role away. From then on not one byte goes out by it."""
    if not sharing.revoke_grant(permit, user_id):
        raise Denied
    return nothing()


def _grant(line: explaining.GrantLine) -> dict[str, Any]:
    return {
        "album_id": line.album.public_id,
        "user_id": line.person.public_id,
        "name": line.person.name,
        "email": people.veiled(line.person.email),
        "role": Role(line.grant.role).label,
        "granted_by": line.granted_by,
        "created_at": line.grant.created_at,
        "expires_at": line.grant.expires_at,
    }
