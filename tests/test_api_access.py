"""Scripts ask who sees it and why, and take just that away."""

import sqlalchemy as sa

from tests.factories import House
from tests.scripts import Script
from vault.db import db
from vault.models.media import Album, Media
from vault.models.sharing import Role
from vault.models.system import Event
from vault.policy import Action, may
from vault.services import breakglass


def test_an_album_s_ways_in_are_listed_and_each_ends_for_itself(house: House) -> None:
    anna, ben, cem, jo = house.person("Anna"), house.person("Ben"), house.person("Cem"), house.person("Jo", admin=True)
    album = house.album(anna, "Summer")
    media = house.picture(anna, album)
    house.grant(album, ben, Role.VIEWER)
    house.share(album, house.group(cem, name="Choir", owner=anna), Role.VIEWER)
    link = house.link(album, label="Uncle")
    breakglass.look(jo.id, anna.id, album.public_id, reason="somebody complained", hours=1)
    script, address = Script(house, anna), f"/albums/{album.public_id}/access"
    lines = {line["kind"]: line for line in script.get(address)["items"]}

    assert set(lines) == {"owner", "grant", "group", "link", "break_glass"}
    assert lines["owner"]["ends"] is None
    assert (lines["group"]["name"], lines["group"]["count"], lines["group"]["user_id"]) == ("Choir", 1, None)
    assert lines["group"]["ends"] == "The whole group Choir (1 person) loses the album Summer."
    assert (lines["link"]["name"], lines["link"]["link_id"]) == ("Uncle", link.public_id)
    assert lines["break_glass"]["reason"].endswith(": somebody complained")
    assert script.ask("DELETE", f"{address}/{lines['owner']['id']}").status_code == 403
    for kind in ("group", "break_glass"):
        assert script.ask("DELETE", f"{address}/{lines[kind]['id']}").status_code == 204
        assert script.ask("DELETE", f"{address}/{lines[kind]['id']}").status_code == 403

    assert {line["kind"] for line in script.get(address)["items"]} == {"owner", "grant", "link"}
    assert [may(each.viewer, Action.VIEW, Album, album.public_id) for each in (ben, cem, jo)] == [True, False, False]
    shown = script.get(f"/media/{media.public_id}/access")["items"]
    assert {line["kind"] for line in shown} == {"owner", "grant", "link"}


def test_a_picture_comes_out_of_another_s_album_by_its_line(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Summer")
    house.grant(album, ben, Role.CONTRIBUTOR)
    media = house.picture(ben, album)
    script, address = Script(house, ben), f"/media/{media.public_id}/access"
    (line,) = [each for each in script.get(address)["items"] if each["kind"] == "album_owner"]

    assert line["ends"] == (
        "The picture comes out of the album Summer: everybody who sees it there sees it there no more."
    )
    assert Script(house, anna).ask("DELETE", f"{address}/{line['id']}").status_code == 403
    assert script.ask("DELETE", f"{address}/{line['id']}").status_code == 204
    assert not may(anna.viewer, Action.VIEW, Media, media.public_id)


def test_every_page_seen_with_other_eyes_is_recorded_also_one_that_begins_in_the_middle(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Summer")
    for _ in range(3):
        house.picture(anna, album)
    house.grant(album, ben, Role.VIEWER)
    script, address = Script(house, anna), f"/albums/{album.public_id}/as/{ben.public_id}/media"
    cursor = script.get(f"/albums/{album.public_id}/media?limit=1")["next_cursor"]

    assert script.get(f"{address}?cursor={cursor}")["items"]

    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).where(Event.action == "view_as")) == 1
