"""One's own account: name, password, devices and API tokens. Floor 4."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import IntegerField, PasswordField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than WTForms 3.3
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from vault import devices
from vault.models.account import ApiToken, LoginSession, Scope
from vault.passwords import LONGEST_BYTES, UnacceptablePassword
from vault.policy import Denied
from vault.services import Refused, accounts, sessions, tokens
from vault.web.access import me, signed_in, vault

blueprint = Blueprint("account", __name__, url_prefix="/account")


class PasswordForm(FlaskForm):
    """The present password and a new one."""

    current = PasswordField("Current password", [InputRequired(), Length(max=LONGEST_BYTES)])
    new = PasswordField("New password", [InputRequired(), Length(max=LONGEST_BYTES)])


class ProfileForm(FlaskForm):
    """How others see one."""

    name = StringField("Name", [InputRequired(), Length(max=100)])


class TokenForm(FlaskForm):
    """A new API token."""

    name = StringField("Name", [InputRequired(), Length(max=100)])
    scopes = SelectMultipleField(
        "May",
        choices=[SelectChoice(scope.name or "", (scope.name or "").lower()) for scope in Scope],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    expires_in_days = IntegerField("Ends after (days)", [Optional(), NumberRange(1, 3650)])


@blueprint.get("")
@signed_in()
def show() -> str:
    """Show the account."""
    return _page()


@blueprint.post("/password")
@signed_in()
def change_password() -> str | Response | tuple[str, int]:
    """Change the password and end the other sessions. Tries are counted with those of the sign-in. Raises Throttled."""
    form = PasswordForm()
    if form.validate_on_submit():
        email = me().email
        attempt = sessions.begin_attempt(email)
        try:
            accounts.change_password(
                vault(), me().user_id, me().session_id, current=form.current.data or "", new=form.new.data or ""
            )
        except UnacceptablePassword as refusal:
            sessions.forget_attempts(email, attempt)  # the current one was right
            form.new.errors = [str(refusal)]
        except Refused as refusal:
            form.current.errors = [str(refusal)]
        else:
            sessions.forget_attempts(email, attempt)
            flash("Your password is changed, and every other device is signed out.", "ok")
            return redirect(url_for("account.show"))
    return _page(password_form=form), 422


@blueprint.post("/name")
@signed_in()
def rename() -> str | Response | tuple[str, int]:
    """Change the name."""
    form = ProfileForm()
    if not form.validate_on_submit():
        return _page(profile_form=form), 422
    try:
        accounts.rename(me().user_id, form.name.data or "")
    except Refused as refusal:
        form.name.errors = [str(refusal)]
        return _page(profile_form=form), 422
    flash("Your name is changed.", "ok")
    return redirect(url_for("account.show"))


@blueprint.post("/sessions/<session_id>/end")
@signed_in()
def end_session(session_id: str) -> Response:
    """Sign one device out."""
    if not sessions.end(me().user_id, session_id):
        raise Denied
    flash("That device is signed out.", "ok")
    return redirect(url_for("account.show"))


@blueprint.post("/sessions/end-others")
@signed_in()
def end_other_sessions() -> Response:
    """Sign every other device out."""
    sessions.end_all(me().user_id, me().user_id, but=me().session_id)
    flash("Every other device is signed out.", "ok")
    return redirect(url_for("account.show"))


@blueprint.post("/tokens")
@signed_in()
def create_token() -> str | tuple[str, int]:
    """Make an API token and show it, once."""
    form = TokenForm()
    if form.validate_on_submit():
        scopes = Scope(0)
        for name in form.scopes.data or []:
            scopes |= Scope[name]
        try:
            days = form.expires_in_days.data
            made = tokens.create(me().user_id, name=form.name.data or "", scopes=scopes, expires_in_days=days)
        except Refused as refusal:
            form.name.errors = [str(refusal)]
        else:
            return _page(new_token=made)
    return _page(token_form=form), 422


@blueprint.post("/tokens/<token_id>/revoke")
@signed_in()
def revoke_token(token_id: str) -> Response:
    """Remove an API token."""
    if not tokens.revoke(me().user_id, token_id):
        raise Denied
    flash("That token is worth nothing any more.", "ok")
    return redirect(url_for("account.show"))


def _page(
    *,
    password_form: PasswordForm | None = None,
    profile_form: ProfileForm | None = None,
    token_form: TokenForm | None = None,
    new_token: str | None = None,
) -> str:
    found = me()
    row = accounts.get(found.user_id)
    return render_template(
        "account/show.html",
        sessions=[_device(session, found.session_id) for session in sessions.of_person(found.user_id)],
        tokens=[_token(token) for token in tokens.of_person(found.user_id)],
        password_form=password_form or PasswordForm(formdata=None),
        profile_form=profile_form or ProfileForm(formdata=None, data={"name": found.name}),
        token_form=token_form or TokenForm(formdata=None),
        new_token=new_token,
        used_bytes=row.used_bytes,
        quota_bytes=row.quota_bytes,
    )


def _device(session: LoginSession, current: int | None) -> dict[str, object]:
    return {
        "id": session.public_id,
        "device": devices.in_words(session.user_agent),
        "address": session.address,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "is_current": session.id == current,
    }


def _token(token: ApiToken) -> dict[str, object]:
    return {
        "id": token.public_id,
        "name": token.name,
        "scopes": [(scope.name or "").lower() for scope in Scope if scope & token.scopes],
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
        "expires_at": token.expires_at,
    }
