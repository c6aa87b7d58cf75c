"""How pictures and albums look to pages and their scripts: plain values, one address each.

Floor 4, a hall that the page files use. A tile is what a grid shows; the addresses in it lie below a link for its
visitor.
"""

import base64
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request, url_for

from vault.imaging.playing import fitted
from vault.models.cursor import Page
from vault.models.media import Media, Playback, State
from vault.models.sharing import Link, LinkRole, LinkTerms, MetadataRule
from vault.services.albums import Card
from vault.services.history import Use
from vault.services.links.cards import LinkCard

PAGE_SIZE = 100
Tile = dict[str, Any]
Address = Callable[[str, str], str]
_STILL: Tile = {"video": None, "motion": None}


def member_address(endpoint: str, media_id: str) -> str:
    """Return an address for who is signed in; `endpoint` is show, thumb, preview, original, video or motion."""
    return url_for(f"media.{endpoint}", media_id=media_id)


def visitor_address(link_id: str) -> Address:
    """Return what makes addresses for the visitor of a link."""
    names = {"show": "visit.media"}
    return lambda name, media_id: url_for(names.get(name, f"visit.{name}"), link_id=link_id, media_id=media_id)


def tile(media: Media, address: Address, *, original: bool, album: str | None = None, mine: bool = False) -> Tile:
    """Return what a grid shows of a picture. `original` says whether it may be downloaded."""
    page = address("show", media.public_id)
    return {
        "id": media.public_id,
        "page": f"{page}?album={album}" if album else page,
        "thumb": address("thumb", media.public_id),
        "preview": address("preview", media.public_id),
        "original": address("original", media.public_id) if original else None,
        "width": media.width,
        "height": media.height,
        "state": media.state,
        "failure": media.failure if mine else None,
        "caption": media.caption,
        "name": media.caption or media.file_name,
        "placeholder": placeholder(media),
        "shown_at": media.shown_at.isoformat(),
        "mine": mine,
        **_playing(media, address, mine=mine),
    }


def _playing(media: Media, address: Address, *, mine: bool) -> Tile:
    """Return what a grid shows of what moves: a video, or the moving seconds of a picture."""
    is_ready = media.playback == Playback.READY
    film = media.is_video
    return {
        "kind": "video" if film else "image",
        "playback": media.playback if film else "",
        "playback_failure": media.playback_failure if mine and film else None,
        "video": address("video", media.public_id) if film and is_ready else None,
        "motion": address("motion", media.public_id) if not film and is_ready else None,
        "length": length(media.duration_seconds) if film else None,
    }


def length(seconds: float | None) -> str | None:
    """Return how long something plays, like 0:07 or 1:02:03."""
    if seconds is None:
        return None
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def visitor_tile(
    media: Media, address: Address, terms: LinkTerms | Link | None, *, original: bool, album: str | None = None
) -> Tile:
    """Return what a grid shows to the visitor of a link: of a picture's words and dates what its terms let out.

    Names of files tell of people and places, and so does what a program wrote into a file as its caption. The tiny
    picture carries no watermark. Without terms the strictest hold.
    """
    found = tile(media, address, original=original, album=album)
    keeps = terms is not None and terms.metadata_rule == MetadataRule.KEEP
    named = terms is not None and not terms.neutral_names
    caption = media.caption if keeps or media.caption_by_person else ""
    return found | {
        "caption": caption,
        "name": caption or (media.file_name if named else "Picture"),
        "placeholder": None if terms is None or terms.watermark else found["placeholder"],
        "shown_at": found["shown_at"] if keeps and named else None,
        **(_STILL | {"playback": "withheld" if media.is_video else ""} if _holds_back(media, terms) else {}),
    }


def _holds_back(media: Media, terms: LinkTerms | Link | None) -> bool:
    """Whether terms let nothing out that moves: a rendition bears no name, and has but one size."""
    if terms is None or terms.watermark:
        return True
    size = (media.width or 1, media.height or 1)
    return terms.long_edge_px is not None and max(fitted(size)) > terms.long_edge_px


def member_tile(media: Media, user_id: int, *, original: bool, album: str | None = None) -> Tile:
    """Return a tile for somebody who is signed in; one's own original is always there to take."""
    mine = media.owner_id == user_id
    return tile(media, member_address, original=original or mine, album=album, mine=mine)


def card(
    found: Card, address: Address, album_url: str, *, user_id: int | None = None, marked: bool = False
) -> dict[str, Any]:
    """Return what a list shows of an album; where pictures leave `marked`, not even the tiny one without."""
    ready = found.cover is not None and found.cover.state == State.READY
    return {
        "id": found.album.public_id,
        "url": album_url,
        "title": found.album.title,
        "cover": address("thumb", found.cover.public_id) if found.cover and ready else None,
        "placeholder": placeholder(found.cover) if found.cover and not marked else None,
        "count": found.album.media_count,
        "owner_name": found.owner_name,
        "is_mine": found.album.owner_id == user_id,
    }


def member_cards(cards: list[Card], user_id: int) -> list[dict[str, Any]]:
    """Return the cards of a list for somebody who is signed in."""
    return [
        card(each, member_address, url_for("albums.show", album_id=each.album.public_id), user_id=user_id)
        for each in cards
    ]


def link_row(found: LinkCard, used: Use | None = None) -> dict[str, Any]:
    """Return what a list shows of a link to who may manage it: its address, too."""
    link = found.link
    same = ("label", "starts_at", "expires_at", "created_at", "metadata_rule", "long_edge_px", "watermark", "scope")
    counts = ("max_visits", "visit_count", "max_downloads", "download_count", "max_uploads", "upload_count")
    return {name: getattr(link, name) for name in (*same, *counts, "neutral_names", "needs_acceptance")} | {
        "id": link.public_id,
        "role": LinkRole(link.role).label,
        "url": found.url,
        "creator_name": found.creator_name,
        "state": found.state,
        "picked": found.picked,
        "has_password": link.password_hash is not None,
        "is_paused": link.paused_at is not None,
        "use": used,
    }


def placeholder(media: Media) -> str | None:
    """Return the tiny picture that is shown while the thumb comes, as an address that holds it."""
    if media.placeholder is None:
        return None
    return f"data:image/webp;base64,{base64.b64encode(media.placeholder).decode()}"


def next_url(page: Page[Any], **values: Any) -> str | None:
    """Return where the list goes on: the same address with the cursor behind it."""
    if page.next_cursor is None or request.endpoint is None:
        return None
    return url_for(request.endpoint, **{**(request.view_args or {}), **values}, cursor=page.next_cursor)


def wants_json() -> bool:
    """Whether a page's own script asks for more of a list."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def as_json(tiles: list[Tile], following: str | None) -> Response:
    """Answer a page's own script."""
    return jsonify({"items": tiles, "next": following})
