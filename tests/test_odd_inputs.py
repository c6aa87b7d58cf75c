"""Odd, long and hostile values in every address and form: refused or kept, and never a fault of ours."""

from urllib.parse import quote

import pytest

from tests.factories import House
from tests.routes_api import API
from tests.routes_table import ACCOUNTS, PAGES, VISITS
from tests.routes_world import ELSEWHERE, World, build, renew_things, rows

ODD = (
    "\0",
    "A" * 21 + "\0",
    "A" * 22,
    "A" * 5_000,
    "é" * 22,
    "' OR 1=1 --",
    "%",
    "../../etc/passwd",
    "\u202e\ufeff",
    "-1",
    str(2**63),
    "9" * 19,
    "null",
)
TEXTS = (
    "\0",
    "a\0b",
    "x" * 100_000,
    "9" * 400,
    "-1",
    "1e400",
    "NaN",
    "\ud800",
    "9999-12-31",
    "0001-01-01T00:00",
    "\r\nX: y",
    "",
)
QUERIES = (("cursor", "q", "kind", "action", "next"), ("limit",), ("album",), ("parent",))
JSON: tuple[object, ...] = (
    None,
    [],
    {},
    "x",
    1,
    {"title": {"a": 1}},
    {"title": 1},
    {"unknown": 1},
    {"title": "\0"},
    {"label": "\ud800"},
)


def faults(world: World, method: str, path: str, who: str, **more: object) -> list[str]:
    """Send a request; return a line when it ended in a fault."""
    answer = world.send(method, path, who, **more)
    return [f"{method} {path[:80]!r} {str(more)[:90]}: {answer.status_code}"] if answer.status_code >= 500 else []


def test_no_odd_id_in_any_address_is_a_fault(house: House) -> None:
    world, found = build(house), []
    for row in rows(PAGES, VISITS, ACCOUNTS, API):
        braces = [thing for thing in (*world.things, "mine") if f"{{{thing}}}" in row.path]
        who = "administrator" if "/admin/" in row.path or "/users" in row.path else "owner"
        for thing in braces:
            for odd in ODD:
                values = {**world.things, "mine": world.things["loose"], thing: quote(odd, safe="")}
                found += faults(world, row.method, row.path.format(**values), who, **row.body)
    assert found == []


def test_no_odd_field_of_any_form_is_a_fault(house: House) -> None:
    world, found = build(house), []
    for row in rows(PAGES, ACCOUNTS):
        if row.method != "POST" or row.path in ("/sign-in", "/sign-out"):
            continue
        who = "administrator" if "/admin/" in row.path else "owner"
        for field in (*row.body["data"], *MORE.get(row.path.partition("?")[0], ())):
            for text in TEXTS:
                form = {**row.body["data"], field: text.encode("utf-8", "surrogatepass")}
                found += faults(world, "POST", world.path(row, who), who, data=form)
            if row.uses_up:
                renew_things(world)
    assert found == []


# Fields that a form has beside those that the table of addresses sends.
MORE = {
    "/albums/new": ("description",),
    "/albums/{below}/inherit": ("expected",),
    "/albums/{album}/edit": ("description",),
    "/albums/{album}/grants": ("expires_on", "group_id"),
    "/albums/{album}/links": ("expires_on",),
    "/links/{link}/update": ("expires_on", "back"),
    "/links/{link}/revoke": ("back",),
    "/albums/{album}/media/{media}/move": ("after",),
    "/media/{media}/edit": ("taken_at",),
    "/account/tokens": ("expires_in_days",),
    "/admin/people": ("name", "is_admin", "quota_gb"),
    "/admin/people/{person}": ("is_admin", "is_disabled", "quota_gb"),
    "/invite/{invite}": ("name", "password"),
    "/reset/{reset}": ("password",),
    "/upload": ("album_id",),
}


def test_no_odd_query_of_any_page_is_a_fault(house: House) -> None:
    world, found = build(house), []
    for row in rows(PAGES, VISITS, ACCOUNTS, API):
        if row.method != "GET" or "?" in row.path:
            continue
        who = "administrator" if "/admin/" in row.path or "/users" in row.path else "owner"
        for names in QUERIES:
            for text in ("\0", "9" * 19 + ".1", f"-{'9' * 18}.{'A' * 22}", f"{2**63}.{2**63}", "//[", "%"):
                found += faults(world, "GET", world.path(row, who), who, query_string=dict.fromkeys(names, text))
    assert found == []


def test_no_odd_body_of_the_api_is_a_fault(house: House) -> None:
    world, found = build(house), []
    for row in rows(API):
        if row.method not in ("POST", "PUT", "PATCH") or row.uses_up:
            continue
        who = "administrator" if "/users" in row.path else "owner"
        path = world.path(row, who)
        for value in JSON:
            found += faults(world, row.method, path, who, json=value)
        for raw in (
            b"",
            b"{",
            b"\xff",
            b'{"title": NaN}',
            b'{"title": "\\ud800"}',
            b"[" * 50_000,
            b'{"title":"\\u0000"}',
        ):
            found += faults(world, row.method, path, who, data=raw, content_type="application/json")
        found += faults(world, row.method, path, who, data=b"\0", content_type="multipart/form-data; boundary=x")
    assert found == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Authorization": "bearer " + "x" * 10_000},
        {"Authorization": "Basic \xff"},
        {"Cookie": "vault=\xff; vault=x; =; ;;"},
        {"Cookie": "vault=" + "e" * 10_000},
        {"Range": "bytes=" + "0-0," * 2_000},
        {"Range": "bytes=-" + "9" * 500},
        {"Range": "chunks=\xff"},
        {"If-None-Match": '"' * 5_000},
        {"If-Modified-Since": "Sat, 99 Foo 99999 99:99:99 GMT"},
        {"X-CSRFToken": "\xff"},
        {"Accept": "\xff;q=x"},
        {"User-Agent": "\xff" * 5_000},
        {"X-Accel-Redirect": "/_blobs/x"},
        {"Content-Type": "multipart/form-data; boundary=" + "x" * 500},
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_odd_header_is_a_fault(house: House, headers: dict[str, str]) -> None:
    anna = house.person("Anna")
    media = house.picture(anna)
    browser = house.browser(anna)
    for method, path in (
        ("GET", f"/media/{media.public_id}/original"),
        ("GET", "/"),
        ("POST", "/albums/new"),
        ("GET", "/api/v1/me"),
    ):
        answer = browser.open(path, method=method, headers=headers, environ_base=ELSEWHERE)
        assert answer.status_code < 500, (path, headers)
        assert "X-Accel-Redirect" not in answer.headers
