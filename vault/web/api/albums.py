"""The API's albums, and what lies in them. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from vault.models.media import Album as AlbumRow
from vault.models.media import AlbumFacts, Media, MediaFacts, Order
from vault.models.sharing import Role
from vault.policy import Action, Permit
from vault.services import albums, catalogue, library, zipping
from vault.services.zipping import choosing, places
from vault.web.access import Face, credential, requires, signed_in, vault, viewer
from vault.web.api.protocol import Answer, Blueprint, Body, Flag, ListQuery, Moment, Text, nothing, page, page_of
from vault.web.api.shapes import ID, Picture, pictures
from vault.web.delivery import send_zip

blueprint = Blueprint("albums", "Albums in a tree, and the pictures in them. A picture may lie in several.")
ORDERS = validate.OneOf([order.value for order in Order])
TITLE = validate.Length(1, 200)
DESCRIPTION = validate.Length(max=5_000)
INHERITS = {"description": "Whether grants and links on the albums above reach this one too."}


class Album(Answer):
    """An album."""

    id = fields.String(metadata=ID)
    title = fields.String(metadata={"examples": ["Summer by the lake"]})
    description = fields.String()
    parent_id = fields.String(allow_none=True, metadata={"description": "The album above, where one may see it."})
    owner_id = fields.String(metadata=ID)
    owner_name = fields.String()
    role = fields.String(
        validate=validate.OneOf([role.label for role in Role]),
        metadata={"description": "One's own role: a ladder, each step with the rights of those before it."},
    )
    order = fields.String(validate=ORDERS)
    inherits = fields.Boolean(metadata=INHERITS)
    cover_id = fields.String(allow_none=True, metadata={"description": "The picture that was chosen as the cover."})
    media_count = fields.Integer()
    created_at = Moment()


class NewAlbum(Body):
    """An album to make."""

    title = Text(required=True, validate=TITLE)
    parent_id = Text(
        load_default=None,
        allow_none=True,
        metadata={"description": "The album to lie below. The new one belongs to the owner of that one."},
    )
    description = Text(load_default="", validate=DESCRIPTION)
    order = Text(load_default=Order.NEWEST.value, validate=ORDERS)


class AlbumChange(Body):
    """What to change of an album."""

    title = Text(validate=TITLE)
    description = Text(validate=DESCRIPTION)
    order = Text(validate=ORDERS)
    inherits = Flag(metadata=INHERITS)
    cover_id = Text(metadata={"description": "A picture that lies in the album."})


class ZipQuery(Schema):
    """How much of a tree of albums."""

    below = fields.String(
        load_default="false",
        validate=validate.OneOf(["true", "false"]),
        metadata={"description": "`true` takes the albums below it that one may see, each as a folder."},
    )


@blueprint.get("/albums")
@signed_in(Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Album))
def list_albums(query: dict[str, Any]) -> dict[str, Any]:
    """List albums, the newest first.

    One's own and those one was granted, with the albums below them.
    """
    found = catalogue.albums(viewer(), **query)
    return page([_album(entry) for entry in found.items], found)


@blueprint.post("/albums")
@signed_in(Face.API)
@blueprint.arguments(NewAlbum)
@blueprint.response(201, Album)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Make an album."""
    made = albums.create(viewer(), **body | {"order": Order(body["order"])})
    return _album(catalogue.entries(viewer(), [made])[0])


@blueprint.get("/albums/<album_id>")
@requires(Action.VIEW, AlbumRow, face=Face.API)
@blueprint.response(200, Album)
def show(permit: Permit[AlbumFacts]) -> dict[str, Any]:
    """Show an album."""
    return _album(catalogue.album(permit))


@blueprint.patch("/albums/<album_id>")
@requires(Action.MANAGE, AlbumRow, face=Face.API)
@blueprint.arguments(AlbumChange)
@blueprint.response(200, Album)
def change(permit: Permit[AlbumFacts], body: dict[str, Any]) -> dict[str, Any]:
    """Change an album. Asks for the role manager."""
    order = {"order": Order(body["order"])} if "order" in body else {}
    changed = albums.change(permit, albums.Changes(**body | order))
    return _album(catalogue.entries(permit.viewer, [changed])[0])


@blueprint.delete("/albums/<album_id>")
@requires(Action.DELETE, AlbumRow, face=Face.API)
@blueprint.response(204)
def delete(permit: Permit[AlbumFacts]) -> Response:
    """Delete an album with those below it.

    Its grants and links end. The pictures stay with their owners.
    """
    albums.delete(permit)
    return nothing()


@blueprint.get("/albums/<album_id>/media")
@requires(Action.VIEW, AlbumRow, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Picture))
def list_media(permit: Permit[AlbumFacts], query: dict[str, Any]) -> dict[str, Any]:
    """List an album's pictures in the album's own order."""
    found = library.of_album(permit, **query)
    return {"items": pictures(permit.viewer, found.items), "next_cursor": found.next_cursor}


@blueprint.get("/albums/<album_id>/zip")
@requires(Action.DOWNLOAD, AlbumRow, face=Face.API)
@blueprint.arguments(ZipQuery, location="query")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
def download(permit: Permit[AlbumFacts], query: dict[str, Any]) -> Response:
    """Take an album's originals home as one archive. Asks for the role downloader.

    `Content-Length` is exact. When the right ends midway the answer breaks off short of it.
    """
    title, subject, proof = permit.row.title, permit.row.public_id, credential()
    with places.take(permit.viewer) as place:
        entries = choosing.of_album(permit, below=query["below"] == "true")
        return send_zip(zipping.of(vault(), permit.viewer, title, entries, proof=proof, subject=subject), place)


@blueprint.put("/albums/<album_id>/media/<media_id>")
@requires(Action.ADD, AlbumRow, face=Face.API)
@blueprint.response(204)
def put(permit: Permit[AlbumFacts], media_id: str) -> Response:
    """Put one's own picture into an album. Asks for the role contributor."""
    albums.put(permit, media_id)
    return nothing()


@blueprint.delete("/albums/<album_id>/media/<media_id>")
@requires(Action.VIEW, Media, face=Face.API)
@blueprint.response(204)
def take_out(permit: Permit[MediaFacts], album_id: str) -> Response:
    """Take a picture out of an album.

    Its owner may, and who has the role editor. The picture itself stays.
    """
    albums.take_out(permit.viewer, album_id, permit.row.public_id)
    return nothing()


def _album(entry: catalogue.Entry) -> dict[str, Any]:
    row = entry.album
    return {
        "id": row.public_id,
        "title": row.title,
        "description": row.description,
        "parent_id": entry.parent_id,
        "owner_id": entry.owner.public_id,
        "owner_name": entry.owner.name,
        "role": entry.role.label,
        "order": row.order,
        "inherits": row.inherits,
        "cover_id": entry.cover_id,
        "media_count": row.media_count,
        "created_at": row.created_at,
    }
