"""The API's people: who I am, and for administrators everybody. Floor 4."""

from typing import Any

from flask import url_for
from marshmallow import fields, validate

from vault.models.account import User
from vault.policy import Denied
from vault.services import accounts, people
from vault.web.access import Face, admin, me, signed_in, vault
from vault.web.api.protocol import Answer, Blueprint, Body, Flag, ListQuery, Moment, Text, Whole, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint("people", "Oneself and, for administrators, everybody. An administrator sees nobody's pictures.")
QUOTA = {"description": "Bytes that the person's originals may take; null is without a limit."}
MOST_BYTES = 2**62
EMAIL = validate.Length(3, accounts.LONGEST_EMAIL)


class Me(Answer):
    """Whoever asks."""

    id = fields.String(metadata=ID)
    email = fields.String(metadata={"examples": ["anna@example.org"]})
    name = fields.String(metadata={"examples": ["Anna"]})
    is_admin = fields.Boolean()
    quota_bytes = fields.Integer(allow_none=True, metadata=QUOTA)
    used_bytes = fields.Integer()


class Person(Me):
    """Somebody, for administrators."""

    is_disabled = fields.Boolean()
    state = fields.String(validate=validate.OneOf(["active", "invited", "disabled"]))
    created_at = Moment()
    last_seen_at = Moment(allow_none=True)


class Invited(Person):
    """Somebody who was just invited."""

    invite_url = fields.String(metadata={"description": "Good once and for this person. It is shown only here."})


class Invitation(Body):
    """Whom to invite."""

    email = Text(required=True, validate=EMAIL, metadata={"format": "email"})
    name = Text(load_default="", validate=validate.Length(max=accounts.LONGEST_NAME))
    is_admin = Flag(load_default=False)
    is_disabled = Flag(
        load_default=False,
        validate=validate.Equal(False, error="Invite first, disable later."),
    )
    quota_bytes = Whole(
        allow_none=True,
        validate=validate.Range(0, MOST_BYTES),
        metadata={"description": "Null or 0 is without a limit; left out, the vault's default."},
    )


class PersonChange(Body):
    """What to change of somebody."""

    email = Text(validate=EMAIL, metadata={"format": "email"})
    name = Text(validate=validate.Length(1, accounts.LONGEST_NAME))
    is_admin = Flag()
    is_disabled = Flag()
    quota_bytes = Whole(allow_none=True, validate=validate.Range(0, MOST_BYTES), metadata=QUOTA)


@blueprint.get("/me")
@signed_in(Face.API)
@blueprint.response(200, Me)
def show_me() -> dict[str, Any]:
    """Say who I am."""
    return _me(accounts.get(me().user_id))


@blueprint.get("/users")
@admin(Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Person))
def list_people(query: dict[str, Any]) -> dict[str, Any]:
    """List everybody, the newest account first."""
    found = people.everybody_by_page(**query)
    return page([_person(line) for line in found.items], found)


@blueprint.post("/users")
@admin(Face.API)
@blueprint.arguments(Invitation)
@blueprint.response(201, Invited)
def invite(body: dict[str, Any]) -> dict[str, Any]:
    """Invite somebody.

    The account opens when the person follows `invite_url` and chooses a password.
    """
    quota_bytes = (body["quota_bytes"] or 0) if "quota_bytes" in body else None
    person, token = accounts.invite(
        vault(),
        me().user_id,
        email=body["email"],
        name=body["name"],
        is_admin=body["is_admin"],
        quota_bytes=quota_bytes,
    )
    address = vault().settings.origin + url_for("auth.accept_invitation", token=token)
    return _person(people.line(person)) | {"invite_url": address}


@blueprint.patch("/users/<user_id>")
@admin(Face.API)
@blueprint.arguments(PersonChange)
@blueprint.response(200, Person)
def change(body: dict[str, Any], user_id: str) -> dict[str, Any]:
    """Change somebody.

    A change of rights signs the person out everywhere; a disabled person's tokens are gone.
    """
    found = people.find(user_id)
    if found is None:
        raise Denied
    if "quota_bytes" in body:
        body["quota_bytes"] = body["quota_bytes"] or 0
    changed = accounts.change(me().user_id, found.id, accounts.Changes(**body))
    return _person(people.line(changed))


def _me(row: User) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "email": row.email,
        "name": row.name,
        "is_admin": row.is_admin,
        "quota_bytes": row.quota_bytes,
        "used_bytes": row.used_bytes,
    }


def _person(line: people.Line) -> dict[str, Any]:
    row = line.person
    return _me(row) | {
        "is_disabled": row.disabled_at is not None,
        "state": people.state(row),
        "created_at": row.created_at,
        "last_seen_at": line.last_seen_at,
    }
