"""Who can see it, and why: the sentences are true, complete, and tell nobody of what is closed to him."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.factories import House, Person
from vault import terms
from vault.db import utcnow
from vault.models.media import Album, Media
from vault.models.sharing import Role
from vault.policy import Action, authorize
from vault.services import Refused, albums, explaining, sharing


def said_of_album(person: Person, album: Album) -> list[str]:
    return [way.reason for way in explaining.of_album(authorize(person.viewer, Action.EXPLAIN, Album, album.public_id))]


def said_of_media(person: Person, media: Media) -> list[str]:
    return [way.reason for way in explaining.of_media(authorize(person.viewer, Action.EXPLAIN, Media, media.public_id))]


def test_an_album_names_owner_grants_and_links_also_those_that_stand_above(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    above = house.album(anna, "Family")
    below = house.album(anna, "Lake", parent=above)
    house.grant(above, ben, Role.VIEWER)
    house.link(above, label="Uncle")

    assert said_of_album(anna, below) == [
        "Owner of the album",
        "granted viewer by the owner on the album Family, which Lake inherits from",
        "anybody with the link “Uncle” that Anna made to the album Family",
    ]
    assert "Anybody with a link" in house.browser(anna).get(f"/albums/{below.public_id}/sharing").get_data(as_text=True)


def test_who_manages_only_below_learns_neither_title_nor_label_from_above(house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    above = house.album(anna, "Top secret")
    below = house.album(anna, "Lake", parent=above)
    house.grant(above, ben, Role.VIEWER)
    house.grant(below, eve, Role.MANAGER)
    house.link(above, label="Hidden label")
    address = f"/albums/{below.public_id}/sharing"

    assert "granted viewer by the owner on an album that you do not see" in said_of_album(eve, below)
    page = house.browser(eve).get(address).get_data(as_text=True)
    assert "Top secret" not in page
    assert "Hidden label" not in page
    assert above.public_id not in page
    assert "Top secret" in house.browser(anna).get(address).get_data(as_text=True)


def test_what_the_rule_does_not_open_is_not_listed(house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    album = house.album(anna)
    media = house.picture(anna, album)
    house.grant(album, ben, Role.VIEWER)
    house.grant(album, eve, Role.MANAGER)
    house.link(album, by=eve, label="Eve's")
    assert len(said_of_media(anna, media)) == 4

    sharing.revoke_grant(authorize(anna.viewer, Action.MANAGE, Album, album.public_id), eve.public_id)
    house.disable(ben)

    assert said_of_media(anna, media) == ["Owner of the picture"]
    assert said_of_album(anna, album) == ["Owner of the album"]


def test_saving_an_end_again_does_not_move_it(house: House) -> None:
    for day in (date(2027, 5, 20), date(2028, 2, 29), date(2027, 12, 31)):
        ends = terms.end_of(day)
        assert ends is not None
        assert terms.last_day(ends) == day
    assert terms.last_day(datetime(2027, 5, 20, 15, tzinfo=UTC)) == date(2027, 5, 20)

    anna = house.person("Anna")
    album = house.album(anna)
    day = (utcnow() + timedelta(days=30)).date()
    link = house.link(album, expires_at=terms.end_of(day))
    page = house.browser(anna).get(f"/links/{link.public_id}").get_data(as_text=True)
    assert f'value="{day.isoformat()}"' in page


def test_a_sub_album_that_stops_inheriting_loses_the_lines_from_above(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    above = house.album(anna, "Family")
    below = house.album(anna, "Lake", parent=above)
    house.grant(above, ben, Role.VIEWER)
    assert len(said_of_album(anna, below)) == 2

    albums.change(authorize(anna.viewer, Action.MANAGE, Album, below.public_id), albums.Changes(inherits=False))

    assert said_of_album(anna, below) == ["Owner of the album"]


def test_to_share_with_somebody_does_not_tell_his_address(house: House) -> None:
    anna, eve = house.person("Anna"), house.person("Eve")
    mine = house.album(eve, "Bait")
    browser = house.browser(eve)
    answer = browser.put(
        f"/api/v1/albums/{mine.public_id}/grants/{anna.public_id}", json={"role": "viewer"}, headers=house.csrf(browser)
    )
    page = browser.get(f"/albums/{mine.public_id}/sharing").get_data(as_text=True)

    assert answer.status_code == 200
    assert anna.email not in answer.get_data(as_text=True) + page
    assert "an…@example.org" in page


def test_a_manager_for_a_while_cannot_last_longer_through_a_friend(house: House) -> None:
    anna, ben, eve = house.person("Anna"), house.person("Ben"), house.person("Eve")
    album = house.album(anna)
    ends = utcnow() + timedelta(hours=1)
    house.grant(album, ben, Role.MANAGER, expires_at=ends)
    permit = authorize(ben.viewer, Action.MANAGE, Album, album.public_id)

    for longer in (None, ends + timedelta(seconds=1)):
        with pytest.raises(Refused, match="cannot last longer"):
            sharing.grant(permit, user_id=eve.public_id, role=Role.MANAGER, expires_at=longer)
    assert sharing.grant(permit, user_id=eve.public_id, role=Role.MANAGER, expires_at=ends).expires_at == ends


def test_one_s_own_picture_comes_out_of_an_album_that_is_closed_by_now(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.CONTRIBUTOR)
    media = house.picture(ben, album)
    sharing.revoke_grant(authorize(anna.viewer, Action.MANAGE, Album, album.public_id), ben.public_id)

    assert albums.take_out(ben.viewer, album.public_id, media.public_id)
    assert said_of_media(ben, media) == ["Owner of the picture"]


def test_a_removed_manager_does_not_read_the_title_in_the_list_of_links(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Before")
    house.grant(album, ben, Role.MANAGER)
    house.link(album, by=ben, label="Mine")
    permit = authorize(anna.viewer, Action.MANAGE, Album, album.public_id)
    sharing.revoke_grant(permit, ben.public_id)
    albums.change(permit, albums.Changes(title="Divorce papers"))

    seen = [house.browser(ben).get(address).get_data(as_text=True) for address in ("/links", "/api/v1/links")]

    assert all("Mine" in page and "Divorce papers" not in page for page in seen)
    assert "Divorce papers" in house.browser(anna).get("/links").get_data(as_text=True)
