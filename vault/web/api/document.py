"""The API's own description: OpenAPI 3.1, made from the views and their schemas. Floor 4."""

from http import HTTPStatus
from typing import Any

from flask_smorest import Api
from marshmallow import Schema, fields

from vault.web.api.protocol import NAME_PREFIX, PREFIX

ABOUT = f"""\
Everything that the vault's pages do, for scripts.

**Who asks.** `Authorization: Bearer <token>`, with a token from `/account` or `manage.py create-token`. Reading asks \
for the scope `read`, changing for `write`, what concerns people for `admin`. The pages' own scripts send their \
session's cookie and, with every change, `X-CSRFToken`.

**What one may see** is decided anew at every request. What is forbidden and what does not exist answer alike: 403.

**Lists** take `limit` and `cursor`, and answer `items` and `next_cursor`. Times are RFC 3339 in UTC. Ids are opaque.

**Refusals** are problems as RFC 9457 describes them. A body with a field that is not named here is refused: 422.

The addresses of bytes (`/media/{{id}}/thumb`, `/preview`, `/original`) stand beside `{PREFIX}` and take the same token.
"""
PARAMETERS = {
    "album_id": "The album's id.",
    "media_id": "The picture's id.",
    "user_id": "The person's id.",
    "link_id": "The link's id.",
    "group_id": "The group's id.",
    "line_id": "The line's id, as the list says it.",
    "notice_id": "The notice's id.",
    "import_id": "The import's id.",
    "whom": "A person's id, `link-` and a link's id, or `nobody`.",
}
REFUSALS = {
    401: "Nobody is signed in, or the token is not alive.",
    403: "Not open to you, or not there; or the token has not the scope.",
}
CHANGES = {"post", "put", "patch", "delete"}
CHANGE_REFUSALS = {
    422: "A value that does not fit, or a field that is not named here.",
}


class Problem(Schema):
    """A refusal (RFC 9457)."""

    type = fields.String(required=True, metadata={"examples": ["about:blank"]})
    title = fields.String(required=True, metadata={"examples": ["This is not open to you"]})
    status = fields.Integer(required=True, metadata={"examples": [403]})
    detail = fields.String(required=True, metadata={"description": "What happened and what to do, for people."})
    fields_at_fault = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="fields",
        metadata={"description": "With 422: what is wrong, by the name of the field."},
    )


class VaultApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest, with the house's own refusals: the table in `vault.web.errors` answers for the API too."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Leave errors to the house; flask-smorest would answer them for the pages as well, and drop `Allow`."""

    def _register_responses(self) -> None:
        """Name the refusals as views refer to them, by the names of their statuses."""
        for status in HTTPStatus:
            self.spec.components.response(status.name, refusal(status.phrase), lazy=True)
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, refusal("Any other refusal."), lazy=True)


def refusal(about: str) -> dict[str, Any]:
    """Return the description of an answer that is a problem."""
    return {"description": about, "content": {"application/problem+json": {"schema": Problem}}}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with what holds for every operation: what ids are, and how it is refused."""
    for tag in document["tags"]:
        tag["name"] = tag["name"].removeprefix(NAME_PREFIX)
    for path in document["paths"].values():
        for parameter in path.get("parameters", []):
            parameter["description"] = PARAMETERS[parameter["name"]]
        for method, operation in path.items():
            if method != "parameters":
                refusals = REFUSALS | (CHANGE_REFUSALS if method in CHANGES else {})
                said = {str(status): _problem(about) for status, about in refusals.items()}
                operation["tags"] = [name.removeprefix(NAME_PREFIX) for name in operation["tags"]]
                operation["responses"] = dict(sorted((said | operation["responses"]).items()))
    return document


def _problem(about: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": about, "content": {"application/problem+json": {"schema": schema}}}
