"""What the holder of a link sees: an album without the vault around it. Floor 4.

Everything a visitor can reach lies below the link's own address, and every byte of it is decided anew.
"""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.policy import Action, Permit, may
from vault.services import albums, library, visiting
from vault.web.access import Face, opened_by_link
from vault.web.delivery import send, send_original
from vault.web.tiles import PAGE_SIZE, as_json, card, next_url, tile, visitor_address, wants_json

blueprint = Blueprint("visit", __name__, url_prefix="/l/<token>")


@blueprint.after_request
def keep_to_itself(answer: Response) -> Response:
    """Keep the address, which is the key, out of Referer headers and search engines."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@blueprint.get("")
@opened_by_link(Action.VIEW, Album)
def album(permit: Permit[AlbumFacts], token: str) -> str | Response:
    """Show the album that the link opens."""
    return _album(permit, token)


@blueprint.get("/albums/<album_id>")
@opened_by_link(Action.VIEW, Album)
def sub_album(permit: Permit[AlbumFacts], token: str) -> str | Response:
    """Show an album below it."""
    return _album(permit, token)


@blueprint.get("/media/<media_id>")
@opened_by_link(Action.VIEW, Media)
def media(permit: Permit[MediaFacts], token: str) -> str | Response:
    """Show one picture between its neighbours."""
    around = visiting.opened(permit.viewer)
    chosen = request.args.get("album")
    if chosen:
        around = visiting.below(permit.viewer, chosen)
    near = library.neighbours_in_album(around, permit)
    download = may(permit.viewer, Action.DOWNLOAD, Media, permit.row.public_id)

    def url(media_id: str | None) -> str | None:
        return url_for("visit.media", token=token, media_id=media_id, album=chosen) if media_id else None

    item = tile(library.get(permit), visitor_address(token), original=download, named=False)
    shown = {"url": _album_url(token, around), "title": around.row.title}
    return _page(
        "visit/media.html",
        item=item,
        album=shown,
        previous=url(near.previous),
        next=url(near.next),
        can_download=download,
    )


@blueprint.get("/media/<media_id>/thumb")
@opened_by_link(Action.VIEW, Media, face=Face.BYTES)
def thumb(permit: Permit[MediaFacts], token: str) -> Response:  # noqa: ARG001  # the door has read it
    """Send the small picture of grids."""
    return send(permit, "thumb")


@blueprint.get("/media/<media_id>/preview")
@opened_by_link(Action.VIEW, Media, face=Face.BYTES)
def preview(permit: Permit[MediaFacts], token: str) -> Response:  # noqa: ARG001  # the door has read it
    """Send the picture that fills a screen."""
    return send(permit, "preview")


@blueprint.get("/media/<media_id>/original")
@opened_by_link(Action.DOWNLOAD, Media, face=Face.BYTES)
def original(permit: Permit[MediaFacts], token: str) -> Response:  # noqa: ARG001  # the door has read it
    """Send the file as it was uploaded, and remember that it was taken."""
    return send_original(permit)


def _album(permit: Permit[AlbumFacts], token: str) -> str | Response:
    row, viewer, address = albums.get(permit), permit.viewer, visitor_address(token)
    root = visiting.opened(viewer)
    download = visiting.download(viewer, permit)
    inside = None if root.row.id == row.id else row.public_id
    page = library.of_album(permit, limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    tiles = [tile(each, address, original=download, album=inside, named=False) for each in page.items]
    following = next_url(page, token=token, **({"album_id": inside} if inside else {}))
    if wants_json():
        return as_json(tiles, following)
    above = albums.parent(viewer, row) if inside else None
    return _page(
        "visit/album.html",
        album={"title": row.title, "description": row.description, "count": row.media_count},
        children=[
            card(each, address, url_for("visit.sub_album", token=token, album_id=each.album.public_id))
            for each in albums.children(viewer, row.id)
        ],
        tiles=tiles,
        next=following,
        can_download=download,
        parent={"url": _url(token, above.public_id, root), "title": above.title} if above else None,
    )


def _album_url(token: str, around: Permit[AlbumFacts]) -> str:
    return _url(token, around.row.public_id, visiting.opened(around.viewer))


def _url(token: str, album_id: str, root: Permit[AlbumFacts]) -> str:
    if album_id == root.row.public_id:
        return url_for("visit.album", token=token)
    return url_for("visit.sub_album", token=token, album_id=album_id)


def _page(template: str, **shown: Any) -> Response:
    return make_response(render_template(template, **shown))
