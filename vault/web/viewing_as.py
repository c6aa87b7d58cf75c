"""An album as somebody else sees it: read-only pages under a banner, and bytes on the other's terms. Floor 4.

Every address asks for the right to know who sees the album. Nothing is counted for the other, whose eyes these are;
that somebody looks so is recorded when it begins, and what he opened or took as his own doing.
"""

import dataclasses
import time
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, session, url_for

from vault.models.media import Album, AlbumFacts, Media
from vault.policy import Action, Permit, allowed
from vault.services import albums, library, viewing_as
from vault.services.viewing_as import Eyes
from vault.web.access import Face, requires, vault
from vault.web.delivery import send
from vault.web.tiles import PAGE_SIZE, Address, Tile, as_json, card, next_url, tile, visitor_tile, wants_json

blueprint = Blueprint("viewing_as", __name__, url_prefix="/albums/<album_id>/as/<whom>")
# Whoever comes back to the first page within the hour goes on; after that he begins anew, and it is recorded again.
BEGUN = "as"
GOES_ON_SECONDS = 3_600


@blueprint.get("")
@requires(Action.EXPLAIN, Album)
def show(permit: Permit[AlbumFacts], whom: str) -> str | Response:
    """Show the album as somebody sees it, and remember that one looks."""
    looking = viewing_as.eyes(permit, whom)
    _begin(permit, looking)
    if looking.is_nobody:
        return _page("viewing_as/nothing.html", permit, looking)
    return _album(permit, looking, viewing_as.album(permit, looking, permit.row.public_id))


@blueprint.get("/albums/<below_id>")
@requires(Action.EXPLAIN, Album)
def below(permit: Permit[AlbumFacts], whom: str, below_id: str) -> str | Response:
    """Show an album below as somebody sees it."""
    looking = viewing_as.eyes(permit, whom)
    found = viewing_as.album(permit, looking, below_id)
    _begin(permit, looking)
    return _album(permit, looking, found)


@blueprint.get("/media/<media_id>")
@requires(Action.EXPLAIN, Album)
def media(permit: Permit[AlbumFacts], whom: str, media_id: str) -> Response:
    """Show one picture as somebody sees it."""
    looking = viewing_as.eyes(permit, whom)
    seen = viewing_as.picture(permit, looking, media_id, Action.VIEW)
    row, chosen = library.get(seen), request.args.get("album")
    around = viewing_as.album(permit, looking, chosen or permit.row.public_id)
    _begin(permit, looking)
    near = viewing_as.neighbours(around, looking, seen.row.id)

    def url(other_id: str | None) -> str | None:
        here: dict[str, Any] = {"album_id": permit.row.public_id, "whom": whom, "media_id": other_id, "album": chosen}
        return url_for("viewing_as.media", **here) if other_id else None

    takes = viewing_as.takeable(permit.viewer, looking, [row])
    return _page(
        "viewing_as/media.html",
        permit,
        looking,
        item=_tile(looking, row, _address(permit, whom), original=bool(takes)),
        album={"url": _album_url(permit, whom, around.row.public_id), "title": around.row.title},
        previous=url(near.previous),
        next=url(near.next),
    )


@blueprint.get("/media/<media_id>/thumb")
@requires(Action.EXPLAIN, Album, face=Face.BYTES)
def thumb(permit: Permit[AlbumFacts], whom: str, media_id: str) -> Response:
    """Send the small picture of grids as somebody gets it."""
    return _send(permit, whom, media_id, "thumb", Action.VIEW)


@blueprint.get("/media/<media_id>/preview")
@requires(Action.EXPLAIN, Album, face=Face.BYTES)
def preview(permit: Permit[AlbumFacts], whom: str, media_id: str) -> Response:
    """Send the picture that fills a screen as somebody gets it."""
    return _send(permit, whom, media_id, "preview", Action.VIEW)


@blueprint.get("/media/<media_id>/original")
@requires(Action.EXPLAIN, Album, face=Face.BYTES)
def original(permit: Permit[AlbumFacts], whom: str, media_id: str) -> Response:
    """Send the file as somebody gets it: a link's terms hold."""
    return _send(permit, whom, media_id, "original", Action.DOWNLOAD)


@blueprint.get("/media/<media_id>/video")
@requires(Action.EXPLAIN, Album, face=Face.BYTES)
def video(permit: Permit[AlbumFacts], whom: str, media_id: str) -> Response:
    """Send what plays of a video as somebody gets it."""
    return _send(permit, whom, media_id, "video", Action.VIEW)


