"""The API's links: signed addresses that open an album to whoever holds one. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from vault.models.media import Album, AlbumFacts
from vault.models.sharing import Link as LinkRow
from vault.models.sharing import LinkFacts, LinkRole, MetadataRule, Scope
from vault.policy import Action, Permit, Viewer, allowed
from vault.services import editions
from vault.services import links as share_links
from vault.services.links import LARGEST_EDGE_PX, MOST_COUNTED, MOST_PICKED, SMALLEST_EDGE_PX, Terms, cards
from vault.web import access
from vault.web.access import Face, requires, signed_in, vault, viewer
from vault.web.api.protocol import Answer, Blueprint, Body, Flag, ListQuery, Moment, Text, Whole, nothing, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint("links", "Signed links. What one opens is decided anew at every byte.")
ROLES = validate.OneOf([role.label for role in LinkRole])
RULES = validate.OneOf([rule.value for rule in MetadataRule])
STATES = validate.OneOf(["live", "waiting", "paused", "used up", "ended", "dormant"])
LABEL = validate.Length(1, 200)
COUNT = validate.Range(1, MOST_COUNTED)
EDGE = validate.Range(SMALLEST_EDGE_PX, LARGEST_EDGE_PX)
ABOUT_ROLE = {"description": "`viewer` looks, `downloader` saves too, `contributor` adds too, `drop` only adds."}
ABOUT_EDGE = {"description": "The longest edge of whatever leaves, in pixels; null is the original's size."}
ABOUT_PASSWORD = {"description": "Never told again.", "format": "password"}
# The terms that body and answer have in common, by the names of their columns.
TERMS = (
    *("label", "starts_at", "expires_at", "max_visits", "max_downloads", "max_uploads", "needs_acceptance"),
    *("metadata_rule", "long_edge_px", "watermark", "neutral_names"),
)
COUNTED = ("visit_count", "download_count", "upload_count", "paused_at", "created_at", "scope")


class Link(Answer):
    """A link to an album, or to chosen pictures."""

    id = fields.String(metadata=ID)
    album_id = fields.String(allow_none=True, metadata=ID)
    album_title = fields.String(allow_none=True)
    scope = fields.String(
        validate=validate.OneOf([scope.value for scope in Scope]),
        metadata={"description": "`tree` is an album with those below, `album` without, `selection` chosen pictures."},
    )
    media_count = fields.Integer(allow_none=True, metadata={"description": "How many pictures were chosen."})
    label = fields.String(metadata={"examples": ["Grandma"]})
    role = fields.String(validate=ROLES, metadata=ABOUT_ROLE)
    url = fields.String(allow_none=True, metadata={"description": "Null for who may end the link, but not manage it."})
    state = fields.String(
        validate=STATES,
        metadata={"description": "`dormant` while its creator may not share it; `used up` lets nobody else in."},
    )
    has_password = fields.Boolean()
    creator_name = fields.String()
    created_at = Moment()
    starts_at = Moment(allow_none=True)
    expires_at = Moment(allow_none=True)
    paused_at = Moment(allow_none=True)
    max_visits = fields.Integer(allow_none=True)
    visit_count = fields.Integer()
    max_downloads = fields.Integer(allow_none=True)
    download_count = fields.Integer(metadata={"description": "Counted where there is a limit."})
    max_uploads = fields.Integer(allow_none=True)
    upload_count = fields.Integer()
    needs_acceptance = fields.Boolean()
    metadata_rule = fields.String(validate=RULES)
    long_edge_px = fields.Integer(allow_none=True, metadata=ABOUT_EDGE)
    watermark = fields.String(metadata={"description": "Written across every picture; empty is none."})
    neutral_names = fields.Boolean(metadata={"description": "Whether visitors are not told how files were called."})


class LinkTerms(Body):
    """What a link's maker decides. What is left out stays, or is the safe choice."""

    label = Text(validate=LABEL)
    role = Text(validate=ROLES, metadata=ABOUT_ROLE)
    password = Text(allow_none=True, validate=validate.Length(max=200), metadata=ABOUT_PASSWORD)
    starts_at = Moment(allow_none=True)
    expires_at = Moment(allow_none=True)
    max_visits = Whole(allow_none=True, validate=COUNT)
    max_downloads = Whole(allow_none=True, validate=COUNT)
    max_uploads = Whole(allow_none=True, validate=COUNT)
    needs_acceptance = Flag()
    metadata_rule = Text(validate=RULES)
    long_edge_px = Whole(allow_none=True, validate=EDGE, metadata=ABOUT_EDGE)
    watermark = Text(allow_none=True, validate=validate.Length(max=100))
    neutral_names = Flag()


class NewLink(LinkTerms):
    """A link to make to an album."""

    label = Text(required=True, validate=LABEL)
    role = Text(required=True, validate=ROLES, metadata=ABOUT_ROLE)
    scope = Text(validate=validate.OneOf([Scope.TREE.value, Scope.ALBUM.value]), load_default=Scope.TREE.value)


class NewSelectionLink(LinkTerms):
    """A link to make to chosen pictures: one's own, or those of an album that one manages."""

    label = Text(required=True, validate=LABEL)
    role = Text(required=True, validate=validate.OneOf(["viewer", "downloader"]))
    media_ids = fields.List(
        Text(validate=validate.Length(1, 22)), required=True, validate=validate.Length(1, MOST_PICKED)
    )
    album_id = Text(load_default=None, allow_none=True, validate=validate.Length(1, 22), metadata=ID)


