"""Where an administrator who must look asks for it: titles, a reason, a time. No pictures. Floor 4."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, IntegerField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from vault.models.account import User
from vault.policy import Denied
from vault.services import Refused, breakglass, people
from vault.services.breakglass import LONGEST_HOURS, LONGEST_REASON, SHORTEST_HOURS, SHORTEST_REASON, USUAL_HOURS
from vault.web.access import admin, me

blueprint = Blueprint("looking", __name__, url_prefix="/admin/people/<user_id>/look")


class LookForm(FlaskForm):
    """Which album, why, and for how long."""

    album_id = HiddenField("Album", [InputRequired("Choose an album.")])
    reason = TextAreaField(
        "Why must you look?",
        [Length(SHORTEST_REASON, LONGEST_REASON, f"Say why, in at least {SHORTEST_REASON} letters.")],
    )
    hours = IntegerField("For how many hours", [NumberRange(SHORTEST_HOURS, LONGEST_HOURS)], default=USUAL_HOURS)


@blueprint.get("")
@admin()
def show(user_id: str) -> str:
    """Show the titles of somebody's albums."""
    return _page(_found(user_id), LookForm(formdata=None))


@blueprint.post("")
@admin()
def look(user_id: str) -> str | Response | tuple[str, int]:
    """Let the administrator see one album for a while, and its owner know."""
    found, form = _found(user_id), LookForm()
    if form.validate_on_submit():
        album_id = form.album_id.data or ""
        try:
            breakglass.look(
                me().user_id, found.id, album_id, reason=form.reason.data or "", hours=form.hours.data or USUAL_HOURS
            )
        except Refused as refusal:
            form.album_id.errors = [str(refusal)]
        else:
            flash("You see this album now. Its owner is told so, with your reason.", "ok")
            return redirect(url_for("albums.show", album_id=album_id))
    return _page(found, form), 422


def _page(found: User, form: LookForm) -> str:
    return render_template(
        "admin/look.html",
        person={"id": found.public_id, "name": people.shown_name(found)},
        albums=breakglass.titles(me().user_id, found.id),
        form=form,
        is_me=found.id == me().user_id,
    )


def _found(user_id: str) -> User:
    found = people.find(user_id)
    if found is None:
        raise Denied
    return found
