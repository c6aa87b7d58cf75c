"""What every resource of the API speaks: strict JSON in, problems and pages out.

Floor 4, the hall of this folder. A schema names every field that a body may set; whatever else is in it is refused.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn

from flask import Request, Response
from flask_smorest import Blueprint as DescribedBlueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from webargs.flaskparser import FlaskParser, is_json_request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from vault.models.cursor import Page

PREFIX = "/api/v1"
# The pages have rooms of the same names.
NAME_PREFIX = "api_"
MOST_ITEMS = 1_000
CURSOR = re.compile(r"-?[0-9]{1,18}\.[A-Za-z0-9_-]{1,22}")
# RFC 3339, section 5.6; Python alone would take more of ISO 8601, and times without a zone.
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")
# Beyond these, databases and time zones reach the end of their calendars.
FIRST_YEAR, LAST_YEAR = 1000, 9000


class Body(Schema):
    """What a request may say."""

    class Meta:
        """Fields that are not named are refused."""

        unknown = RAISE


class Answer(Schema):
    """What an answer says: every field, always."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:  # noqa: ARG002  # marshmallow's signature
        """Describe each field as one that is always there."""
        field_obj.required = True


class Text(fields.String):
    """A text that every database takes: neither NUL nor half of a surrogate pair."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
            raise ValidationError("Not a text: it holds a character that is none.")
        return text


class Flag(fields.Boolean):
    """True or false, and not what looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return bool(super()._deserialize(value, attr, data, **kwargs))


class Whole(fields.Integer):
    """A whole number: 1, but not 1.0, "1" or true."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.make_error("invalid")
        return int(super()._deserialize(value, attr, data, **kwargs) or 0)


class Moment(fields.AwareDateTime):
    """A time as RFC 3339 writes it; ours are in UTC."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002  # marshmallow's signature
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:  # noqa: ARG002  # marshmallow's signature
        if not isinstance(value, str) or not MOMENT.fullmatch(value):
            raise ValidationError("Not a time as RFC 3339 writes it, like 2024-07-14T18:30:00Z.")
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("There is no such time.") from error
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValidationError("This time is too far away.")
        return moment


class Limit(fields.Integer):
    """How many items a page may have, in decimal digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,4}", str(value)):
            raise ValidationError(f"Must be a whole number from 1 to {MOST_ITEMS}.")
        return int(super()._deserialize(value, attr, data, **kwargs) or 0)


class ListQuery(Schema):
    """Which part of a list."""

    limit = Limit(
        load_default=100,
        validate=validate.Range(1, MOST_ITEMS),
        metadata={"description": "How many items at most."},
    )
    cursor = fields.String(
        load_default=None,
        validate=validate.Regexp(CURSOR.pattern + r"\Z", error="Not a cursor of this vault."),
        metadata={"description": "Where to go on: `next_cursor` of the page before."},
    )


@cache
def page_of(item: type[Schema]) -> type[Schema]:
    """Return the schema of a page of items, one for each kind."""
    following = fields.String(
        allow_none=True,
        metadata={"description": "Send it as `cursor` for the next page. Null at the end of the list."},
    )
    members: dict[str, Any] = {"items": fields.List(fields.Nested(item)), "next_cursor": following}
    return type(f"{item.__name__}Page", (Answer,), members)


def page(items: list[Any], found: Page[Any]) -> dict[str, Any]:
    """Return a page as its schema wants it."""
    return {"items": items, "next_cursor": found.next_cursor}


def nothing() -> Response:
    """Answer that a change is made, and nothing more."""
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    return answer


class StrictParser(FlaskParser):
    """Reads bodies that say they are JSON and are: UTF-8, no NaN, nothing nested beyond reason."""

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002  # webargs' signature
        """Return the body as Python values. Raises BadRequest, UnsupportedMediaType."""
        body = req.get_data(cache=True)
        if not is_json_request(req):
            raise UnsupportedMediaType
        try:
            return json.loads(body.decode(), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise BadRequest from error


class Blueprint(DescribedBlueprint):  # type: ignore[misc]  # flask-smorest has no types
    """A part of the API: a tag in its description, and the strict parser for its bodies."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, about: str) -> None:
        super().__init__(NAME_PREFIX + name, __name__, url_prefix=PREFIX, description=about)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")
