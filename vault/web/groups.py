"""Groups of people: one's own, those one is in, and for administrators the whole vault's. Floor 4."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import EmailField, StringField
from wtforms.validators import InputRequired, Length

from vault.policy import Denied
from vault.services import Refused, groups, people
from vault.services.groups import Asker, Line
from vault.web.access import admin, is_administrator, me, signed_in
from vault.web.tiles import next_url

blueprint = Blueprint("groups", __name__)
PAGE_SIZE = 100


class GroupForm(FlaskForm):
    """What a group is called."""

    name = StringField("Name", [InputRequired(), Length(max=groups.LONGEST_NAME)])


class MemberForm(FlaskForm):
    """Who comes into a group."""

    email = EmailField("E-mail address", [InputRequired(), Length(max=254)])


@blueprint.get("/groups")
@signed_in()
def index() -> str:
    """Show the groups one knows of."""
    return _index()


@blueprint.post("/groups")
@signed_in()
def create() -> str | Response | tuple[str, int]:
    """Make a group of one's own."""
    form = GroupForm()
    made = _made(form, is_vaults=False)
    return redirect(url_for("groups.show", group_id=made)) if made else (_index(form=form), 422)


@blueprint.get("/admin/groups")
@admin()
def of_vault() -> str:
    """Show the groups of the whole vault."""
    return _of_vault()


@blueprint.post("/admin/groups")
@admin()
def create_for_vault() -> str | Response | tuple[str, int]:
    """Make a group of the whole vault."""
    form = GroupForm()
    made = _made(form, is_vaults=True)
    return redirect(url_for("groups.show", group_id=made)) if made else (_of_vault(form=form), 422)


@blueprint.get("/groups/<group_id>")
@signed_in()
def show(group_id: str) -> str:
    """Show one group, with its members to whom their names are open."""
    return _show(group_id)


@blueprint.post("/groups/<group_id>/rename")
@signed_in()
def rename(group_id: str) -> str | Response | tuple[str, int]:
    """Give a group another name."""
    form = GroupForm()
    if form.validate_on_submit():
        try:
            groups.rename(_asker(), group_id, name=form.name.data or "")
        except Refused as refusal:
            form.name.errors = [str(refusal)]
        else:
            flash("Saved.", "ok")
            return redirect(url_for("groups.show", group_id=group_id))
    return _show(group_id, name_form=form, kept=True), 422


@blueprint.post("/groups/<group_id>/delete")
@signed_in()
def delete(group_id: str) -> Response:
    """Delete a group, and with it what was shared with it."""
    is_vaults = groups.get(_asker(), group_id).owner is None
    groups.delete(_asker(), group_id)
    flash("The group is deleted. Whoever saw something only through it does not see it any more.", "ok")
    return redirect(url_for("groups.of_vault" if is_vaults else "groups.index"))


@blueprint.post("/groups/<group_id>/members")
@signed_in()
def add(group_id: str) -> str | Response | tuple[str, int]:
    """Put somebody into a group."""
    form = MemberForm()
    if form.validate_on_submit():
        try:
            member = groups.add_by_email(_asker(), group_id, email=form.email.data or "")
        except Refused as refusal:
            form.email.errors = [str(refusal)]
        else:
            flash(f"{people.shown_name(member.person)} is in the group.", "ok")
            return redirect(url_for("groups.show", group_id=group_id))
    return _show(group_id, member_form=form, kept=True), 422


@blueprint.post("/groups/<group_id>/members/<user_id>/remove")
@signed_in()
def remove(group_id: str, user_id: str) -> Response:
    """Take somebody out of a group."""
    if not groups.remove(_asker(), group_id, user_id):
        raise Denied
    flash("They are not in the group any more, and do not see what was shared with it.", "ok")
    return redirect(url_for("groups.show", group_id=group_id))


@blueprint.post("/groups/<group_id>/leave")
@signed_in()
def leave(group_id: str) -> Response:
    """Leave a group."""
    if not groups.leave(_asker(), group_id):
        raise Denied
    flash("You have left the group.", "ok")
    return redirect(url_for("groups.index"))


def _asker() -> Asker:
    return Asker(me().user_id, is_administrator())


def _made(form: GroupForm, *, is_vaults: bool) -> str | None:
    """Make a group of what a form says; None when it cannot be, which the form then says."""
    if not form.validate_on_submit():
        return None
    try:
        return groups.create(_asker(), name=form.name.data or "", is_vaults=is_vaults).group.public_id
    except Refused as refusal:
        form.name.errors = [str(refusal)]
        return None


def _index(*, form: GroupForm | None = None) -> str:
    lines = [_described(line) for line in groups.known(_asker())]
    return render_template(
        "groups/index.html",
        own=[line for line in lines if line["is_own"]],
        joined=[line for line in lines if line["owner_name"] and not line["is_own"]],
        of_vault=[line for line in lines if not line["owner_name"]],
        form=form or GroupForm(formdata=None),
    )


def _of_vault(*, form: GroupForm | None = None) -> str:
    lines = [_described(line) for line in groups.of_the_vault(_asker())]
    return render_template("groups/vault.html", groups_of_vault=lines, form=form or GroupForm(formdata=None))


def _show(
    group_id: str, *, name_form: GroupForm | None = None, member_form: MemberForm | None = None, kept: bool = False
) -> str:
    line = groups.get(_asker(), group_id)
    if kept and not line.is_kept:
        raise Denied
    shown, following = [], None
    if line.shows_members:
        page = groups.members(_asker(), group_id, limit=PAGE_SIZE, cursor=request.args.get("cursor"))
        shown, following = [_member(member) for member in page.items], next_url(page)
    return render_template(
        "groups/show.html",
        group=_described(line),
        members=shown,
        next=following,
        name_form=name_form or GroupForm(formdata=None, data={"name": line.group.name}),
        member_form=member_form or MemberForm(formdata=None),
    )


def _described(line: Line) -> dict[str, Any]:
    return {
        "id": line.group.public_id,
        "name": line.group.name,
        # Empty for a group of the whole vault.
        "owner_name": people.shown_name(line.owner) if line.owner else "",
        "is_own": line.owner is not None and line.owner.id == me().user_id,
        "is_kept": line.is_kept,
        "is_member": line.is_member,
        "shows_members": line.shows_members,
        "count": line.member_count,
    }


def _member(member: groups.Member) -> dict[str, Any]:
    return {
        "id": member.person.public_id,
        "name": people.shown_name(member.person),
        "email": people.veiled(member.person.email) if member.person.name else "",
        "is_me": member.person.id == me().user_id,
        "state": people.state(member.person),
        "since": member.added_at,
    }
