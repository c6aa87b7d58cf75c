"""The API's groups of people, and what is given to them. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from vault.models.media import Album, AlbumFacts
from vault.models.sharing import GRANTABLE, Role
from vault.policy import Action, Denied, Permit
from vault.services import group_grants, groups, people, sharing
from vault.web.access import Face, is_administrator, me, requires, signed_in
from vault.web.api.protocol import Answer, Blueprint, Body, Flag, ListQuery, Moment, Text, nothing, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint("groups", "Groups of people: one's own, and those of the whole vault, which administrators keep.")
ROLES = validate.OneOf([role.label for role in GRANTABLE])
NAME = validate.Length(1, groups.LONGEST_NAME)


class Group(Answer):
    """A group of people."""

    id = fields.String(metadata=ID)
    name = fields.String(metadata={"examples": ["Choir"]})
    owner_id = fields.String(allow_none=True, metadata={"description": "Null for a group of the whole vault."})
    owner_name = fields.String(allow_none=True)
    member_count = fields.Integer()
    is_member = fields.Boolean(metadata={"description": "Whether one is in it oneself."})
    may_change = fields.Boolean(metadata={"description": "Whether one may rename it and say who is in it."})
    created_at = Moment()


class NewGroup(Body):
    """A group to make."""

    name = Text(required=True, validate=NAME)
    of_the_vault = Flag(load_default=False, metadata={"description": "Administrators make those."})


class GroupChange(Body):
    """What to change of a group."""

    name = Text(required=True, validate=NAME)


class Member(Answer):
    """Somebody in a group."""

    user_id = fields.String(metadata=ID)
    name = fields.String()
    email = fields.String(metadata={"description": "Veiled.", "examples": ["an…@example.org"]})
    added_at = Moment()


class GroupGrant(Answer):
    """A group's role on an album."""

    album_id = fields.String(metadata=ID)
    group_id = fields.String(metadata=ID)
    name = fields.String(metadata={"description": "Of the group."})
    member_count = fields.Integer()
    role = fields.String(validate=ROLES)
    granted_by = fields.String(metadata={"description": "The name of whoever gave it."})
    created_at = Moment()
    expires_at = Moment(allow_none=True)


class GroupGrantTerms(Body):
    """How far a group may go, and until when."""

    role = Text(required=True, validate=ROLES)
    expires_at = Moment(
        load_default=None, allow_none=True, metadata={"description": "Null or left out: without an end."}
    )


@blueprint.get("/groups")
@signed_in(Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Group))
def list_groups(query: dict[str, Any]) -> dict[str, Any]:
    """List the groups one knows of, the newest first: one's own, those one is in, and the vault's."""
    found = groups.page(_asker(), **query)
    return page([_group(line) for line in found.items], found)


@blueprint.post("/groups")
@signed_in(Face.API)
@blueprint.arguments(NewGroup)
@blueprint.response(201, Group)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Make a group: one's own or, as an administrator, one of the whole vault."""
    return _group(groups.create(_asker(), name=body["name"], is_vaults=body["of_the_vault"]))


@blueprint.get("/groups/<group_id>")
@signed_in(Face.API)
@blueprint.response(200, Group)
def show(group_id: str) -> dict[str, Any]:
    """Show a group."""
    return _group(groups.get(_asker(), group_id))


@blueprint.patch("/groups/<group_id>")
@signed_in(Face.API)
@blueprint.arguments(GroupChange)
@blueprint.response(200, Group)
def change(body: dict[str, Any], group_id: str) -> dict[str, Any]:
    """Rename a group."""
    return _group(groups.rename(_asker(), group_id, name=body["name"]))


@blueprint.delete("/groups/<group_id>")
@signed_in(Face.API)
@blueprint.response(204)
def delete(group_id: str) -> Response:
    """Delete a group, and with it all that was given to it."""
    groups.delete(_asker(), group_id)
    return nothing()


@blueprint.get("/groups/<group_id>/members")
@signed_in(Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Member))
def list_members(query: dict[str, Any], group_id: str) -> dict[str, Any]:
    """List who is in a group, the latest first.

    For who may change it; a group of the whole vault also for its members.
    """
    found = groups.members(_asker(), group_id, **query)
    return page([_member(member) for member in found.items], found)


@blueprint.put("/groups/<group_id>/members/<user_id>")
@signed_in(Face.API)
@blueprint.response(200, Member)
def add(group_id: str, user_id: str) -> dict[str, Any]:
    """Put somebody into a group; never oneself.

    Owners of albums that were given to a group of the whole vault are told.
    """
    return _member(groups.add(_asker(), group_id, user_id))


@blueprint.delete("/groups/<group_id>/members/<user_id>")
@signed_in(Face.API)
@blueprint.response(204)
def remove(group_id: str, user_id: str) -> Response:
    """Take somebody out of a group, or leave it oneself. From then on not one byte goes out by it."""
    asker = _asker()
    gone = groups.leave(asker, group_id) if user_id == me().public_id else groups.remove(asker, group_id, user_id)
    if not gone:
        raise Denied
    return nothing()


@blueprint.get("/albums/<album_id>/group-grants")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(GroupGrant))
def list_group_grants(permit: Permit[AlbumFacts], query: dict[str, Any]) -> dict[str, Any]:
    """List what was given to groups on an album, the newest first."""
    found = group_grants.page_of_album(permit, **query)
    return page([_grant(line) for line in found.items], found)


@blueprint.put("/albums/<album_id>/group-grants/<group_id>")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.arguments(GroupGrantTerms)
@blueprint.response(200, GroupGrant)
def grant(permit: Permit[AlbumFacts], body: dict[str, Any], group_id: str) -> dict[str, Any]:
    """Give everybody in a group a role, or change it: a group of the whole vault or, by the album's owner, his own."""
    role, ends = Role.from_label(body["role"]), body["expires_at"]
    given = sharing.grant_group(permit, group_id=group_id, role=role, expires_at=ends)
    return _grant(group_grants.line(given))


@blueprint.delete("/albums/<album_id>/group-grants/<group_id>")
@requires(Action.MANAGE, Album, face=Face.API)
@blueprint.response(204)
def revoke(permit: Permit[AlbumFacts], group_id: str) -> Response:
    """Take a group's role away. From then on not one byte goes out by it."""
    if not sharing.revoke_group_grant(permit, group_id):
        raise Denied
    return nothing()


def _asker() -> groups.Asker:
    return groups.Asker(me().user_id, is_administrator())


def _group(line: groups.Line) -> dict[str, Any]:
    return {
        "id": line.group.public_id,
        "name": line.group.name,
        "owner_id": line.owner.public_id if line.owner else None,
        "owner_name": people.shown_name(line.owner) if line.owner else None,
        "member_count": line.member_count,
        "is_member": line.is_member,
        "may_change": line.is_kept,
        "created_at": line.group.created_at,
    }


def _member(member: groups.Member) -> dict[str, Any]:
    return {
        "user_id": member.person.public_id,
        "name": member.person.name,
        "email": people.veiled(member.person.email),
        "added_at": member.added_at,
    }


def _grant(line: group_grants.GroupLine) -> dict[str, Any]:
    return {
        "album_id": line.album.public_id,
        "group_id": line.group.public_id,
        "name": line.group.name,
        "member_count": line.member_count,
        "role": Role(line.grant.role).label,
        "granted_by": line.granted_by,
        "created_at": line.grant.created_at,
        "expires_at": line.grant.expires_at,
    }
