"""The way in by a link, and what its visitor sees: an album or some pictures, without the vault around them. Floor 4.

The address that was sent is exchanged once, for a ticket in a cookie that is sent to this link's pages only. Everything
a visitor can reach lies below `/l/<link id>/`, holds no secret in its address, and is decided anew with every request.
"""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from vault.models.cursor import Page
from vault.models.media import Album, AlbumFacts, Media, MediaFacts
from vault.models.sharing import Link, LinkFacts, LinkRole
from vault.policy import Action, Denied, Permit, Viewer, may
from vault.services import albums, library, sessions, visiting
from vault.web import taking
from vault.web.access import Face, public, vault
from vault.web.delivery import send, send_moving
from vault.web.tiles import PAGE_SIZE, as_json, card, next_url, visitor_address, visitor_tile, wants_json
from vault.web.visitors import is_bot, keep_to_itself, opened_by_link, visit_cookie, visit_permit, visit_ticket

blueprint = Blueprint("visit", __name__, url_prefix="/l")


class UnlockForm(FlaskForm):
    """A link's password."""

    password = PasswordField("Password", [InputRequired(), Length(max=1024)])


blueprint.after_request(keep_to_itself)


def come(token: str) -> str | AnyResponse:
    """Exchange the address that was sent for a ticket; who is inside already keeps his."""
    viewer = visiting.holder(vault(), token)
    permit = visiting.knock(viewer)
    if is_bot(request.user_agent.string):
        return _card(permit)
    link_id = permit.row.public_id
    answer = redirect(url_for("visit.home", link_id=link_id), 303)
    known = visit_ticket()
    if request.method == "GET" and not (known and visiting.is_inside(link_id, known)):
        _give(answer, viewer, visiting.new_ticket(vault(), viewer))
    return answer


def home(link_id: str) -> str | AnyResponse:
    """Show what the link opens; who has just come is let in here, or asked for the password."""
    ticket = visit_ticket()
    if request.method == "HEAD" and not visiting.is_inside(link_id, ticket):
        raise Denied  # looking whether there is something is no visit
    try:
        entered = visiting.enter(vault(), link_id, ticket, user_agent=request.user_agent.string)
    except visiting.Locked:
        return render_template("visit/locked.html", link_id=link_id, form=UnlockForm(formdata=None))
    answer = make_response(_home(entered.permit))
    if entered.ticket is not None and entered.ticket != ticket:
        _give(answer, entered.permit.viewer, entered.ticket)
    return answer


def unlock(link_id: str) -> str | AnyResponse | tuple[str, int]:
    """Let in who knows the password: a new visitor, with a new ticket."""
    form, ticket = UnlockForm(), visit_ticket()
    visiting.bearer(vault(), link_id, ticket)  # who did not come by the address makes no try, and none is counted
    if form.validate_on_submit():
        attempt = sessions.begin_attempt(f"link {link_id}")
        try:
            entered = visiting.unlock(
                vault(), link_id, ticket, form.password.data or "", user_agent=request.user_agent.string
            )
        except visiting.WrongPassword:
            form.password.errors = ["That is not the password of this link."]
        else:
            sessions.forget_attempts(f"link {link_id}", attempt)
            answer = redirect(url_for("visit.home", link_id=link_id), 303)
            _give(answer, entered.permit.viewer, entered.ticket or ticket)
            return answer
    return render_template("visit/locked.html", link_id=link_id, form=form), 422


# The first three decide inside: one has no ticket yet, the others have no visit yet.
blueprint.add_url_rule("/<token>", "come", public(come, Face.VISIT), methods=["GET"])
blueprint.add_url_rule("/<link_id>/", "home", public(home, Face.VISIT), methods=["GET"])
blueprint.add_url_rule("/<link_id>/unlock", "unlock", public(unlock, Face.VISIT), methods=["POST"])


