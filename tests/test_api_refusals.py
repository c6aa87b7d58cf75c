"""What the JSON API refuses: as problems, alike for forbidden and missing, and never with a 500."""

import io
from typing import Any

from tests.factories import House, Person, small_picture
from tests.scripts import EVERYTHING, FORBIDDEN, Script, problem
from vault.models.sharing import Role

MISSING = "A" * 22
ODD_IDS = [MISSING, "x", "%00", "A" * 21 + "%00", "A" * 5_000, "%ED%A0%80", "%F0%9F%8E%89", "..%2F..", "%27--", "-1"]
DEEP = b"[" * 100_000
HUGE = b'{"title": ' + b"9" * 5_000 + b"}"

# An album's, picture's, link's and person's addresses with a body that fits.
ADDRESSES: list[tuple[str, str, Any]] = [
    ("GET", "/albums/{album}", None),
    ("PATCH", "/albums/{album}", {"title": "x"}),
    ("DELETE", "/albums/{album}", None),
    ("GET", "/albums/{album}/media", None),
    ("PUT", "/albums/{album}/media/{media}", None),
    ("DELETE", "/albums/{album}/media/{media}", None),
    ("GET", "/albums/{album}/grants", None),
    ("PUT", "/albums/{album}/grants/{user}", {"role": "viewer"}),
    ("DELETE", "/albums/{album}/grants/{user}", None),
    ("GET", "/albums/{album}/links", None),
    ("POST", "/albums/{album}/links", {"label": "x", "role": "viewer"}),
    ("GET", "/media/{media}", None),
    ("PATCH", "/media/{media}", {"caption": "x"}),
    ("DELETE", "/media/{media}", None),
    ("POST", "/media/{media}/restore", None),
    ("POST", "/media/{media}/retry", None),
    ("GET", "/media/{media}/access", None),
    ("GET", "/links/{link}", None),
    ("PATCH", "/links/{link}", {"label": "x"}),
    ("DELETE", "/links/{link}", None),
    ("POST", "/links/{link}/rotate", None),
]
LISTS = [("GET", "/me"), ("GET", "/users"), ("POST", "/users"), ("GET", "/albums"), ("POST", "/albums")]
LISTS += [("GET", "/media"), ("POST", "/media"), ("GET", "/links"), ("PATCH", f"/users/{MISSING}")]


def things(house: House, owner: Person) -> dict[str, str]:
    album = house.album(owner)
    media, link = house.picture(owner, album), house.link(album)
    return {"album": album.public_id, "media": media.public_id, "link": link.public_id, "user": owner.public_id}


def test_a_stranger_learns_nothing_from_any_address(house: House) -> None:
    ids = things(house, house.person())
    missing = dict.fromkeys(ids, MISSING)
    script = Script(house, house.person())

    for method, path, body in ADDRESSES:
        forbidden = script.ask(method, path.format(**ids), body)
        absent = script.ask(method, path.format(**missing), body)

        assert problem(forbidden) == FORBIDDEN, (method, path)
        assert forbidden.data == absent.data
        assert dict(forbidden.headers) == dict(absent.headers)


def test_nobody_gets_anything_without_signing_in(house: House) -> None:
    ids = things(house, house.person())
    nobody = house.browser()

    for method, path in LISTS + [(method, path.format(**ids)) for method, path, _ in ADDRESSES]:
        answer = nobody.open(f"/api/v1{path}", method=method, json={"is": "not looked at"})

        assert problem(answer)[0] == 401, (method, path)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_odd_ids_are_unknown_ids(house: House) -> None:
    anna = house.person(admin=True)
    ids = things(house, anna)
    script = Script(house, anna, EVERYTHING)

    for odd in ODD_IDS:
        for method, path, body in ADDRESSES:
            for name in [name for name in ids if f"{{{name}}}" in path]:
                answer = script.ask(method, path.format(**ids | {name: odd}), body)
                # A slash in an id is another address, and one that there is not.
                assert answer.status_code in ((404, 405) if "%2F" in odd else (403,)), (method, path, odd)
        assert script.ask("PATCH", f"/users/{odd}", {}).status_code == (404 if "%2F" in odd else 403)
        assert problem(script.ask("POST", "/albums", {"title": "x", "parent_id": "\0" + odd}))[0] == 422
        assert problem(script.upload(small_picture(), album_id=odd)) == FORBIDDEN


