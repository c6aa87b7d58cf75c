"""Moving an album, and letting it inherit or not: who gains and who loses sight stands on the page before the yes.

Floor 4.
"""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from vault.models.media import Album, AlbumFacts
from vault.policy import Action, Permit
from vault.services import Conflict, Refused, albums, moving, people
from vault.services.moving import Inheritance, Place, Preview, Side, Wish
from vault.web.access import me, requires

blueprint = Blueprint("moving", __name__, url_prefix="/albums/<album_id>")
TOP = "top"
MOST_NAMES = 50


@blueprint.get("/move")
@requires(Action.MANAGE, Album)
def move(permit: Permit[AlbumFacts]) -> str | tuple[str, int]:
    """Choose where an album shall lie, and see whom that lets in and shuts out."""
    chosen = request.args.get("to")
    if not chosen:
        return _places(permit)
    return _looked_at(permit, _place(chosen), chosen=chosen)


@blueprint.post("/move")
@requires(Action.MANAGE, Album)
def carry_out_move(permit: Permit[AlbumFacts]) -> str | Response | tuple[str, int]:
    """Move an album, if it is still what the mover saw."""
    chosen = request.form.get("to", "")
    return _done(permit, _place(chosen), chosen=chosen, said="The album has moved.")


@blueprint.get("/inherit")
@requires(Action.MANAGE, Album)
def inherit(permit: Permit[AlbumFacts]) -> str | tuple[str, int]:
    """See whom it lets in or shuts out when an album is shared like the one above, or not any more."""
    return _looked_at(permit, Inheritance(inherits=not albums.get(permit).inherits))


@blueprint.post("/inherit")
@requires(Action.MANAGE, Album)
def carry_out_inherit(permit: Permit[AlbumFacts]) -> str | Response | tuple[str, int]:
    """Let an album be shared like the one above, or not, if it is still what was seen."""
    wish = Inheritance(inherits=request.form.get("inherits") == "yes")
    said = "It is shared like the album above now." if wish.inherits else "It is shared by itself now."
    return _done(permit, wish, said=said)


def _place(chosen: str) -> Place:
    return Place(None if chosen == TOP else chosen)


def _looked_at(permit: Permit[AlbumFacts], wish: Wish, *, chosen: str = "") -> str | tuple[str, int]:
    try:
        found = moving.preview(permit, wish)
    except Refused as refusal:
        return _places(permit, refusal=str(refusal), chosen=chosen), 422
    return _preview(permit, wish, found, chosen=chosen)


def _done(permit: Permit[AlbumFacts], wish: Wish, *, chosen: str = "", said: str) -> str | Response | tuple[str, int]:
    try:
        moving.carry_out(permit, wish, expected=request.form.get("expected", ""))
    except Conflict as conflict:
        return _preview(permit, wish, moving.preview(permit, wish), chosen=chosen, conflict=str(conflict)), 409
    except Refused as refusal:
        return _places(permit, refusal=str(refusal), chosen=chosen), 422
    flash(said, "ok")
    return redirect(url_for("albums.show", album_id=permit.row.public_id))


def _places(permit: Permit[AlbumFacts], *, refusal: str = "", chosen: str = "") -> str:
    places = [(album.public_id, album.title) for album in moving.places(permit)]
    if moving.may_go_to_the_top(permit):
        places.insert(0, (TOP, "At the top, in no other album"))
    return render_template(
        "albums/move.html",
        album={"id": permit.row.public_id, "title": permit.row.title},
        places=places,
        refusal=refusal,
        chosen=chosen,
    )


def _preview(permit: Permit[AlbumFacts], wish: Wish, found: Preview, *, chosen: str, conflict: str = "") -> str:
    return render_template(
        "albums/move_preview.html",
        album={"id": permit.row.public_id, "title": permit.row.title},
        inherits=wish.inherits if isinstance(wish, Inheritance) else None,
        chosen=chosen,
        target=dict(_titles(permit)).get(chosen, ""),
        gains=_side(found.gains),
        loses=_side(found.loses),
        more=_side(found.more),
        less=_side(found.less),
        expected=found.digest,
        conflict=conflict,
    )


def _titles(permit: Permit[AlbumFacts]) -> list[tuple[str, str]]:
    return [(album.public_id, album.title) for album in moving.places(permit)]


def _side(found: Side) -> dict[str, Any]:
    """Return the first of those who gain or lose by name, how many more there are, and how many are unseen."""
    shown = [
        {
            "name": each.name or (people.veiled(each.email) if each.email else "A link without a name"),
            "is_link": each.email is None,
            "is_me": each.public_id == me().public_id,
        }
        for each in found.known[:MOST_NAMES]
    ]
    return {"shown": shown, "more": len(found.known) - len(shown), "unseen": found.unseen}
