"""The API's history: who came by a link, what they opened, and what they took home. Floor 4."""

from typing import Any

from marshmallow import fields, validate

from vault.models.sharing import Link, LinkFacts
from vault.policy import Action, Permit
from vault.services import history
from vault.services.history import Sight, Stay, Taking
from vault.web.access import Face, requires
from vault.web.api.protocol import Answer, Blueprint, ListQuery, Moment, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint("history", "Who looked: told to whoever manages what was looked at.")
PICTURE = ID | {"description": "Null for a picture that the reader does not see."}


class Opened(Answer):
    """A picture that a visitor opened, in one variant."""

    media_id = fields.String(allow_none=True, metadata=PICTURE)
    variant = fields.String(validate=validate.OneOf(["thumb", "preview", "original", "zip"]))
    first_at = Moment()
    last_at = Moment()
    times = fields.Integer()


class Taken(Answer):
    """Something that a visitor took home, or began to."""

    media_id = fields.String(allow_none=True, metadata=PICTURE)
    is_zip = fields.Boolean(metadata={"description": "All that the link opened then, as one archive."})
    began_at = Moment()
    completed_at = Moment(allow_none=True, metadata={"description": "Null for what is not complete, or never will be."})
    sent_bytes = fields.Integer()
    bytes = fields.Integer(allow_none=True)


class Visit(Answer):
    """One visit. `opened` holds the latest pictures of it, at most 24."""

    id = fields.String(metadata=ID)
    opened_at = Moment()
    last_seen_at = Moment()
    address = fields.String(metadata={"description": "As much of it as the vault's settings let it keep."})
    user_agent = fields.String(metadata={"description": "What the visitor's browser says it is."})
    guest_name = fields.String(metadata={"description": "What somebody who adds pictures calls himself."})
    opened_count = fields.Integer(metadata={"description": "How many different pictures."})
    opened = fields.List(fields.Nested(Opened))
    taken = fields.List(fields.Nested(Taken))


@blueprint.get("/links/<link_id>/history")
@requires(Action.MANAGE, Link, face=Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Visit))
def of_link(permit: Permit[LinkFacts], query: dict[str, Any]) -> dict[str, Any]:
    """List the visits by a link, the latest first."""
    found = history.of_link(permit, **query)
    return page([_visit(stay) for stay in found.items], found)


def _visit(stay: Stay) -> dict[str, Any]:
    visit = stay.visit
    names = ("opened_at", "last_seen_at", "address", "user_agent", "guest_name")
    return {name: getattr(visit, name) for name in names} | {
        "id": visit.public_id,
        "opened_count": stay.opened,
        "opened": [_opened(sight) for sight in stay.sights],
        "taken": [_taken(taking) for taking in stay.takings],
    }


def _opened(sight: Sight) -> dict[str, Any]:
    return {**sight._asdict(), "media_id": sight.media.public_id if sight.media else None}


def _taken(taking: Taking) -> dict[str, Any]:
    return {
        "media_id": taking.media.public_id if taking.media else None,
        "is_zip": taking.is_zip,
        "began_at": taking.began_at,
        "completed_at": taking.completed_at,
        "sent_bytes": taking.sent_bytes,
        "bytes": taking.size_bytes,
    }
