"""Links: all that one has, each with its terms and who came by it, and making one for chosen pictures. Floor 4."""

import io
from typing import Any

import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from vault import terms
from vault.models.media import Album, Media
from vault.models.sharing import Link, LinkFacts, Scope
from vault.passwords import UnacceptablePassword
from vault.policy import Action, Denied, Permit, allowed, may
from vault.services import Refused, editions, history, library
from vault.services import links as share_links
from vault.services.links import cards
from vault.services.links.cards import LinkCard
from vault.web import access, linkterms
from vault.web.access import requires, signed_in, vault, viewer
from vault.web.linkterms import LinkForm
from vault.web.tiles import link_row, member_address, tile

blueprint = Blueprint("links", __name__, url_prefix="/links")
STATES = ("live", "waiting", "paused", "used up", "ended", "dormant")
# As many of the chosen pictures are shown above the form.
MOST_SHOWN = 60
VISITS_AT_ONCE = 20


class CopyForm(FlaskForm):
    """Whom the next link with the same terms is for."""

    label = StringField("Who is it for?", [InputRequired(), Length(max=200)])


@blueprint.get("")
@signed_in()
def index() -> str:
    """Show every link that leads into one's albums, or that one made."""
    found = cards.of_person(vault(), viewer())
    used = history.use(card.link.id for card in found)
    wanted = request.args.get("state", "")
    seen = _open({card.album for card in found if card.album})
    rows = [{**link_row(card, used.get(card.link.id)), "album": _album(card.album, seen)} for card in found]
    counts = {state: sum(row["state"] == state for row in rows) for state in STATES}
    shown = [row for row in rows if wanted not in STATES or row["state"] == wanted]
    return render_template("links/index.html", links=shown, counts=counts, all=len(rows), wanted=wanted)


@blueprint.route("/new", methods=["GET", "POST"])
@signed_in()
def new() -> str:
    """Ask for the terms of a link to chosen pictures. Many ids do not fit into an address, so they may be posted."""
    return _new(linkterms.blank(label=request.values.get("title", "")))


@blueprint.post("")
@signed_in()
def create() -> str | AnyResponse | tuple[str, int]:
    """Make a link to chosen pictures."""
    form = LinkForm()
    if form.validate_on_submit():
        try:
            made = _make(form)
        except (Refused, UnacceptablePassword) as refusal:
            linkterms.blame(form, refusal)
        else:
            flash("The link is made. Send its address to whom it is for.", "ok")
            return redirect(url_for("links.show", link_id=made.public_id))
    return _new(form), 422


@blueprint.get("/<link_id>")
@requires(Action.VIEW, Link)
def show(permit: Permit[LinkFacts]) -> str:
    """Show one link: its address, its terms, and who came by it."""
    return _page(permit)


@blueprint.post("/<link_id>/update")
@requires(Action.MANAGE, Link)
def update(permit: Permit[LinkFacts]) -> AnyResponse | tuple[str, int]:
    """Change a link's terms."""
    form = LinkForm()
    if form.validate_on_submit():
        try:
            _change(permit, form)
        except (Refused, UnacceptablePassword) as refusal:
            linkterms.blame(form, refusal)
        else:
            flash("Saved.", "ok")
            return redirect(url_for("links.show", link_id=permit.row.public_id))
    return _page(permit, form=form), 422


@blueprint.post("/<link_id>/copy")
@requires(Action.MANAGE, Link)
def copy(permit: Permit[LinkFacts]) -> AnyResponse | tuple[str, int]:
    """Make a link with the same terms for the next recipient."""
    form = CopyForm()
    if form.validate_on_submit():
        try:
            made = share_links.copy(permit, label=form.label.data or "")
        except Refused as refusal:
            form.label.errors = [str(refusal)]
        else:
            flash(f"A link with the same terms is made for {made.label}.", "ok")
            return redirect(url_for("links.show", link_id=made.public_id))
    return _page(permit, copy_form=form), 422


@blueprint.post("/<link_id>/pause")
@requires(Action.MANAGE, Link)
def pause(permit: Permit[LinkFacts]) -> AnyResponse:
    """Close a link for a while."""
    share_links.pause(permit)
    flash("The link is paused. Nobody gets in with it until you open it again.", "ok")
    return redirect(access.way_back(url_for("links.index")))


@blueprint.post("/<link_id>/resume")
@requires(Action.MANAGE, Link)
def resume(permit: Permit[LinkFacts]) -> AnyResponse:
    """Open a paused link again."""
    share_links.resume(permit)
    flash("The link is open again.", "ok")
    return redirect(access.way_back(url_for("links.index")))


@blueprint.post("/<link_id>/rotate")
@requires(Action.MANAGE, Link)
def rotate(permit: Permit[LinkFacts]) -> AnyResponse:
    """Give a link a new address."""
    share_links.rotate(permit)
    flash("The link has a new address, and the old one opens nothing any more.", "ok")
    return redirect(access.way_back(url_for("links.index")))


@blueprint.post("/<link_id>/revoke")
@requires(Action.DELETE, Link)
def revoke(permit: Permit[LinkFacts]) -> AnyResponse:
    """End a link."""
    share_links.revoke(permit)
    flash("The link is ended. Whoever has its address sees nothing any more.", "ok")
    return redirect(access.way_back(url_for("links.index")))


