"""The JSON API's grants and links, and who can see a picture by them."""

from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

from tests.factories import ORIGIN, House
from tests.scripts import FORBIDDEN, Script, problem
from vault.models.sharing import Role

# What a link's terms are when nothing is said but whom it is for and what he may.
TERMS = {
    "scope": "tree",
    "media_count": None,
    "state": "live",
    "has_password": False,
    "starts_at": None,
    "expires_at": None,
    "paused_at": None,
    "max_visits": None,
    "visit_count": 0,
    "max_downloads": None,
    "download_count": 0,
    "max_uploads": None,
    "upload_count": 0,
    "needs_acceptance": True,
    "metadata_rule": "location",
    "long_edge_px": None,
    "watermark": "",
    "neutral_names": True,
}


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

    assert made == TERMS | {
        "id": ANY,
        "album_id": album.public_id,
        "album_title": "Summer",
        "label": "Grandma",
        "role": "viewer",
        "url": ANY,
        "creator_name": "Anna",
        "created_at": ANY,
    }
    assert visitor.get(made["url"].removeprefix(ORIGIN), follow_redirects=True).status_code == 200
    made = script.get(link)
    assert made["visit_count"] == 1
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
    assert visitor.get(rotated["url"].removeprefix(ORIGIN)).status_code == 303
    script.delete(link)
    assert visitor.get(rotated["url"].removeprefix(ORIGIN)).status_code == 403
    assert script.ask("GET", link).status_code == 403
    assert script.get("/links")["items"] == []


def test_every_term_of_a_link_is_written_read_changed_and_cleared(house: House) -> None:
    anna = house.person("Anna")
    script, links = Script(house, anna), f"/albums/{house.album(anna).public_id}/links"
    said = {
        "label": "Magazine",
        "role": "contributor",
        "scope": "album",
        "starts_at": "2001-01-01T00:00:00Z",
        "expires_at": "2999-01-01T00:00:00Z",
        "max_visits": 5,
        "max_downloads": 6,
        "max_uploads": 7,
        "needs_acceptance": False,
        "metadata_rule": "all",
        "long_edge_px": 3000,
        "watermark": "Magazine",
        "neutral_names": False,
    }

    made = script.post(links, {**said, "password": "open sesame please"})
    cleared = dict.fromkeys(("starts_at", "expires_at", "max_visits", "max_downloads", "max_uploads", "long_edge_px"))
    changed = script.patch(f"/links/{made['id']}", {**cleared, "password": None, "watermark": None, "role": "drop"})

    assert {name: made[name] for name in said} == said
    assert made["has_password"]
    assert "sesame" not in str(made)
    assert "$argon2" not in str(made)
    assert {name: changed[name] for name in cleared} == cleared
    assert (changed["has_password"], changed["watermark"], changed["role"]) == (False, "", "drop")
    assert (changed["metadata_rule"], changed["neutral_names"], changed["scope"]) == ("all", False, "album")


def test_a_link_to_chosen_pictures_is_made_of_ones_own_or_of_an_album_that_one_manages(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    hers, his, loose = house.picture(anna, album), house.picture(ben), house.picture(anna)
    house.grant(album, ben, Role.MANAGER)
    script, terms = Script(house, ben), {"label": "Cem", "role": "downloader"}

    own = script.post("/links", {**terms, "media_ids": [his.public_id]})
    out_of_album = script.post("/links", {**terms, "media_ids": [hers.public_id], "album_id": album.public_id})

    assert (own["scope"], own["media_count"], own["album_id"]) == ("selection", 1, None)
    assert (out_of_album["scope"], out_of_album["album_id"]) == ("selection", album.public_id)
    for media_ids, around in (([hers.public_id], None), ([loose.public_id], album.public_id), (["A" * 22], None)):
        refused = script.ask("POST", "/links", {**terms, "media_ids": media_ids, "album_id": around})
        assert problem(refused) == FORBIDDEN
    assert script.ask("POST", "/links", {**terms, "media_ids": []}).status_code == 422
    assert script.ask("POST", "/links", {**terms, "role": "drop", "media_ids": [his.public_id]}).status_code == 422


def test_a_link_is_paused_resumed_and_copied(house: House) -> None:
    anna = house.person("Anna")
    script = Script(house, anna)
    first = house.link(house.album(anna), label="Ben", password="open sesame please", max_visits=3)
    link = f"/links/{first.public_id}"

    paused = script.post(f"{link}/pause", status=200)
    closed = house.browser().get(house.address(first)).status_code
    resumed = script.post(f"{link}/resume", status=200)
    copied = script.post(f"{link}/copy", {"label": "Cem"})

    assert (paused["state"], paused["paused_at"] is not None, closed) == ("paused", True, 403)
    assert (resumed["state"], resumed["paused_at"]) == ("live", None)
    assert (copied["label"], copied["has_password"], copied["max_visits"]) == ("Cem", True, 3)
    assert copied["url"] != resumed["url"]
    assert house.browser().get(house.address(first)).status_code == 303


def test_what_is_no_term_of_a_link_is_refused_and_nothing_is_made(house: House) -> None:
    anna = house.person("Anna")
    script, links = Script(house, anna), f"/albums/{house.album(anna).public_id}/links"
    for wrong in (
        {"role": "manager"},
        {"role": "owner"},
        {"password_hash": "x"},
        {"creator_id": 1},
        {"visit_count": 0},
        {"scope": "selection"},
        {"max_visits": 0},
        {"max_visits": "5"},
        {"long_edge_px": 1},
        {"metadata_rule": "none"},
        {"neutral_names": 1},
        {"starts_at": "2999-01-01T00:00:00Z", "expires_at": "2998-01-01T00:00:00Z"},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"password": "abc"},
        {"label": ""},
    ):
        answer = script.ask("POST", links, {"label": "Ben", "role": "viewer", **wrong})
        assert answer.status_code == 422, wrong
    assert script.get(links)["items"] == []


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
        "id": ANY,
        "kind": "grant",
        "user_id": ben.public_id,
        "group_id": None,
        "count": 1,
        "ends": "Ben loses the album Summer, with all the pictures in it.",
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
