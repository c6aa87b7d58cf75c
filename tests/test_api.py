"""The JSON API's people and albums do what the outward contract says, each address once on its good way."""

from unittest.mock import ANY

from tests.factories import ORIGIN, House
from tests.scripts import EVERYTHING, Script
from vault.models.sharing import Role


def test_me_says_who_i_am(house: House) -> None:
    anna = house.person("Anna", quota=10_000)

    assert Script(house, anna).get("/me") == {
        "id": anna.public_id,
        "email": "anna@example.org",
        "name": "Anna",
        "is_admin": False,
        "quota_bytes": 10_000,
        "used_bytes": 0,
    }


def test_an_administrator_invites_somebody_and_the_address_works(house: House) -> None:
    script = Script(house, house.person(admin=True), EVERYTHING)

    made = script.post("/users", {"email": "Ben@Example.org", "name": "Ben", "quota_bytes": 5_000})

    assert made == {
        "id": ANY,
        "email": "ben@example.org",
        "name": "Ben",
        "is_admin": False,
        "is_disabled": False,
        "state": "invited",
        "quota_bytes": 5_000,
        "used_bytes": 0,
        "created_at": ANY,
        "last_seen_at": None,
        "invite_url": ANY,
    }
    assert made["invite_url"].startswith(f"{ORIGIN}/invite/")
    assert house.browser().get(made["invite_url"].removeprefix(ORIGIN)).status_code == 200
    assert script.get("/users")["items"][0]["email"] == "ben@example.org"


def test_an_administrator_changes_somebody(house: House) -> None:
    ben = house.person("Ben")
    script = Script(house, house.person(admin=True), EVERYTHING)

    changed = script.patch(f"/users/{ben.public_id}", {"name": "Benno", "email": "b@example.org", "quota_bytes": 7})
    disabled = script.patch(f"/users/{ben.public_id}", {"is_disabled": True, "quota_bytes": None})

    assert (changed["name"], changed["email"], changed["quota_bytes"]) == ("Benno", "b@example.org", 7)
    assert (disabled["state"], disabled["is_disabled"], disabled["quota_bytes"]) == ("disabled", True, None)


def test_an_address_that_changed_ends_the_invitation_to_the_one_before(house: House) -> None:
    script = Script(house, house.person(admin=True), EVERYTHING)
    made = script.post("/users", {"email": "wrong@example.org"})

    script.patch(f"/users/{made['id']}", {"email": "right@example.org"})

    assert house.browser().get(made["invite_url"].removeprefix(ORIGIN)).status_code != 200


def test_an_album_is_made_changed_and_deleted(house: House) -> None:
    anna = house.person("Anna")
    script = Script(house, anna)

    album = script.post("/albums", {"title": "Summer"})
    below = script.post(
        "/albums", {"title": "Lake", "parent_id": album["id"], "description": "Cold", "order": "oldest"}
    )

    assert album == {
        "id": ANY,
        "title": "Summer",
        "description": "",
        "parent_id": None,
        "owner_id": anna.public_id,
        "owner_name": "Anna",
        "role": "owner",
        "order": "newest",
        "inherits": True,
        "cover_id": None,
        "media_count": 0,
        "created_at": ANY,
    }
    assert (below["parent_id"], below["description"], below["order"]) == (album["id"], "Cold", "oldest")
    assert script.patch(f"/albums/{below['id']}", {"title": "Sea", "inherits": False})["inherits"] is False
    assert script.get(f"/albums/{below['id']}")["title"] == "Sea"
    script.delete(f"/albums/{album['id']}")
    assert script.get("/albums") == {"items": [], "next_cursor": None}


def test_a_cover_is_chosen_from_what_lies_in_the_album(house: House) -> None:
    anna = house.person()
    album = house.album(anna)
    inside, outside = house.picture(anna, album), house.picture(anna)
    script = Script(house, anna)

    chosen = script.patch(f"/albums/{album.public_id}", {"cover_id": inside.public_id})

    assert chosen["cover_id"] == inside.public_id
    refused = script.ask("PATCH", f"/albums/{album.public_id}", {"cover_id": outside.public_id, "title": "New"})
    assert refused.status_code == 403
    assert script.get(f"/albums/{album.public_id}")["title"] == "Summer"


def test_a_list_of_albums_says_what_i_may_do_in_each(house: House) -> None:
    anna, ben = house.person(), house.person()
    top = house.album(anna, "Top")
    below = house.album(anna, "Below", parent=top)
    alone = house.album(anna, "Alone")
    house.album(anna, "Secret")
    house.grant(below, ben, Role.VIEWER)
    house.grant(top, ben, Role.EDITOR)
    house.grant(alone, ben, Role.CONTRIBUTOR)

    seen = Script(house, ben).get("/albums")["items"]

    assert {(album["title"], album["role"], album["parent_id"]) for album in seen} == {
        ("Top", "editor", None),
        ("Below", "editor", top.public_id),
        ("Alone", "contributor", None),
    }


def test_the_album_above_is_named_only_to_who_sees_it(house: House) -> None:
    anna, ben = house.person(), house.person()
    below = house.album(anna, "Below", parent=house.album(anna, "Top"))
    house.grant(below, ben, Role.VIEWER)

    assert Script(house, ben).get(f"/albums/{below.public_id}")["parent_id"] is None