@blueprint.get("/media/<media_id>/motion")
@requires(Action.EXPLAIN, Album, face=Face.BYTES)
def motion(permit: Permit[AlbumFacts], whom: str, media_id: str) -> Response:
    """Send the moving seconds of a picture as somebody gets them."""
    return _send(permit, whom, media_id, "motion", Action.VIEW)


def _send(permit: Permit[AlbumFacts], whom: str, media_id: str, name: str, action: Action) -> Response:
    looking = viewing_as.eyes(permit, whom)
    found = viewing_as.picture(permit, looking, media_id, action)
    answer = send(found, name)
    if request.method == "GET" and answer.status_code in (200, 206) and name != "thumb":
        # It is he who looks, whoever's eyes he borrows.
        own = dataclasses.replace(found, viewer=permit.viewer)
        vault().recorder.opened(own, name)
        if name == "original":
            vault().recorder.taken(own, in_pieces="HTTP_RANGE" in request.environ)
    return answer


def _begin(permit: Permit[AlbumFacts], looking: Eyes) -> None:
    """Record that it begins, once; a page that is looked at again goes on with what began."""
    if request.method != "GET":
        return
    now, mark = int(time.time()), f"{permit.viewer.user_id} {permit.row.public_id} {looking.whom}"
    begun, since = session.get(BEGUN) or ("", 0)
    if begun != mark or now - since > GOES_ON_SECONDS:
        viewing_as.begin(permit, looking)
        session[BEGUN] = [mark, now]


def _album(root: Permit[AlbumFacts], looking: Eyes, around: Permit[AlbumFacts]) -> str | Response:
    row, whom = albums.get(around), looking.whom
    address, inside = _address(root, whom), None if around.row.id == root.row.id else around.row.public_id
    page = viewing_as.pictures(around, looking, limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    takes = viewing_as.takeable(root.viewer, looking, page.items)
    tiles = [_tile(looking, each, address, original=each.public_id in takes, album=inside) for each in page.items]
    following = next_url(page)
    if wants_json():
        return as_json(tiles, following)
    parent = viewing_as.above(root, looking, row)
    return _page(
        "viewing_as/album.html",
        root,
        looking,
        album={
            "title": looking.link.label if looking.is_selection and looking.link else row.title,
            "description": "" if looking.is_selection else row.description,
            "count": None if looking.is_selection else row.media_count,
        },
        children=[] if looking.is_selection else _children(root, looking, row),
        tiles=tiles,
        next=following,
        can_download=bool(takes),
        parent={"url": _album_url(root, whom, parent.public_id), "title": parent.title} if parent else None,
    )


def _children(root: Permit[AlbumFacts], looking: Eyes, row: Album) -> list[dict[str, Any]]:
    """Return the cards of the albums below that both see, with covers that both see."""
    found = albums.cards(looking.viewer, viewing_as.children(root.viewer, looking, row.id))
    mine = allowed(root.viewer, Action.VIEW, Media, [each.cover.public_id for each in found if each.cover])
    address = _address(root, looking.whom)
    return [
        card(
            each if each.cover is None or each.cover.public_id in mine else dataclasses.replace(each, cover=None),
            address,
            _album_url(root, looking.whom, each.album.public_id),
            marked=looking.link is not None and bool(looking.link.watermark),
        )
        for each in found
    ]


def _page(template: str, root: Permit[AlbumFacts], looking: Eyes, **shown: Any) -> Response:
    stop = url_for("seen_by.album", album_id=root.row.public_id)
    page = render_template(template, seen_as=looking.name, stop=stop, root=root.row, **shown)
    return make_response(page)


def _address(root: Permit[AlbumFacts], whom: str) -> Address:
    here: dict[str, Any] = {"album_id": root.row.public_id, "whom": whom}
    names = {"show": "viewing_as.media"}
    return lambda name, media_id: url_for(names.get(name, f"viewing_as.{name}"), media_id=media_id, **here)


def _album_url(root: Permit[AlbumFacts], whom: str, album_id: str) -> str:
    here: dict[str, Any] = {"album_id": root.row.public_id, "whom": whom}
    if album_id == root.row.public_id:
        return url_for("viewing_as.show", **here)
    return url_for("viewing_as.below", below_id=album_id, **here)


def _tile(looking: Eyes, media: Media, address: Address, *, original: bool, album: str | None = None) -> Tile:
    """Return what the other's grid shows."""
    if looking.link is None:
        return tile(media, address, original=original, album=album)
    return visitor_tile(media, address, looking.link, original=original, album=album)
