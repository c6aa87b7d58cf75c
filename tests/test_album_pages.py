"""What the pages of albums, pictures and the trash offer: never more than the role allows, and never too little."""

from datetime import timedelta

import pytest
import time_machine

from tests.factories import House, Person
from vault.db import db, utcnow
from vault.models.media import Album, Media
from vault.models.sharing import Role
from vault.policy import Action, Denied, authorize
from vault.services import library

EDIT = "Title, description and order"
LEAVE = "Leave this album"
SELECT = "data-choose-toggle"
COVER = "Make it the cover"
TAKE_OUT = "Take out of the album"


def page(house: House, person: Person, path: str) -> str:
    answer = house.browser(person).get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def sees(person: Person, album: Album) -> bool:
    try:
        return authorize(person.viewer, Action.VIEW, Album, album.public_id) is not None
    except Denied:
        return False


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        (Role.VIEWER, {LEAVE}),
        (Role.CONTRIBUTOR, {LEAVE, SELECT}),
        (Role.EDITOR, {LEAVE, SELECT}),
        (Role.MANAGER, {LEAVE, SELECT, EDIT}),
        (Role.OWNER, {SELECT, EDIT}),
    ],
)
def test_an_album_offers_what_the_role_allows(house: House, role: Role, offered: set[str]) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.picture(anna, album)
    if role is not Role.OWNER:
        house.grant(album, ben, role)

    shown = page(house, anna if role is Role.OWNER else ben, f"/albums/{album.public_id}")

    assert {each for each in (LEAVE, SELECT, EDIT) if each in shown} == offered


@pytest.mark.parametrize(
    ("role", "own", "offered"),
    [
        (Role.VIEWER, False, set()),
        (Role.CONTRIBUTOR, True, {TAKE_OUT}),
        (Role.EDITOR, False, {COVER, TAKE_OUT}),
    ],
)
def test_a_picture_offers_what_the_role_on_its_album_allows(
    house: House, role: Role, offered: set[str], *, own: bool
) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, role)
    media = house.picture(ben if own else anna, album)

    shown = page(house, ben, f"/media/{media.public_id}")

    assert {each for each in (COVER, TAKE_OUT) if each in shown} == offered


@pytest.mark.parametrize("deed", ["edit", "trash"])
def test_a_deed_leads_back_to_the_album_that_one_came_from(house: House, deed: str) -> None:
    anna = house.person("Anna")
    album = house.album(anna)
    media = house.picture(anna, album)
    address = f"/media/{media.public_id}/{deed}?album={album.public_id}"
    assert f'action="{address}"' in page(house, anna, f"/media/{media.public_id}?album={album.public_id}")
    browser = house.browser(anna)

    answer = browser.post(address, data={"caption": "The lake"}, headers=house.csrf(browser))

    assert album.public_id in answer.location


def test_whoever_was_let_in_leaves_by_the_page(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna, "Summer")
    below = house.album(anna, "Below", parent=album)
    house.grant(album, ben, Role.MANAGER)
    browser = house.browser(ben)
    csrf = house.csrf(browser)
    # The grant stands above, so that is where one leaves.
    assert LEAVE not in page(house, ben, f"/albums/{below.public_id}")
    assert browser.post(f"/albums/{below.public_id}/leave", headers=csrf).status_code == 403
    assert sees(ben, album)

    answer = browser.post(f"/albums/{album.public_id}/leave", headers=csrf, follow_redirects=True)

    assert "You have left “Summer”." in answer.get_data(as_text=True)
    assert not sees(ben, album)
    assert not sees(ben, below)


@pytest.mark.parametrize("path", ["/albums/{album}/sharing", "/links", "/admin/access"])
def test_a_link_whose_day_has_passed_can_be_taken_back(house: House, path: str) -> None:
    anna = house.person("Anna", admin=True)
    album = house.album(anna)
    link = house.link(album, expires_at=utcnow() + timedelta(days=1))

    with time_machine.travel(utcnow() + timedelta(days=3)):
        shown = page(house, anna, path.format(album=album.public_id))

    assert "Ended" in shown
    assert f"{link.public_id}/revoke" in shown


def test_emptying_the_trash_deletes_all_of_it_and_nothing_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "AT_ONCE", 2)
    anna, ben = house.person("Anna"), house.person("Ben")
    kept, of_ben = house.picture(anna), house.picture(ben)
    gone = [house.picture(anna) for _ in range(5)]
    for owner, media in [(ben, of_ben), *((anna, each) for each in gone)]:
        library.trash(authorize(owner.viewer, Action.TRASH, Media, media.public_id))
    keys = [media.blob_key for media in gone]
    browser = house.browser(anna)

    answer = browser.post("/trash/empty", headers=house.csrf(browser), follow_redirects=True)

    assert "5 pictures are deleted for good." in answer.get_data(as_text=True)
    db.session.expire_all()
    assert {media.public_id for media in db.session.query(Media)} == {kept.public_id, of_ben.public_id}
    assert not set(keys) & set(house.vault.storage.keys())


def test_the_trash_offers_to_be_emptied_only_when_there_is_something_in_it(house: House) -> None:
    anna = house.person("Anna")
    assert "/trash/empty" not in page(house, anna, "/trash")
    media = house.picture(anna)

    library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))

    assert "/trash/empty" in page(house, anna, "/trash")


def test_deleting_for_good_answers_the_page_s_own_script_without_a_page(house: House) -> None:
    anna = house.person("Anna")
    media = house.picture(anna)
    library.trash(authorize(anna.viewer, Action.TRASH, Media, media.public_id))
    browser = house.browser(anna)
    headers = {**house.csrf(browser), "Accept": "application/json"}

    answers = [browser.post(f"/media/{media.public_id}/purge", headers=headers).status_code for _ in range(2)]

    assert answers == [204, 403]


def test_a_tile_says_whose_it_is(house: House) -> None:
    anna, ben = house.person("Anna"), house.person("Ben")
    album = house.album(anna)
    house.grant(album, ben, Role.CONTRIBUTOR)
    house.picture(anna, album)
    own = house.picture(ben, album)

    tiles = [part for part in page(house, ben, f"/albums/{album.public_id}").split("<li ") if "data-mine" in part]

    assert len(tiles) == 1
    assert own.public_id in tiles[0]
