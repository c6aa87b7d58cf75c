"""Administration: people, and everything that is shared. No pictures. Floor 4."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, FloatField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from vault.models.account import Purpose, User
from vault.models.sharing import LinkRole, Role
from vault.policy import Denied
from vault.services import (
    Refused,
    accounts,
    explaining,
    group_grants,
    invitations,
    links,
    people,
    sessions,
    sharing,
    statistics,
)
from vault.services.links import cards
from vault.web.access import admin, me, vault

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
GB = 1_000_000_000
PLACES = {Purpose.INVITATION: "auth.accept_invitation", Purpose.PASSWORD: "auth.reset_password"}


class InviteForm(FlaskForm):
    """Whom to invite."""

    email = EmailField("E-mail address", [InputRequired(), Length(max=254)])
    name = StringField("Name", [Length(max=100)])
    is_admin = BooleanField("Administrator")
    quota_gb = FloatField("Quota in GB", [Optional(), NumberRange(0, 1_000_000)])


class PersonForm(FlaskForm):
    """What an administrator may change of a person."""

    name = StringField("Name", [InputRequired(), Length(max=100)])
    is_admin = BooleanField("Administrator")
    is_disabled = BooleanField("Disabled")
    quota_gb = FloatField("Quota in GB", [Optional(), NumberRange(0, 1_000_000)])


@blueprint.get("/", endpoint="people")
@admin()
def show_people() -> str:
    """Show everybody who has an account."""
    return _people()


@blueprint.post("/people")
@admin()
def invite() -> str | tuple[str, int]:
    """Invite somebody; the one-time address is shown once."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            person, token = accounts.invite(
                vault(),
                me().user_id,
                email=form.email.data or "",
                name=form.name.data or "",
                is_admin=bool(form.is_admin.data),
                quota_bytes=_bytes(form.quota_gb.data),
            )
        except Refused as refusal:
            form.email.errors = [str(refusal)]
        else:
            return _people(one_time=_address(Purpose.INVITATION, token), one_time_for=person.email)
    return _people(invite_form=form), 422


@blueprint.get("/people/<user_id>")
@admin()
def person(user_id: str) -> str:
    """Show one account."""
    return _person(_found(user_id))


@blueprint.post("/people/<user_id>")
@admin()
def update_person(user_id: str) -> str | Response | tuple[str, int]:
    """Rename, disable, make administrator, set the quota."""
    found, form = _found(user_id), PersonForm()
    if form.validate_on_submit():
        changes = accounts.Changes(
            name=form.name.data,
            is_admin=bool(form.is_admin.data),
            is_disabled=bool(form.is_disabled.data),
            quota_bytes=_bytes(form.quota_gb.data) or 0,
        )
        try:
            accounts.change(me().user_id, found.id, changes)
        except accounts.Nameless as refusal:
            form.name.errors = [str(refusal)]
        except Refused as refusal:
            form.is_admin.errors = [str(refusal)]
        else:
            flash("Saved.", "ok")
            return redirect(url_for("admin.person", user_id=user_id))
    return _person(found, form=form), 422


@blueprint.post("/people/<user_id>/withdraw")
@admin()
def withdraw(user_id: str) -> Response:
    """Take back the invitation of somebody who never joined."""
    invitations.withdraw(me().user_id, _found(user_id).id)
    flash("The invitation is taken back, and its address opens nothing any more.", "ok")
    return redirect(url_for("admin.people"))


@blueprint.post("/people/<user_id>/end-sessions")
@admin()
def end_sessions(user_id: str) -> Response:
    """Sign somebody out everywhere."""
    sessions.end_all(me().user_id, _found(user_id).id)
    flash("They are signed out on every device.", "ok")
    return redirect(url_for("admin.person", user_id=user_id))


@blueprint.post("/people/<user_id>/password-link")
@admin()
def password_link(user_id: str) -> str | tuple[str, int]:
    """Make a one-time address for somebody who cannot sign in; it is shown once."""
    found = _found(user_id)
    purpose, token = accounts.offer_new_password(vault(), me().user_id, found.id)
    return _person(found, one_time=_address(purpose, token))


