"""Coming in: sign-in and sign-out, the first setup, invitations and forgotten passwords. Floor 4."""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from vault.models.account import Purpose
from vault.passwords import LONGEST_BYTES, TooBusy, UnacceptablePassword
from vault.services import Refused, accounts, sessions
from vault.services.sessions import Throttled
from vault.web import access
from vault.web.access import public, vault

blueprint = Blueprint("auth", __name__)
PAGE = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response


class SignInForm(FlaskForm):
    """E-mail address and password."""

    email = EmailField("E-mail address", [InputRequired(), Length(max=LONGEST_BYTES)])
    password = PasswordField("Password", [InputRequired(), Length(max=LONGEST_BYTES)])
    remember = BooleanField("Stay signed in on this device")


class NewPasswordForm(FlaskForm):
    """A new password."""

    password = PasswordField("New password", [InputRequired(), Length(max=LONGEST_BYTES)])


class JoinForm(NewPasswordForm):
    """What an invited person says of himself."""

    name = StringField("Your name", [InputRequired(), Length(max=100)])


class SetupForm(JoinForm):
    """The first administrator."""

    email = EmailField("E-mail address", [InputRequired(), Length(max=254)])


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> PAGE:
    """Show the sign-in, or open a session."""
    wanted = request.args.get("next", "")
    target = wanted if access.is_own_address(wanted) else url_for("library.home")
    form = SignInForm()
    if request.method == "GET" and access.person() is not None:
        return redirect(target)
    error, status, headers = None, 200, {}
    if form.validate_on_submit():
        try:
            secret, _ = sessions.sign_in(
                vault(),
                email=form.email.data or "",
                password=form.password.data or "",
                remember=bool(form.remember.data),
                user_agent=request.user_agent.string,
            )
        except (Throttled, TooBusy) as refusal:
            error, status = str(refusal) or "Please try again in a few seconds.", 429
            headers = {"Retry-After": str(refusal.retry_after_seconds)}
        except Refused as refusal:
            error, status = str(refusal), 403
        else:
            access.enter(secret, remember=bool(form.remember.data))
            return redirect(target)
    elif form.is_submitted():
        error, status = "Please type your e-mail address and your password.", 422
    page = render_template("auth/sign_in.html", form=form, next=wanted, error=error, setup_needed=accounts.is_empty())
    return page, status, headers


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    """End the session, on the server too."""
    access.leave()
    return redirect(url_for("auth.sign_in"))


@blueprint.route("/setup/<token>", methods=["GET", "POST"])
@public
def setup(token: str) -> PAGE:
    """Make the first administrator, once."""
    if not accounts.is_setup_token(token):
        return _ended()
    form = SetupForm()
    return _join(
        form,
        "auth/setup.html",
        lambda: accounts.set_up(
            vault(), token, email=form.email.data or "", name=form.name.data or "", password=form.password.data or ""
        ),
    )


@blueprint.route("/invite/<token>", methods=["GET", "POST"])
@public
def accept_invitation(token: str) -> PAGE:
    """Give an invited person name and password."""
    person = accounts.holder(token, Purpose.INVITATION)
    if person is None:
        return _ended()
    form = JoinForm(data={"name": person.name}) if request.method == "GET" else JoinForm()
    return _join(
        form,
        "auth/invite.html",
        lambda: accounts.accept_invitation(
            vault(), token, name=form.name.data or "", password=form.password.data or ""
        ),
        email=person.email,
    )


@blueprint.route("/reset/<token>", methods=["GET", "POST"])
@public
def reset_password(token: str) -> PAGE:
    """Set a forgotten password anew."""
    person = accounts.holder(token, Purpose.PASSWORD)
    if person is None:
        return _ended()
    form = NewPasswordForm()
    return _join(
        form,
        "auth/reset.html",
        lambda: accounts.set_new_password(vault(), token, password=form.password.data or ""),
        email=person.email,
    )


def _join(form: NewPasswordForm, template: str, deed: Callable[[], int], **shown: str) -> PAGE:
    """Show a form behind a one-time address, or do its deed and open a session."""
    status = 200
    if form.validate_on_submit():
        try:
            user_id = deed()
        except accounts.Expired:
            return _ended()
        except UnacceptablePassword as refusal:
            form.password.errors, status = [str(refusal)], 422
        except Refused as refusal:
            field = form.email if isinstance(form, SetupForm) else form.password
            field.errors, status = [str(refusal)], 422
        else:
            secret, _ = sessions.open_for(vault(), user_id, user_agent=request.user_agent.string)
            access.enter(secret, remember=False)
            return redirect(url_for("library.home"))
    elif form.is_submitted():
        status = 422
    return render_template(template, form=form, **shown), status


def _ended() -> PAGE:
    """Answer a one-time address that is used, ended or made up: all the same."""
    message = "It was used already, has ended, or was not copied whole. Ask whoever runs the vault for a new one."
    return render_template(
        "errors/error.html", status=403, title="This address is not good any more", message=message
    ), 403
