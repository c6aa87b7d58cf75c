"""One's own pictures: the first page, all pictures, the trash. Floor 4."""

from datetime import timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from vault.services import albums, library, recovery
from vault.web.access import me, signed_in, vault, viewer
from vault.web.tiles import PAGE_SIZE, as_json, member_cards, member_tile, next_url, wants_json

blueprint = Blueprint("library", __name__)
NEWEST = 24


@blueprint.get("/")
@signed_in()
def home() -> str:
    """Show one's albums, what others share, and the newest pictures."""
    user_id = me().user_id
    newest = library.of_person(viewer(), limit=NEWEST)
    return render_template(
        "library/home.html",
        albums=member_cards(albums.own(viewer()), user_id),
        shared=member_cards(albums.shared_with(viewer()), user_id),
        newest=[member_tile(media, user_id, original=True) for media in newest.items],
    )


@blueprint.get("/pictures")
@signed_in()
def pictures() -> str | Response:
    """Show all of one's own pictures, the newest first."""
    page = library.of_person(viewer(), limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    tiles = [member_tile(media, me().user_id, original=True) for media in page.items]
    following = next_url(page)
    if wants_json():
        return as_json(tiles, following)
    return render_template("library/pictures.html", tiles=tiles, next=following)


@blueprint.get("/trash")
@signed_in()
def trash() -> str:
    """Show what was thrown away and until when it can be taken back."""
    page = library.in_trash(viewer(), limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    days = vault().settings.trash_days
    tiles = [
        {
            **member_tile(media, me().user_id, original=False),
            "purge_at": (media.trashed_at or media.uploaded_at) + timedelta(days=days),
        }
        for media in page.items
    ]
    return render_template("library/trash.html", tiles=tiles, next=next_url(page), trash_days=days)


@blueprint.get("/damaged")
@signed_in()
def damaged() -> str:
    """Show which of one's pictures are damaged."""
    page = recovery.damaged(viewer(), limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    return render_template("library/damaged.html", pictures_found=page.items, next=next_url(page))


@blueprint.post("/trash/empty")
@signed_in()
def empty_trash() -> AnyResponse:
    """Delete for good what lies in the trash."""
    gone = library.empty_trash(vault(), viewer())
    pictures_gone = "One picture is" if gone == 1 else f"{gone:,} pictures are"
    flash(f"{pictures_gone} deleted for good." if gone else "The trash was empty already.", "ok")
    return redirect(url_for("library.trash"))
