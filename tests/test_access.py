"""The nets around the decision: the seal, the gate, the lint rules; and what the door asks of every change."""

import tomllib
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import ORIGIN, PASSWORD, House
from tests.routes_api import API
from tests.routes_table import ACCOUNTS, PAGES
from tests.routes_world import ELSEWHERE, build, rows
from vault.app import create_app
from vault.db import db
from vault.models.account import ApiToken, Scope
from vault.web import access

ROOT = Path(__file__).resolve().parents[1]
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BANNED = {
    "flask.send_file",
    "flask.send_from_directory",
    "werkzeug.utils.send_file",
    "werkzeug.utils.send_from_directory",
    "flask_login.current_user",
    "flask_login.login_required",
    "flask_sqlalchemy",
}
OURS = (
    "/",
    "/pictures",
    "/albums",
    f"/albums/{'A' * 22}",
    f"/media/{'A' * 22}?album={'B' * 22}",
    "/admin/",
    "/account#tokens",
    "/albums/new?parent=x&y=z",
)
NOT_OURS = (
    "",
    "//evil.example",
    "///evil.example",
    "////evil.example/albums",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/albums\r\nSet-Cookie: a=b",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example/albums",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "albums",
    " /albums",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/no-such-page",
    "/sign-out",
    "/admin",
    "//[",
    "//[::1",
    "http://[",
    "//℀.example",
    "/albums\0",
    "/albums\ud800",
    "/" + "a" * 100_000,
    f"{ORIGIN}.evil.example/",
    "http://127.0.0.1:8000@evil.example/",
)


@sqlite_only
def test_the_seal_refuses_an_address_without_a_mark(house: House) -> None:
    house.app.add_url_rule("/forgotten", "forgotten", lambda: "private")
    house.app.add_url_rule("/overlooked", "overlooked", lambda: "private")

    with pytest.raises(RuntimeError, match=r"forgotten, overlooked"):
        access.seal(house.app)


@sqlite_only
def test_the_seal_accepts_each_mark(house: House) -> None:
    for name, mark in (("a", access.public), ("b", access.signed_in()), ("c", access.admin())):
        house.app.add_url_rule(f"/{name}", name, mark(lambda: "marked"))

    access.seal(house.app)


@sqlite_only
def test_the_gate_refuses_an_address_that_came_after_the_seal(house: House) -> None:
    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    house.app.add_url_rule("/late", "late", lambda: "private", methods=methods)
    owner = house.browser(house.person("Anna", admin=True))

    for method in methods:
        answer = owner.open("/late", method=method, headers=house.csrf(owner))
        assert answer.status_code == 403
        assert b"private" not in answer.data


def test_the_application_is_sealed_when_it_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sealed: list[Flask] = []
    monkeypatch.setattr(access, "seal", sealed.append)
    monkeypatch.setenv("VAULT_HOME", str(tmp_path / "home"))

    assert sealed == [create_app()]


def test_the_linter_keeps_bytes_and_the_viewer_behind_their_doors() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]

    assert set(lint["flake8-tidy-imports"]["banned-api"]) >= BANNED
    assert "TID" in lint["select"]
    excused = {path for path, rules in lint["per-file-ignores"].items() if {"TID251", "TID"} & set(rules)}
    assert excused == {"vault/web/delivery.py", "vault/web/access.py", "vault/db.py"}


@sqlite_only
def test_only_pages_of_ours_are_our_own_addresses(house: House) -> None:
    with house.app.test_request_context("/sign-in", base_url=ORIGIN):
        assert [target for target in OURS if not access.is_own_address(target)] == []
        assert [target for target in NOT_OURS if access.is_own_address(target)] == []


@sqlite_only
def test_a_sign_in_leads_to_pages_of_ours_only(house: House) -> None:
    anna = house.person("Anna", password=PASSWORD)
    for target in (*OURS[:3], *NOT_OURS):
        if "\ud800" in target:
            continue  # no browser can send it
        browser = house.browser()
        form = {"email": anna.email, "password": PASSWORD}
        answer = browser.post("/sign-in", query_string={"next": target}, data=form, headers=house.csrf(browser))

        assert answer.status_code == 302
        assert answer.location == (target if target in OURS else "/")


@sqlite_only
def test_every_change_needs_proof_that_it_comes_from_a_page_of_ours(house: House) -> None:
    world = build(house)
    wrong = []
    for row in rows(PAGES, ACCOUNTS, API):
        if row.method in access.SAFE_METHODS:
            continue
        who = "administrator" if "/admin/" in row.path or "/users" in row.path else "owner"
        browser, _ = world.browsers[who]
        for proof in ({}, {"X-CSRFToken": "made up"}, {"X-CSRFToken": ""}):
            said = {**row.body, "headers": {**row.body.get("headers", {}), **proof}}
            answer = browser.open(world.path(row, who), method=row.method, environ_base=ELSEWHERE, **said)
            if answer.status_code != 400:
                wrong.append(f"{row.method} {row.path} with {proof}: {answer.status_code}")
    assert wrong == []


