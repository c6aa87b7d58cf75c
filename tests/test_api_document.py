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
from vault.db import db
from vault.models.sharing import Role

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

    assert len(successes) == 31
    # Made-up bytes are hardly ever a picture, and what is there is neither in the trash nor failed.
    assert {label for label, count in successes.items() if not count} <= {
        "POST /api/v1/media",
        "POST /api/v1/media/{media_id}/restore",
        "POST /api/v1/media/{media_id}/retry",
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
    assert [tag["name"] for tag in document["tags"]] == ["people", "albums", "media", "grants", "links"]
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
    named = [schemas[body["$ref"].rpartition("/")[2]] if "$ref" in body else body for body in bodies]

    assert len(named) == 9
    assert [schema["additionalProperties"] for schema in named] == [False] * 9


def things(house: House, owner: Person, friend: Person) -> dict[str, str]:
    """Return real ids by the names that the addresses give them."""
    album = house.album(owner)
    media, link = house.picture(owner, album), house.link(album)
    house.grant(album, friend, Role.VIEWER)
    return {
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
