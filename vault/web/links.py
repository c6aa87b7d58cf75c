"""All links of one person: where they lead, and ending them. Floor 4."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than WTForms 3.3
from wtforms.validators import InputRequired, Length, Optional

from vault import terms
from vault.models.media import Album
from vault.models.sharing import Link, LinkFacts, LinkRole
from vault.policy import Action, Permit, may
from vault.services import Refused
from vault.services import links as share_links
from vault.services.links import cards
from vault.web import access
from vault.web.access import requires, signed_in, vault, viewer
from vault.web.tiles import link_row

blueprint = Blueprint("links", __name__, url_prefix="/links")


class TermsForm(FlaskForm):
    """A link's terms."""

    label = StringField("Who is it for?", [InputRequired(), Length(max=200)])
    role = SelectField("They may", choices=[SelectChoice(role.label, role.label) for role in LinkRole])
    expires_on = DateField("Until", [Optional()])


@blueprint.get("")
@signed_in()
def index() -> str:
    """Show every link that leads into one's albums, or that one made."""
    shown = [
        {
            **link_row(card),
            "album": _album(card.album),
        }
        for card in cards.of_person(vault(), viewer())
    ]
    return render_template("links/index.html", links=shown)


def _album(album: Album | None) -> dict[str, str] | None:
    """Return where a link leads, unless that is closed to its creator by now."""
    if album is None or not may(viewer(), Action.VIEW, Album, album.public_id):
        return None
    return {"url": url_for("albums.show", album_id=album.public_id), "title": album.title}


@blueprint.post("/<link_id>/revoke")
@requires(Action.DELETE, Link)
def revoke(permit: Permit[LinkFacts]) -> Response:
    """End a link."""
    share_links.revoke(permit)
    flash("The link is dead. Whoever has its address sees nothing any more.", "ok")
    return redirect(_back())


@blueprint.post("/<link_id>/rotate")
@requires(Action.MANAGE, Link)
def rotate(permit: Permit[LinkFacts]) -> Response:
    """Give a link a new address."""
    share_links.rotate(permit)
    flash("The link has a new address, and the old one is dead.", "ok")
    return redirect(_back())


@blueprint.post("/<link_id>/update")
@requires(Action.MANAGE, Link)
def update(permit: Permit[LinkFacts]) -> Response:
    """Change a link's terms."""
    form = TermsForm()
    if not form.validate_on_submit():
        flash("That is not a date, or the label is missing.", "error")
        return redirect(_back())
    ends = terms.end_of(form.expires_on.data)
    try:
        share_links.change(
            vault(), permit, label=form.label.data, role=LinkRole.from_label(form.role.data or ""), expires_at=ends
        )
    except Refused as refusal:
        flash(str(refusal), "error")
    else:
        flash("Saved.", "ok")
    return redirect(_back())


def _back() -> str:
    """Return to the page the form stood on, if it was one of ours."""
    target = request.form.get("back", "")
    return target if access.is_own_address(target) else url_for("links.index")
