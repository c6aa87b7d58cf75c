"""Every address for everybody, and that what exists answers as what does not to whom it is not open."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import time_machine
from werkzeug.test import TestResponse

from tests.factories import House
from tests.policy_world import forget
from tests.routes_api import API
from tests.routes_table import ACCOUNTS, PAGES, VISITS, WHO
from tests.routes_world import World, build, renew_things, rows
from vault import policy
from vault.policy import decision

TABLES = {"pages": PAGES, "visits": VISITS, "accounts": ACCOUNTS, "api": API}
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
# Denied so: whoever may not learn whether there is such a thing.
CLOSED = ("403", "in", "401")
ONE_OF_US = "thing with an id"


# Some two thousand requests each.
pytestmark = pytest.mark.timeout(400)
# What does not depend on the database is asked on one of them.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    """Let the clock stand still: signed values carry the time, and answers are compared byte for byte."""
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        yield


def alike(answer: TestResponse, *ids: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return all of an answer, without the ids of the request itself (in `?next=`)."""
    headers = [(name, _without(value, ids)) for name, value in answer.headers if name != "Content-Length"]
    return answer.status_code, headers, _without(answer.get_data(as_text=True), ids).encode()


def _without(text: str, ids: tuple[str, ...]) -> str:
    for each in ids:
        text = text.replace(each, ONE_OF_US)
    return text


@sqlite_only
def test_the_table_is_the_approved_list_of_addresses(house: House) -> None:
    world = build(house)
    adapter = house.app.url_map.bind("127.0.0.1")
    listed = set()
    for row in rows(*TABLES.values()):
        rule, _ = adapter.match(world.path(row, "owner").partition("?")[0], row.method, return_rule=True)
        listed.add((rule.rule, row.method))

    known = {
        (rule.rule, method)
        for rule in house.app.url_map.iter_rules()
        for method in rule.methods or ()
        if method != "OPTIONS" and (method != "HEAD" or "GET" not in (rule.methods or ()))
    }
    assert listed == known


@pytest.mark.parametrize("name", TABLES)
def test_every_address_answers_everybody_as_the_table_says(house: House, name: str) -> None:
    world = build(house)

    assert differences(world, TABLES[name]) == []


def differences(world: World, table: str) -> list[str]:
    """Return the cells in which the vault and the table do not agree."""
    found = []
    for row in rows(table):
        for who in WHO:
            answer = world.send(row.method, world.path(row, who), who, **row.body)
            if world.status(answer) != row.statuses[who]:
                found.append(f"{row.method} {row.path} as {who}: {world.status(answer)}, not {row.statuses[who]}")
            if row.method in CHANGING and answer.status_code < 400:
                if row.uses_up:
                    renew_things(world)
                if row.uses_up or row.path == "/sign-out":
                    world.renew_browser(who)
    return found


@sqlite_only
@pytest.mark.parametrize("name", TABLES)
def test_what_is_closed_and_what_is_missing_answer_byte_for_byte_alike(house: House, name: str) -> None:
    world = build(house)
    wrong = []
    for row in rows(TABLES[name]):
        braces = [thing for thing in (*world.things, "mine") if f"{{{thing}}}" in row.path]
        for who in WHO:
            if not braces or row.statuses[who] not in CLOSED:
                continue
            path = world.path(row, who)
            # Any thing may also stand on the page around: in a notice, for example.
            known = (*world.things.values(), *world.mine.values())
            existing = alike(world.send(row.method, path, who, **row.body), *known)
            for missing in ("A" * 22, "no-such-id", "A" * 43):
                asked = row.path.format(**dict.fromkeys(braces, missing))
                if alike(world.send(row.method, asked, who, **row.body), missing, *known) != existing:
                    wrong.append(f"{row.method} {row.path} as {who} for {missing}")
    assert wrong == []


@sqlite_only
@pytest.mark.parametrize("name", TABLES)
def test_what_is_missing_is_closed_to_those_who_might(house: House, name: str) -> None:
    world = build(house)
    wrong = []
    for row in rows(TABLES[name]):
        braces = [thing for thing in (*world.things, "mine") if f"{{{thing}}}" in row.path]
        for who in WHO:
            if braces and row.statuses[who] not in CLOSED:
                answer = world.send(row.method, row.path.format(**dict.fromkeys(braces, "A" * 22)), who, **row.body)
                if world.status(answer) != "403":
                    wrong.append(f"{row.method} {row.path} as {who}: {world.status(answer)}")
    assert wrong == []


@sqlite_only
def test_head_range_and_conditions_are_decided_like_get(house: House) -> None:
    world = build(house)
    wrong = []
    conditions = {"If-None-Match": "*", "Range": "bytes=0-0", "If-Modified-Since": "Fri, 20 Nov 2026 12:00:00 GMT"}
    for row in rows(PAGES, VISITS, API):
        if row.method != "GET":
            continue
        for who in WHO:
            expected, path = row.statuses[who], world.path(row, who)
            head = world.send("HEAD", path, who)
            if world.status(head) != expected or head.data:
                wrong.append(f"HEAD {row.path} as {who}: {world.status(head)}")
            if expected not in CLOSED:
                continue
            plain = alike(world.send("GET", path, who))
            for header, value in conditions.items():
                if alike(world.send("GET", path, who, headers={header: value})) != plain:
                    wrong.append(f"GET {row.path} as {who} with {header}")
    assert wrong == []


@sqlite_only
def test_other_methods_answer_405_to_everybody(house: House) -> None:
    world = build(house)
    adapter = house.app.url_map.bind("127.0.0.1")
    wrong = []
    for row in rows(*TABLES.values()):
        address = world.path(row, "owner")
        taken = set(adapter.allowed_methods(address.partition("?")[0]))
        for method in {"OPTIONS", "TRACE", "GET", *CHANGING} - taken:
            found = {who: world.send(method, address, who).status_code for who in ("nobody", "stranger", "owner")}
            if set(found.values()) != {405}:
                wrong.append(f"{method} {row.path}: {found}")
    assert wrong == []


@sqlite_only
def test_the_table_turns_red_where_the_decision_is_opened(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(house)
    looks = [row for row in rows(PAGES, VISITS, API) if row.method == "GET"]
    denied = {
        (row.path, who)
        for row in looks
        for who in WHO
        # Nobody is turned away before the question, and administrators' addresses ask none; nor do groups of people and
        # imports, which are their owner's alone. And there is no RAW here that anybody could have.
        if row.statuses[who] == "403" and "{" in row.path and who not in ("nobody", "visitor")
        # So are those below a link who hold no ticket of it. Another's eyes see what lies where both look, whatever
        # the rule says; tests/test_viewing_as.py turns that red.
        if not row.path.startswith(("/api/v1/groups/", "/imports/", "/api/v1/imports/", "/l/"))
        if "/as/" not in row.path and not row.path.endswith("/raw")
    }
    monkeypatch.setattr(policy, "rule", lambda *_: sa.true())
    monkeypatch.setattr(decision, "rule", lambda *_: sa.true())
    forget()
    try:
        red = {
            (row.path, who)
            for row in looks
            for who in WHO
            if world.status(world.send("GET", world.path(row, who), who)) != row.statuses[who]
        }
    finally:
        forget()
    assert denied <= red