class LinkChange(LinkTerms):
    """What to change of a link. What is left out stays; null takes away a password, an end or a limit."""


class NextLink(Body):
    """Whom the copy is for."""

    label = Text(required=True, validate=LABEL)


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
    scope, password = Scope(body.pop("scope")), body.pop("password", None)
    made = share_links.create(vault(), permit, Terms(**_given(body)), scope=scope, password=password)
    editions.make_ahead(vault(), made)
    return _links(permit.viewer, [cards.card(vault(), made.id)])[0]


@blueprint.post("/links")
@signed_in(Face.API)
@blueprint.arguments(NewSelectionLink)
@blueprint.response(201, Link)
def create_for_pictures(body: dict[str, Any]) -> dict[str, Any]:
    """Make a link to chosen pictures. With `album_id` they must lie in that album, and be in it to be seen."""
    ids, album_id, password = body.pop("media_ids"), body.pop("album_id"), body.pop("password", None)
    terms = Terms(**_given(body))
    if album_id is None:
        made = share_links.create_for_pictures(vault(), viewer(), ids, terms, password=password)
    else:
        album = access.permit(Action.MANAGE, Album, album_id)
        picked = {"scope": Scope.SELECTION, "media_ids": ids}
        made = share_links.create(vault(), album, terms, password=password, **picked)
    editions.make_ahead(vault(), made)
    return _links(viewer(), [cards.card(vault(), made.id)])[0]


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
    """Change a link's terms. Its address stays; another password ends every visit that was opened before."""
    opened = "password" in body and not body["password"]
    password = body.pop("password", None)
    share_links.change(vault(), permit, password=password, no_password=opened, **_given(body))
    return _link(permit)


@blueprint.delete("/links/<link_id>")
@requires(Action.DELETE, LinkRow, face=Face.API)
@blueprint.response(204)
def revoke(permit: Permit[LinkFacts]) -> Response:
    """End a link for good. From then on not one byte goes out by it."""
    share_links.revoke(permit)
    return nothing()


@blueprint.post("/links/<link_id>/rotate")
@requires(Action.MANAGE, LinkRow, face=Face.API)
@blueprint.response(200, Link)
def rotate(permit: Permit[LinkFacts]) -> dict[str, Any]:
    """Give a link a new address. The one before opens nothing from then on."""
    share_links.rotate(permit)
    return _link(permit)


@blueprint.post("/links/<link_id>/pause")
@requires(Action.MANAGE, LinkRow, face=Face.API)
@blueprint.response(200, Link)
def pause(permit: Permit[LinkFacts]) -> dict[str, Any]:
    """Close a link until it is resumed."""
    share_links.pause(permit)
    return _link(permit)


@blueprint.post("/links/<link_id>/resume")
@requires(Action.MANAGE, LinkRow, face=Face.API)
@blueprint.response(200, Link)
def resume(permit: Permit[LinkFacts]) -> dict[str, Any]:
    """Open a paused link again."""
    share_links.resume(permit)
    return _link(permit)


@blueprint.post("/links/<link_id>/copy")
@requires(Action.MANAGE, LinkRow, face=Face.API)
@blueprint.arguments(NextLink)
@blueprint.response(201, Link)
def copy(permit: Permit[LinkFacts], body: dict[str, Any]) -> dict[str, Any]:
    """Make a link with the same terms and password for the next recipient."""
    made = share_links.copy(permit, label=body["label"])
    return _links(permit.viewer, [cards.card(vault(), made.id)])[0]


def _given(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a body says as the service wants it."""
    given = dict(body)
    if "role" in given:
        given["role"] = LinkRole.from_label(given["role"])
    if "metadata_rule" in given:
        given["metadata_rule"] = MetadataRule(given["metadata_rule"])
    if "watermark" in given:
        given["watermark"] = given["watermark"] or ""
    return given


def _link(permit: Permit[LinkFacts]) -> dict[str, Any]:
    return _links(permit.viewer, [cards.card(vault(), permit.row.id)])[0]


def _links(asking: Viewer, found: list[cards.LinkCard]) -> list[dict[str, Any]]:
    managed = allowed(asking, Action.MANAGE, LinkRow, [card.link.public_id for card in found])
    seen = allowed(asking, Action.VIEW, Album, [card.album.public_id for card in found if card.album])
    return [_shown(card, seen, is_managed=card.link.public_id in managed) for card in found]


def _shown(card: cards.LinkCard, seen: set[str], *, is_managed: bool) -> dict[str, Any]:
    link = card.link
    # Where a link leads is not told to a creator to whom the album is closed by now; ending it is still his.
    album = card.album if card.album and card.album.public_id in seen else None
    return {name: getattr(link, name) for name in (*TERMS, *COUNTED)} | {
        "id": link.public_id,
        "album_id": album.public_id if album else None,
        "album_title": album.title if album else None,
        "media_count": card.picked if link.scope == Scope.SELECTION else None,
        "role": LinkRole(link.role).label,
        "url": card.url if is_managed else None,
        "state": card.state,
        "has_password": link.password_hash is not None,
        "creator_name": card.creator_name,
    }