@blueprint.get("/<link_id>/albums/<album_id>")
@opened_by_link(Action.VIEW, Album)
def sub_album(permit: Permit[AlbumFacts]) -> str | Response:
    """Show an album below the one that the link opens."""
    return _album(permit, _root(permit.viewer))


@blueprint.get("/<link_id>/media/<media_id>")
@opened_by_link(Action.VIEW, Media)
def media(permit: Permit[MediaFacts]) -> str | Response:
    """Show one picture between its neighbours."""
    link_id, viewer, chosen = permit.viewer.link_id, permit.viewer, request.args.get("album")
    door = visiting.knock(viewer)
    if visiting.is_selection(door):
        near, shown = library.neighbours_in(visiting.picked(door), permit), _shown(link_id, door.row.label)
    else:
        around = visit_permit(link_id, Action.VIEW, Album, chosen) if chosen else visiting.root(door)
        near = library.neighbours_in_album(around, permit)
        shown = {"url": _url(around, visiting.root(door)), "title": around.row.title}

    def url(media_id: str | None) -> str | None:
        return url_for("visit.media", link_id=link_id, media_id=media_id, album=chosen) if media_id else None

    download = may(viewer, Action.DOWNLOAD, Media, permit.row.public_id)
    item = visitor_tile(library.get(permit), visitor_address(link_id), permit.terms, original=download)
    return _page(
        "visit/media.html",
        item=item,
        album=shown,
        previous=url(near.previous),
        next=url(near.next),
        can_download=download,
    )


@blueprint.get("/<link_id>/media/<media_id>/thumb")
@opened_by_link(Action.VIEW, Media, face=Face.BYTES)
def thumb(permit: Permit[MediaFacts]) -> Response:
    """Send the small picture of grids."""
    return send(permit, "thumb")


@blueprint.get("/<link_id>/media/<media_id>/preview")
@opened_by_link(Action.VIEW, Media, face=Face.BYTES)
def preview(permit: Permit[MediaFacts]) -> Response:
    """Send the picture that fills a screen, and remember that it was opened."""
    answer = send(permit, "preview")
    if request.method == "GET":
        vault().recorder.opened(permit, "preview")
    return answer


@blueprint.get("/<link_id>/media/<media_id>/original")
@opened_by_link(Action.DOWNLOAD, Media, face=Face.BYTES)
def original(permit: Permit[MediaFacts]) -> Response:
    """Send the file as the link's terms let it leave, and count it when all of it went out."""
    taking.begin(permit, permit.row.public_id)
    answer = send(permit, "original")
    if request.method == "GET":
        vault().recorder.opened(permit, "original")
    return taking.counted(answer, permit, permit.row.public_id)


@blueprint.get("/<link_id>/media/<media_id>/video")
@opened_by_link(Action.VIEW, Media, face=Face.BYTES)
def video(permit: Permit[MediaFacts]) -> Response:
    """Send what browsers play of a video, and remember that it was played."""
    return send_moving(permit, "video")


@blueprint.get("/<link_id>/media/<media_id>/motion")
@opened_by_link(Action.VIEW, Media, face=Face.BYTES)
def motion(permit: Permit[MediaFacts]) -> Response:
    """Send the moving seconds of a picture, and remember that they were played."""
    return send_moving(permit, "motion")


def _home(permit: Permit[LinkFacts]) -> str | AnyResponse:
    if permit.row.role == LinkRole.DROP:
        return redirect(url_for("guests.form", link_id=permit.row.public_id), 303)
    if visiting.is_selection(permit):
        return _selection(permit)
    root = visiting.root(permit)
    return _album(root, root)


