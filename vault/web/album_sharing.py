"""Who sees an album: people, links, and the forms to change it. Floor 4."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateField, EmailField, HiddenField, RadioField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than WTForms 3.3
from wtforms.validators import Length, Optional

from vault import terms
from vault.models.media import Album, AlbumFacts
from vault.models.sharing import GRANTABLE, Role
from vault.passwords import UnacceptablePassword
from vault.policy import Action, Denied, Permit
from vault.services import Refused, albums, explaining, group_grants, history, people, sharing
from vault.services import links as share_links
from vault.services.links import cards
from vault.web import linkterms
from vault.web.access import me, requires, vault
from vault.web.linkterms import LinkForm
from vault.web.tiles import link_row

blueprint = Blueprint("sharing", __name__, url_prefix="/albums/<album_id>")
# In the words of the roles' own definition: what one more step up the ladder allows.
ROLES = {
    Role.VIEWER: ("Viewer", "See the pictures in screen size."),
    Role.DOWNLOADER: ("Downloader", "Also save the originals, with everything the camera wrote into them."),
    Role.CONTRIBUTOR: ("Contributor", "Also add pictures of their own."),
    Role.EDITOR: ("Editor", "Also arrange pictures, caption them and take them out."),
    Role.MANAGER: ("Manager", "Also decide who else sees the album, and change its title and order."),
}


class GrantForm(FlaskForm):
    """Whom to let in, how far, and until when."""

    email = EmailField("E-mail address", [Length(max=254)])
    # Of somebody who is in the list already, whose address is nobody's business.
    user_id = HiddenField()
    # A group instead of a person; which ones there are, the service says.
    group_id = StringField("Share with", [Length(max=64)])
    role = RadioField(
        "They may", choices=[SelectChoice(role.label, ROLES[role][0]) for role in GRANTABLE], default="viewer"
    )
    expires_on = DateField("Until", [Optional()])


@blueprint.get("/sharing")
@requires(Action.MANAGE, Album)
def show(permit: Permit[AlbumFacts]) -> str:
    """Show everybody who can see the album, and why."""
    return _page(permit)


@blueprint.post("/grants")
@requires(Action.MANAGE, Album)
def grant(permit: Permit[AlbumFacts]) -> str | Response | tuple[str, int]:
    """Let somebody in, or change how far."""
    form = GrantForm()
    if form.validate_on_submit():
        role, ends = Role.from_label(form.role.data or ""), terms.end_of(form.expires_on.data)
        try:
            if form.group_id.data:
                sharing.grant_group(permit, group_id=form.group_id.data, role=role, expires_at=ends)
            elif form.user_id.data:
                sharing.grant(permit, user_id=form.user_id.data, role=role, expires_at=ends)
            else:
                sharing.grant_by_email(permit, email=form.email.data or "", role=role, expires_at=ends)
        except Refused as refusal:
            form.email.errors = [str(refusal)]
        else:
            by_email = not (form.user_id.data or form.group_id.data)
            flash(f"Shared with {form.email.data}." if by_email else "Saved.", "ok")
            return redirect(url_for("sharing.show", album_id=permit.row.public_id))
    return _page(permit, grant_form=form), 422


@blueprint.post("/grants/<user_id>/revoke")
@requires(Action.MANAGE, Album)
def revoke_grant(permit: Permit[AlbumFacts], user_id: str) -> Response:
    """Shut somebody out again."""
    if not sharing.revoke_grant(permit, user_id):
        raise Denied
    flash("They cannot see this album any more.", "ok")
    return redirect(url_for("sharing.show", album_id=permit.row.public_id))


@blueprint.post("/group-grants/<group_id>/revoke")
@requires(Action.MANAGE, Album)
def revoke_group_grant(permit: Permit[AlbumFacts], group_id: str) -> Response:
    """Take away what was given to a group."""
    if not sharing.revoke_group_grant(permit, group_id):
        raise Denied
    flash("Through that group nobody sees this album any more.", "ok")
    return redirect(url_for("sharing.show", album_id=permit.row.public_id))


@blueprint.post("/leave")
@requires(Action.VIEW, Album)
def leave(permit: Permit[AlbumFacts]) -> Response:
    """Give up one's own grant."""
    if not sharing.leave(permit.viewer, permit.row.public_id):
        raise Denied
    flash(f"You have left “{permit.row.title}”.", "ok")
    return redirect(url_for("albums.index"))


@blueprint.post("/links")
@requires(Action.MANAGE, Album)
def create_link(permit: Permit[AlbumFacts]) -> str | Response | tuple[str, int]:
    """Make a link."""
    form = LinkForm()
    if form.validate_on_submit():
        try:
            made = linkterms.make_for_album(permit, form)
        except (Refused, UnacceptablePassword) as refusal:
            linkterms.blame(form, refusal)
        else:
            flash("The link is made. Send its address to whom it is for.", "ok")
            return redirect(url_for("links.show", link_id=made.public_id))
    return _page(permit, link_form=form), 422


def _page(permit: Permit[AlbumFacts], *, grant_form: GrantForm | None = None, link_form: LinkForm | None = None) -> str:
    album = albums.get(permit)
    return render_template(
        "albums/sharing.html",
        album={"id": album.public_id, "title": album.title, "count": album.media_count},
        people=[
            _person(line, album)
            for line in explaining.of_album(permit)
            if line.group is None and (line.link is None or not _is_here(line, album))
        ],
        groups=[_group(line, album, named=named) for line, named in group_grants.reaching(permit)],
        choices=[(group.public_id, group.name, group.owner_id is None) for group in sharing.groups_for(permit)],
        links=_links(permit),
        grant_form=grant_form or GrantForm(formdata=None),
        may_make=share_links.may_make(permit.viewer),
        link_form=link_form or linkterms.blank(),
        roles=[(role.label, *ROLES[role]) for role in GRANTABLE],
    )


def _links(permit: Permit[AlbumFacts]) -> list[dict[str, Any]]:
    found = cards.of_album(vault(), permit)
    used = history.use(card.link.id for card in found)
    return [link_row(card, used.get(card.link.id)) for card in found]


def _person(line: explaining.Access, album: Album) -> dict[str, Any]:
    here = _is_here(line, album)
    above = (
        {"url": url_for("albums.show", album_id=line.album.public_id), "title": line.album.title}
        if line.album
        else None
    )
    return {
        "user_id": line.user.public_id if line.user else None,
        "name": people.shown_name(line.user) if line.user else "Anybody with a link",
        # Veiled: an id is enough to share with somebody, and must not be enough to learn how to write to them.
        "email": people.veiled(line.user.email) if line.user else "",
        "is_me": line.user is not None and line.user.id == me().user_id,
        "role": line.role.label,
        "reason": line.reason,
        "since": line.since,
        "expires_at": line.until,
        "source": "here" if here else above,
        "removable": here and line.user is not None,
    }


def _group(line: group_grants.GroupLine, album: Album, *, named: bool) -> dict[str, Any]:
    here = line.album.id == album.id
    above = {"url": url_for("albums.show", album_id=line.album.public_id), "title": line.album.title}
    return {
        "id": line.group.public_id,
        "name": line.group.name,
        "count": line.member_count,
        "is_vaults": line.group.owner_id is None,
        "role": Role(line.grant.role).label,
        "granted_by": line.granted_by,
        "since": line.grant.created_at,
        "expires_at": line.grant.expires_at,
        "source": "here" if here else above if named else None,
        "removable": here,
    }


def _is_here(line: explaining.Access, album: Album) -> bool:
    """Whether a grant or link stands on this album itself, and so can be changed here."""
    return line.album is not None and line.album.id == album.id
