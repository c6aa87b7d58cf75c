"""The JSON API's groups, what is given to them, and moving an album."""

from unittest.mock import ANY

from tests.factories import House
from tests.scripts import EVERYTHING, FORBIDDEN, Script, problem
from vault.db import db
from vault.models.media import Album
from vault.models.sharing import Role
from vault.policy import role_on


def test_a_group_is_made_filled_listed_and_deleted(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    script, bens = Script(house, anna), Script(house, ben)

    made = script.post("/groups", {"name": "Choir"})
    group = f"/groups/{made['id']}"

    assert made == {
        "id": ANY,
        "name": "Choir",
        "owner_id": anna.public_id,
        "owner_name": "Anna",
        "member_count": 0,
        "is_member": False,
        "may_change": True,
        "created_at": ANY,
    }
    assert problem(bens.ask("GET", group)) == FORBIDDEN
    member = script.put(f"{group}/members/{ben.public_id}")
    assert member == {"user_id": ben.public_id, "name": "Ben", "email": "be…@example.org", "added_at": ANY}
    assert script.get(f"{group}/members") == {"items": [member], "next_cursor": None}
    assert bens.get(group) == made | {"member_count": 1, "is_member": True, "may_change": False}
    assert problem(bens.ask("GET", f"{group}/members")) == FORBIDDEN
    assert bens.get("/groups")["items"] == [bens.get(group)]
    assert script.patch(group, {"name": "Big choir"})["name"] == "Big choir"
    bens.delete(f"{group}/members/{ben.public_id}")
    assert bens.get("/groups")["items"] == []
    script.delete(group)
    assert script.ask("GET", group).status_code == 403


def test_a_group_of_the_vault_asks_for_an_administrator_and_for_the_scope(house: House) -> None:
    admin, anna = house.person("Admin", admin=True), house.person("Anna")
    reading, script = Script(house, admin), Script(house, admin, EVERYTHING)
    body = {"name": "Everybody", "of_the_vault": True}

    for refused in (Script(house, anna), reading):
        assert problem(refused.ask("POST", "/groups", body)) == FORBIDDEN
    made = script.post("/groups", body)

    assert (made["owner_id"], made["owner_name"], made["may_change"]) == (None, None, True)
    assert Script(house, anna).get("/groups")["items"] == [made | {"may_change": False}]
    assert problem(reading.ask("PATCH", f"/groups/{made['id']}", {"name": "x"})) == FORBIDDEN
    assert problem(script.ask("PUT", f"/groups/{made['id']}/members/{admin.public_id}"))[0] == 422
    assert problem(script.ask("POST", "/groups", body))[0] == 409


def test_a_body_that_does_not_fit_is_refused(house: House) -> None:
    anna = house.person("Anna")
    album, club = house.album(anna), house.group(owner=anna)
    script = Script(house, anna)
    for method, path, body in (
        ("POST", "/groups", {}),
        ("POST", "/groups", {"name": ""}),
        ("POST", "/groups", {"name": "x" * 101}),
        ("POST", "/groups", {"name": "x", "owner_id": None}),
        ("POST", "/groups", {"name": "x", "of_the_vault": 1}),
        ("PATCH", f"/groups/{club.public_id}", {"owner_id": None}),
        ("PATCH", f"/groups/{club.public_id}", {}),
        ("PUT", f"/albums/{album.public_id}/group-grants/{club.public_id}", {"role": "owner"}),
        ("PUT", f"/albums/{album.public_id}/group-grants/{club.public_id}", {"role": "viewer", "user_id": "x"}),
        ("POST", f"/albums/{album.public_id}/move", {}),
        ("POST", f"/albums/{album.public_id}/move", {"parent_id": None}),
        ("POST", f"/albums/{album.public_id}/move", {"parent_id": None, "preview": "yes"}),
        ("POST", f"/albums/{album.public_id}/move", {"parent_id": None, "preview": True, "owner_id": "x"}),
    ):
        assert problem(script.ask(method, path, body))[0] == 422, (method, path, body)


def test_a_group_is_given_a_role_that_is_changed_and_revoked(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album, choir = house.album(anna), house.group(ben, name="Choir")
    script, grants = Script(house, anna), f"/albums/{album.public_id}/group-grants"

    given = script.put(f"{grants}/{choir.public_id}", {"role": "viewer", "expires_at": "2999-01-01T00:00:00Z"})
    raised = script.put(f"{grants}/{choir.public_id}", {"role": "editor"})

    assert given == {
        "album_id": album.public_id,
        "group_id": choir.public_id,
        "name": "Choir",
        "member_count": 1,
        "role": "viewer",
        "granted_by": "Anna",
        "created_at": ANY,
        "expires_at": "2999-01-01T00:00:00Z",
    }
    assert (raised["role"], raised["expires_at"]) == ("editor", None)
    assert script.get(grants) == {"items": [raised], "next_cursor": None}
    assert Script(house, ben).get(f"/albums/{album.public_id}")["role"] == "editor"
    assert problem(Script(house, ben).ask("GET", grants)) == FORBIDDEN
    script.delete(f"{grants}/{choir.public_id}")
    assert script.get(grants)["items"] == []
    assert Script(house, ben).ask("GET", f"/albums/{album.public_id}").status_code == 403


def test_an_album_is_moved_as_it_was_shown_and_not_otherwise(house: House) -> None:
    anna, ben, carl = house.person("Anna"), house.person("Ben"), house.person("Carl")
    family, lake = house.album(anna, "Family"), house.album(anna, "Lake")
    house.grant(family, ben, Role.VIEWER)
    link = house.link(family, label="Grandma")
    script, path = Script(house, anna), f"/albums/{lake.public_id}/move"

    shown = script.post(path, {"parent_id": family.public_id, "preview": True}, status=200)

    assert shown == {
        "album_id": lake.public_id,
        "parent_id": family.public_id,
        "is_done": False,
        "digest": ANY,
        "gains": [
            {"id": ben.public_id, "kind": "person", "name": "Ben"},
            {"id": link.public_id, "kind": "link", "name": "Grandma"},
        ],
        "gains_count": 2,
        "loses": [],
        "loses_count": 0,
        "may_do_more": [],
        "may_do_more_count": 0,
        "may_do_less": [],
        "may_do_less_count": 0,
    }
    assert role_on(ben.viewer, lake.id) is None
    house.grant(family, carl, Role.VIEWER)
    wish = {"parent_id": family.public_id, "expected": shown["digest"]}
    assert problem(script.ask("POST", path, wish))[0] == 409
    assert db.session.get_one(Album, lake.id, populate_existing=True).parent_id is None
    again = script.post(path, {"parent_id": family.public_id, "preview": True}, status=200)
    done = script.post(path, wish | {"expected": again["digest"]}, status=200)
    assert done == again | {"is_done": True}
    assert script.get(f"/albums/{lake.public_id}")["parent_id"] == family.public_id
    assert problem(script.ask("POST", path, {"parent_id": "A" * 22, "preview": True})) == FORBIDDEN


def test_of_many_who_gain_the_first_are_named_and_all_are_counted(house: House) -> None:
    anna = house.person("Anna")
    family, lake = house.album(anna, "Family"), house.album(anna, "Lake")
    house.share(family, house.group(*(house.person() for _ in range(53))), Role.VIEWER)
    wish = {"parent_id": family.public_id, "preview": True}

    shown = Script(house, anna).post(f"/albums/{lake.public_id}/move", wish, status=200)

    assert (len(shown["gains"]), shown["gains_count"]) == (50, 53)
    page = house.browser(anna).get(f"/albums/{lake.public_id}/move?to={family.public_id}").get_data(as_text=True)
    assert "and 3 others" in page