def _selection(permit: Permit[LinkFacts]) -> str | Response:
    viewer, address = permit.viewer, visitor_address(permit.row.public_id)
    found = library.some_in_order(viewer, visiting.picked(permit))
    download = may(viewer, Action.DOWNLOAD, Link, permit.row.public_id)
    tiles = [visitor_tile(each, address, permit.terms, original=download) for each in found]
    if wants_json():
        return as_json(tiles, None)
    return _page(
        "visit/album.html",
        album={"title": permit.row.label, "description": "", "count": len(tiles)},
        children=[],
        tiles=tiles,
        next=None,
        can_download=download,
        parent=None,
        link_id=permit.row.public_id,
    )


def _album(permit: Permit[AlbumFacts], root: Permit[AlbumFacts]) -> str | Response:
    row, viewer, link_id = albums.get(permit), permit.viewer, permit.viewer.link_id
    address = visitor_address(link_id)
    download = may(viewer, Action.DOWNLOAD, Album, row.public_id)
    inside = None if root.row.id == row.id else row.public_id
    page = _page_of(permit)
    tiles = [visitor_tile(each, address, permit.terms, original=download, album=inside) for each in page.items]
    following = next_url(page, link_id=link_id, **({"album_id": inside} if inside else {}))
    if wants_json():
        return as_json(tiles, following)
    above = albums.parent(viewer, row) if inside else None
    return _page(
        "visit/album.html",
        album={"title": row.title, "description": row.description, "count": row.media_count},
        children=[
            card(each, address, _address_of(each.album.public_id, root), marked=_is_marked(permit))
            for each in albums.children(viewer, row.id)
        ],
        tiles=tiles,
        next=following,
        can_download=download,
        parent={"url": _address_of(above.public_id, root), "title": above.title} if above else None,
        link_id=link_id,
    )


def _page_of(permit: Permit[AlbumFacts]) -> Page[Media]:
    """Return a page of an album whose cursor says nothing: by itself it holds a time and the number of a row."""
    signer, purpose, sealed = vault().signer, f"cursor of {permit.viewer.link_id}", request.args.get("cursor", "")
    found = library.of_album(permit, limit=PAGE_SIZE, cursor=signer.unseal(purpose, sealed))
    return Page(found.items, signer.seal(purpose, found.next_cursor) if found.next_cursor else None)


def _card(permit: Permit[LinkFacts]) -> str:
    """Return a bare title for the programs that draw previews of links; of what a password guards not even that."""
    title = "A shared album"
    if not visiting.is_locked(permit) and may(permit.viewer, Action.VIEW, Album, visiting.album_id(permit)):
        title = visiting.root(permit).row.title
    return render_template("visit/card.html", title=title)


def _root(viewer: Viewer) -> Permit[AlbumFacts]:
    return visiting.root(visiting.knock(viewer))


def _shown(link_id: str, title: str) -> dict[str, str]:
    return {"url": url_for("visit.home", link_id=link_id), "title": title}


def _url(around: Permit[AlbumFacts], root: Permit[AlbumFacts]) -> str:
    return _address_of(around.row.public_id, root)


def _address_of(album_id: str, root: Permit[AlbumFacts]) -> str:
    link_id = root.viewer.link_id
    if album_id == root.row.public_id:
        return url_for("visit.home", link_id=link_id)
    return url_for("visit.sub_album", link_id=link_id, album_id=album_id)


def _is_marked(permit: Permit[Any]) -> bool:
    """Whether pictures leave with a watermark; without terms, as if they did."""
    return permit.terms is None or bool(permit.terms.watermark)


def _give(answer: AnyResponse, viewer: Viewer, ticket: str) -> None:
    """Give a ticket for the pages of the visit, and for the link's address: coming back to it is no second visit."""
    come_again = url_for("visit.come", token=visiting.token(vault(), viewer))
    secure = not vault().settings.is_loopback_http
    for path in (url_for("visit.home", link_id=viewer.link_id), come_again):
        answer.set_cookie(visit_cookie(), ticket, path=path, secure=secure, httponly=True, samesite="Lax")


def _page(template: str, **shown: Any) -> Response:
    return make_response(render_template(template, **shown))
