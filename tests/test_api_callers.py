"""Who asks the JSON API: tokens and their scopes, browsers and their proof, and what no answer tells."""

import io

import pytest

from tests.factories import House, small_picture
from tests.scripts import EVERYTHING, FORBIDDEN, Script, problem
from vault.models.account import Scope


@pytest.mark.parametrize("scopes", [Scope.READ, Scope.WRITE, Scope.ADMIN])
def test_a_token_is_good_for_its_scope_only(house: House, scopes: Scope) -> None:
    script = Script(house, house.person(admin=True), scopes)

    statuses = (
        script.ask("GET", "/albums").status_code,
        script.ask("POST", "/albums", {"title": "x"}).status_code,
        script.ask("GET", "/users").status_code,
        script.ask("POST", "/users", {"email": "x@example.org"}).status_code,
    )

    expected = {
        Scope.READ: (200, 403, 403, 403),
        Scope.WRITE: (403, 201, 403, 403),
        Scope.ADMIN: (403, 403, 200, 201),
    }
    assert statuses == expected[scopes]


def test_an_administrators_addresses_are_closed_to_others_and_to_lesser_tokens(house: House) -> None:
    ben, boss = house.person(), house.person(admin=True)

    assert problem(Script(house, boss).ask("GET", "/users")) == FORBIDDEN
    for method, path in [("GET", "/users"), ("POST", "/users"), ("PATCH", f"/users/{boss.public_id}")]:
        assert problem(Script(house, ben).ask(method, path, None if method == "GET" else {})) == FORBIDDEN


def test_a_dead_token_is_nobodys_even_beside_a_session(house: House) -> None:
    browser = house.browser(house.person())

    for header in ("Bearer vlt_" + "A" * 43, "Bearer ", "bearer x y", "Bearer \N{LATIN SMALL LETTER E WITH ACUTE}"):
        answer = browser.get("/api/v1/me", headers={"Authorization": header})
        assert problem(answer)[0] == 401, header


def test_a_browser_changes_nothing_without_the_proof_that_the_page_was_ours(house: House) -> None:
    browser = house.browser(house.person())

    assert browser.get("/api/v1/albums").status_code == 200
    assert problem(browser.post("/api/v1/albums", json={"title": "x"}))[0] == 400
    assert browser.post("/api/v1/albums", json={"title": "x"}, headers=house.csrf(browser)).status_code == 201
    file = {"file": (io.BytesIO(small_picture()), "a.jpg")}
    assert browser.post("/api/v1/media", data=file, headers=house.csrf(browser)).status_code == 201


def test_answers_are_kept_by_nobody_and_tell_no_secret(house: House) -> None:
    anna = house.person(admin=True, password="a walk by the river in June")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.link(album)
    script = Script(house, anna, EVERYTHING)

    for path in [
        "/me",
        "/users",
        "/albums",
        "/media",
        "/links",
        f"/media/{media.public_id}",
        f"/albums/{album.public_id}/grants",
    ]:
        answer = script.ask("GET", path)
        text = answer.get_data(as_text=True)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Set-Cookie" not in answer.headers
        assert "argon2" not in text
        assert "blob_key" not in text
        assert "originals/" not in text