BAD_BODIES: list[tuple[str, str, Any, str]] = [
    ("POST", "/albums", {}, "title"),
    ("POST", "/albums", {"title": ""}, "title"),
    ("POST", "/albums", {"title": "x" * 201}, "title"),
    ("POST", "/albums", {"title": 7}, "title"),
    ("POST", "/albums", {"title": None}, "title"),
    ("POST", "/albums", {"title": ["x"]}, "title"),
    ("POST", "/albums", {"title": "\ud800"}, "title"),
    ("POST", "/albums", {"title": "a\0b"}, "title"),
    ("POST", "/albums", {"title": "x", "\ud800": 1}, "\ud800"),
    ("POST", "/albums", {"title": "x", "owner_id": MISSING}, "owner_id"),
    ("POST", "/albums", {"title": "x", "order": "random"}, "order"),
    ("PATCH", "/albums/{album}", {"media_count": 5}, "media_count"),
    ("PATCH", "/albums/{album}", {"role": "owner"}, "role"),
    ("PATCH", "/albums/{album}", {"inherits": 1}, "inherits"),
    ("PATCH", "/albums/{album}", {"inherits": "yes"}, "inherits"),
    ("PATCH", "/media/{media}", {"state": "ready"}, "state"),
    ("PATCH", "/media/{media}", {"owner_id": MISSING}, "owner_id"),
    ("PATCH", "/media/{media}", {"caption": "x" * 5_001}, "caption"),
    ("PATCH", "/media/{media}", {"caption": "\udc00"}, "caption"),
    ("PATCH", "/media/{media}", {"taken_at": "yesterday"}, "taken_at"),
    ("PATCH", "/media/{media}", {"taken_at": 1_700_000_000}, "taken_at"),
    ("PATCH", "/media/{media}", {"taken_at": "2024-07-14T18:30:00"}, "taken_at"),
    ("PATCH", "/media/{media}", {"taken_at": "2024-02-30T00:00:00Z"}, "taken_at"),
    ("PATCH", "/media/{media}", {"taken_at": "0001-01-01T00:00:00+14:00"}, "taken_at"),
    ("PATCH", "/media/{media}", {"taken_at": "9999-12-31T23:59:59-14:00"}, "taken_at"),
    ("PATCH", "/media/{media}", {"taken_at": "1800-01-01T00:00:00Z"}, "taken_at"),
    ("PATCH", "/media/{media}", {"taken_at": "2201-01-01T00:00:00Z"}, "taken_at"),
    ("PUT", "/albums/{album}/grants/{friend}", {"role": "owner"}, "role"),
    ("PUT", "/albums/{album}/grants/{friend}", {"role": "VIEWER"}, "role"),
    ("PUT", "/albums/{album}/grants/{friend}", {"role": 60}, "role"),
    ("PUT", "/albums/{album}/grants/{friend}", {}, "role"),
    ("POST", "/albums/{album}/links", {"label": "x", "role": "editor"}, "role"),
    ("POST", "/albums/{album}/links", {"label": "x", "role": "viewer", "creator_id": 1}, "creator_id"),
    ("POST", "/albums/{album}/links", {"label": "", "role": "viewer"}, "label"),
    ("PATCH", "/links/{link}", {"generation": 1}, "generation"),
    ("PATCH", "/links/{link}", {"revoked_at": None}, "revoked_at"),
    ("POST", "/users", {"email": "x@example.org", "password": "x"}, "password"),
    ("POST", "/users", {"email": "x@example.org", "is_disabled": True}, "is_disabled"),
    ("POST", "/users", {"email": "x@example.org", "quota_bytes": -1}, "quota_bytes"),
    ("POST", "/users", {"email": "x@example.org", "quota_bytes": 10**30}, "quota_bytes"),
    ("POST", "/users", {"email": "x@example.org", "quota_bytes": 1.5}, "quota_bytes"),
    ("POST", "/users", {"email": "x@example.org", "quota_bytes": True}, "quota_bytes"),
    ("PATCH", "/users/{friend}", {"used_bytes": 0}, "used_bytes"),
    ("PATCH", "/users/{friend}", {"is_admin": "true"}, "is_admin"),
    ("PATCH", "/users/{friend}", {"name": ""}, "name"),
]


