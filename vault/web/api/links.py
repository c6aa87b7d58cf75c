"""The API's links: signed addresses that open an album to whoever holds one. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Link as LinkRow
from vault.models.sharing import LinkFacts, LinkRole
from vault.policy import Action, Permit, Viewer, allowed
from vault.services import links as share_links
from vault.services.links import cards
from vault.web.access import Face, requires, signed_in, vault, viewer
from vault.web.api.protocol import Answer, Blueprint, Body, ListQuery, Moment, Text, nothing, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint("links", "Signed links. What one opens is decided anew at every byte.")
ROLES = validate.OneOf([role.label for role in LinkRole])
LABEL = validate.Length(1, 200)


class Link(Answer):
    """A link to an album."""

    id = fields.String(metadata=ID)
    album_id = fields.String(allow_none=True, metadata=ID)
    album_title = fields.String(allow_none=True)
    label = fields.String(metadata={"examples": ["Grandma"]})
    role = fields.String(validate=ROLES)
    url = fields.String(allow_none=True, metadata={"description": "Null for who may end the link, but not manage it."})
    state = fields.String(
        validate=validate.OneOf(["live", "dormant", "ended"]),
        metadata={"description": "`dormant` while its creator may not share the album."},
    )
    creator_name = fields.String()
    created_at = Moment()
    expires_at = Moment(allow_none=True)


class NewLink(Body):
    """A link to make."""

    label = Text(required=True, validate=LABEL)
    role = Text(required=True, validate=ROLES)
    expires_at = Moment(load_default=None, allow_none=True)


class LinkChange(Body):
    """What to change of a link. What is left out stays; `expires_at` null is without an end."""

    label = Text(validate=LABEL)
    role = Text(validate=ROLES)
    expires_at = Moment(allow_none=True)


@blueprint.get("/albums/<album_id>/links")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Link))
def list_of_album(permit: Permit[AlbumFacts], query: dict[str, Any]) -> dict[str, Any]:
    """List an album's links that are not revoked, the newest first."""
    found = cards.page_of_album(vault(), permit, **query)
    return page(_links(permit.viewer, found.items), found)


@blueprint.post("/albums/<album_id>/links")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.arguments(NewLink)
@blueprint.response(201, Link)
def create(permit: Permit[AlbumFacts], body: dict[str, Any]) -> dict[str, Any]:
    """Make a link to an album."""
    terms = share_links.Terms(body["label"], LinkRole.from_label(body["role"]), expires_at=body["expires_at"])
    made = share_links.create(vault(), permit, terms)
    return _links(permit.viewer, [cards.card(vault(), made.id)])[0]


@blueprint.get("/links")
@signed_in(Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Link))
def list_links(query: dict[str, Any]) -> dict[str, Any]:
    """List the links that one made, or that open one's albums, the newest first."""
    found = cards.page_of_person(vault(), viewer(), **query)
    return page(_links(viewer(), found.items), found)


@blueprint.get("/links/<link_id>")
@requires(Action.VIEW, LinkRow, face=Face.API)
@blueprint.response(200, Link)
def show(permit: Permit[LinkFacts]) -> dict[str, Any]:
    """Show a link."""
    return _link(permit)


@blueprint.patch("/links/<link_id>")
@requires(Action.MANAGE, LinkRow, face=Face.API)
@blueprint.arguments(LinkChange)
@blueprint.response(200, Link)
def change(permit: Permit[LinkFacts], body: dict[str, Any]) -> dict[str, Any]:
    """Change a link's terms. Its address stays."""
    given = {**body, "role": LinkRole.from_label(body["role"])} if "role" in body else body
    share_links.change(vault(), permit, **given)
    return _link(permit)


@blueprint.delete("/links/<link_id>")
@requires(Action.DELETE, LinkRow, face=Face.API)
@blueprint.response(204)
def revoke(permit: Permit[LinkFacts]) -> Response:
    """Revoke a link for good. From then on not one byte goes out by it."""
    share_links.revoke(permit)
    return nothing()


@blueprint.post("/links/<link_id>/rotate")
@requires(Action.MANAGE, LinkRow, face=Face.API)
@blueprint.response(200, Link)
def rotate(permit: Permit[LinkFacts]) -> dict[str, Any]:
    """Give a link a new address. The one before is dead at once."""
    share_links.rotate(permit)
    return _link(permit)


def _link(permit: Permit[LinkFacts]) -> dict[str, Any]:
    return _links(permit.viewer, [cards.card(vault(), permit.row.id)])[0]


def _links(asking: Viewer, found: list[cards.LinkCard]) -> list[dict[str, Any]]:
    managed = allowed(asking, Action.MANAGE, LinkRow, [card.link.public_id for card in found])
    seen = allowed(asking, Action.VIEW, Album, [card.album.public_id for card in found if card.album])
    return [
        {
            "id": card.link.public_id,
            # Where a link leads is not told to a creator to whom the album is closed by now; ending it is still his.
            "album_id": card.album.public_id if card.album and card.album.public_id in seen else None,
            "album_title": card.album.title if card.album and card.album.public_id in seen else None,
            "label": card.link.label,
            "role": LinkRole(card.link.role).label,
            "url": card.url if card.link.public_id in managed else None,
            "state": card.state,
            "creator_name": card.creator_name,
            "created_at": card.link.created_at,
            "expires_at": card.link.expires_at,
        }
        for card in found
    ]
