"""What the whole vault shows to the outside, without the pictures, and what it allows of links. Floor 4."""

from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, IntegerField, RadioField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than WTForms 3.3
from wtforms.validators import NumberRange, Optional

from vault.models.linkrules import Rules
from vault.models.sharing import Makers
from vault.policy import Denied
from vault.services import exposure, house_rules, links
from vault.services.house_rules import LONGEST_DAYS, Misfits
from vault.web.access import admin, me

blueprint = Blueprint("instance", __name__, url_prefix="/admin")
MOST_CHOSEN = 1_000
MAKERS = [
    (Makers.EVERYBODY.value, "Everybody", "Whoever may share an album may make links to it."),
    (Makers.ADMINISTRATORS.value, "Administrators", "Of those who may share an album, administrators only."),
    (Makers.NOBODY.value, "Nobody", "Albums are shared with accounts alone. Links that exist stay until they end."),
]


class PolicyForm(FlaskForm):
    """What the vault allows of links."""

    makers = RadioField("Who may make links", choices=[SelectChoice(value, label) for value, label, _ in MAKERS])
    longest_days = IntegerField("Longest life in days", [Optional(), NumberRange(1, LONGEST_DAYS)])
    password_required = BooleanField("Every link needs a password")
    originals_allowed = BooleanField("Links may hand out originals")


@blueprint.get("/exposure")
@admin()
def show() -> str:
    """Show every link of the vault by label, owner and count."""
    found = exposure.of_vault()
    most = exposure.MOST_ROWS
    return render_template("admin/exposure.html", links=found[:most], shortened=most if len(found) > most else None)


@blueprint.post("/exposure")
@admin()
def change() -> Response:
    """End or pause the links that were chosen, each in its own transaction."""
    pausing = request.form.get("deed") == "pause"
    done = 0
    for link_id in dict.fromkeys(request.form.getlist("link")[:MOST_CHOSEN]):
        with suppress(Denied):  # ended since the page was read
            if pausing:
                exposure.pause_as_administrator(me().user_id, link_id)
            elif not links.revoke_as_administrator(me().user_id, link_id):
                raise Denied
            done += 1
    count = "1 link" if done == 1 else f"{done:,} links"
    said = (
        f"{count} {'paused' if pausing else 'ended for good'}." if done else "Nothing was changed: choose links first."
    )
    flash(said, "ok" if done else "error")
    return redirect(url_for("instance.show"))


@blueprint.get("/policy")
@admin()
def policy() -> str:
    """Show what the vault allows of links."""
    return _policy(PolicyForm(formdata=None, data=vars(house_rules.present())))


@blueprint.post("/policy")
@admin()
def decide() -> str | Response | tuple[str, int]:
    """Set the rules. Where links do not fit them, ask first, and apply the rules to them where that is wanted."""
    form = PolicyForm()
    if not form.validate_on_submit():
        return _policy(form), 422
    rules, answer = _rules(form), request.form.get("existing", "")
    misfits = house_rules.misfits(rules)
    if misfits.links and answer not in ("apply", "leave"):
        return _policy(form, misfits=misfits)
    done = house_rules.decide(me().user_id, rules, apply=answer == "apply")
    flash(_said(done, applied=answer == "apply"), "ok")
    return redirect(url_for("instance.policy"))


def _policy(form: PolicyForm, *, misfits: Misfits | None = None) -> str:
    now = house_rules.misfits(house_rules.present())
    return render_template("admin/policy.html", form=form, makers=MAKERS, misfits=misfits, now=now)


def _rules(form: PolicyForm) -> Rules:
    return Rules(
        makers=Makers(form.makers.data),
        longest_days=form.longest_days.data,
        password_required=bool(form.password_required.data),
        originals_allowed=bool(form.originals_allowed.data),
    )


def _said(done: Misfits, *, applied: bool) -> str:
    if not done.links:
        return "Saved. Every link fits."
    count = "1 link" if done.links == 1 else f"{done.links:,} links"
    if applied:
        return f"Saved, and applied to {count}."
    verb = "does not fit and stays as it is" if done.links == 1 else "do not fit and stay as they are"
    return f"Saved. {count} {verb}."