def test_a_body_that_does_not_fit_is_refused_and_says_where(house: House) -> None:
    anna, friend = house.person(admin=True), house.person()
    ids = things(house, anna) | {"friend": friend.public_id}
    script = Script(house, anna, EVERYTHING)

    for method, path, body, field in BAD_BODIES:
        answer = script.ask(method, path.format(**ids), body)

        status, title, detail = problem(answer)
        assert (status, title) == (422, "That did not work"), (path, body)
        assert list(answer.get_json()["fields"]) == [field], (path, body)
        assert detail.startswith(f"{field}: ")


UNREADABLE: list[tuple[bytes, str, int]] = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b'{"title": "\xff"}', "application/json", 400),
    (b'{"title": NaN}', "application/json", 400),
    (b'{"title": -Infinity}', "application/json", 400),
    (DEEP, "application/json", 400),
    (HUGE, "application/json", 400),
    ('{"title": "x"}'.encode("utf-16"), "application/json", 400),
    (b'{"title": "x"}', "text/plain", 415),
    (b"title=x", "application/x-www-form-urlencoded", 415),
    (b"", "", 415),
    (b"null", "application/json", 422),
    (b"[]", "application/json", 422),
    (b'"title"', "application/json", 422),
    (b"1e999", "application/json", 422),
    (b'{"title": "' + b"x" * 2**20 + b'"}', "application/json", 413),
]


def test_a_body_that_cannot_be_read_is_refused(house: House) -> None:
    script = Script(house, house.person())

    for body, kind, status in UNREADABLE:
        answer = script.ask("POST", "/albums", data=body, content_type=kind)
        assert problem(answer)[0] == status, (body[:40], kind)


def test_an_upload_that_is_no_picture_is_refused(house: House) -> None:
    script = Script(house, house.person())

    def send(**fields: Any) -> int:
        return problem(script.ask("POST", "/media", data=fields))[0]

    def part(data: bytes = b"", name: str = "a.jpg") -> tuple[io.BytesIO, str]:
        return io.BytesIO(data or small_picture()), name

    assert send(file=part(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg")) == 415
    assert send(file=part(), other=part()) == 422
    assert send(file=[part(), part()]) == 422
    assert send(other=part()) == 422
    assert send(file=part(), owner_id="x") == 422
    assert problem(script.ask("POST", "/media"))[0] == 422
    assert problem(script.ask("POST", "/media", {"file": "x"}))[0] == 415
    assert script.get("/media")["items"] == []


def test_what_use_cases_refuse_is_a_problem(house: House) -> None:
    anna, ben = house.person(admin=True), house.person("Ben", quota=1)
    album, media = house.album(anna), house.picture(anna)
    house.grant(album, ben, Role.MANAGER)
    script, bens = Script(house, anna, EVERYTHING), Script(house, ben)
    grants = f"/albums/{album.public_id}/grants"
    past = {"role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}

    assert problem(bens.upload(small_picture()))[0] == 413
    assert problem(script.ask("POST", "/users", {"email": "BEN@example.org"}))[0] == 409
    assert problem(script.ask("PATCH", f"/users/{anna.public_id}", {"email": "ben@example.org"}))[0] == 409
    assert problem(script.ask("PATCH", f"/users/{anna.public_id}", {"is_admin": False}))[0] == 422
    assert problem(script.ask("POST", "/users", {"email": "no address"}))[0] == 422
    assert problem(script.ask("POST", f"/media/{media.public_id}/retry"))[0] == 422
    assert problem(script.ask("PUT", f"{grants}/{ben.public_id}", past))[2] == "The end lies in the past."
    assert problem(bens.ask("PUT", f"{grants}/{ben.public_id}", {"role": "viewer"}))[0] == 422
    assert problem(bens.ask("PUT", f"{grants}/{anna.public_id}", {"role": "viewer"}))[0] == 422
    assert problem(script.ask("DELETE", f"{grants}/{house.person().public_id}")) == FORBIDDEN


def test_an_address_that_is_none_answers_as_the_api_does(house: House) -> None:
    script = Script(house, house.person())

    assert problem(script.ask("GET", "/nothing"))[0] == 404
    wrong = script.ask("POST", "/me", {})
    assert problem(wrong)[0] == 405
    assert sorted(wrong.headers["Allow"].split(", ")) == ["GET", "HEAD"]
    both = script.ask("PATCH", "/albums", {})
    assert sorted(both.headers["Allow"].split(", ")) == ["GET", "HEAD", "POST"]
    assert problem(script.ask("OPTIONS", "/albums"))[0] == 405