@blueprint.get("/<link_id>/qr.svg")
@requires(Action.MANAGE, Link)
def qr(permit: Permit[LinkFacts]) -> Response:
    """Draw a link's address for the camera of a telephone."""
    drawing = io.BytesIO()
    code = segno.make(cards.card(vault(), permit.row.id).url, error="m", micro=False)
    # Black on white in the dark, too: not every camera reads it the other way round.
    code.save(drawing, kind="svg", scale=8, border=3, light="#fff", xmldecl=False)
    answer = Response(drawing.getvalue(), mimetype="image/svg+xml")
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _new(form: LinkForm) -> str:
    ids, album_id = _chosen(), request.values.get("album", "")
    shown = {media.public_id: media for media in library.some(viewer(), ids[:MOST_SHOWN])}
    return render_template(
        "links/new.html",
        may_make=share_links.may_make(viewer()),
        form=form,
        ids=",".join(ids),
        count=len(ids),
        album_id=album_id,
        tiles=[tile(shown[each], member_address, original=False) for each in ids[:MOST_SHOWN] if each in shown],
    )


def _chosen() -> list[str]:
    """Return the chosen pictures. Raises Denied where one of them is not to be seen."""
    ids = list(dict.fromkeys(each.strip() for each in request.values.get("ids", "").split(",") if each.strip()))
    if not ids:
        raise Refused("Choose some pictures first.")
    if len(ids) > share_links.MOST_PICKED:
        raise Refused(f"At most {share_links.MOST_PICKED:,} pictures at once.")
    if allowed(viewer(), Action.VIEW, Media, ids) != set(ids):
        raise Denied
    return ids


def _make(form: LinkForm) -> Link:
    """Make a link to chosen pictures: one's own from anywhere, those of others as long as they lie in the album."""
    ids, known, wanted = _chosen(), linkterms.password(form), linkterms.said(form)
    album_id = request.form.get("album", "")
    if album_id and allowed(viewer(), Action.PLACE, Media, ids) != set(ids):
        around = access.permit(Action.MANAGE, Album, album_id)
        made = share_links.create(vault(), around, wanted, scope=Scope.SELECTION, media_ids=ids, password=known)
    else:
        made = share_links.create_for_pictures(vault(), viewer(), ids, wanted, password=known)
    editions.make_ahead(vault(), made)
    linkterms.tell_once(made, known)
    return made


def _change(permit: Permit[LinkFacts], form: LinkForm) -> None:
    link, wanted = cards.card(vault(), permit.row.id).link, vars(linkterms.said(form))
    # A form knows days only: a moment that lies in the same day is left as it is.
    if link.expires_at and wanted["expires_at"] == terms.end_of(terms.last_day(link.expires_at)):
        wanted = {**wanted, "expires_at": link.expires_at}
    if link.starts_at and wanted["starts_at"] and wanted["starts_at"].date() == link.starts_at.date():
        wanted = {**wanted, "starts_at": link.starts_at}
    new_password = form.password.data if form.protect.data else None
    if form.protect.data and not new_password and link.password_hash is None:
        raise UnacceptablePassword("Say which password, or switch it off.")
    removed = link.password_hash is not None and not form.protect.data
    changed = share_links.change(vault(), permit, password=new_password or None, no_password=removed, **wanted)
    editions.make_ahead(vault(), changed)
    linkterms.tell_once(changed, new_password)


def _page(permit: Permit[LinkFacts], *, form: LinkForm | None = None, copy_form: CopyForm | None = None) -> str:
    card, asking = cards.card(vault(), permit.row.id), permit.viewer
    album = _album(card.album, _open({card.album} if card.album else set()))
    shown = {**link_row(card, history.use([card.link.id]).get(card.link.id)), "album": album}
    values: dict[str, Any] = {"link": shown, "can_manage": may(asking, Action.MANAGE, Link, card.link.public_id)}
    if values["can_manage"]:
        values |= _managed(permit, card)
        values["form"] = form or linkterms.filled(card.link)
        values["copy_form"] = copy_form or CopyForm(formdata=None)
    return render_template("links/show.html", **values)


def _managed(permit: Permit[LinkFacts], card: LinkCard) -> dict[str, Any]:
    page = history.of_link(permit, limit=VISITS_AT_ONCE, cursor=request.args.get("cursor"))
    return {
        "told": linkterms.told(card.link),
        "is_changing": request.method == "POST",
        "stays": page.items,
        "next": page.next_cursor,
        "is_first": "cursor" not in request.args,
        "refusals": history.refusals(permit),
    }


def _open(albums: set[Album]) -> set[str]:
    """Return those of some albums that one may look at."""
    return allowed(viewer(), Action.VIEW, Album, [album.public_id for album in albums])


def _album(album: Album | None, seen: set[str]) -> dict[str, str] | None:
    """Return where a link leads, unless that is closed to its creator by now."""
    if album is None or album.public_id not in seen:
        return None
    return {"id": album.public_id, "url": url_for("albums.show", album_id=album.public_id), "title": album.title}
