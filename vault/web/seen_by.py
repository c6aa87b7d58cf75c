"""Who can see an album or a picture, and why; with a button that takes just that away. Floor 4."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.policy import Action, Permit, may
from vault.services import albums, explaining, library
from vault.services.explaining import Access, endings
from vault.web.access import requires

blueprint = Blueprint("seen_by", __name__)
MOST_LINES = 200


@blueprint.get("/albums/<album_id>/access")
@requires(Action.EXPLAIN, Album)
def album(permit: Permit[AlbumFacts]) -> str:
    """Show everybody who sees the album. Whoever looked with another's eyes stops here."""
    session.pop("as", None)
    row = albums.get(permit)
    about = {
        "title": row.title,
        "url": url_for("albums.show", album_id=row.public_id),
        "of": ("album", row.public_id),
        "as_nobody": url_for("viewing_as.show", album_id=row.public_id, whom="nobody"),
    }
    return _page(explaining.of_album(permit), about)


@blueprint.post("/albums/<album_id>/access/<line_id>/end")
@requires(Action.EXPLAIN, Album)
def end_on_album(permit: Permit[AlbumFacts], line_id: str) -> Response:
    """Take just one way into the album away."""
    _say(endings.from_album(permit, line_id))
    if may(permit.viewer, Action.EXPLAIN, Album, permit.row.public_id):
        return redirect(url_for("seen_by.album", album_id=permit.row.public_id))
    return redirect(url_for("albums.index"))


@blueprint.get("/media/<media_id>/access")
@requires(Action.EXPLAIN, Media)
def media(permit: Permit[MediaFacts]) -> str:
    """Show everybody who sees the picture."""
    row = library.get(permit)
    about = {
        "title": row.caption or row.file_name,
        "url": url_for("media.show", media_id=row.public_id),
        "of": ("media", row.public_id),
        "as_nobody": None,
    }
    return _page(explaining.of_media(permit), about)


@blueprint.post("/media/<media_id>/access/<line_id>/end")
@requires(Action.EXPLAIN, Media)
def end_on_media(permit: Permit[MediaFacts], line_id: str) -> Response:
    """Take just one way to the picture away."""
    _say(endings.from_media(permit, line_id))
    around = request.form.get("album") or None
    if request.form.get("whole"):
        return redirect(url_for("seen_by.media", media_id=permit.row.public_id))
    return redirect(url_for("media.show", media_id=permit.row.public_id, album=around, _anchor="seen-by"))


def _say(line: Access) -> None:
    flash(f"Done: {line.ending.text}" if line.ending else "Done.", "ok")


def _page(lines: list[Access], about: Mapping[str, object]) -> str:
    wanted = request.args.get("q", "").strip()
    found = [line for line in lines if _is_about(line, wanted)]
    return render_template(
        "seen_by/show.html",
        about=about,
        lines=found[:MOST_LINES],
        total=len(lines),
        shortened=len(found) - MOST_LINES if len(found) > MOST_LINES else None,
        q=wanted,
    )


def _is_about(line: Access, text: str) -> bool:
    names = [line.name, line.reason, *(person.name for person in line.members)]
    return any(text.casefold() in name.casefold() for name in names)
