"""Notices: putting one away, and ending what it tells of. They are shown on top of every page. Floor 4."""

from flask import Blueprint, flash, redirect, url_for
from werkzeug.wrappers import Response

from vault.models.media import Album
from vault.policy import Action, Denied
from vault.services import breakglass, notices
from vault.web import access
from vault.web.access import me, signed_in

blueprint = Blueprint("notices", __name__, url_prefix="/notices/<notice_id>")


@blueprint.post("/dismiss")
@signed_in()
def dismiss(notice_id: str) -> Response:
    """Put a notice away."""
    notices.dismiss(me().user_id, notice_id)
    return redirect(access.way_back(url_for("library.home")))


@blueprint.post("/end")
@signed_in()
def end(notice_id: str) -> Response:
    """End what a notice tells of: an administrator's look at one's album."""
    told = notices.find(me().user_id, notice_id)
    if told.album_id is None or told.person_id is None:
        raise Denied
    breakglass.end(access.permit(Action.MANAGE, Album, told.album_id), told.person_id)
    flash("It is ended: from this moment on they see nothing of it.", "ok")
    return redirect(access.way_back(url_for("library.home")))