@blueprint.get("/access", endpoint="access")
@admin()
def show_access() -> str:
    """Show every grant and every link of the vault."""
    text, kind = request.args.get("q", ""), request.args.get("kind", "")
    grants = explaining.all_grants(text=text) if kind != "links" else []
    shared = group_grants.everywhere(text=text) if kind != "links" else []
    links = cards.cards(vault(), explaining.all_links(text=text)) if kind != "grants" else []
    most = explaining.MOST_ROWS
    return render_template(
        "admin/access.html",
        grants=[_grant(line) for line in grants[:most]],
        group_grants=[_group_grant(line) for line in shared[:most]],
        links=[_link(card) for card in links[:most]],
        shortened=most if max(len(grants), len(shared), len(links)) > most else None,
        q=text,
        kind=kind,
    )


@blueprint.post("/access/grants/<album_id>/<user_id>/revoke")
@admin()
def revoke_grant(album_id: str, user_id: str) -> Response:
    """Take a grant away."""
    if not sharing.revoke_grant_as_administrator(me().user_id, album_id, user_id):
        raise Denied
    flash("The grant is gone.", "ok")
    return redirect(url_for("admin.access"))


@blueprint.post("/access/group-grants/<album_id>/<group_id>/revoke")
@admin()
def revoke_group_grant(album_id: str, group_id: str) -> Response:
    """Take away what was given to a group."""
    if not sharing.revoke_group_grant_as_administrator(me().user_id, album_id, group_id):
        raise Denied
    flash("The grant is gone.", "ok")
    return redirect(url_for("admin.access"))


@blueprint.post("/access/links/<link_id>/revoke")
@admin()
def revoke_link(link_id: str) -> Response:
    """End a link."""
    if not links.revoke_as_administrator(me().user_id, link_id):
        raise Denied
    flash("The link is ended. Whoever has its address sees nothing any more.", "ok")
    return redirect(url_for("admin.access"))


def _people(*, invite_form: InviteForm | None = None, one_time: str | None = None, one_time_for: str = "") -> str:
    return render_template(
        "admin/people.html",
        people=[_described(line) for line in people.everybody()],
        invite_form=invite_form or InviteForm(formdata=None),
        one_time=one_time,
        one_time_for=one_time_for,
        work=statistics.work(vault()),
        room=statistics.room(vault()),
    )


def _person(found: User, *, form: PersonForm | None = None, one_time: str | None = None) -> str:
    line = people.line(found)
    quota = found.quota_bytes / GB if found.quota_bytes else None
    kept = {
        "name": found.name,
        "is_admin": found.is_admin,
        "is_disabled": found.disabled_at is not None,
        "quota_gb": quota,
    }
    return render_template(
        "admin/person.html",
        person=_described(line),
        sessions_count=line.sessions,
        form=form or PersonForm(formdata=None, data=kept),
        one_time=one_time,
    )


def _found(user_id: str) -> User:
    found = people.find(user_id)
    if found is None:
        raise Denied
    return found


def _described(line: people.Line) -> dict[str, Any]:
    row = line.person
    return {
        "id": row.public_id,
        "name": row.name,
        "email": row.email,
        "is_admin": row.is_admin,
        "state": people.state(row),
        "used_bytes": row.used_bytes,
        "quota_bytes": row.quota_bytes,
        "created_at": row.created_at,
        "last_seen_at": line.last_seen_at,
    }


def _grant(line: explaining.GrantLine) -> dict[str, Any]:
    return {
        "album_title": line.album.title,
        "album_id": line.album.public_id,
        "user_id": line.person.public_id,
        "user_name": line.person.name or line.person.email,
        "role": Role(line.grant.role).label,
        "granted_by": line.granted_by,
        "since": line.grant.created_at,
        "expires_at": line.grant.expires_at,
    }


def _group_grant(line: group_grants.GroupLine) -> dict[str, Any]:
    return {
        "album_title": line.album.title,
        "album_id": line.album.public_id,
        "group_id": line.group.public_id,
        "group_name": line.group.name,
        "count": line.member_count,
        "role": Role(line.grant.role).label,
        "granted_by": line.granted_by,
        "since": line.grant.created_at,
        "expires_at": line.grant.expires_at,
    }


def _link(card: cards.LinkCard) -> dict[str, Any]:
    # Without its address: whoever runs the vault ends links and does not look through them.
    return {
        "id": card.link.public_id,
        "label": card.link.label,
        "album_title": card.album.title if card.album else "",
        "creator_name": card.creator_name,
        "role": LinkRole(card.link.role).label,
        "created_at": card.link.created_at,
        "expires_at": card.link.expires_at,
        "state": card.state,
    }


def _address(purpose: Purpose, token: str) -> str:
    return vault().settings.origin + url_for(PLACES[purpose], token=token)


def _bytes(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else int(gigabytes * GB)
