"""The API's own description: valid, complete, and true of what the API answers to whatever is sent."""

import contextvars
import itertools
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import ORIGIN, House, Person
from tests.scripts import EVERYTHING, Script
from vault.db import db, transaction
from vault.models import noticeboard
from vault.models.media import Album
from vault.models.sharing import Role
from vault.policy import Action, authorize
from vault.services import explaining, notices
from vault.services.importing import runs

TRUE_OF_EVERY_ANSWER = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    allow_header_conformance,
]
EXAMPLES = 12
HOST = ORIGIN.removeprefix("http://")
# One database is enough for what is said; the tables of odd ids and bodies go through both.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def description(house: House) -> Any:
    return house.browser().get("/api/v1/openapi.json").get_json()


@sqlite_only
def test_whatever_is_sent_is_answered_as_described(house: House) -> None:
    schema = schemathesis.openapi.from_dict(description(house))
    schema.app = house.app
    schema.config.update(base_url=ORIGIN)
    schema.validate()
    successes = {}

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        successes[operation.label] = fuzz(house, operation)

    assert len(successes) >= 31
    # Made-up bytes are hardly ever a picture or a sidecar, and made-up ids in a body none of ours; what is there is
    # neither in the trash nor failed, nor does it wait for anybody; a line of an album is none of a picture.
    assert {label for label, count in successes.items() if not count} <= {
        "POST /api/v1/media",
        "PUT /api/v1/media/{media_id}/sidecar",
        "POST /api/v1/media/{media_id}/restore",
        "POST /api/v1/media/{media_id}/retry",
        "POST /api/v1/media/{media_id}/accept",
        "POST /api/v1/media/{media_id}/decline",
        "POST /api/v1/albums/{album_id}/move",
        "POST /api/v1/links",
        "DELETE /api/v1/media/{media_id}/access/{line_id}",
    }


@sqlite_only
def test_it_names_every_address_of_the_api_and_explains_it(house: House) -> None:
    document = description(house)
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }
    there = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in house.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }

    assert described == there - {("GET", "/api/v1/openapi.json")}
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": ORIGIN}]
    assert document["security"] == [{"token": []}, {"session": []}]
    assert document["components"]["securitySchemes"] == {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "vault"},
    }
    assert {tag["name"] for tag in document["tags"]} >= {"people", "albums", "media", "grants", "links", "access"}
    for path in document["paths"].values():
        for method, operation in path.items():
            if method != "parameters":
                assert operation["summary"].endswith("."), operation
                assert operation["responses"].keys() >= {"401", "403", "default"}


@sqlite_only
def test_no_body_takes_a_field_that_it_does_not_name(house: House) -> None:
    document = description(house)
    bodies = [
        kind["schema"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters" and "requestBody" in operation
        for kind in operation["requestBody"]["content"].values()
    ]
    schemas = document["components"]["schemas"]
    # A file has no fields.
    bodies = [body for body in bodies if body.get("format") != "binary"]
    named = [schemas[body["$ref"].rpartition("/")[2]] if "$ref" in body else body for body in bodies]

    assert len(named) >= 9
    assert [schema["additionalProperties"] for schema in named] == [False] * len(named)


def things(house: House, owner: Person, friend: Person) -> dict[str, str]:
    """Return real ids by the names that the addresses give them."""
    album = house.album(owner)
    media, link = house.picture(owner, album), house.link(album)
    house.grant(album, friend, Role.VIEWER)
    group = house.group(friend, owner=owner)
    house.share(album, group, Role.VIEWER)
    with transaction() as session:
        noticeboard.tell(session, owner.id, "password_reset", by=None)
    seers = explaining.of_album(authorize(owner.viewer, Action.EXPLAIN, Album, album.public_id))
    return {
        "group_id": group.public_id,
        "line_id": next(line.id for line in seers if line.ending),
        "whom": friend.public_id,
        "notice_id": notices.of(owner.id)[0].id,
        "import_id": runs.begin_here(owner.viewer, name="disk", album_id=None, count=1, size_bytes=1).public_id,
        "album_id": album.public_id,
        "media_id": media.public_id,
        "link_id": link.public_id,
        "user_id": friend.public_id,
    }


def fuzz(house: House, operation: Any) -> int:
    """Ask one address for many things, as somebody with a shared album; return how often it did something."""
    anna, ben = house.person(admin=True), house.person()
    headers = Script(house, anna, EVERYTHING).headers
    ids = things(house, anna, ben)

    turns = itertools.count()
    statuses = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.headers.update(headers | {"Host": HOST})
        if case.path_parameters and next(turns) % 4:
            case.path_parameters |= {name: ids[name] for name in case.path_parameters}
        answer = contextvars.Context().run(case.call)
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=TRUE_OF_EVERY_ANSWER)

    ask()
    db.session.rollback()
    return sum(status < 300 for status in statuses)
