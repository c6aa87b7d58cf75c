"""Everything of one's own that can be reached from outside, the most worrying first; many ended at once. Floor 4."""

from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from vault.models.sharing import Link
from vault.policy import Action, Denied, authorize
from vault.services import exposure, links
from vault.web.access import signed_in, viewer

blueprint = Blueprint("exposure", __name__, url_prefix="/exposure")
MOST_CHOSEN = 1_000


@blueprint.get("")
@signed_in()
def show() -> str:
    """Show the links by which one's albums and pictures can be reached."""
    found = exposure.of_person(viewer())
    others = exposure.through_others(viewer())
    return render_template("exposure/show.html", links=found, most=exposure.MOST_ROWS, others=others)


@blueprint.post("")
@signed_in()
def change() -> Response:
    """End or pause the links that were chosen, each in its own transaction; those of others are left alone."""
    pausing = request.form.get("deed") == "pause"
    done = 0
    for link_id in dict.fromkeys(request.form.getlist("link")[:MOST_CHOSEN]):
        with suppress(Denied):  # ended in another window, or none of one's own
            if pausing:
                links.pause(authorize(viewer(), Action.MANAGE, Link, link_id))
            else:
                links.revoke(authorize(viewer(), Action.DELETE, Link, link_id))
            done += 1
    flash(_said(done, pausing=pausing), "ok" if done else "error")
    return redirect(url_for("exposure.show"))


def _said(done: int, *, pausing: bool) -> str:
    if not done:
        return "Nothing was changed: choose links first."
    count = "1 link" if done == 1 else f"{done:,} links"
    return f"{count} paused: open them again in Your links." if pausing else f"{count} ended for good."
