"""Lists of the JSON API: pages by key that neither lose nor repeat an item, whatever their length."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.factories import House, Person
from tests.scripts import EVERYTHING, Script, problem, said
from vault.db import db, transaction
from vault.models.media import Album
from vault.models.sharing import Role

NOON = datetime(2024, 7, 14, 12, tzinfo=UTC)


def albums(house: House, anna: Person) -> str:
    for number in range(5):
        house.album(anna, f"Album {number}")
    return "/albums"


def same_moment(house: House, anna: Person) -> str:
    with transaction() as session:
        for number in range(5):
            session.add(Album(owner_id=anna.id, title=str(number), created_at=NOON))
    return "/albums"


def people(house: House, anna: Person) -> str:
    for _ in range(4):
        house.person()
    return "/users"


def own_media(house: House, anna: Person) -> str:
    for number in range(5):
        house.picture(anna, shown_at=NOON + timedelta(seconds=number // 2))
    return "/media"


def album_media(house: House, anna: Person) -> str:
    album = house.album(anna)
    for number in range(5):
        house.picture(anna, album, shown_at=NOON + timedelta(seconds=number // 2))
    return f"/albums/{album.public_id}/media"


def trash(house: House, anna: Person) -> str:
    script = Script(house, anna)
    for _ in range(5):
        script.delete(f"/media/{house.picture(anna).public_id}")
    return "/media?trashed=true"


def grants(house: House, anna: Person) -> str:
    album = house.album(anna)
    for _ in range(5):
        house.grant(album, house.person(), Role.VIEWER)
    return f"/albums/{album.public_id}/grants"


def links(house: House, anna: Person) -> str:
    album = house.album(anna)
    for number in range(5):
        house.link(album, label=str(number))
    return "/links"


def album_links(house: House, anna: Person) -> str:
    links(house, anna)
    house.link(house.album(anna, "Another"))
    album = db.session.query(Album).filter_by(title="Summer").one()
    return f"/albums/{album.public_id}/links"


def access(house: House, anna: Person) -> str:
    album = house.album(anna)
    media = house.picture(anna, album)
    for _ in range(3):
        house.grant(album, house.person(), Role.VIEWER)
    house.link(album)
    return f"/media/{media.public_id}/access"


MAKERS = [albums, same_moment, people, own_media, album_media, trash, grants, links, album_links, access]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_pages_hold_every_item_once_in_the_order_of_the_whole(
    house: House, make: Callable[[House, Person], str]
) -> None:
    anna = house.person(admin=True)
    path = make(house, anna)
    script = Script(house, anna, EVERYTHING)
    separator = "&" if "?" in path else "?"
    whole = script.get(path)

    seen: list[Any] = []
    cursor = ""
    for _ in range(4):
        page = script.get(f"{path}{separator}limit=2{cursor}")
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        assert len(page["items"]) == 2
        cursor = f"&cursor={page['next_cursor']}"

    assert len(whole["items"]) == 5
    assert whole["next_cursor"] is None
    assert seen == whole["items"]


def test_a_page_goes_on_behind_an_item_that_is_gone(house: House) -> None:
    anna = house.person()
    made = [house.album(anna, f"Album {number}") for number in range(4)]
    script = Script(house, anna)
    first = script.get("/albums?limit=2")

    script.delete(f"/albums/{first['items'][1]['id']}")

    rest = script.get(f"/albums?limit=2&cursor={first['next_cursor']}")
    assert [album["id"] for album in rest["items"]] == [made[1].public_id, made[0].public_id]
    assert rest["next_cursor"] is None


def test_a_limit_or_cursor_that_is_none_is_refused(house: House) -> None:
    script = Script(house, house.person())

    for limit in ("0", "1001", "-1", "x", "1.0", "9" * 5_000, "%D9%A3", "", " 5", "1_0"):
        assert problem(script.ask("GET", f"/albums?limit={limit}"))[0] == 422, limit
    for cursor in ("x", "%00", "1.%00", "9" * 19 + "." + "A" * 22, "1" + "." + "A" * 23, "1.", "%0A"):
        assert problem(script.ask("GET", f"/albums?cursor={cursor}"))[0] == 422, cursor
    for cursor in ("9" * 18 + "." + "A" * 22, "-" + "9" * 18 + "." + "A" * 22, "0.1", "0." + "_" * 22):
        for path in ("/albums", "/media", "/media?trashed=true", "/links"):
            answer = script.ask("GET", f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
            assert said(answer, 200) == {"items": [], "next_cursor": None}, (path, cursor)
    assert said(script.ask("GET", "/albums?limit=1000&unknown=1"), 200)["items"] == []


def test_more_ids_than_a_page_asks_for_are_refused(house: House) -> None:
    script = Script(house, house.person())

    assert problem(script.ask("GET", "/media?ids=" + ",".join(["A" * 22] * 101)))[0] == 422
    assert script.get("/media?ids=" + ",".join(["A" * 22] * 100))["items"] == []
    assert script.get("/media?ids=")["items"] == []
