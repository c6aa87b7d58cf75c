"""What guests brought to an album: looking at it, letting it in, turning it away. Floor 4."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.policy import Action, Denied, Permit
from vault.services import albums, guests
from vault.web import access
from vault.web.access import requires
from vault.web.tiles import member_tile

blueprint = Blueprint("arrivals", __name__)


@blueprint.get("/albums/<album_id>/arrivals")
@requires(Action.MANAGE, Album)
def show(permit: Permit[AlbumFacts]) -> str:
    """Show what waits to be let in."""
    album = albums.get(permit)
    waiting = guests.awaiting(permit)
    along = guests.coming_along(permit.viewer, waiting)
    return render_template(
        "albums/arrivals.html",
        album={"id": album.public_id, "title": album.title},
        arrived=[
            {
                **member_tile(each, permit.viewer.user_id, original=False),
                "guest": each.guest_name,
                "at": each.uploaded_at,
                "along": [
                    {"name": part.file_name, "page": url_for("media.show", media_id=part.public_id)}
                    for part in along.get(each.id, [])
                ],
            }
            for each in waiting
        ],
        count=guests.count_awaiting(permit),
    )


@blueprint.post("/albums/<album_id>/arrivals")
@requires(Action.MANAGE, Album)
def decide_all(permit: Permit[AlbumFacts]) -> Response:
    """Let in, or turn away, the ones that were shown."""
    deed = guests.accept if request.form.get("deed") == "accept" else guests.decline
    done = sum(_is_done(deed, media_id) for media_id in request.form.getlist("media"))
    said = "let in" if deed is guests.accept else "turned away, and lie in the trash"
    flash(f"{done} {'picture' if done == 1 else 'pictures'} {said}.", "ok")
    return redirect(url_for("arrivals.show", album_id=permit.row.public_id))


@blueprint.post("/media/<media_id>/accept")
@requires(Action.ACCEPT, Media)
def accept(permit: Permit[MediaFacts]) -> Response:
    """Let one in."""
    guests.accept(permit)
    flash("The picture is in the album now.", "ok")
    return redirect(access.way_back(url_for("library.pictures")))


@blueprint.post("/media/<media_id>/decline")
@requires(Action.ACCEPT, Media)
def decline(permit: Permit[MediaFacts]) -> Response:
    """Turn one away."""
    guests.decline(permit)
    flash("The picture is turned away. It lies in the trash.", "ok")
    return redirect(access.way_back(url_for("library.pictures")))


def _is_done(deed: Callable[[Permit[MediaFacts]], None], media_id: str) -> bool:
    try:
        deed(access.permit(Action.ACCEPT, Media, media_id))
    except Denied:  # somebody else was faster
        return False
    return True
