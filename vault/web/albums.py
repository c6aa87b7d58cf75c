"""Albums: looking, making, arranging. What concerns sharing them is in `album_sharing`. Floor 4."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than WTForms 3.3
from wtforms.validators import InputRequired, Length

from vault.models.media import Album, AlbumFacts, Media, MediaFacts, Order
from vault.models.sharing import Role
from vault.policy import Action, Denied, Permit, may, role_on
from vault.services import Refused, albums, groups, guests, library
from vault.services.zipping import choosing
from vault.web import access
from vault.web.access import me, requires, signed_in, viewer
from vault.web.tiles import PAGE_SIZE, as_json, member_cards, member_tile, next_url, wants_json

blueprint = Blueprint("albums", __name__, url_prefix="/albums")
ORDERS = [
    SelectChoice(Order.NEWEST.value, "Newest first"),
    SelectChoice(Order.OLDEST.value, "Oldest first"),
    SelectChoice(Order.MANUAL.value, "By hand"),
]
CAN = {
    Role.DOWNLOADER: "download",
    Role.CONTRIBUTOR: "add",
    Role.EDITOR: "arrange",
    Role.MANAGER: "manage",
    Role.OWNER: "delete",
}


class AlbumForm(FlaskForm):
    """What an album says of itself."""

    title = StringField("Title", [InputRequired(), Length(max=200)])
    description = TextAreaField("Description", [Length(max=5000)])
    order = SelectField("Order", choices=ORDERS, default=Order.NEWEST.value)


@blueprint.get("")
@signed_in()
def index() -> str:
    """Show all albums: one's own, and those that others share."""
    return render_template(
        "albums/index.html",
        albums=member_cards(albums.own(viewer()), me().user_id),
        shared=member_cards(albums.shared_with(viewer()), me().user_id),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@signed_in()
def new() -> str | Response | tuple[str, int]:
    """Make an album."""
    form, parent_id = AlbumForm(), request.args.get("parent") or None
    parent = albums.get(access.permit(Action.MANAGE, Album, parent_id)) if parent_id else None
    if form.validate_on_submit():
        try:
            album = albums.create(
                viewer(),
                title=form.title.data or "",
                parent_id=parent_id,
                description=form.description.data or "",
                order=Order(form.order.data),
            )
        except Refused as refusal:
            form.title.errors = [str(refusal)]
        else:
            return redirect(url_for("albums.show", album_id=album.public_id))
    page = render_template("albums/edit.html", form=form, album=None, parent=_named(parent))
    return page, 422 if form.is_submitted() else 200


@blueprint.get("/<album_id>")
@requires(Action.VIEW, Album)
def show(permit: Permit[AlbumFacts]) -> str | Response:
    """Show an album, or more of it to its own script."""
    album = albums.get(permit)
    role = role_on(permit.viewer, album.id) or Role.VIEWER
    page = library.of_album(permit, limit=PAGE_SIZE, cursor=request.args.get("cursor"))
    originals = role >= Role.DOWNLOADER
    user_id = permit.viewer.user_id
    tiles = [member_tile(media, user_id, original=originals, album=album.public_id) for media in page.items]
    following = next_url(page, album_id=album.public_id)
    if wants_json():
        return as_json(tiles, following)
    return render_template(
        "albums/show.html",
        album=described(album, permit, role),
        can={name for needed, name in CAN.items() if role >= needed},
        can_leave=role is not Role.OWNER and albums.has_grant(permit),
        through=[] if role is Role.OWNER else [(group.public_id, group.name) for group in groups.between(permit)],
        weight=choosing.weigh(permit) if originals else None,
        arrived=guests.count_awaiting(permit) if role >= Role.MANAGER else 0,
        children=member_cards(albums.children(permit.viewer, album.id), user_id),
        tiles=tiles,
        next=following,
    )


@blueprint.route("/<album_id>/edit", methods=["GET", "POST"])
@requires(Action.MANAGE, Album)
def edit(permit: Permit[AlbumFacts]) -> str | Response | tuple[str, int]:
    """Change title, description, order; from here one moves it, too."""
    album = albums.get(permit)
    form = AlbumForm(data={"title": album.title, "description": album.description, "order": album.order})
    if form.validate_on_submit():
        changes = albums.Changes(form.title.data, form.description.data, Order(form.order.data))
        try:
            albums.change(permit, changes)
        except Refused as refusal:
            form.title.errors = [str(refusal)]
        else:
            return redirect(url_for("albums.show", album_id=album.public_id))
    shown = described(album, permit, role_on(permit.viewer, album.id) or Role.VIEWER)
    page = render_template(
        "albums/edit.html", form=form, album=shown | {"inherits": album.inherits}, parent=shown["parent"]
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.route("/<album_id>/delete", methods=["GET", "POST"])
@requires(Action.DELETE, Album)
def delete(permit: Permit[AlbumFacts]) -> str | Response:
    """Ask, then delete the album and those below it; the pictures stay."""
    if request.method == "POST":
        albums.delete(permit)
        flash("The album is deleted. Its pictures are still among yours.", "ok")
        return redirect(url_for("albums.index"))
    shown = described(albums.get(permit), permit, Role.OWNER)
    return render_template("albums/delete.html", album=shown, below=albums.below_count(permit))


@blueprint.post("/<album_id>/media/<media_id>/put")
@requires(Action.ADD, Album)
def put(permit: Permit[AlbumFacts], media_id: str) -> Response:
    """Put one's own picture into an album. An empty `media_id` of the form is a choice of album."""
    albums.put(permit, media_id)
    flash(f"The picture is in “{permit.row.title}” now.", "ok")
    return redirect(url_for("media.show", media_id=media_id))


@blueprint.post("/<album_id>/media/<media_id>/take-out")
@requires(Action.VIEW, Media)
def take_out(permit: Permit[MediaFacts], album_id: str) -> Response:
    """Take a picture out of an album: an editor's, or one's own out of any."""
    if not albums.take_out(permit.viewer, album_id, permit.row.public_id):
        raise Denied
    flash("The picture is not in that album any more.", "ok")
    if may(permit.viewer, Action.VIEW, Album, album_id):
        return redirect(url_for("albums.show", album_id=album_id))
    return redirect(url_for("media.show", media_id=permit.row.public_id))


@blueprint.post("/<album_id>/media/<media_id>/cover")
@requires(Action.ARRANGE, Album)
def set_cover(permit: Permit[AlbumFacts], media_id: str) -> Response:
    """Choose the album's cover."""
    albums.set_cover(permit, media_id)
    flash("That is the cover now.", "ok")
    return redirect(url_for("albums.show", album_id=permit.row.public_id))


@blueprint.post("/<album_id>/media/<media_id>/move")
@requires(Action.ARRANGE, Album)
def move(permit: Permit[AlbumFacts], media_id: str) -> Response | tuple[str, int]:
    """Put a picture behind another in an album by hand; an empty `after` makes it the first."""
    albums.move(permit, media_id, after_id=request.form.get("after") or None)
    if wants_json():
        return "", 204
    if request.form.get("stay"):
        return redirect(url_for("media.show", media_id=media_id, album=permit.row.public_id))
    return redirect(url_for("albums.show", album_id=permit.row.public_id))


def described(album: Album, permit: Permit[AlbumFacts], role: Role) -> dict[str, Any]:
    """Return what an album's pages show of it."""
    return {
        "id": album.public_id,
        "title": album.title,
        "description": album.description,
        "order": album.order,
        "count": album.media_count,
        "owner_name": albums.owner_name(album),
        "role": role.label,
        "parent": _named(albums.parent(permit.viewer, album)),
    }


def _named(album: Album | None) -> dict[str, str] | None:
    if album is None:
        return None
    return {"id": album.public_id, "url": url_for("albums.show", album_id=album.public_id), "title": album.title}
