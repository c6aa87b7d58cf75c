"""The API's notices: what a person must be told, until he puts it away. Floor 4."""

from typing import Any

from flask import Response
from marshmallow import fields

from vault.services import notices
from vault.web.access import Face, me, signed_in
from vault.web.api.protocol import Answer, Blueprint, ListQuery, Moment, nothing, page, page_of
from vault.web.api.shapes import ID

blueprint = Blueprint("notices", "What one must be told: for example that an administrator looks at an album.")


class Notice(Answer):
    """Something that a person must be told."""

    id = fields.String(metadata=ID)
    kind = fields.String(metadata={"examples": ["break_glass"]})
    at = Moment()
    title = fields.String()
    text = fields.String()


@blueprint.get("/notices")
@signed_in(Face.API)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_of(Notice))
def list_notices(query: dict[str, Any]) -> dict[str, Any]:
    """List what one has not put away, the latest first."""
    found = notices.page(me().user_id, **query)
    items = [{name: getattr(told, name) for name in ("id", "kind", "at", "title", "text")} for told in found.items]
    return page(items, found)


@blueprint.delete("/notices/<notice_id>")
@signed_in(Face.API)
@blueprint.response(204)
def dismiss(notice_id: str) -> Response:
    """Put one away."""
    notices.dismiss(me().user_id, notice_id)
    return nothing()
