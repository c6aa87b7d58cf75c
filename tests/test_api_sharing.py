"""The JSON API's grants and links, and who can see a picture by them."""

from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

from tests.factories import ORIGIN, House
from tests.scripts import FORBIDDEN, Script, problem
from vault.models.sharing import Role


def test_a_grant_is_given_changed_and_revoked(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    script, grants = Script(house, anna), f"/albums/{album.public_id}/grants"
    ends = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0).isoformat().replace("+00:00", "Z")

    given = script.put(f"{grants}/{ben.public_id}", {"role": "viewer", "expires_at": ends})
    raised = script.put(f"{grants}/{ben.public_id}", {"role": "manager"})

    assert given == {
        "album_id": album.public_id,
        "user_id": ben.public_id,
        "name": "Ben",
        "email": "be…@example.org",
        "role": "viewer",
        "granted_by": "Anna",
        "created_at": ANY,
        "expires_at": ends,
    }
    assert (raised["role"], raised["expires_at"]) == ("manager", None)
    assert script.get(grants) == {"items": [raised], "next_cursor": None}
    script.delete(f"{grants}/{ben.public_id}")
    assert script.get(grants)["items"] == []
    assert Script(house, ben).ask("GET", f"/albums/{album.public_id}").status_code == 403


def test_a_link_is_made_changed_rotated_and_revoked(house: House) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    script, visitor = Script(house, anna), house.browser()

    made = script.post(f"/albums/{album.public_id}/links", {"label": "Grandma", "role": "viewer"})
    link = f"/links/{made['id']}"

    assert made == {
        "id": ANY,
        "album_id": album.public_id,
        "album_title": "Summer",
        "label": "Grandma",
        "role": "viewer",
        "url": ANY,
        "state": "live",
        "creator_name": "Anna",
        "created_at": ANY,
        "expires_at": None,
    }
    assert visitor.get(made["url"].removeprefix(ORIGIN)).status_code == 200
    assert script.get(link) == made
    assert script.get("/links")["items"] == script.get(f"/albums/{album.public_id}/links")["items"] == [made]
    changed = script.patch(link, {"role": "downloader", "expires_at": "2999-01-01T00:00:00Z"})
    assert (changed["label"], changed["role"], changed["expires_at"]) == (
        "Grandma",
        "downloader",
        "2999-01-01T00:00:00Z",
    )
    assert script.patch(link, {"label": "Gran"})["expires_at"] == "2999-01-01T00:00:00Z"
    assert script.patch(link, {"expires_at": None})["expires_at"] is None
    rotated = script.post(f"{link}/rotate", status=200)
    assert visitor.get(made["url"].removeprefix(ORIGIN)).status_code == 403
    assert visitor.get(rotated["url"].removeprefix(ORIGIN)).status_code == 200
    script.delete(link)
    assert visitor.get(rotated["url"].removeprefix(ORIGIN)).status_code == 403
    assert script.ask("GET", link).status_code == 403
    assert script.get("/links")["items"] == []


def test_who_may_not_manage_a_link_any_more_sees_it_without_its_address(house: House) -> None:
    anna, ben = house.person(), house.person()
    album = house.album(anna)
    house.grant(album, ben, Role.MANAGER)
    link = house.link(album, by=ben)
    house.grant(album, ben, Role.VIEWER)
    script = Script(house, ben)

    (seen,) = script.get("/links")["items"]

    assert (seen["id"], seen["url"], seen["state"]) == (link.public_id, None, "dormant")
    assert script.get(f"/links/{link.public_id}")["url"] is None
    assert script.ask("POST", f"/links/{link.public_id}/rotate").status_code == 403
    script.delete(f"/links/{link.public_id}")


def test_the_owner_learns_who_can_see_a_picture_and_why(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.VIEWER)
    link = house.link(album, label="Grandma")

    found = Script(house, anna).get(f"/media/{media.public_id}/access")

    assert found["next_cursor"] is None
    assert {(line["user_id"], line["link_id"], line["name"], line["role"]) for line in found["items"]} == {
        (anna.public_id, None, "Anna", "owner"),
        (ben.public_id, None, "Ben", "viewer"),
        (None, link.public_id, "Grandma", "viewer"),
    }
    (granted,) = [line for line in found["items"] if line["user_id"] == ben.public_id]
    assert granted == {
        "user_id": ben.public_id,
        "link_id": None,
        "name": "Ben",
        "role": "viewer",
        "reason": "granted viewer by the owner on the album Summer",
        "album_id": album.public_id,
        "since": ANY,
        "until": None,
    }


def test_only_the_owner_of_a_picture_learns_who_can_see_it(house: House) -> None:
    anna, ben = house.person(), house.person()
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.MANAGER)

    assert Script(house, ben).get(f"/media/{media.public_id}")["id"] == media.public_id
    assert problem(Script(house, ben).ask("GET", f"/media/{media.public_id}/access")) == FORBIDDEN