@sqlite_only
def test_the_proof_of_one_browser_is_worth_nothing_in_another(house: House) -> None:
    anna, ben = house.browser(house.person("Anna")), house.browser(house.person("Ben"))
    house.csrf(ben)

    assert ben.post("/albums/new", data={"title": "x"}, headers=house.csrf(anna)).status_code == 400


@sqlite_only
def test_a_bearer_token_needs_no_proof_and_a_cookie_beside_it_does_not_count(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    nobody, browser = house.browser(), house.browser(anna)

    assert nobody.post("/api/v1/albums", json={"title": "By token"}, headers=house.token(anna)).status_code == 201
    made_up = {"Authorization": "Bearer made-up"}
    assert browser.post("/api/v1/albums", json={"title": "By cookie"}, headers=made_up).status_code == 401
    assert browser.get("/api/v1/me", headers=house.token(ben)).get_json()["email"] == ben.email


def test_a_token_cannot_make_another_token_or_act_on_the_account(house: House) -> None:
    """A stolen token of scope write must not become one of scope admin by way of the pages."""
    anna = house.person("Anna", admin=True)
    header = house.token(anna, Scope.READ | Scope.WRITE)
    browser = house.browser()
    proof = house.csrf(browser)

    for path, form in (
        ("/account/tokens", {"name": "mine", "scopes": "ADMIN"}),
        ("/account/name", {"name": "Mallory"}),
        ("/account/sessions/end-others", {}),
        ("/admin/people", {"email": "mallory@example.org", "is_admin": "y"}),
    ):
        assert browser.post(path, data=form | {"csrf_token": proof["X-CSRFToken"]}, headers=header).status_code in (
            302,
            403,
        )
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 1
    assert browser.get("/account", headers=header).status_code in (302, 403)


def test_each_scope_opens_what_it_names(house: House) -> None:
    anna = house.person("Anna", admin=True)
    media = house.picture(anna)
    browser = house.browser()
    expected = {
        Scope.READ: {"thumb": 200, "me": 200, "create": 403, "users": 403},
        Scope.WRITE: {"thumb": 403, "me": 403, "create": 201, "users": 403},
        Scope.READ | Scope.WRITE: {"thumb": 200, "me": 200, "create": 201, "users": 403},
        Scope.ADMIN: {"thumb": 403, "me": 403, "create": 403, "users": 200},
    }
    for scopes, statuses in expected.items():
        header = house.token(anna, scopes)
        found = {
            "thumb": browser.get(f"/media/{media.public_id}/thumb", headers=header).status_code,
            "me": browser.get("/api/v1/me", headers=header).status_code,
            "create": browser.post("/api/v1/albums", json={"title": "x"}, headers=header).status_code,
            "users": browser.get("/api/v1/users", headers=header).status_code,
        }
        assert found == statuses, scopes
        metrics = browser.get("/metrics", headers=header, environ_base=ELSEWHERE).status_code
        assert metrics == (200 if Scope.ADMIN in scopes else 403)


@sqlite_only
def test_a_foreign_host_is_turned_away_in_plain_words(house: House) -> None:
    browser = house.browser(house.person("Anna"))
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:8000", "127.0.0.1@evil.example", ""):
        for path in ("/", "/sign-in", "/healthz", "/no-such-page"):
            answer = browser.get(path, headers={"Host": host})
            assert answer.status_code == 400
            assert answer.content_type == "text/plain; charset=utf-8"
            assert answer.get_data(as_text=True) == f"This vault answers only at {ORIGIN}\n"


@sqlite_only
def test_forwarded_headers_count_only_from_the_proxies_one_has(house: House) -> None:
    forged = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    browser = house.browser()

    assert browser.get("/metrics", headers=forged, environ_base=ELSEWHERE).status_code == 403
    assert browser.get("/metrics", headers=forged).status_code == 403
    page = browser.get("/sign-in", headers=forged)
    assert page.status_code == 200
    assert b"evil.example" not in page.data


@sqlite_only
def test_nothing_beside_a_page_is_that_page(house: House) -> None:
    """A cache in front would take `/account/x.css` for a file that everybody may have."""
    anna = house.person("Anna")
    media = house.picture(anna)
    browser = house.browser(anna)
    paths = ("/account", "/albums", f"/media/{media.public_id}", f"/media/{media.public_id}/thumb", "/pictures")
    for path in paths:
        assert browser.get(path).status_code == 200
        for tail in ("/x.jpg", "/x.css", ";x.css", "%2fx.css", "%00.css", "%0a.css", "%3bx.css", ".css", "//"):
            answer = browser.get(path + tail)
            assert answer.status_code in (403, 404), path + tail
            assert answer.headers["Cache-Control"] == "private, no-store"
